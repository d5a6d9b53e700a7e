import { timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Platform } from '../context.ts';
import type { SessionCloseReason } from '../generated/prisma/client.ts';
import { touchLoginsOf } from '../logins/login.ts';
import { createToken } from '../secrets.ts';
import {
  type EstablishedSession,
  endedSessions,
  establishSession,
  keepSessionsAlive,
  leaveSession,
} from '../sessions/tunnel.ts';

const CHECK_MS = 5000;
/** The use of a session is written this often at most. */
const RENEWED_MS = 15_000;
/** How long the portal can tell why a session is over. */
const REMEMBERED_MS = 3_600_000;

/** A request or WebSocket that runs through a session. */
export interface Passing {
  /** Null while it is being opened. */
  stream: (Duplex & { bytesRead: number; bytesWritten: number }) | null;
  /** A WebSocket may be silent for as long as it likes. */
  upgraded: boolean;
  /** Ends both sides; the reason is for the browser, when it has got no answer yet. */
  cut(reason: 'SESSION_CLOSED' | 'STALLED' | 'SERVICE_RESTART'): void;
}

interface Watch {
  bytes: number;
  movedMs: number;
}

/** An M2web session that a browser has entered. */
export interface PortalSession {
  session: EstablishedSession;
  /** In the path of everything of the session: what distinguishes it from others, with the cookie. */
  key: string;
  /** Value of the cookie, which only this browser has. */
  secret: string;
  ewon: { id: string; number: number; name: string; lanAddress: string | null };
  /** Why it is over; null while it is open. */
  ended: SessionCloseReason | null;
}

interface Entered extends PortalSession {
  /** When its use was last written, by the platform's clock. */
  renewedAt: Date | null;
  endedMs: number;
  passing: Map<Passing, Watch>;
}

/**
 * The M2web sessions on this gateway instance, by the key of their path. A browser sends no keep-alives, so a session lives for
 * PORTAL_IDLE_MINUTES after its last request, and as long as something runs through it (CON-30); that counts as use of its
 * login (AUTH-18). When it ends, whatever runs through it is cut (TUN-03), and its path tells why for an hour.
 */
export class PortalSessions {
  private readonly sessions = new Map<string, Entered>();
  private readonly timers: NodeJS.Timeout[];
  private readonly stopListening: () => void;

  constructor(private readonly ctx: Platform) {
    const stallMs = ctx.config.limits.PORTAL_STALL_SECONDS * 1000;
    this.timers = [
      setInterval(() => this.work(this.check()), CHECK_MS),
      setInterval(() => this.cutStalled(stallMs), Math.min(CHECK_MS, stallMs / 4)),
    ];
    this.stopListening = ctx.bell.onRing('ewons', () => this.work(this.cutEnded()));
  }

  /** Spends a ticket of an M2web session; null when it is void, or of a session that is not for browsers. */
  async enter(ticket: string): Promise<PortalSession | null> {
    const session = await establishSession(this.ctx, ticket, 'PORTAL');
    if (!session) return null;
    const found = await this.ctx.db.session.findUnique({
      where: { id: session.id },
      select: { ewon: { select: { id: true, number: true, name: true, lanAddress: true } } },
    });
    if (!found?.ewon) return null;
    const entered: Entered = {
      session,
      key: createToken(),
      secret: createToken(),
      ewon: found.ewon,
      ended: null,
      renewedAt: null,
      endedMs: 0,
      passing: new Map(),
    };
    // Who opens the portal of a session again, with another ticket, takes it over.
    for (const [key, earlier] of this.sessions) {
      if (earlier.session.id !== session.id) continue;
      this.sessions.delete(key);
      for (const passing of earlier.passing.keys()) passing.cut('SESSION_CLOSED');
    }
    this.sessions.set(entered.key, entered);
    await this.renew([entered]);
    this.work(this.cutEnded());
    return entered;
  }

  /** The session of a path, when the cookie is that of its browser; of one that is over, the path is enough. */
  find(key: string, secret: string | undefined): PortalSession | null {
    const entered = this.sessions.get(key);
    if (!entered) return null;
    if (entered.ended !== null) return entered;
    if (secret === undefined || !sameText(secret, entered.secret)) return null;
    this.work(this.renew([entered]));
    return entered;
  }

  /** Notes that something runs through the session, until the function that it returns is called. */
  begin(session: PortalSession, passing: Passing): () => void {
    const entered = this.sessions.get(session.key);
    entered?.passing.set(passing, { bytes: 0, movedMs: performance.now() });
    return () => void entered?.passing.delete(passing);
  }

  /** Its user has left it (CON-09). */
  async leave({ session }: PortalSession): Promise<void> {
    await leaveSession(this.ctx, session);
    await this.cutEnded();
  }

  /** Looks now for sessions that have ended. */
  async cutEnded(): Promise<void> {
    const open = new Map(this.open().map((entered) => [entered.session.id, entered]));
    if (open.size === 0) return;
    for (const [id, reason] of await endedSessions(this.ctx, [...open.keys()])) {
      const entered = open.get(id);
      if (!entered || entered.ended !== null) continue;
      entered.ended = reason;
      entered.endedMs = performance.now();
      for (const passing of entered.passing.keys()) passing.cut('SESSION_CLOSED');
    }
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.stopListening();
    for (const { passing } of this.sessions.values())
      for (const running of passing.keys()) running.cut('SERVICE_RESTART');
  }

  private open(): Entered[] {
    return [...this.sessions.values()].filter(({ ended }) => ended === null);
  }

  private async check(): Promise<void> {
    for (const [key, { ended, endedMs }] of this.sessions)
      if (ended !== null && performance.now() - endedMs > REMEMBERED_MS) this.sessions.delete(key);
    await this.cutEnded();
    await this.renew(this.open().filter(({ passing }) => passing.size > 0));
  }

  /** Notes that the sessions are used, if that was not noted a moment ago. */
  private async renew(used: Entered[]): Promise<void> {
    const now = this.ctx.clock.now();
    const due = used.filter(({ renewedAt }) => !renewedAt || now.getTime() - renewedAt.getTime() >= RENEWED_MS);
    if (due.length === 0) return;
    for (const entered of due) entered.renewedAt = now;
    const ids = due.map(({ session }) => session.id);
    await keepSessionsAlive(this.ctx, ids, this.ctx.config.limits.PORTAL_IDLE_MINUTES * 60);
    await touchLoginsOf(this.ctx, ids);
  }

  /** Every wait has an end: what moves no byte either way for PORTAL_STALL_SECONDS is cut. */
  private cutStalled(limitMs: number): void {
    const now = performance.now();
    for (const [running, watch] of this.open().flatMap(({ passing }) => [...passing])) {
      const { stream, upgraded } = running;
      const bytes = stream ? stream.bytesRead + stream.bytesWritten : 0;
      // The opening has a limit of its own.
      if (bytes !== watch.bytes || upgraded || stream === null) Object.assign(watch, { bytes, movedMs: now });
      else if (now - watch.movedMs > limitMs) running.cut('STALLED');
    }
  }

  private work(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.ctx.log.error({ err: error }, 'Sessions of the portal could not be served'));
  }
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
