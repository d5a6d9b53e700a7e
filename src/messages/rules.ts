import type { Config } from '../config.ts';
import type { MessageState, Prisma } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import { maskedEmail, maskedNumber } from '../second-factor/rules.ts';
import type { Actor } from '../users/actor.ts';

/** Administrators see what was sent in the name of their account; nobody else does. */
export const messagesVisibleTo = ({ accountId, administrator }: Actor): Prisma.MessageWhereInput => ({
  accountId: administrator ? accountId : NO_ID,
});

/** Enough of an address or number to recognise it by. */
export const maskedRecipient = (recipient: string): string =>
  recipient.includes('@') ? maskedEmail(recipient) : maskedNumber(recipient);

/** A message that was sent or given up has lost its content. */
export const mayRetry = ({ state }: { state: MessageState }): boolean => state === 'QUEUED';

const LONGEST_WAIT_SECONDS = 3600;

/**
 * How long to wait after an attempt that failed, in seconds: twice as long after each, up to an hour, and up to a quarter
 * more, so that what failed together does not come again together.
 * @param attempts made so far, from 1
 * @param random from 0 to 1
 */
export const backoffSeconds = (attempts: number, { limits }: Pick<Config, 'limits'>, random: number): number =>
  Math.min(limits.MESSAGE_RETRY_SECONDS * 2 ** Math.min(attempts - 1, 30), LONGEST_WAIT_SECONDS) * (1 + random / 4);
