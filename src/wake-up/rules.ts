import { AppError, TooManyRequestsError } from '../errors.ts';
import { type EwonFacts, ewonActions, forbidsRemoteAccess } from '../ewons/rules.ts';
import type { ConnectionMode, DigitalInputPolicy } from '../generated/prisma/enums.ts';
import type { Actor } from '../users/actor.ts';

/** WAK-05: whoever may connect to an Ewon, or modify it, may wake it and send it offline. */
export const mayWake = (actor: Actor, ewon: EwonFacts): boolean =>
  ewonActions(actor, ewon).some((action) => ['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY'].includes(action));

/** Whether an Ewon has a tunnel that is to stay: one that is being sent offline is as good as gone (WAK-04). */
export const isOnline = ({
  tunnelId,
  offlineTunnelId,
}: {
  tunnelId: string | null;
  offlineTunnelId: string | null;
}): boolean => tunnelId !== null && tunnelId !== offlineTunnelId;

/**
 * Whether an Ewon that is offline may be sent a wake-up now.
 * @param intervalSeconds between two wake-ups of an Ewon
 * @throws AppError REMOTE_ACCESS_DISABLED (GW-07)
 * @throws TooManyRequestsError (WAK-08)
 */
export function requireWakeable(
  ewon: {
    wokenAt: Date | null;
    digitalInput: boolean | null;
    digitalInputPolicy: DigitalInputPolicy | null;
  },
  now: Date,
  intervalSeconds: number,
): void {
  if (forbidsRemoteAccess(ewon))
    throw new AppError('REMOTE_ACCESS_DISABLED', 'The switch on the digital input of the Ewon forbids remote access.');
  const wait = ewon.wokenAt ? Math.ceil((ewon.wokenAt.getTime() - now.getTime()) / 1000 + intervalSeconds) : 0;
  if (wait > 0) throw new TooManyRequestsError(`It was sent a wake-up just now; try again in ${wait} s.`, wait);
}

/** How an Ewon is reached while it has no tunnel. */
export interface Reach {
  connectionMode: ConnectionMode;
  /** E.164 */
  wakeUpNumber: string | null;
}

/**
 * WAK-03: an Ewon that connects on demand has a number to wake it by; one that is permanently connected may keep its number.
 * @throws AppError VALIDATION_FAILED
 */
export function requireNumber({ connectionMode, wakeUpNumber }: Reach): void {
  if (connectionMode === 'ON_DEMAND' && wakeUpNumber === null)
    throw new AppError('VALIDATION_FAILED', 'An Ewon that connects on demand needs the number to wake it by.', [
      'properties',
      'wakeUpNumber',
    ]);
}
