import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { connectionError, readRefusal } from '../client/device-port.ts';
import { CodedError, messageOf } from '../client/errors.ts';
import {
  CLOSE_CODES,
  type CloseReason,
  closeReasonOf,
  type DeviceFacts,
  type DeviceMessage,
  type GatewayMessage,
  TUNNEL_SUBPROTOCOL,
} from '../src/gateway/protocol.ts';
import { connectGateway, type GatewayAccess } from './gateway-connection.ts';
import { parseGatewayMessage } from './gateway-messages.ts';

/** Bytes; the longest message is a certificate. */
const MAX_GATEWAY_MESSAGE_BYTES = 64 * 1024;
/** The code of WebSocket for an end without close frame. */
const ABNORMAL = 1006;

/** How a tunnel ended. */
export interface TunnelEnd {
  /** The close code; 1006 without a close frame. */
  code: number;
  /**
   * A close reason of the protocol, or the device's view: `BY_DEVICE`, `VANISHED`, `GATEWAY_SILENT` (no message for the
   * time after which a device counts as offline), `CONNECTION_LOST`, or why it never opened (`UNREACHABLE`, `TIMEOUT`,
   * `PLATFORM_NOT_TRUSTED`, `CERTIFICATE_REFUSED`, the code of an HTTP refusal).
   */
  reason: string;
  /** What the gateway said, or a sentence of the device's own. */
  detail: string;
  /** Whether the device may come again by itself. */
  retry: boolean;
}

export interface TunnelOptions extends GatewayAccess {
  url: string;
  facts: DeviceFacts;
  /** Each keep-alive comes this many milliseconds later than the gateway asks for (SIM-05). */
  keepAliveDelayMs?: number | undefined;
  /** From the first packet to `waiting` or `welcome`. */
  openTimeoutMs: number;
  /** For the gateway to answer a close frame. */
  closeTimeoutMs: number;
  /** A TLS session to offer for resumption. */
  tlsSession?: Buffer | undefined;
}

interface TunnelEvents {
  message: [message: GatewayMessage];
  unknown: [text: string];
  tlsSession: [session: Buffer];
  end: [end: TunnelEnd];
}

/**
 * One connection of a device to the gateway, from TCP to close. `end` is emitted exactly once, also when it never opened;
 * nothing is emitted after it.
 */
export class Tunnel extends EventEmitter<TunnelEvents> {
  readonly #options: TunnelOptions;
  readonly #webSocket: WebSocket;
  #socket: TLSSocket | undefined;
  #opened = false;
  #ended = false;
  #closing = false;
  /** Why it will have ended, when this side knows better than the close code. */
  #cause: Omit<TunnelEnd, 'code'> | undefined;
  #openTimer: NodeJS.Timeout | undefined;
  #keepAliveTimer: NodeJS.Timeout | undefined;
  /** 0 before the gateway named it. */
  #keepAliveMs = 0;
  #keepAliveDelayMs: number;
  #silenceTimer: NodeJS.Timeout | undefined;

  constructor(options: TunnelOptions) {
    super();
    this.#options = options;
    const { origin } = new URL(options.url);
    this.#keepAliveDelayMs = options.keepAliveDelayMs ?? 0;
    this.#webSocket = connectGateway(
      { ...options, subprotocol: TUNNEL_SUBPROTOCOL },
      {
        maxPayload: MAX_GATEWAY_MESSAGE_BYTES,
        tlsSession: options.tlsSession,
        onSocket: (socket) => {
          this.#socket = socket;
          socket.on('session', (session) => this.emit('tlsSession', session));
        },
      },
    );
    this.#openTimer = setTimeout(() => {
      this.#abandon({
        reason: 'TIMEOUT',
        detail: `${origin} did not open the tunnel within ${options.openTimeoutMs / 1000} s.`,
        retry: true,
      });
    }, options.openTimeoutMs);
    this.#listen();
  }

  /** The TLS connection below; undefined before it is begun. */
  get rawSocket(): TLSSocket | undefined {
    return this.#socket;
  }

  send(message: DeviceMessage): void {
    this.sendRaw(JSON.stringify(message));
  }

  /** Sends anything: a string as text, a Buffer as binary. */
  sendRaw(data: string | Buffer): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(data);
  }

  /** Keep-alives come this much later from now on. */
  delayKeepAlives(delayMs: number): void {
    this.#keepAliveDelayMs = delayMs;
    this.#keepAliveSoon();
  }

  /**
   * Ends the tunnel with a close frame; `end` follows, at the latest after `closeTimeoutMs`.
   * @param reason why, where the protocol has a code for it
   */
  close(reason?: CloseReason): void {
    if (this.#ended || this.#closing) return;
    const cause = reason === undefined ? BY_DEVICE : causeOf(reason);
    if (this.#webSocket.readyState !== WebSocket.OPEN) {
      this.#abandon(cause);
      return;
    }
    this.#closing = true;
    this.#cause = cause;
    this.#clearTimers();
    this.#openTimer = setTimeout(() => this.#webSocket.terminate(), this.#options.closeTimeoutMs);
    if (reason === undefined) this.#webSocket.close(1000);
    else this.#webSocket.close(CLOSE_CODES[reason].code, reason);
  }

  /** Stops sending and reading and leaves the connection half-open, as a device does whose radio is gone. */
  vanish(): void {
    if (this.#ended) return;
    this.#cause = { reason: 'VANISHED', detail: 'The device vanished.', retry: false };
    this.#clearTimers();
    this.#webSocket.pause();
  }

  /** Cuts the connection without a close frame. */
  destroy(): void {
    this.#abandon(this.#cause ?? { reason: 'VANISHED', detail: 'The device cut the connection.', retry: false });
  }

  #listen(): void {
    const webSocket = this.#webSocket;
    webSocket.on('open', () => {
      this.#opened = true;
      this.send({ type: 'hello', ...this.#options.facts });
    });
    webSocket.on('message', (data, binary) => {
      this.#silenceTimer?.refresh();
      const text = data.toString();
      const message = binary ? undefined : parseGatewayMessage(text);
      if (message === undefined) {
        this.emit('unknown', text);
        return;
      }
      if (message.type === 'waiting' || message.type === 'welcome') this.#keepAlive(message);
      this.emit('message', message);
    });
    webSocket.on('unexpected-response', (request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        if (chunks.length < 16) chunks.push(chunk);
      });
      response.on('close', () => {
        const refusal = readRefusal(Buffer.concat(chunks).toString());
        const reason = refusal?.code ?? 'UPGRADE_REFUSED';
        const detail = refusal?.message ?? `The gateway answered with status ${response.statusCode}.`;
        request.destroy();
        this.#end(ABNORMAL, this.#cause ?? { reason, detail, retry: mayRetry(reason) });
      });
    });
    webSocket.on('error', (error) => {
      if (this.#cause !== undefined) return;
      const { code, message } = connectionError(this.#options.url, error);
      this.#cause = this.#opened
        ? { reason: 'CONNECTION_LOST', detail: `The connection broke: ${messageOf(error)}.`, retry: true }
        : { reason: code, detail: message, retry: true };
    });
    webSocket.on('close', (code, reason) => {
      const known = closeReasonOf(code);
      const said = reason.toString();
      if (known !== undefined)
        this.#end(code, {
          ...causeOf(known),
          ...(said !== '' && said !== known && { detail: said }),
        });
      else
        this.#end(
          code,
          this.#cause ?? {
            reason: 'CONNECTION_LOST',
            detail: said || `The tunnel ended with code ${code}.`,
            retry: true,
          },
        );
    });
  }

  #keepAlive({
    keepAliveSeconds,
    offlineAfterSeconds,
  }: {
    keepAliveSeconds: number;
    offlineAfterSeconds: number;
  }): void {
    this.#clearTimers();
    this.#keepAliveMs = keepAliveSeconds * 1000;
    this.#keepAliveSoon();
    this.#silenceTimer = setTimeout(() => {
      this.#abandon({
        reason: 'GATEWAY_SILENT',
        detail: `The gateway said nothing for ${offlineAfterSeconds} s.`,
        retry: true,
      });
    }, offlineAfterSeconds * 1000);
  }

  #keepAliveSoon(): void {
    clearTimeout(this.#keepAliveTimer);
    if (this.#keepAliveMs === 0 || this.#ended || this.#cause !== undefined) return;
    this.#keepAliveTimer = setTimeout(() => {
      this.send({ type: 'keepAlive' });
      this.#keepAliveSoon();
    }, this.#keepAliveMs + this.#keepAliveDelayMs);
  }

  #abandon(cause: Omit<TunnelEnd, 'code'>): void {
    this.#cause = cause;
    this.#webSocket.terminate();
    this.#socket?.destroy();
    this.#end(ABNORMAL, cause);
  }

  #end(code: number, cause: Omit<TunnelEnd, 'code'>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    this.emit('end', { code, ...cause });
    this.removeAllListeners();
  }

  #clearTimers(): void {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#keepAliveTimer);
    clearTimeout(this.#silenceTimer);
  }
}

/** What a close reason means for the device, for gateways that say no more than the code. */
const CLOSE_DETAILS: Partial<Record<CloseReason, string>> = {
  GOING_AWAY: 'The gateway stops.',
  SERVICE_RESTART: 'The gateway restarts.',
  MESSAGE_INVALID: 'The gateway did not understand a message.',
  CERTIFICATE_INVALID: 'The certificate is not the current one of the device, or has expired; register it anew.',
  CERTIFICATE_REVOKED: 'The Ewon was removed, replaced or rejected; register the device anew.',
  UNSUPPORTED_PROTOCOL: 'The gateway speaks another version of the protocol.',
  KEEP_ALIVE_TIMEOUT: 'The gateway missed the keep-alives of the device.',
  REPLACED: 'Another tunnel of the same device has taken over.',
  SERIAL_NUMBER_MISMATCH: 'The serial number is not that of the certificate.',
  SUBNET_CONFLICT: 'The LAN of the device overlaps a range of the VPN.',
  SENT_OFFLINE: 'The device was sent offline; it comes again when it is woken up.',
  REMOTE_ACCESS_DISABLED: 'The switch on the digital input forbids remote access.',
  TOO_MANY_MESSAGES: 'The device sent too many messages.',
  INTERNAL_ERROR: 'Something unexpected happened in the gateway.',
  VPN_ADDRESS_EXHAUSTED: 'Every VPN address is in use.',
};

const causeOf = (reason: CloseReason): Omit<TunnelEnd, 'code'> => ({
  reason,
  detail: CLOSE_DETAILS[reason] ?? `The gateway says ${reason}.`,
  retry: CLOSE_CODES[reason].retry,
});

const BY_DEVICE = { reason: 'BY_DEVICE', detail: 'The device closed the tunnel.', retry: false };

/** Of a code in an HTTP refusal: what stands in the table of close codes is judged by it, the rest may pass. */
const mayRetry = (code: string): boolean => !(code in CLOSE_CODES) || CLOSE_CODES[code as CloseReason].retry;

/** A tunnel's end as an error, for those who waited for its beginning. */
export const endError = (end: TunnelEnd): CodedError => new CodedError(end.reason, `There is no tunnel: ${end.detail}`);
