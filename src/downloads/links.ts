import { z } from 'zod';
import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { refreshActor } from '../logins/login.ts';
import type { Actor } from '../users/actor.ts';

/** Below which files are downloaded from the HTTP port. */
export const DOWNLOADS_PATH = '/downloads';

/** A file that is ready to be sent. */
interface Download {
  /** What a browser saves it as: letters, digits, `-`, `_` and `.`. */
  fileName: string;
  contentType: string;
  /** Read as fast as the reader takes it, so that a file of any length needs little memory. */
  content: AsyncIterable<Uint8Array | string>;
}

/** A kind of file. */
export interface DownloadKind<P extends Record<string, unknown>> {
  /** Its place below {@link DOWNLOADS_PATH}, where a login's token opens it. */
  path: string;
  /** What names one file of the kind: from the query of the address, or from a link. */
  params: z.ZodType<P>;
  /** Whether the file takes time and memory to make, rather than to send; few such are made at once. */
  heavy?(params: P): boolean;
  /** Checks the rights of who asks, as they are now. @throws AppError, before anything is sent */
  open(ctx: ActorContext, params: P): Promise<Download>;
}

/** A short-lived address that needs no token beside it, for browsers. */
export interface DownloadLink {
  /** Relative to the address of the API. */
  url: string;
  expiresAt: Date;
}

/** Tells links from whatever else the installation has encrypted. */
const PURPOSE = 'download';
/** Longest link that a browser and proxies let through. */
const MAX_LINK_LENGTH = 4000;

const signed = z.object({
  purpose: z.literal(PURPOSE),
  path: z.string(),
  params: z.record(z.string(), z.unknown()),
  loginId: z.uuid(),
  expiresAt: z.coerce.date(),
});

/**
 * Makes a link to a file for whoever holds it, for DOWNLOAD_LINK_SECONDS and as long as the login lasts; the rights are those
 * that its user has when it is used.
 * @throws AppError VALIDATION_FAILED when the params are too long
 */
export function createDownloadLink<P extends Record<string, unknown>>(
  { secrets, clock, config, actor }: ActorContext,
  { path }: Pick<DownloadKind<P>, 'path'>,
  params: P,
): DownloadLink {
  const expiresAt = addSeconds(clock.now(), config.limits.DOWNLOAD_LINK_SECONDS);
  const content = { purpose: PURPOSE, path, params, loginId: actor.loginId, expiresAt: expiresAt.toISOString() };
  const token = secrets.encrypt(JSON.stringify(content));
  if (token.length > MAX_LINK_LENGTH)
    throw new AppError('VALIDATION_FAILED', 'What names the file is too long for a link; ask for less.');
  return { url: `${DOWNLOADS_PATH}/link/${token}`, expiresAt };
}

/**
 * What a link stands for, and for whom.
 * @throws AppError DOWNLOAD_INVALID when it was not made here, has expired, or its login has ended
 */
export async function openDownloadLink(
  ctx: Platform,
  token: string,
): Promise<{ path: string; params: Record<string, unknown>; actor: Actor }> {
  const invalid = new AppError('DOWNLOAD_INVALID', 'The link is unknown or has expired; ask for another.');
  let content: unknown;
  try {
    content = JSON.parse(ctx.secrets.decrypt(token));
  } catch {
    throw invalid;
  }
  const link = signed.safeParse(content);
  if (!link.success || link.data.expiresAt <= ctx.clock.now()) throw invalid;
  const { path, params, loginId } = link.data;
  const actor = await refreshActor(ctx, { loginId });
  if (actor?.stage !== 'OPEN') throw invalid;
  return { path, params, actor };
}
