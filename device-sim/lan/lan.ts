import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../client/errors.ts';
import { type LanLogin, startHttpService } from './http-service.ts';
import type { LoopbackServer } from './loopback.ts';
import { startModbusService } from './modbus-service.ts';
import { Plc } from './plc.ts';
import { startEcho, startReset, startStall } from './tcp-services.ts';

/** What answers at one port: a real server on loopback, begun at the first dial (SIM-08). */
export type LanService = {
  /** IPv4 in the LAN of the device. */
  address: string;
  /** 1–65535 */
  port: number;
} & (
  | { kind: 'modbus' }
  /** Pages of a PLC; `login` instead of that of the LAN, null for none. */
  | { kind: 'http'; title?: string; login?: LanLogin | null }
  | { kind: 'echo' }
  /** Refuses every connection. */
  | { kind: 'refuse' }
  /** Answers no attempt to connect. */
  | { kind: 'hang' }
  /** Takes connections, reads nothing and says nothing. */
  | { kind: 'stall' }
  /** Breaks a connection at its first byte. */
  | { kind: 'reset' }
  /** Leads to a server that runs on loopback already. */
  | { kind: 'forward'; toPort: number }
);

export interface SimulatedLanOptions {
  /** The machines; by default a PLC and an echo. The Ewon's own web servers on 80 and 81 are always there (LAN-05). */
  services?: readonly LanService[];
  /** Machines beside them; one at the same address and port takes its place. */
  more?: readonly LanService[];
  /** The device's own user and password, asked for by its web servers and by pages of the LAN (M2W-11); none by default. */
  login?: LanLogin;
}

/** A PLC with Modbus TCP and a web page, and an echo. */
const DEFAULT_SERVICES: readonly LanService[] = [
  { address: '10.0.0.20', port: 502, kind: 'modbus' },
  { address: '10.0.0.20', port: 80, kind: 'http' },
  { address: '10.0.0.30', port: 7, kind: 'echo' },
];

/** Ports of the Ewon's own web servers (LAN-05). */
const OWN_WEB_PORTS = [80, 81] as const;

/** Whose LAN it is. */
export interface LanOwner {
  serialNumber: string;
  /** The Ewon's own address there, without prefix length. */
  address(): string;
  /** Milliseconds; sensors change with it. */
  now(): number;
}

/** The machines behind one simulated Ewon (SIM-08). Servers start at the first connection and end with {@link close}. */
export class SimulatedLan {
  readonly services: readonly LanService[];
  readonly #owner: LanOwner;
  readonly #login: LanLogin | undefined;
  readonly #plcs = new Map<string, Plc>();
  readonly #servers = new Map<string, Promise<LoopbackServer>>();
  readonly #sockets = new Set<Socket>();
  #closing = new AbortController();

  constructor(owner: LanOwner, { services = DEFAULT_SERVICES, more = [], login }: SimulatedLanOptions = {}) {
    this.#owner = owner;
    this.#login = login;
    this.services = [...more, ...services];
  }

  /** The registers of the machine at an address; the same for its Modbus port, its page and the control API. */
  plc(address = '10.0.0.20'): Plc {
    let plc = this.#plcs.get(address);
    if (plc === undefined) {
      plc = new Plc(`${this.#owner.serialNumber}/${address}`, this.#owner.now);
      this.#plcs.set(address, plc);
    }
    return plc;
  }

  /**
   * Connects to an address and port of the LAN; the socket allows half-close.
   *
   * @throws CodedError `LAN_DEVICE_REFUSED`, `LAN_DEVICE_UNREACHABLE`, `LAN_DEVICE_TIMEOUT`
   */
  async connect(address: string, port: number, { timeoutMs }: { timeoutMs: number }): Promise<Socket> {
    const where = `${address}:${port}`;
    const { signal } = this.#closing;
    const service = this.#find(address, port);
    if (service === undefined && !this.#exists(address))
      throw new CodedError('LAN_DEVICE_UNREACHABLE', `No machine of the LAN has the address ${address}.`);
    if (service === undefined || service.kind === 'refuse')
      throw new CodedError('LAN_DEVICE_REFUSED', `${where} refuses connections.`);
    if (service.kind === 'hang') {
      await delay(timeoutMs, undefined, { signal }).catch(() => undefined);
      throw new CodedError('LAN_DEVICE_TIMEOUT', `${where} did not answer within ${timeoutMs / 1000} s.`);
    }
    const loopbackPort = service.kind === 'forward' ? service.toPort : (await this.#serverOf(service)).port;
    const socket = await connectLoopback(where, loopbackPort, timeoutMs);
    if (signal.aborted) {
      socket.destroy();
      throw new CodedError('LAN_DEVICE_UNREACHABLE', 'The LAN was switched off.');
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /**
   * Ends all servers, connections and attempts at once, also those to servers that are not its own; a later connection starts
   * the servers anew.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#closing = new AbortController();
    for (const socket of this.#sockets) socket.destroy();
    const servers = [...this.#servers.values()];
    this.#servers.clear();
    await Promise.all(servers.map(async (starting) => (await starting.catch(() => undefined))?.close()));
  }

  #exists(address: string): boolean {
    return address === this.#owner.address() || this.services.some((service) => service.address === address);
  }

  #find(address: string, port: number): LanService | undefined {
    const declared = this.services.find((service) => service.address === address && service.port === port);
    if (declared !== undefined || address !== this.#owner.address()) return declared;
    if (!OWN_WEB_PORTS.some((own) => own === port)) return undefined;
    return { address, port, kind: 'http', title: `Ewon ${this.#owner.serialNumber}` };
  }

  #serverOf(service: LanService): Promise<LoopbackServer> {
    const key = `${service.address}:${service.port}`;
    const running = this.#servers.get(key);
    if (running !== undefined) return running;
    const starting = this.#start(service);
    this.#servers.set(key, starting);
    starting.catch(() => this.#servers.delete(key));
    return starting;
  }

  #start(service: LanService): Promise<LoopbackServer> {
    const plc = this.plc(service.address);
    switch (service.kind) {
      case 'modbus':
        return startModbusService(plc);
      case 'http': {
        const { title = `PLC ${this.#owner.serialNumber}`, login = this.#login ?? null } = service;
        return startHttpService({ title, login, plc, address: service.address, port: service.port });
      }
      case 'echo':
        return startEcho();
      case 'stall':
        return startStall();
      case 'reset':
        return startReset();
      case 'refuse':
      case 'hang':
      case 'forward':
        throw new Error(`A service of kind ${service.kind} has no server.`);
    }
  }
}

function connectLoopback(where: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    const fail = (error: CodedError) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new CodedError('LAN_DEVICE_TIMEOUT', `${where} did not answer within ${timeoutMs / 1000} s.`)),
      timeoutMs,
    );
    const refused = () => fail(new CodedError('LAN_DEVICE_REFUSED', `${where} refuses connections.`));
    socket.once('error', refused);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
