import type { Platform } from '../context.ts';
import { AppError, notFound, TooManyRequestsError } from '../errors.ts';
import { compareFirmware, ewonReference, FIRMWARE_VERSION, nameKey } from '../ewons/rules.ts';
import { inAccount, type Subject } from '../log/write.ts';
import { DIRECT_PUSH_FIRMWARE, M2U_DEPRECATED } from './rules.ts';

/** What a device wants relayed. */
export interface M2uPayload {
  /** By which the device names it: sent again it reaches the server under the same key. */
  id: string;
  /** The name of the link. */
  link: string;
  contentType: string;
  /** Base64. */
  payload: string;
}

interface Source extends Subject {
  accountId: string;
}

/**
 * Relays data of a device to the server of a link of its account, once, over https (M2U-01, M2U-04), and logs what came of it:
 * link, device and HTTP status, never the data (M2U-05). A status of 200 to 299 is a delivery. Returns what the device is told
 * besides: from firmware 11.1s0 on that it should push directly (M2U-03).
 * @throws AppError EWON_OFFLINE, MESSAGE_INVALID (too long), TOO_MANY_REQUESTS, NOT_FOUND (link), LINK_TARGET_FORBIDDEN,
 *   LINK_DELIVERY_FAILED
 */
export async function deliverM2u(
  ctx: Platform,
  { ewonId, tunnelId }: { ewonId: string; tunnelId: string },
  message: M2uPayload,
): Promise<string | undefined> {
  const ewon = await ctx.db.ewon.findFirst({
    where: { id: ewonId, tunnelId },
    select: { number: true, name: true, accountId: true, firmwareVersion: true },
  });
  if (!ewon) throw new AppError('EWON_OFFLINE', 'The tunnel is no longer that of the Ewon.');
  const source = { id: ewonId, number: ewon.number, name: ewon.name, accountId: ewon.accountId };
  await takeAllowance(ctx, source, message.link);
  try {
    const { link, status } = await post(ctx, source, message);
    if (status < 200 || status > 299) throw new StatusError(link, status);
    await note(ctx, source, 'M2U_DELIVERED', { link, status });
  } catch (error) {
    if (error instanceof AppError) await noteFailure(ctx, source, message.link, error);
    throw error;
  }
  const { firmwareVersion } = ewon;
  const pushesItself =
    firmwareVersion !== null &&
    FIRMWARE_VERSION.test(firmwareVersion) &&
    compareFirmware(firmwareVersion, DIRECT_PUSH_FIRMWARE) >= 0;
  return pushesItself ? M2U_DEPRECATED : undefined;
}

/** An answer that is no success; a redirect is none either, as it is not followed. */
class StatusError extends AppError {
  override readonly name = 'StatusError';
  constructor(
    readonly link: string,
    readonly status: number,
  ) {
    super('LINK_DELIVERY_FAILED', `The server answered with HTTP ${status}.`);
  }
}

async function post(ctx: Platform, { id, accountId, number }: Source, message: M2uPayload) {
  const payload = Buffer.from(message.payload, 'base64');
  const most = ctx.config.limits.M2U_PAYLOAD_BYTES;
  if (payload.length > most) throw new AppError('MESSAGE_INVALID', `A payload has at most ${most} bytes.`);
  const link = await ctx.db.m2uLink.findUnique({
    where: { accountId_nameKey: { accountId, nameKey: nameKey(message.link) } },
  });
  if (!link) throw notFound('M2U link');
  const status = await ctx.relay.post({
    ...{ url: link.url, contentType: message.contentType, payload, reference: ewonReference(number) },
    idempotencyKey: ctx.secrets.hash('m2u', JSON.stringify([id, link.id, message.id])).slice(0, 32),
  });
  return { link: link.name, status };
}

/** What fails counts too: each may be an attempt at somebody else's server, and leaves an entry in the log. */
async function takeAllowance(ctx: Platform, source: Source, link: string): Promise<void> {
  try {
    await ctx.rateLimits.m2u.take(source.id);
  } catch (error) {
    if (!(error instanceof TooManyRequestsError)) throw error;
    // A device that does not stop asking must not fill the log.
    const first = await ctx.rateLimits.m2uNotes.take(source.id).then(
      () => true,
      () => false,
    );
    const refusal = new AppError(
      'TOO_MANY_REQUESTS',
      `An Ewon relays at most ${ctx.config.limits.M2U_PER_HOUR} payloads an hour; try again in ${error.retryAfter} s.`,
    );
    if (first) await noteFailure(ctx, source, link, refusal);
    throw refusal;
  }
}

const noteFailure = (ctx: Platform, source: Source, link: string, error: AppError): Promise<void> =>
  note(ctx, source, 'M2U_FAILED', {
    link: error instanceof StatusError ? error.link : link,
    status: error instanceof StatusError ? error.status : null,
    reason: error.message,
  });

const note = (
  ctx: Platform,
  { accountId, id, number, name }: Source,
  code: 'M2U_DELIVERED' | 'M2U_FAILED',
  params: { link: string; status: number | null; reason?: string },
): Promise<void> =>
  inAccount(ctx, accountId, async ({ log }) => log({ code, ewon: { id, number, name }, trigger: 'EWON', params }));
