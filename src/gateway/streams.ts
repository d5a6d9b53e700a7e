import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Platform } from '../context.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { FIREWALL_FACTS } from '../lan/facts.ts';
import { type Verdict, verdictOn } from '../lan/rules.ts';
import { inAccount, type LogDraft } from '../log/write.ts';
import { createToken, hashToken } from '../secrets.ts';
import { addTraffic } from '../sessions/traffic.ts';
import { identifyDevice } from './identity.ts';
import { type DialFailure, MAX_STREAM_FRAME_BYTES, STREAM_SUBPROTOCOL } from './protocol.ts';
import { StreamError, StreamSocket } from './stream-socket.ts';
import type { Tunnels } from './tunnels.ts';
import { refuseUpgrade } from './upgrade.ts';

/** Ends and changes that no bell told are found after this. */
const CHECK_MS = 5000;
/** Bytes of streams that ended are written this soon, those of several at once together. */
const SOON_MS = 200;

/** An address and port behind an Ewon. */
export const StreamTarget = z.object({ address: z.ipv4(), port: z.coerce.number().int().min(1).max(65535) });
export type StreamTarget = z.infer<typeof StreamTarget>;

/** The firewall refuses a stream; carries what decided (TUN-02). */
export class StreamForbiddenError extends AppError {
  override readonly name = 'StreamForbiddenError';
  constructor(
    target: StreamTarget,
    readonly verdict: Verdict,
  ) {
    super(
      'STREAM_FORBIDDEN',
      `The firewall of the Ewon (${verdict.level}, ${verdict.rule}) does not allow ${target.address}:${target.port}: ${verdict.reason}.`,
    );
  }
}

/** A stream whose device half is open. */
interface Stream {
  target: StreamTarget;
  device: StreamSocket;
}

/** A device that was asked to dial and has not answered. */
interface Dial {
  streamId: string;
  ewonId: string;
  tokenHash: string;
  settle(result: StreamSocket | AppError): void;
}

/** What this instance knows of the streams of one session. */
interface SessionStreams {
  accountId: string;
  ewonId: string;
  subject: Pick<LogDraft, 'user' | 'ewon' | 'sessionId'>;
  streams: Set<Stream>;
  /** Dials that the device has not answered, also for callers who are gone: whoever opens and leaves must not flood it. */
  opening: number;
  /** Bytes of streams that have ended. */
  past: Traffic;
  /** Bytes that have been written to the session. */
  written: Traffic;
  refusalsLogged: number;
}

/** Bytes from the user to the Ewon, and back (CON-29). */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
}

/**
 * The streams of the sessions on this gateway instance: TCP connections behind an Ewon, for whoever holds the session. It
 * asks the device over its tunnel to dial and to come back with a token that is good once (decision 8), checks each at its
 * opening (TUN-02), counts its bytes (TUN-05), and ends it with its session (TUN-03) or when the firewall no longer allows it
 * (LAN-16).
 */
export class Streams {
  private readonly sessions = new Map<string, SessionStreams>();
  /** Sessions that have ended, until their bytes are written. */
  private readonly ended = new Map<string, SessionStreams>();
  /** By the hash of their token. */
  private readonly dials = new Map<string, Dial>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_STREAM_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(STREAM_SUBPROTOCOL) ? STREAM_SUBPROTOCOL : false),
  });
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly stopListening: () => void;
  private flushSoon: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private checking: Promise<void> | null = null;
  /** What is to be looked at next: sessions, or all of them. */
  private toCheck: Set<string> | 'ALL' = new Set();
  private closed = false;

  constructor(
    private readonly ctx: Platform,
    private readonly tunnels: Pick<Tunnels, 'of'>,
  ) {
    this.stopListening = ctx.bell.onRing('ewons', () => this.check());
    this.timers.push(setInterval(() => this.check(), CHECK_MS));
    this.timers.push(setInterval(() => this.flush(), ctx.config.limits.TRAFFIC_SECONDS * 1000));
  }

  /** The number of live streams. */
  get size(): number {
    return [...this.sessions.values()].reduce((sum, { streams }) => sum + streams.size, 0);
  }

  /** The bytes of a session's streams through this instance so far. */
  traffic(sessionId: string): Traffic {
    const session = this.sessions.get(sessionId) ?? this.ended.get(sessionId);
    return session ? trafficOf(session) : { bytesIn: 0, bytesOut: 0 };
  }

  /**
   * Opens a stream of a session to an address and port behind its Ewon, and returns the device's half of it: its reader and
   * writer is whoever serves the user. It is destroyed with a {@link StreamError} when the session ends or the firewall
   * changes.
   * @param signal ends the attempt when the user is gone
   * @throws AppError SESSION_CLOSED, EWON_OFFLINE, TOO_MANY_STREAMS, LAN_DEVICE_REFUSED, LAN_DEVICE_UNREACHABLE,
   *   LAN_DEVICE_TIMEOUT, DEVICE_BUSY; StreamForbiddenError
   */
  async open(sessionId: string, target: StreamTarget, signal?: AbortSignal): Promise<StreamSocket> {
    const { facts, record } = await this.sessionOf(sessionId);
    const { STREAMS_PER_SESSION } = this.ctx.config.limits;
    if (record.streams.size + record.opening >= STREAMS_PER_SESSION) {
      const error = new AppError(
        'TOO_MANY_STREAMS',
        `The session has ${STREAMS_PER_SESSION} streams open; it may have no more at a time.`,
      );
      this.noteRefusal(record, target, error.code);
      throw error;
    }
    const verdict = verdictOn(facts, { ...target, protocol: 'TCP' });
    if (!verdict.reachable) {
      this.noteRefusal(record, target, `${verdict.level}, ${verdict.rule}: ${verdict.reason}`);
      throw new StreamForbiddenError(target, verdict);
    }
    return this.dial(sessionId, record, target, signal);
  }

  /** Takes the upgrade by which a device dials back: its certificate, the current one of an Ewon, and the token of a dial. */
  acceptDevice(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const certificate = (request.socket as TLSSocket).getPeerCertificate(false);
    const token = bearerOf(request);
    if (request.headers['sec-websocket-protocol'] !== STREAM_SUBPROTOCOL) return refuseUpgrade(socket, 426);
    if (!certificate?.raw || token === null) return refuseUpgrade(socket, 401);
    identifyDevice(this.ctx, certificate.raw)
      .then((identity) => {
        if (typeof identity === 'string')
          return refuseUpgrade(socket, 403, { code: identity, message: 'The certificate is not accepted.' });
        const dial = this.dials.get(hashToken(token));
        if (dial?.ewonId !== identity.ewon.id) {
          this.ctx.log.warn({ ewonId: identity.ewon.id }, 'A device came with a wrong or used token of a stream');
          return refuseUpgrade(socket, 401, {
            code: 'UNAUTHENTICATED',
            message: 'The token is of no dial of this device that waits: unknown, used or too late.',
          });
        }
        this.dials.delete(dial.tokenHash);
        if (socket.destroyed)
          return dial.settle(new AppError('LAN_DEVICE_UNREACHABLE', 'The Ewon broke the connection.'));
        this.sockets.handleUpgrade(request, socket, head, (webSocket) => dial.settle(new StreamSocket(webSocket)));
      })
      .catch((error: unknown) => {
        this.ctx.log.error({ err: error }, 'A stream of a device could not be accepted');
        socket.destroy();
      });
  }

  /** A device could not open the connection that it was asked for. */
  dialFailed(ewonId: string, streamId: string, code: DialFailure, message: string): void {
    for (const dial of this.dials.values()) {
      if (dial.streamId !== streamId || dial.ewonId !== ewonId) continue;
      this.dials.delete(dial.tokenHash);
      return dial.settle(new AppError(code, message || DIAL_FAILURES[code]));
    }
  }

  /** Cuts all streams and writes what they have carried. */
  async close(): Promise<void> {
    this.closed = true;
    this.stopListening();
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.flushSoon);
    for (const dial of this.dials.values())
      dial.settle(new AppError('EWON_OFFLINE', 'The gateway restarts; connect again.'));
    this.dials.clear();
    for (const { streams } of this.sessions.values())
      for (const { device } of streams) device.destroy(new StreamError('SERVICE_RESTART', 'SERVICE_RESTART'));
    await this.checking;
    this.flush();
    await this.flushing;
    this.sockets.close();
  }

  private async sessionOf(sessionId: string) {
    const session = await this.ctx.db.session.findUnique({
      where: { id: sessionId },
      select: {
        accountId: true,
        state: true,
        userId: true,
        userName: true,
        userNumber: true,
        ewon: { select: { id: true, number: true, name: true, ...FIREWALL_FACTS } },
      },
    });
    if (session?.state !== 'OPEN' || !session.ewon || this.closed)
      throw new AppError('SESSION_CLOSED', 'The session has ended; open another.');
    const { accountId, userId, userName, userNumber, ewon } = session;
    let record = this.sessions.get(sessionId);
    if (!record) {
      record = {
        accountId,
        ewonId: ewon.id,
        subject: {
          user: userId === null ? null : { id: userId, number: userNumber, name: userName },
          ewon: { id: ewon.id, number: ewon.number, name: ewon.name },
          sessionId,
        },
        streams: new Set(),
        opening: 0,
        past: { bytesIn: 0, bytesOut: 0 },
        written: { bytesIn: 0, bytesOut: 0 },
        refusalsLogged: 0,
      };
      this.sessions.set(sessionId, record);
    }
    return { facts: ewon, record };
  }

  /** Asks the device to dial, and waits until it comes back, refuses, or its time is over. */
  private async dial(
    sessionId: string,
    record: SessionStreams,
    target: StreamTarget,
    signal?: AbortSignal,
  ): Promise<StreamSocket> {
    const { ewonId } = record;
    const withinSeconds = this.ctx.config.limits.STREAM_DIAL_SECONDS;
    const tunnel = this.tunnels.of(ewonId);
    if (!tunnel) throw new AppError('EWON_OFFLINE', 'The Ewon is not connected to this gateway.');
    const [streamId, token] = [randomUUID(), createToken()];
    const tokenHash = hashToken(token);
    return new Promise((resolve, reject) => {
      let wanted = true;
      const gone = () => {
        wanted = false;
        reject(new AppError('LAN_DEVICE_TIMEOUT', 'The caller has gone.'));
      };
      record.opening += 1;
      const settle = (result: StreamSocket | AppError) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', gone);
        this.dials.delete(tokenHash);
        record.opening -= 1;
        if (!(result instanceof StreamSocket)) return reject(result);
        // It counts before anybody else is asked whether there is room.
        this.add(sessionId, record, { target, device: result });
        if (wanted) resolve(result);
        else result.destroy();
      };
      const late = () =>
        new AppError('LAN_DEVICE_TIMEOUT', `The Ewon did not connect within ${withinSeconds} seconds.`);
      const timer = setTimeout(() => settle(late()), withinSeconds * 1000);
      signal?.addEventListener('abort', gone, { once: true });
      this.dials.set(tokenHash, { streamId, ewonId, tokenHash, settle });
      tunnel.send({ type: 'dial', streamId, token, ...target, withinSeconds });
      if (signal?.aborted) gone();
    });
  }

  private add(sessionId: string, record: SessionStreams, stream: Stream): void {
    const { device } = stream;
    record.streams.add(stream);
    device.once('close', () => {
      record.streams.delete(stream);
      record.past.bytesIn += device.bytesWritten;
      record.past.bytesOut += device.bytesRead;
      this.flushInAMoment();
    });
    // Who uses it hears of it too; an error that nobody listens to would end the process.
    device.on('error', () => undefined);
    if (this.closed || this.sessions.get(sessionId) !== record)
      device.destroy(new StreamError('SESSION_CLOSED', 'SESSION_CLOSED'));
    // The session may have ended, or the firewall changed, while the device dialled.
    else this.check(sessionId);
  }

  /**
   * Looks whether a session, or each, is open and its firewall still allows what is live. What is asked for during a run is
   * looked at by the next.
   */
  private check(sessionId?: string): void {
    if (sessionId === undefined) this.toCheck = 'ALL';
    else if (this.toCheck !== 'ALL') this.toCheck.add(sessionId);
    this.checking ??= this.checkAll()
      .catch((error: unknown) => this.ctx.log.error({ err: error }, 'Live streams could not be checked'))
      .finally(() => {
        this.checking = null;
        if (!this.closed && (this.toCheck === 'ALL' || this.toCheck.size > 0)) this.check();
      });
  }

  private async checkAll(): Promise<void> {
    for (;;) {
      const which = this.toCheck;
      this.toCheck = new Set();
      // What opens while the database is asked is not in its answer, and is looked at by a check of its own.
      const asked = [...this.sessions].filter(([id]) => which === 'ALL' || which.has(id));
      if (asked.length === 0 || this.closed) return;
      await this.compare(asked);
    }
  }

  private async compare(asked: [string, SessionStreams][]): Promise<void> {
    const sessions = await this.ctx.db.session.findMany({
      where: { id: { in: asked.map(([id]) => id) } },
      select: { id: true, state: true, closeReason: true },
    });
    const open = new Set(sessions.filter(({ state }) => state === 'OPEN').map(({ id }) => id));
    const reasons = new Map(sessions.map(({ id, closeReason }) => [id, closeReason]));
    for (const [id, record] of asked) {
      if (!open.has(id)) this.end(id, record, reasons.get(id) ?? 'SESSION_CLOSED');
    }
    const live = asked
      .map(([, record]) => ({ record, streams: [...record.streams] }))
      .filter(({ streams }) => streams.length > 0);
    if (live.length === 0) return;
    const ewons = await this.ctx.db.ewon.findMany({
      where: { id: { in: [...new Set(live.map(({ record }) => record.ewonId))] } },
      select: { id: true, ...FIREWALL_FACTS },
    });
    const facts = new Map(ewons.map((ewon) => [ewon.id, ewon]));
    for (const { record, streams } of live) {
      const of = facts.get(record.ewonId);
      if (of) this.cutForbidden(record, streams, (target) => verdictOn(of, { ...target, protocol: 'TCP' }));
    }
  }

  /** TUN-03 */
  private end(sessionId: string, record: SessionStreams, reason: string): void {
    if (!this.sessions.delete(sessionId)) return;
    this.ended.set(sessionId, record);
    for (const { device } of record.streams) device.destroy(new StreamError('SESSION_CLOSED', reason));
    this.flushInAMoment();
  }

  /** LAN-16 */
  private cutForbidden(
    record: SessionStreams,
    streams: readonly Stream[],
    judge: (target: StreamTarget) => Verdict,
  ): void {
    const cut = streams
      .map((stream) => ({ stream, verdict: judge(stream.target) }))
      .filter(({ verdict }) => !verdict.reachable);
    const [first] = cut;
    if (!first) return;
    for (const { stream, verdict } of cut)
      stream.device.destroy(new StreamError('STREAM_FORBIDDEN', `${verdict.level} ${verdict.rule} ${verdict.reason}`));
    const { level, rule } = first.verdict;
    this.note(record, {
      code: 'STREAMS_CUT',
      params: { count: cut.length, reason: `the firewall is ${level} now (${rule})` },
    });
  }

  private noteRefusal(record: SessionStreams, { address, port }: StreamTarget, reason: string): void {
    if (record.refusalsLogged >= this.ctx.config.limits.STREAM_REFUSALS_LOGGED) return;
    record.refusalsLogged += 1;
    this.note(record, { code: 'STREAM_REFUSED', params: { target: `${address}:${port}`, reason } });
  }

  private note(record: SessionStreams, entry: Pick<LogDraft, 'code' | 'params'>): void {
    inAccount(this.ctx, record.accountId, async ({ log }) =>
      log({ ...entry, ...record.subject, trigger: entry.code === 'STREAMS_CUT' ? 'PLATFORM' : 'USER' }),
    ).catch((error: unknown) => this.ctx.log.error({ err: error }, 'An event of a stream could not be logged'));
  }

  private flushInAMoment(): void {
    this.flushSoon ??= setTimeout(() => this.flush(), SOON_MS);
  }

  private flush(): void {
    clearTimeout(this.flushSoon);
    this.flushSoon = undefined;
    const sessions = [...this.sessions, ...this.ended];
    this.flushing = this.flushing.then(() => this.write(sessions));
  }

  /** Adds what was carried since the last time, in one statement; what could not be written is added the next time. */
  private async write(sessions: [string, SessionStreams][]): Promise<void> {
    const due = sessions
      .map(([id, record]) => ({ id, record, now: trafficOf(record) }))
      .filter(({ record: { written }, now }) => now.bytesIn > written.bytesIn || now.bytesOut > written.bytesOut);
    try {
      if (due.length > 0)
        await addTraffic(
          this.ctx,
          due.map(({ id, record: { written }, now }) => ({
            sessionId: id,
            bytesIn: now.bytesIn - written.bytesIn,
            bytesOut: now.bytesOut - written.bytesOut,
          })),
        );
      for (const { record, now } of due) record.written = now;
      for (const [id, { streams }] of sessions) if (streams.size === 0) this.ended.delete(id);
    } catch (error) {
      this.ctx.log.error({ err: error }, 'The traffic of sessions could not be written; it is tried again');
    }
  }
}

/** The HTTP status of a refused stream. */
export const STREAM_STATUS: Partial<Record<ErrorCode, number>> = {
  STREAM_FORBIDDEN: 403,
  SESSION_CLOSED: 409,
  EWON_OFFLINE: 409,
  TOO_MANY_STREAMS: 429,
  LAN_DEVICE_REFUSED: 502,
  LAN_DEVICE_UNREACHABLE: 502,
  DEVICE_BUSY: 502,
  LAN_DEVICE_TIMEOUT: 504,
};

const DIAL_FAILURES: Record<DialFailure, string> = {
  LAN_DEVICE_REFUSED: 'The LAN device refused the connection.',
  LAN_DEVICE_UNREACHABLE: 'The Ewon cannot reach this address.',
  LAN_DEVICE_TIMEOUT: 'The LAN device did not answer in time.',
  DEVICE_BUSY: 'The Ewon has as many streams open as it can.',
};

function trafficOf({ past, streams }: SessionStreams): Traffic {
  const sum = { ...past };
  for (const { device } of streams) {
    sum.bytesIn += device.bytesWritten;
    sum.bytesOut += device.bytesRead;
  }
  return sum;
}

/** The token of `Authorization: Bearer …`. */
export const bearerOf = (request: IncomingMessage): string | null =>
  /^Bearer ([\w-]{20,100})$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
