import { PLANS, type PlanFeatures } from '../account/plans.ts';
import type { Db } from '../database/database.ts';
import type { ClientKind, LoginStage, Plan } from '../generated/prisma/enums.ts';

/** Rights of a user on a pool, or on an Ewon through its pools (GRP-13, GRP-14). */
export interface PoolRights {
  administer: boolean;
  modify: boolean;
  connectEcatcher: boolean;
  connectM2web: boolean;
}

/** Who acts, with all that decides over rights, as it stood when the request or the event began. */
export interface Actor {
  accountId: string;
  accountName: string;
  userId: string;
  userNumber: number;
  username: string;
  fullName: string | null;
  loginId: string;
  client: ClientKind;
  /** What the login still waits for; only an open one may do what the rights allow (AUTH-15). */
  stage: LoginStage;
  /** When the user last proved who he is in this login (AUTH-21). */
  confirmedAt: Date | null;
  plan: Plan;
  features: PlanFeatures;
  /** Administrator rights on the account: by role, or by the Administrators group on plans with groups. */
  administrator: boolean;
  groupIds: string[];
  groupNames: string[];
  /** Groups whose users the actor may add and modify (GRP-11). */
  managedGroupIds: string[];
  mayCreatePools: boolean;
  mayCreateGroups: boolean;
  /** The login may be used by Ewons to send text messages, or mail (GRP-12). */
  smsSender: boolean;
  mailSender: boolean;
  /** By pool id; on plans without groups it is empty and the role decides (GRP-23). */
  poolRights: ReadonlyMap<string, PoolRights>;
}

const ACTOR_SELECT = {
  id: true,
  number: true,
  username: true,
  fullName: true,
  role: true,
  account: { select: { id: true, name: true, plan: true } },
  memberships: {
    select: {
      group: {
        select: {
          id: true,
          name: true,
          administrators: true,
          adminOfItself: true,
          mayCreatePools: true,
          mayCreateGroups: true,
          smsSender: true,
          mailSender: true,
          poolRights: true,
          manages: { select: { targetId: true } },
        },
      },
    },
  },
} as const;

/** Loads the user of a login that is in force at `now`: not revoked, not expired, its user enabled. Null otherwise. */
export async function loadActor(
  db: Pick<Db, 'login'>,
  now: Date,
  idleMs: number,
  by: { tokenHash: string } | { id: string },
): Promise<(Actor & { lastUsedAt: Date }) | null> {
  const login = await db.login.findUnique({
    where: by,
    select: {
      id: true,
      client: true,
      stage: true,
      confirmedAt: true,
      lastUsedAt: true,
      expiresAt: true,
      revokedAt: true,
      user: { select: { ...ACTOR_SELECT, disabledAt: true, expiresAt: true } },
    },
  });
  if (!login || login.revokedAt || login.expiresAt <= now || login.lastUsedAt.getTime() + idleMs <= now.getTime())
    return null;
  const { user } = login;
  if (user.disabledAt || (user.expiresAt && user.expiresAt <= now)) return null;
  return { ...actorOf(user, login), lastUsedAt: login.lastUsedAt };
}

type UserWithRights = {
  id: string;
  number: number;
  username: string;
  fullName: string | null;
  role: 'ADMINISTRATOR' | 'USER';
  account: { id: string; name: string; plan: Plan };
  memberships: {
    group: {
      id: string;
      name: string;
      administrators: boolean;
      adminOfItself: boolean;
      mayCreatePools: boolean;
      mayCreateGroups: boolean;
      smsSender: boolean;
      mailSender: boolean;
      poolRights: ({ poolId: string } & PoolRights)[];
      manages: { targetId: string }[];
    };
  }[];
};

/** Users as actors without a login: for what depends on their rights while they are not asking. */
export async function loadUsersAsActors(db: Pick<Db, 'user'>, userIds: readonly string[]): Promise<Actor[]> {
  const users = await db.user.findMany({ where: { id: { in: [...userIds] } }, select: ACTOR_SELECT });
  return users.map((user) => actorOf(user, { id: '', client: 'ECATCHER', stage: 'OPEN', confirmedAt: null }));
}

/** The user as an actor without a login: for enrolment by name (GRK-07). */
export const loadUserAsActor = async (db: Pick<Db, 'user'>, userId: string): Promise<Actor | null> =>
  (await loadUsersAsActors(db, [userId]))[0] ?? null;

function actorOf(user: UserWithRights, login: Pick<Actor, 'client' | 'stage' | 'confirmedAt'> & { id: string }): Actor {
  const features = PLANS[user.account.plan];
  const groups = features.groups ? user.memberships.map(({ group }) => group) : [];
  const poolRights = new Map<string, PoolRights>();
  for (const { poolId, ...right } of groups.flatMap((group) => group.poolRights)) {
    poolRights.set(poolId, unite(poolRights.get(poolId), right));
  }
  return {
    accountId: user.account.id,
    accountName: user.account.name,
    userId: user.id,
    userNumber: user.number,
    username: user.username,
    fullName: user.fullName,
    loginId: login.id,
    client: login.client,
    stage: login.stage,
    confirmedAt: login.confirmedAt,
    plan: user.account.plan,
    features,
    administrator: features.groups ? groups.some((group) => group.administrators) : user.role === 'ADMINISTRATOR',
    groupIds: groups.map((group) => group.id),
    groupNames: groups.map((group) => group.name),
    managedGroupIds: groups.flatMap((group) => [
      ...group.manages.map((right) => right.targetId),
      ...(group.adminOfItself ? [group.id] : []),
    ]),
    mayCreatePools: groups.some((group) => group.mayCreatePools),
    mayCreateGroups: groups.some((group) => group.mayCreateGroups),
    smsSender: groups.some((group) => group.smsSender),
    mailSender: groups.some((group) => group.mailSender),
    poolRights,
  };
}

/** The union of what several groups grant; there is no deny (GRP-16), and administer implies modify (GRP-14). */
function unite(left: PoolRights | undefined, right: PoolRights): PoolRights {
  return {
    administer: !!left?.administer || right.administer,
    modify: !!left?.modify || right.modify || right.administer,
    connectEcatcher: !!left?.connectEcatcher || right.connectEcatcher,
    connectM2web: !!left?.connectM2web || right.connectM2web,
  };
}
