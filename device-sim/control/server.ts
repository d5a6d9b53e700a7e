import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import pLimit from 'p-limit';
import { CodedError, codeOf, messageOf } from '../../client/errors.ts';
import type { Device } from '../device.ts';
import { type LoopbackAnswer, type LoopbackApi, readJson, startLoopbackApi } from '../loopback-api.ts';
import { CONTROL_COMMANDS } from './commands.ts';

/** Bytes; a thousand values of a data history take about 150 KB. */
const MAX_BODY_BYTES = 256 * 1024;
/** Devices that a command for all of them is done with at a time. */
const AT_ONCE = 20;

/** A device as the control API tells of it. */
const describe = (device: Device) => ({
  serialNumber: device.serialNumber,
  ewonName: device.ewonName ?? null,
  state: device.state,
  tunnelState: device.tunnelState,
  vpnAddress: device.vpnAddress ?? null,
  firmwareVersion: device.facts.firmwareVersion,
  digitalInput: device.facts.digitalInput,
  digitalInputPolicy: device.facts.digitalInputPolicy,
  connectionMode: device.connectionMode,
  phoneNumber: device.phoneNumber ?? null,
  faults: device.faults,
  streams: device.streams,
  lastClose: device.lastClose ?? null,
});

export interface ControlOptions {
  devices: () => readonly Device[];
  /** What callers show as `Authorization: Bearer …`. */
  token: string;
  /** Of loopback; 0 for any free one. */
  port?: number;
}

/**
 * The door through which a running simulator is commanded (SIM-07): `GET /devices`, `GET /devices/<serial number>`, and
 * `POST /devices/<serial number, or all>/<command>`. docs/simulator.md lists the commands.
 *
 * @throws CodedError `PORT_NOT_AVAILABLE`
 */
export function startControl({ devices, token, port = 0 }: ControlOptions): Promise<LoopbackApi> {
  const right = digestOf(token);
  return startLoopbackApi(port, async (request) => {
    const given = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!timingSafeEqual(digestOf(given), right))
      throw new CodedError('UNAUTHENTICATED', 'The control API wants its token as a bearer.');
    return await answer(request, devices());
  });
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

async function answer(request: IncomingMessage, devices: readonly Device[]): Promise<LoopbackAnswer> {
  const [collection, serialNumber, name, ...rest] = (request.url ?? '').split('?')[0]?.slice(1).split('/') ?? [];
  if (collection !== 'devices' || rest.length > 0) throw new CodedError('NOT_FOUND', 'There is no such path.');
  const method = name === undefined ? 'GET' : 'POST';
  if (request.method !== method) throw new CodedError('METHOD_NOT_ALLOWED', `This path takes ${method}.`);
  if (serialNumber === undefined) return { status: 200, body: { devices: devices.map(describe) } };
  const chosen = serialNumber === 'all' ? devices : devices.filter((device) => device.serialNumber === serialNumber);
  if (chosen.length === 0) throw new CodedError('NOT_FOUND', `There is no device ${serialNumber} here.`);
  if (name === undefined) return { status: 200, body: { devices: chosen.map(describe) } };
  const command = Object.hasOwn(CONTROL_COMMANDS, name) ? CONTROL_COMMANDS[name] : undefined;
  if (command === undefined) {
    const message = `There is no command ${name}; there are ${Object.keys(CONTROL_COMMANDS).join(', ')}.`;
    throw new CodedError('NOT_FOUND', message);
  }
  const body = await readJson(request, MAX_BODY_BYTES);
  const results = await pLimit(AT_ONCE).map([...chosen], async (device) => {
    try {
      return { serialNumber: device.serialNumber, outcome: 'DONE', result: await command.perform(device, body) };
    } catch (error) {
      // Of one device it is the answer; of all, a part of it.
      if (serialNumber !== 'all' || codeOf(error) === 'VALUE_INVALID') throw error;
      return { serialNumber: device.serialNumber, outcome: 'FAILED', code: codeOf(error), message: messageOf(error) };
    }
  });
  return { status: 200, body: { results } };
}
