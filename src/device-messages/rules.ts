import { AppError } from '../errors.ts';
import type { MessageChannel } from '../generated/prisma/enums.ts';
import type { Actor } from '../users/actor.ts';

/**
 * GW-13, GRP-12: whether Ewons may send such messages under the login of this user: on plans with groups when one of his groups
 * has the operational role, which the right of an Administrator does not replace; on the others when he is an Administrator.
 */
const maySendForEwons = (actor: Actor, channel: MessageChannel): boolean =>
  actor.features.groups ? { MAIL: actor.mailSender, SMS: actor.smsSender }[channel] : actor.administrator;

/** @throws AppError MAIL_SENDER_REQUIRED, SMS_SENDER_REQUIRED */
export function requireSender(actor: Actor, channel: MessageChannel): void {
  if (maySendForEwons(actor, channel)) return;
  const role = actor.features.groups ? 'The login is of no group with this operational role.' : 'Administrators only.';
  throw channel === 'MAIL' ? new AppError('MAIL_SENDER_REQUIRED', role) : new AppError('SMS_SENDER_REQUIRED', role);
}
