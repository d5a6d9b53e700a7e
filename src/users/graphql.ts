import { z } from 'zod';
import { TooManyRequestsError } from '../errors.ts';
import type { Role } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf, keysOf } from '../graphql/global-id.ts';
import { page } from '../graphql/paging.ts';
import { whereVisible } from '../graphql/visible.ts';
import { GroupType } from '../groups/graphql.ts';
import { PasswordPolicyError } from '../passwords/policy.ts';
import { formatIpv4 } from '../vpn/ipv4.ts';
import { groupsOfUserLoader } from './groups.ts';
import { displayName, userReference, userStatus, usersVisibleTo } from './rules.ts';
import { createUser } from './service.ts';

const UserStatusEnum = builder.enumType('UserStatus', {
  description: 'Whether a user can log in (USR-24).',
  values: {
    PENDING: { description: 'Invited; has no password yet.' },
    ENABLED: { description: 'May log in.' },
    DISABLED: { description: 'Disabled by an Administrator, or past the expiration date.' },
  },
});

const RoleEnum = builder.enumType('Role', {
  description: 'The rights of a user on plans without groups (ACC-06): ADMINISTRATOR or USER.',
  values: {
    ADMINISTRATOR: { description: 'Configures users and Ewons, and connects to every Ewon (ACC-22).' },
    USER: { description: 'Connects to every Ewon and changes nothing (GRP-23).' },
  } satisfies Record<Role, object>,
});

const TunnelStateEnum = builder.enumType('VpnTunnelState', {
  description: 'Whether a user’s VPN tunnel is established (VPN-02).',
  values: {
    NO_TUNNEL: { description: 'No session with a tunnel.' },
    CONNECTING: { description: 'A session is open, its client has not yet reported.' },
    ESTABLISHED: { description: 'A session is open and its client is there.' },
  },
});

const UserVpnType = builder
  .objectRef<{ state: 'NO_TUNNEL' | 'CONNECTING' | 'ESTABLISHED'; address: string | null; current: boolean }>('UserVpn')
  .implement({
    description: 'A user’s place in the VPN (USR-36).',
    fields: (t) => ({
      state: t.field({
        type: TunnelStateEnum,
        description: 'Whether a tunnel is established.',
        resolve: ({ state }) => state,
      }),
      address: t.expose('address', {
        type: 'IPv4',
        nullable: true,
        description:
          'The address held now, or the one last held (VPN-03); null for a user who never connected (VPN-04).',
      }),
      current: t.exposeBoolean('current', {
        description: 'True while the address is in use by a tunnel; false when it was allocated previously (VPN-03).',
      }),
    }),
  });

export const UserType = builder.prismaNode('User', {
  id: { field: 'id' },
  findUnique: whereVisible(usersVisibleTo),
  nullable: true,
  description:
    'A person who logs in. Visible to Administrators, to those who manage one of his groups, and to himself (USR-02).',
  fields: (t) => ({
    reference: t.string({
      description: '`USR` and a number, as logs name him (USR-40).',
      select: { number: true },
      resolve: ({ number }) => userReference(number),
    }),
    username: t.exposeString('username', {
      description: 'The login, unique in the account without regard to case (USR-04).',
    }),
    fullName: t.exposeString('fullName', { nullable: true, description: 'As people call him (USR-06).' }),
    displayName: t.string({
      description: 'The login, or full name and login: `John Smith[jsm]` (USR-41).',
      select: { username: true, fullName: true },
      resolve: (user) => displayName(user),
    }),
    email: t.expose('email', { type: 'EmailAddress', description: 'For recovery of the password (USR-05).' }),
    description: t.exposeString('description', { nullable: true, description: 'Free text (USR-07).' }),
    status: t.field({
      type: UserStatusEnum,
      description: 'Whether he can log in (USR-24).',
      select: { passwordHash: true, disabledAt: true, expiresAt: true },
      resolve: (user, _args, { clock }) => userStatus(user, clock.now()),
    }),
    role: t.expose('role', { type: RoleEnum, nullable: true, description: 'Counts on plans without groups only.' }),
    nameIsPublic: t.exposeBoolean('namePublic', {
      description: 'Other users see his name as Connected User of an Ewon (USR-13).',
    }),
    groups: t.field({
      type: [GroupType],
      description: 'His groups, as far as the viewer may see them.',
      select: { id: true },
      resolve: ({ id }, _args, ctx) => ctx.loaders.get(groupsOfUserLoader, ctx).load(id),
    }),
    vpn: t.field({
      type: UserVpnType,
      description: 'VPN status and address (USR-36).',
      select: {
        vpnAddress: true,
        sessions: { where: { state: 'OPEN' as const, userVpnAddress: { not: null } }, select: { establishedAt: true } },
      },
      resolve: ({ vpnAddress, sessions }) => ({
        state:
          sessions.length === 0
            ? ('NO_TUNNEL' as const)
            : sessions.some(({ establishedAt }) => establishedAt)
              ? ('ESTABLISHED' as const)
              : ('CONNECTING' as const),
        address: vpnAddress && formatIpv4(vpnAddress.address),
        current: vpnAddress?.inUse ?? false,
      }),
    }),
    lastLoginAt: t.expose('lastLoginAt', { type: 'DateTime', nullable: true, description: 'When he last logged in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When he was created.' }),
  }),
});

const UserFilter = builder.inputType('UserFilter', {
  description: 'All given conditions hold together.',
  fields: (t) => ({
    search: t.string({
      description: 'Part of the user name, full name or description, without regard to case.',
      validate: z.string().max(200),
    }),
    groupId: t.id({ description: 'Members of this group.' }),
  }),
});

builder.queryFields((t) => ({
  users: t.withAuth({ loggedIn: true }).prismaConnection(
    {
      type: 'User',
      cursor: 'id',
      ...page,
      description: 'The users that the viewer may see, oldest first (USR-01, USR-02).',
      args: { filter: t.arg({ type: UserFilter }) },
      totalCount: (_root, { filter }, { db, actor }) => db.user.count({ where: usersWhere(actor, filter) }),
      resolve: (query, _root, { filter }, { db, actor }) =>
        db.user.findMany({
          ...query,
          where: usersWhere(actor, filter),
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
    },
    { name: 'UserConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'UserEdge', description: 'An object of a page with its place.' },
  ),
}));

function usersWhere(
  actor: Parameters<typeof usersVisibleTo>[0],
  filter: { search?: string | null; groupId?: string | null } | null | undefined,
) {
  const contains = { contains: filter?.search ?? '', mode: 'insensitive' as const };
  return {
    AND: [
      usersVisibleTo(actor),
      filter?.search ? { OR: [{ username: contains }, { fullName: contains }, { description: contains }] } : {},
      filter?.groupId ? { memberships: { some: { groupId: keysOf('Group', [filter.groupId])[0] } } } : {},
    ],
  };
}

export const username = z
  .string()
  .min(1, 'A user name has 1 to 100 characters.')
  .max(100, 'A user name has 1 to 100 characters.')
  .refine((name) => name === name.trim(), 'A user name has no spaces at its ends.')
  // TOK-12: older applications give a token as the password of this name.
  .refine((name) => name.toLowerCase() !== 't2m-api-token', 'This user name is reserved.');
export const fullName = z.string().max(100, 'A full name has at most 100 characters.');

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A new user with a password.',
  fields: (t) => ({
    username: t.string({
      required: true,
      validate: username,
      description: 'The login: 1–100 characters, unique in the account; an e-mail address will do (USR-04).',
    }),
    fullName: t.string({ validate: fullName, description: 'As people call him.' }),
    email: t.field({ type: 'EmailAddress', required: true, description: 'For recovery of the password (USR-05).' }),
    description: t.string({ validate: z.string().max(1000), description: 'Free text.' }),
    password: t.string({
      required: true,
      description: 'Under the password policy, 6–45 characters (PWD-05).',
      validate: z.string().max(200),
    }),
    passwordConfirmation: t.string({
      required: true,
      description: 'The password again (PWD-17).',
      validate: z.string().max(200),
    }),
    nameIsPublic: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Others see his name as Connected User (USR-13).',
    }),
    role: t.field({
      type: RoleEnum,
      required: true,
      defaultValue: 'USER',
      description: 'On plans without groups (USR-11).',
    }),
    groupIds: t.idList({
      required: true,
      defaultValue: [],
      description: 'On plans with groups: one or more (GRP-03).',
      validate: z.array(z.string()).max(100),
    }),
  }),
});

const CreateUserSuccess = builder.objectRef<{ userId: string }>('CreateUserSuccess').implement({
  description: 'The user was created and may log in.',
  fields: (t) => ({
    user: t.prismaField({
      type: 'User',
      description: 'The new user.',
      resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
  }),
});

builder.mutationFields((t) => ({
  createUser: t.withAuth({ loggedIn: true }).field({
    type: CreateUserSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Creates a user, wholly or not at all (USR-10). Needs administrator rights or the management of all named groups (USR-12). Errors: FORBIDDEN, NOT_FOUND, USERNAME_IN_USE, USER_NEEDS_A_GROUP, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH.',
    args: { input: t.arg({ type: CreateUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const { nameIsPublic, groupIds, fullName, description, ...rest } = input;
      return {
        userId: await createUser(ctx, {
          ...rest,
          fullName: fullName ?? null,
          description: description ?? null,
          namePublic: nameIsPublic,
          groupIds: groupIds.map((id) => keyOf('Group', id)),
        }),
      };
    },
  }),
}));
