import { refundSms, type SmsCharge } from '../billing/sms.ts';
import { addSeconds, DAY_MS, HOUR_MS, roundUp } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Message, MessageChannel } from '../generated/prisma/client.ts';
import type { Job } from '../jobs.ts';
import { inAccount } from '../log/write.ts';
import { renderMessage } from './render.ts';
import { backoffSeconds, maskedRecipient } from './rules.ts';
import { createMailTransport, createSmsTransport, DeliveryError, type Transport } from './transports.ts';

/** Messages of one channel that one instance has in hand at a time. */
const AT_ONCE = 10;
/** For what an attempt does besides waiting for the other side, in seconds. */
const CLAIM_MARGIN_SECONDS = 30;

const VARIABLES: Record<MessageChannel, string> = { MAIL: 'SMTP_URL', SMS: 'SMS_URL' };
const CHANNELS = Object.keys(VARIABLES) as MessageChannel[];

/** The channels of this installation; null where nothing carries messages. */
export type Transports = Record<MessageChannel, Transport | null>;

export interface MessageSender {
  /** Sends what is due, and forgets what was kept long enough. */
  jobs: readonly Job[];
  /** Finishes what is in hand, within the time for a shutdown. */
  close(): Promise<void>;
}

/**
 * Sends what `queueMessage` wrote: woken by the bell, and by each tick. Each message is claimed first, so that of several
 * instances one sends it; a claim that is not redeemed, because its instance died, runs out and the message is sent again
 * under the same id. In simulation mode, a channel that is not configured delivers into the outbox (TFA-48).
 */
export function startSender(
  ctx: Platform,
  transports: Transports = { MAIL: createMailTransport(ctx.config), SMS: createSmsTransport(ctx.config) },
): MessageSender {
  const { config } = ctx;
  const unconfigured = CHANNELS.filter((channel) => transports[channel] === null && !config.simulation);
  // Each channel for itself: a mail server that hangs keeps no text message back.
  const lanes = CHANNELS.filter((channel) => !unconfigured.includes(channel)).map(
    (channel) => new Lane(ctx, channel, transports[channel]),
  );
  const warned = new Set<MessageChannel>();
  const stopListening = ctx.bell.onRing('messages', () => {
    for (const lane of lanes) lane.wake().catch((error: unknown) => logFailure(ctx, error));
  });
  const sendDue = async (): Promise<void> => {
    await giveUpExpired(ctx);
    await noteUnconfigured(ctx, unconfigured, warned);
    await Promise.all(lanes.map((lane) => lane.settle()));
  };
  return {
    jobs: [
      { name: 'sendMessages', run: sendDue, nextDue: nextMessage, background: true, every: 2 },
      { name: 'purgeMessages', run: purgeMessages, nextDue: nextPurge, every: 60 },
    ],
    close: async () => {
      stopListening();
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, config.limits.SHUTDOWN_SECONDS * 1000);
      });
      await Promise.race([Promise.all(lanes.map((lane) => lane.close())), timeout]);
      clearTimeout(timer);
      for (const transport of Object.values(transports)) transport?.close();
    },
  };
}

const logFailure = (ctx: Platform, error: unknown): void =>
  ctx.log.error({ err: error }, 'Messages could not be sent; it is tried again');

/** The messages of one channel that this instance has in hand: never more than so many, and a slow one waits alone. */
class Lane {
  private readonly inHand = new Set<Promise<void>>();
  private filling: Promise<void> = Promise.resolve();
  private closing = false;

  constructor(
    private readonly ctx: Platform,
    private readonly channel: MessageChannel,
    private readonly transport: Transport | null,
  ) {}

  /** Takes in hand what is due, as far as there is room. */
  wake(): Promise<void> {
    this.filling = this.filling.catch(() => undefined).then(() => this.fill());
    return this.filling;
  }

  /** Returns when nothing is due any more and nothing in hand. */
  async settle(): Promise<void> {
    for (;;) {
      await this.wake();
      if (this.inHand.size === 0) return;
      await Promise.all(this.inHand);
    }
  }

  /** Takes nothing more, and finishes what is in hand. */
  async close(): Promise<void> {
    this.closing = true;
    await this.filling.catch(() => undefined);
    await Promise.all(this.inHand);
  }

  private async fill(): Promise<void> {
    const room = AT_ONCE - this.inHand.size;
    if (room === 0 || this.closing) return;
    for (const message of await claim(this.ctx, this.channel, room)) {
      const work = deliver(this.ctx, this.transport, message)
        .catch((error: unknown) => logFailure(this.ctx, error))
        .then(() => {
          this.inHand.delete(work);
          this.wake().catch((error: unknown) => logFailure(this.ctx, error));
        });
      this.inHand.add(work);
    }
  }
}

/** When the next message is due, gives up, or is free again after its claim. */
async function nextMessage({ db }: Platform): Promise<Date | null> {
  const [next] = await db.$queryRaw<{ at: Date | null }[]>`
    SELECT min(GREATEST("dueAt", COALESCE("claimedUntil", "dueAt"))) AS "at" FROM "Message" WHERE "state" = 'QUEUED'`;
  return next?.at ?? null;
}

/**
 * Takes messages in hand that are due and that nobody has; of two instances that ask at once, each gets others. Whoever waits
 * for a code does not wait behind an announcement to everybody.
 */
async function claim({ db, clock, config }: Platform, channel: MessageChannel, most: number): Promise<Message[]> {
  const now = clock.now();
  const until = addSeconds(now, config.limits.MESSAGE_TIMEOUT_SECONDS + CLAIM_MARGIN_SECONDS);
  return db.$queryRaw<Message[]>`
    UPDATE "Message" SET "claimedUntil" = ${until}::timestamp, "attempts" = "attempts" + 1
    WHERE "id" IN (
      SELECT "id" FROM "Message"
      WHERE "state" = 'QUEUED' AND "dueAt" <= ${now}::timestamp AND "expiresAt" > ${now}::timestamp
        AND ("claimedUntil" IS NULL OR "claimedUntil" <= ${now}::timestamp) AND "channel" = ${channel}::"MessageChannel"
      ORDER BY "template" = 'ANNOUNCEMENT', "dueAt", "id" LIMIT ${most} FOR UPDATE SKIP LOCKED)
    RETURNING *`;
}

/** One attempt and what comes of it; never throws for a message that cannot be sent. */
async function deliver(ctx: Platform, transport: Transport | null, message: Message): Promise<void> {
  const failure = await attempt(ctx, transport, message).then(
    () => null,
    (error: unknown) => {
      if (error instanceof DeliveryError) return error;
      // A stored message that cannot be read or filled; what is in it must not reach the log.
      ctx.log.error({ messageId: message.id, template: message.template }, 'A message could not be prepared');
      return new DeliveryError('The message could not be prepared.', true);
    },
  );
  const now = ctx.clock.now();
  const mine = { id: message.id, state: 'QUEUED' as const };
  if (!failure) {
    await ctx.db.message.updateMany({
      where: mine,
      data: { state: 'SENT', sentAt: now, claimedUntil: null, lastError: null, ...forgotten(ctx) },
    });
    return;
  }
  const { MESSAGE_ATTEMPTS } = ctx.config.limits;
  if (failure.permanent || message.attempts >= MESSAGE_ATTEMPTS) return giveUp(ctx, message, failure.message);
  const next = addSeconds(now, backoffSeconds(message.attempts, ctx.config, Math.random()));
  await ctx.db.message.updateMany({
    where: mine,
    data: {
      dueAt: next < message.expiresAt ? next : message.expiresAt,
      claimedUntil: null,
      lastError: failure.message,
    },
  });
}

async function attempt(ctx: Platform, transport: Transport | null, message: Message): Promise<void> {
  const { id, channel, template, recipient, paramsEncrypted } = message;
  if (paramsEncrypted === null) throw new Error('The message has no content.');
  const params = JSON.parse(ctx.secrets.decrypt(paramsEncrypted)) as Record<string, unknown>;
  const content = renderMessage(channel, template, params);
  await transport?.send({ id, recipient, content });
}

/** Codes and links are gone when they are needed no more; the outbox of simulation mode keeps them (TFA-48). */
const forgotten = ({ config }: Platform): { paramsEncrypted?: null } =>
  config.simulation ? {} : { paramsEncrypted: null };

/**
 * The end of a message that could not be sent; its account's log tells it, for somebody waits for it in vain. What it cost is
 * given back.
 */
async function giveUp(ctx: Platform, message: Pick<Message, 'id' | 'accountId'>, reason: string): Promise<void> {
  await inAccount(ctx, message.accountId, async (account) => {
    const { tx, accountId, log } = account;
    const [failed] = await tx.message.updateManyAndReturn({
      where: { id: message.id, accountId, state: 'QUEUED' },
      data: { state: 'FAILED', claimedUntil: null, lastError: reason, ...forgotten(ctx) },
      select: { template: true, recipient: true, charge: true },
    });
    if (!failed) return;
    const { template, recipient, charge } = failed;
    log({ code: 'MESSAGE_FAILED', params: { template, recipient: maskedRecipient(recipient), reason } });
    if (charge !== null) await refundSms(ctx, account, charge as unknown as SmsCharge);
  });
}

/** What is worth nothing any more is not sent. */
async function giveUpExpired(ctx: Platform): Promise<void> {
  const now = ctx.clock.now();
  const expired = await ctx.db.message.findMany({
    where: {
      state: 'QUEUED',
      expiresAt: { lte: now },
      OR: [{ claimedUntil: null }, { claimedUntil: { lte: now } }],
    },
    select: { id: true, accountId: true, lastError: true },
    take: 1000,
  });
  for (const message of expired)
    await giveUp(ctx, message, `It was not sent in time. ${message.lastError ?? ''}`.trim());
}

/** What waits for a variable to be set says so, and the log once a start. */
async function noteUnconfigured(
  ctx: Platform,
  unconfigured: readonly MessageChannel[],
  warned: Set<MessageChannel>,
): Promise<void> {
  for (const channel of unconfigured) {
    const lastError = `${VARIABLES[channel]} is not set.`;
    const { count } = await ctx.db.message.updateMany({
      where: { channel, state: 'QUEUED', OR: [{ lastError: null }, { lastError: { not: lastError } }] },
      data: { lastError },
    });
    if (count === 0 || warned.has(channel)) continue;
    warned.add(channel);
    ctx.log.warn({ channel }, `Messages wait, because ${lastError}`);
  }
}

/** Deletes what was sent or given up and has been kept long enough. */
async function purgeMessages({ db, clock, config }: Platform): Promise<void> {
  const until = addSeconds(clock.now(), (-config.limits.MESSAGE_RETENTION_DAYS * DAY_MS) / 1000);
  await db.message.deleteMany({ where: { state: { not: 'QUEUED' }, createdAt: { lte: until } } });
}

async function nextPurge({ db, config }: Platform): Promise<Date | null> {
  const { _min } = await db.message.aggregate({ where: { state: { not: 'QUEUED' } }, _min: { createdAt: true } });
  const days = config.limits.MESSAGE_RETENTION_DAYS;
  return _min.createdAt && roundUp(addSeconds(_min.createdAt, (days * DAY_MS) / 1000), HOUR_MS);
}
