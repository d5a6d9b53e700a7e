import { addSeconds } from '../clock.ts';
import type { ActorContext } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { AppError, notFound } from '../errors.ts';
import { ewonsVisibleTo } from '../ewons/rules.ts';
import type { ClientKind, Session } from '../generated/prisma/client.ts';
import { findStoredResult, type KeyedRequest, storeResult } from '../idempotency.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { refreshActor } from '../logins/login.ts';
import { createToken, hashToken } from '../secrets.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { endSessions } from './close.ts';
import { createSession, obstacleTo, SESSION_EWON, subjectOf } from './create.ts';
import { enterQueue, leaveQueue, regainPlace, renewPlace } from './queue.ts';
import { NoFreeSlotError, slotRefusal, UserAlreadyConnectedError } from './refusal.ts';
import { takesSlot } from './rules.ts';
import { type SlotFacts, slotFor } from './slot-rules.ts';
import { readSlots, settleSlots } from './slots.ts';

/** What a caller asks for. */
export interface OpenSessionRequest {
  ewonId: string;
  client: ClientKind;
  /** CON-07: closes the caller's present Ecatcher session in the same step. */
  switch: boolean;
  /** WTL-02: how long to wait for a slot when none is free; 0 does not wait. Seconds. */
  waitSeconds: number;
  /** API-01 */
  idempotencyKey: string | null;
}

/** What lets a client open its end of the tunnel: good for one use, for a minute. */
export interface TunnelTicket {
  url: string;
  /** Where a browser posts the token to; only of M2web sessions (TUN-07). */
  portalUrl: string | null;
  token: string;
  expiresAt: Date;
}

export interface OpenedSession {
  session: Session;
  ticket: TunnelTicket;
}

type Outcome = { opened: Session } | { refused: AppError } | { waiting: string };

/**
 * Opens a session (CON-01 to CON-09, CON-27): one transaction under the account's lock checks, takes a slot, gives the user
 * his VPN address, and writes session and log entry; what is refused for the Ewon's or the slots' sake is logged too.
 * With `waitSeconds` a caller without a slot queues, and is answered when served, or refused when the time is over.
 * @param signal ends the waiting when the caller goes away (WTL-03).
 * @throws AppError NOT_FOUND, FORBIDDEN, EWON_NOT_APPROVED, EWON_OFFLINE, USER_ALREADY_CONNECTED, CONCURRENT_CONNECTION_LIMIT,
 *   VPN_ADDRESS_EXHAUSTED, IDEMPOTENCY_KEY_REUSED
 */
export async function openSession(
  ctx: ActorContext,
  request: OpenSessionRequest,
  signal?: AbortSignal,
): Promise<OpenedSession> {
  const outcome = await inAccount(ctx, ctx.actor.accountId, (account) => tryToOpen(ctx, account, request));
  if ('refused' in outcome) throw outcome.refused;
  if ('opened' in outcome) return withTicket(ctx, outcome.opened);
  return waitForTurn(ctx, outcome.waiting, request, signal);
}

async function tryToOpen(ctx: ActorContext, account: AccountTx, request: OpenSessionRequest): Promise<Outcome> {
  const { actor } = ctx;
  const { tx, log, now } = account;
  const stored = await findStored(tx, ctx, request);
  if (stored) return { opened: stored };

  const ewon = await tx.ewon.findFirst({
    where: { id: request.ewonId, ...ewonsVisibleTo(actor) },
    select: SESSION_EWON,
  });
  if (!ewon) throw notFound('Ewon');
  const refuse = (error: AppError): Outcome => {
    log({
      code: 'SESSION_REFUSED',
      user: actorSubject(actor),
      ewon: subjectOf(ewon),
      params: { reason: error.code, client: request.client },
    });
    return { refused: error };
  };
  const obstacle = obstacleTo(actor, ewon, request.client);
  if (obstacle) return refuse(obstacle);

  const present = takesSlot(request.client)
    ? await tx.session.findUnique({ where: { exclusiveUserId: actor.userId } })
    : null;
  if (present && !request.switch) return { refused: new UserAlreadyConnectedError(present) };

  const slot = takesSlot(request.client) ? await chooseSlot(account, actor, present) : null;
  if (slot === undefined) {
    if (request.waitSeconds > 0) return { waiting: await enterQueue(ctx, account, ewon.id, request.waitSeconds) };
    return refuse(new NoFreeSlotError(await slotRefusal(tx, now, actor)));
  }
  // The slot that switching frees is the caller's own, so it is settled with those who wait only after he has taken his.
  if (present) await endSessions(ctx, account, [present], 'SWITCHED', actor, { settle: false });
  const session = await createSession(ctx, account, actor, ewon, request.client, slot);
  if (present) await settleSlots(ctx, account);
  if (!session) return refuse(new AppError('VPN_ADDRESS_EXHAUSTED', 'Every address of the VPN range is in use.'));
  await store(tx, ctx, request, session);
  return { opened: session };
}

/**
 * The slot that the actor may take. Who switches counts his own as free, and keeps it when there is none for him otherwise:
 * the number of connections stays, so neither a decrease nor a new reservation cuts him off (CON-19, CON-26).
 */
async function chooseSlot(
  { tx, accountId }: AccountTx,
  actor: Actor,
  present: Session | null,
): Promise<SlotFacts | undefined> {
  const slots = await readSlots(tx, accountId);
  const own = present ? slots.find((slot) => slot.sessionId === present.id) : undefined;
  if (own) own.sessionId = null;
  return slotFor(slots, actor.groupIds) ?? own;
}

const WAIT_POLL_MS = 1000;

/** Waits until the entry is served, the time is over, or the caller is gone; every second it renews the entry (WTL-02, WTL-03). */
async function waitForTurn(
  ctx: ActorContext,
  waiterId: string,
  request: OpenSessionRequest,
  signal?: AbortSignal,
): Promise<OpenedSession> {
  for (;;) {
    const rung = ringOrDelay(ctx, WAIT_POLL_MS, signal);
    // Null when the Ewon was removed.
    const entry = await ctx.db.slotWaiter.findUnique({ where: { id: waiterId } });
    if (entry?.state === 'SERVED') return pickUp(ctx, entry.sessionId, request, signal);
    const inTime = entry !== null && entry.expiresAt > ctx.clock.now();
    if (entry?.state === 'WAITING') {
      // Who was served at the moment of leaving finds it in the next round. Who hangs up does not leave for good: another
      // request of the same user may be waiting in his place.
      if (signal?.aborted || !inTime) await leaveQueue(ctx, waiterId, 'EXPIRED');
      else {
        await rung;
        await renewPlace(ctx, waiterId);
      }
    } else if (entry?.state === 'EXPIRED' && inTime && !signal?.aborted) {
      await inAccount(ctx, ctx.actor.accountId, async (account) => {
        if (await regainPlace(account, waiterId)) await settleSlots(ctx, account);
      });
    } else return endWaiting(ctx, request, entry?.state === 'LEFT' || signal?.aborted === true);
  }
}

/**
 * Tells the one whose turn never came why, as anybody else: by trying once more without waiting. Who has left wants no
 * session any more, even if a slot has become free since. His login may have ended while he waited.
 */
async function endWaiting(ctx: ActorContext, request: OpenSessionRequest, hasLeft: boolean): Promise<OpenedSession> {
  const actor = await refreshActor(ctx, ctx.actor);
  if (!actor) throw new AppError('LOGIN_EXPIRED', 'The login has ended; log in again.');
  if (hasLeft) throw new NoFreeSlotError(await slotRefusal(ctx.db, ctx.clock.now(), actor));
  const outcome = await inAccount(ctx, actor.accountId, (account) =>
    tryToOpen({ ...ctx, actor }, account, { ...request, waitSeconds: 0 }),
  );
  if ('opened' in outcome) return withTicket(ctx, outcome.opened);
  throw 'refused' in outcome ? outcome.refused : new AppError('INTERNAL_ERROR', 'The queue gave no answer.');
}

async function pickUp(
  ctx: ActorContext,
  sessionId: string | null,
  request: OpenSessionRequest,
  signal?: AbortSignal,
): Promise<OpenedSession> {
  const session = sessionId === null ? null : await ctx.db.session.findUnique({ where: { id: sessionId } });
  if (!session) throw notFound('session');
  // Another request of the same user has moved the place to another Ewon.
  if (session.ewonId !== null && session.ewonId !== request.ewonId) throw new UserAlreadyConnectedError(session);
  if (signal?.aborted) {
    await inAccount(ctx, ctx.actor.accountId, (account) => endUnused(ctx, account, session));
    return endWaiting(ctx, request, true);
  }
  const opened = await withTicket(ctx, session);
  if (!opened.live) return endWaiting(ctx, request, false);
  await store(ctx.db, ctx, request, session);
  return opened;
}

/**
 * Ends a session whose caller hung up at the moment he was served, for nobody would ever use it; unless another request of
 * his, which waited in the same place, has picked it up. The update locks the row, so that of the two only one has its way.
 */
async function endUnused(ctx: ActorContext, account: AccountTx, { id }: Session): Promise<void> {
  const unused = await account.tx.session.updateManyAndReturn({
    where: { id, state: 'OPEN', ticketHash: null, establishedAt: null },
    data: { ticketExpiresAt: null },
  });
  await endSessions(ctx, account, unused, 'BY_USER', ctx.actor);
}

/** Settles at the next ring for the account's slots, when the caller goes away, or after the delay. */
function ringOrDelay(ctx: ActorContext, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = ctx.bell.onRing(`slots:${ctx.actor.accountId}`, done);
    signal?.addEventListener('abort', done);
  });
}

/** The request as its idempotency key stands for it: how long to wait is not part of what is asked for. */
const keyed = ({ ewonId, client, switch: switching, idempotencyKey }: OpenSessionRequest): KeyedRequest => ({
  operation: 'openSession',
  key: idempotencyKey,
  input: [ewonId, client, switching],
});

/** API-01: the session that this login has opened under this key within the last 24 hours. */
async function findStored(tx: Tx, ctx: ActorContext, request: OpenSessionRequest): Promise<Session | null> {
  const id = await findStoredResult(tx, ctx, keyed(request));
  return id == null ? null : tx.session.findUnique({ where: { id } });
}

const store = (tx: Tx, ctx: ActorContext, request: OpenSessionRequest, session: Session): Promise<void> =>
  storeResult(tx, ctx, keyed(request), session.id);

/**
 * Gives the session a new ticket, which voids the one before: the answer with the first may never have arrived. Not `live`:
 * the session has ended, so the ticket is void.
 */
async function withTicket(ctx: ActorContext, session: Session): Promise<OpenedSession & { live: boolean }> {
  const token = createToken();
  const expiresAt = addSeconds(ctx.clock.now(), ctx.config.limits.SESSION_TICKET_SECONDS);
  const { count } = await ctx.db.session.updateMany({
    where: { id: session.id, state: 'OPEN' },
    data: { ticketHash: hashToken(token), ticketExpiresAt: expiresAt },
  });
  const ewon =
    session.ewonId === null
      ? null
      : await ctx.db.ewon.findUnique({
          where: { id: session.ewonId },
          select: { gateway: { select: { url: true, portalUrl: true } } },
        });
  const base = ewon?.gateway?.url ?? ctx.gatewayUrls.device.replace(/^http/, 'ws');
  const portal = session.client === 'M2WEB' ? (ewon?.gateway?.portalUrl ?? null) : null;
  return {
    session,
    live: count > 0,
    ticket: { url: `${base}/connect`, portalUrl: portal && `${portal}/enter`, token, expiresAt },
  };
}
