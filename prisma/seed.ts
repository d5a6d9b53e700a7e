import { createAccount } from '../src/account/create.ts';
import { setCustomFieldNames } from '../src/account/custom-fields.ts';
import { updateAccount } from '../src/account/settings.ts';
import type { ActorContext, Platform } from '../src/context.ts';
import { NO_ROLES } from '../src/groups/rules.ts';
import { createGroup, type PoolGrant } from '../src/groups/service.ts';
import { createPool } from '../src/pools/service.ts';
import { setReservations } from '../src/sessions/slots.ts';
import { loadUserAsActor } from '../src/users/actor.ts';
import { createUser } from '../src/users/service.ts';

/** The people of the demo account. Their passwords are public: it is never made in production mode. */
export const DEMO = {
  account: 'demo',
  administrator: { username: 'admin', password: 'demo-Admin-1' },
  userPassword: 'demo-User-1',
  users: [
    { username: 'anna', fullName: 'Anna Maes', group: 'Maintenance', nameIsPublic: true },
    { username: 'ben', fullName: 'Ben Okafor', group: 'Maintenance', nameIsPublic: false },
    { username: 'carla', fullName: 'Carla Conti', group: 'Sales', nameIsPublic: true },
    { username: 'dmitri', fullName: null, group: 'Sales', nameIsPublic: false },
  ],
  pools: ['North', 'South', 'Workshop'],
} as const;

/**
 * Seeds the demo: a PRO account with names of its own for the custom fields, an Administrator, four users in two groups, three pools and a reservation, so that four
 * people compete for three connections of which one is kept for Maintenance. Only into a database without accounts.
 * @returns whether it seeded.
 * @throws Error in production mode.
 */
export async function seedDemo(platform: Platform): Promise<boolean> {
  if (platform.config.production)
    throw new Error('The demo account has public passwords: it is never made in production mode.');
  if ((await platform.db.account.count()) > 0) return false;

  const administrator = { ...DEMO.administrator, fullName: 'Ada Admin', email: 'admin@example.com' };
  const { userId } = await createAccount(
    platform,
    { name: DEMO.account, company: 'Demo Works', administrator },
    { remoteAddress: 'seed' },
    'PRO',
  );
  const actor = await loadUserAsActor(platform.db, userId);
  if (!actor) throw new Error('The demo account was created without its Administrator.');
  const ctx: ActorContext = { ...platform, actor };

  const pools: Record<string, string> = {};
  for (const name of DEMO.pools) pools[name] = await createPool(ctx, name);
  const connect = (...names: string[]): PoolGrant[] =>
    names.map((name) => ({
      poolId: pools[name] ?? '',
      administer: false,
      modify: name === 'Workshop',
      connectEcatcher: true,
      connectM2web: true,
    }));
  const plain = { ...NO_ROLES, managedById: null, managedGroupIds: [] };
  const groups: Record<string, string> = {
    Maintenance: await createGroup(ctx, {
      ...plain,
      name: 'Maintenance',
      poolRights: connect('North', 'South', 'Workshop'),
    }),
    Sales: await createGroup(ctx, { ...plain, name: 'Sales', poolRights: connect('North', 'South') }),
  };
  for (const { username, fullName, group, nameIsPublic } of DEMO.users) {
    await createUser(ctx, {
      ...{
        username,
        fullName,
        email: `${username}@example.com`,
        description: null,
        namePublic: nameIsPublic,
        role: 'USER',
      },
      ...{ password: DEMO.userPassword, passwordConfirmation: DEMO.userPassword },
      groupIds: [groups[group] ?? ''],
    });
  }
  await updateAccount(ctx, { street: '1 Station Road', postalCode: '1400', city: 'Nivelles', country: 'BE' });
  await setCustomFieldNames(ctx, {
    users: ['Department', 'Phone', 'Shift'],
    ewons: ['Customer', 'Site', 'Service contract'],
  });
  await setReservations(ctx, [{ groupId: groups.Maintenance ?? '', count: 1 }]);
  return true;
}
