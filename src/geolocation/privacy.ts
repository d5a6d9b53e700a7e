import type { ActorContext } from '../context.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { renewPositions } from './positions.ts';

/** What an account lets the platform do with its Ewons; absent keeps. */
export interface PrivacyChange {
  /** PRV-03 */
  geolocationEnabled?: boolean | undefined;
  /** PRV-07 */
  remoteManagement?: boolean | undefined;
}

/**
 * Changes the privacy settings of the account (PRV-03, PRV-07, PRV-09). Without geolocation every stored position is deleted at
 * once (PRV-05); with it again they are derived anew from what the devices told last. Without remote management no campaign
 * asks an Ewon of the account from now on.
 * @throws AppError FORBIDDEN, LOGIN_EXPIRED
 */
export function setPrivacy(ctx: ActorContext, change: PrivacyChange): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    requireAdministrator(actor);
    const { tx, accountId, log } = account;
    const before = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { geolocationEnabled: true, remoteManagement: true },
    });
    const { geolocationEnabled = before.geolocationEnabled, remoteManagement = before.remoteManagement } = change;
    const changes = [
      ...(geolocationEnabled === before.geolocationEnabled ? [] : [`geolocation ${onOff(geolocationEnabled)}`]),
      ...(remoteManagement === before.remoteManagement ? [] : [`remote management ${onOff(remoteManagement)}`]),
    ];
    if (changes.length === 0) return;
    await tx.account.update({ where: { id: accountId }, data: { geolocationEnabled, remoteManagement } });
    if (geolocationEnabled !== before.geolocationEnabled) await renewPositions(ctx, account, { accountId });
    for (const setting of changes) log({ code: 'ACCOUNT_CHANGED', user: actorSubject(actor), params: { setting } });
  });
}

const onOff = (on: boolean): string => (on ? 'on' : 'off');
