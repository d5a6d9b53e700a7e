import type { Db } from '../database/database.ts';
import { AppError } from '../errors.ts';
import type { Session } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';
import { displayName, mayReadConnectedName } from '../users/rules.ts';
import { queuePosition } from './queue.ts';
import { type SlotFigures, slotFigures } from './slot-rules.ts';

/** Who holds a slot: the name only where the asking user may read it (USR-14). */
export interface SlotHolder {
  userName: string | null;
  since: Date;
  ewonId: string | null;
}

/** Why there is no slot (WTL-01). */
export interface SlotRefusal {
  message: string;
  figures: SlotFigures;
  holders: SlotHolder[];
  queuePosition: number | null;
}

/** CON-05: nothing free that the caller may use; says why (WTL-01). */
export class NoFreeSlotError extends AppError {
  override readonly name = 'NoFreeSlotError';
  constructor(readonly refusal: SlotRefusal) {
    super('CONCURRENT_CONNECTION_LIMIT', refusal.message);
  }
}

/** CON-07 */
export class UserAlreadyConnectedError extends AppError {
  override readonly name = 'UserAlreadyConnectedError';
  constructor(readonly session: Session) {
    super('USER_ALREADY_CONNECTED', `There is a session to ${session.ewonName} already; ask to switch to close it.`);
  }
}

/** Gathers why there is no slot for this actor. */
export async function slotRefusal(
  db: Pick<Db, 'account' | 'slotWaiter'>,
  now: Date,
  actor: Actor,
): Promise<SlotRefusal> {
  const account = await db.account.findUniqueOrThrow({
    where: { id: actor.accountId },
    select: {
      concurrentConnections: true,
      slots: {
        orderBy: { number: 'asc' },
        select: {
          id: true,
          number: true,
          groupId: true,
          sessionId: true,
          session: { select: { startedAt: true, ewonId: true, user: true } },
        },
      },
    },
  });
  const figures = slotFigures(account.slots, account.concurrentConnections, actor.groupIds);
  const { total, inUse, usableByViewer } = figures;
  const reservedForOthers = total - usableByViewer;
  return {
    message: `No connection is free: ${inUse} of ${total} are in use${reservedForOthers > 0 ? `, and ${reservedForOthers} are reserved for other groups` : ''}.`,
    figures,
    holders: account.slots.flatMap(({ session }) =>
      session
        ? [
            {
              userName:
                session.user && (actor.administrator || mayReadConnectedName(actor, session.user))
                  ? displayName(session.user)
                  : null,
              since: session.startedAt,
              ewonId: session.ewonId,
            },
          ]
        : [],
    ),
    queuePosition: await queuePosition(db, now, actor),
  };
}
