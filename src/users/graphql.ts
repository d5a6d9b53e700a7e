import { z } from 'zod';
import { customValues } from '../account/custom-fields.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Role } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { CustomFieldValueType } from '../graphql/custom-fields.ts';
import { keysOf, NO_ID } from '../graphql/global-id.ts';
import { defineList, oneOfWays } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { GroupType } from '../groups/graphql.ts';
import { groupsVisibleTo } from '../groups/rules.ts';
import { PASSWORD_POLICY_SELECT, passwordExpiresAt } from '../passwords/policy.ts';
import { formatIpv4 } from '../vpn/ipv4.ts';
import { groupsOfUserLoader } from './groups.ts';
import {
  type DisabledReason,
  disabledReason,
  displayName,
  factsOf,
  USER_FACTS_SELECT,
  type UserAction,
  type UserStatus,
  userActions,
  userReference,
  userStatus,
  usersVisibleTo,
} from './rules.ts';

const UserStatusEnum = builder.enumType('UserStatus', {
  description: 'Whether a user can log in (USR-24).',
  values: {
    PENDING: { description: 'Invited; has no password yet.' },
    ENABLED: { description: 'May log in.' },
    DISABLED: { description: 'Disabled by an Administrator, or past the expiration date.' },
  } satisfies Record<UserStatus, object>,
});

const DisabledReasonEnum = builder.enumType('UserDisabledReason', {
  description: 'Why a user is disabled (USR-24).',
  values: {
    BY_ADMINISTRATOR: {
      description:
        'Somebody disabled him: he stays so until he is enabled, also when his expiration date moves (USR-38).',
    },
    EXPIRED: { description: 'His expiration date has passed; moving it into the future enables him (USR-38).' },
  } satisfies Record<DisabledReason, object>,
});

const UserActionEnum = builder.enumType('UserAction', {
  description: 'What somebody may do with a user (USR-12).',
  values: {
    MODIFY: { description: 'Edit name, e-mail, description and custom fields (USR-20).' },
    MODIFY_OWN: { description: 'Edit the own full name and e-mail (USR-16).' },
    MODIFY_RIGHTS: { description: 'Change permissions, groups or role, and expiration date (GRP-19, USR-37).' },
    CHANGE_OWN_PASSWORD: { description: 'Choose a new password for oneself (USR-16, USR-19).' },
    SET_PASSWORD: { description: 'Set a password for him (USR-21).' },
    FORCE_PASSWORD_CHANGE: { description: 'Make him choose a new password at his next login (USR-22).' },
    INVITE: { description: 'Send an invitation (INV-06).' },
    DISABLE: { description: 'Block his access (USR-26).' },
    ENABLE: { description: 'Restore his access (USR-26).' },
    DELETE: { description: 'Remove him from the account (USR-30).' },
    DUPLICATE: { description: 'Create another user like him (USR-32).' },
  } satisfies Record<UserAction, object>,
});

export const RoleEnum = builder.enumType('Role', {
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
    disabledReason: t.field({
      type: DisabledReasonEnum,
      nullable: true,
      description: 'Why the status is DISABLED; null when it is not.',
      select: { disabledAt: true, expiresAt: true },
      resolve: (user, _args, { clock }) => disabledReason(user, clock.now()),
    }),
    lockedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Until when logins are refused after too many failures (AUTH-07); null when they are not. He stays ENABLED.',
      select: { lockedUntil: true },
      resolve: ({ lockedUntil }, _args, { clock }) => (lockedUntil && lockedUntil > clock.now() ? lockedUntil : null),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When his access ends (USR-37); null for never.',
    }),
    isTemporary: t.boolean({
      description: 'He has an expiration date (USR-39).',
      select: { expiresAt: true },
      resolve: ({ expiresAt }) => expiresAt !== null,
    }),
    customFields: t.field({
      type: [CustomFieldValueType],
      description: 'Always three (USR-08).',
      select: { custom1: true, custom2: true, custom3: true, account: { select: { userFieldNames: true } } },
      resolve: ({ account, ...values }) =>
        customValues(values).map((value, index) => ({ label: account.userFieldNames[index] ?? '', value })),
    }),
    role: t.expose('role', { type: RoleEnum, nullable: true, description: 'Counts on plans without groups only.' }),
    nameIsPublic: t.exposeBoolean('namePublic', {
      description: 'Other users see his name as Connected User of an Ewon (USR-13).',
    }),
    mayEditOwnProperties: t.exposeBoolean('mayEditOwn', {
      description: 'He may change his own full name, e-mail and password (USR-16).',
    }),
    forbidPasswordChange: t.exposeBoolean('forbidPasswordChange', {
      description: 'He may not change his own password in any way; wins over the above (USR-19).',
    }),
    mustChangePassword: t.exposeBoolean('mustChangePassword', {
      description: 'He chooses a new password at his next login, before anything else (USR-22).',
    }),
    passwordExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the password policy makes him choose a new password (PWD-11); null for never.',
      select: { passwordChangedAt: true, account: { select: PASSWORD_POLICY_SELECT } },
      resolve: ({ passwordChangedAt, account }) => passwordExpiresAt(passwordChangedAt, account),
    }),
    invitationSentAt: t.expose('invitationSentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the newest invitation was sent (INV-11); null when none was.',
    }),
    invitationExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when its link works (INV-09); null when there is none that could be used.',
      select: { invitationHash: true, invitationExpiresAt: true },
      resolve: ({ invitationHash, invitationExpiresAt }) => (invitationHash === null ? null : invitationExpiresAt),
    }),
    invitationAcceptedAt: t.expose('invitationAcceptedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the newest invitation was accepted; null while it was not.',
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
    viewerCan: t.field({
      type: [UserActionEnum],
      description: 'What the viewer may do with him now; the operations ask the same rules.',
      select: USER_FACTS_SELECT,
      resolve: (user, _args, { actor }) => (actor ? userActions(actor, factsOf(actor, user)) : []),
    }),
  }),
});

const UserBy = builder.inputType('UserBy', {
  description: 'Exactly one way to name a user.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'His id.' }),
    reference: t.string({
      description: '`USR` and a number (USR-40).',
      validate: z.string().regex(/^USR\d{1,9}$/, 'A reference looks like USR12.'),
    }),
    username: t.string({ description: 'His user name, without regard to case.', validate: z.string().max(100) }),
  }),
});

/** Users, wherever they are listed. */
export const userList = defineList({
  model: 'User',
  things: 'users',
  fields: {
    number: { description: 'The number in his reference, as 12 of USR12 (USR-40).' },
    username: { key: 'usernameKey', description: 'The login (USR-04).' },
    fullName: { description: 'The full name (USR-06).' },
    email: { description: 'The e-mail address (USR-05).' },
    description: { description: 'The description (USR-07).' },
    customField1: { column: 'custom1', description: 'The value of the first custom field (CF-04).' },
    customField2: { column: 'custom2', description: 'The value of the second custom field (CF-04).' },
    customField3: { column: 'custom3', description: 'The value of the third custom field (CF-04).' },
    role: { enum: RoleEnum, description: 'The role; counts on plans without groups only.' },
    nameIsPublic: { column: 'namePublic', description: 'Whether other users see his name (USR-13).' },
    mayEditOwnProperties: { column: 'mayEditOwn', description: 'Whether he may change his own properties (USR-16).' },
    forbidPasswordChange: { description: 'Whether he may not change his own password (USR-19).' },
    mustChangePassword: { description: 'Whether he chooses a new password at his next login (USR-22).' },
    expiresAt: { description: 'When his access ends (USR-37).' },
    invitationSentAt: { description: 'When the newest invitation was sent (INV-11).' },
    invitationAcceptedAt: { description: 'When the newest invitation was accepted (INV-11).' },
    lastLoginAt: { description: 'When he last logged in.' },
    createdAt: { description: 'When he was created.' },
  },
  search: ['username', 'fullName', 'description', 'customField1', 'customField2', 'customField3'],
  extra: (t) => ({
    groupId: t.id({ description: 'Members of this group.' }),
    status: t.field({
      type: [UserStatusEnum],
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: 'The status: one of these (USR-25).',
    }),
    temporary: t.boolean({ description: 'Only those with an expiration date, or only those without (USR-39).' }),
    expiresBefore: t.field({ type: 'DateTime', description: 'Whose access ends, or has ended, before this time.' }),
    locked: t.boolean({ description: 'Only those whose logins are refused now, or only the others (AUTH-07).' }),
  }),
  where: ({ groupId, status, temporary, expiresBefore, locked }, { actor, clock }) => [
    ...(groupId && actor
      ? [
          {
            memberships: {
              some: { groupId: keysOf('Group', [groupId])[0] as string, group: groupsVisibleTo(actor) },
            },
          },
        ]
      : []),
    ...(status ? [oneOfWays(status.map((one) => withStatus(one, clock.now())))] : []),
    ...(temporary == null ? [] : [{ expiresAt: temporary ? { not: null } : null }]),
    ...(expiresBefore ? [{ expiresAt: { not: null, lt: expiresBefore } }] : []),
    ...(locked == null
      ? []
      : [
          locked
            ? { lockedUntil: { not: null, gt: clock.now() } }
            : { OR: [{ lockedUntil: null }, { lockedUntil: { lte: clock.now() } }] },
        ]),
  ],
  order: [['createdAt', 'asc']],
});

builder.queryFields((t) => ({
  user: t.withAuth({ loggedIn: true }).prismaField({
    type: 'User',
    nullable: true,
    description: 'One user; null when there is none or the viewer may not see him (USR-03).',
    args: { by: t.arg({ type: UserBy, required: true }) },
    resolve: (query, _root, { by }, { db, actor }) =>
      db.user.findFirst({
        ...query,
        where: {
          AND: [
            usersVisibleTo(actor),
            by.id != null
              ? { id: keysOf('User', [by.id])[0] }
              : by.reference != null
                ? { number: Number(by.reference.slice(3)) }
                : { usernameKey: nameKey(by.username ?? '') },
          ],
        },
      }),
  }),
  users: t.withAuth({ loggedIn: true }).connection(
    userList.shown({
      type: UserType,
      description:
        'The users that the viewer may see, whatever their status, oldest first unless ordered otherwise (USR-01, USR-02, USR-29).',
      where: ({ actor }: LoggedInContext) => usersVisibleTo(actor),
    }),
    ...userList.connection(),
  ),
}));

builder.prismaObjectField(GroupType, 'members', (t) =>
  t.connection(
    userList.shown<{ id: string }>({
      type: UserType,
      description: 'Its members, as far as the viewer may see them (USR-02), oldest first unless ordered otherwise.',
      where: ({ actor }, { id }) =>
        actor ? { AND: [usersVisibleTo(actor), { memberships: { some: { groupId: id } } }] } : { id: NO_ID },
    }),
    ...userList.connection('GroupMembers'),
  ),
);

/** {@link userStatus} as a condition. */
function withStatus(status: UserStatus, now: Date): Prisma.UserWhereInput {
  if (status === 'DISABLED') return { OR: [{ disabledAt: { not: null } }, { expiresAt: { not: null, lte: now } }] };
  return {
    disabledAt: null,
    OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
    passwordHash: status === 'PENDING' ? null : { not: null },
  };
}

/** USR-04 */
export const username = z
  .string()
  .min(1, 'A user name has 1 to 100 characters.')
  .max(100, 'A user name has 1 to 100 characters.')
  .refine((name) => name === name.trim(), 'A user name has no spaces at its ends.')
  // TOK-12: older applications give a token as the password of this name.
  .refine((name) => name.toLowerCase() !== 't2m-api-token', 'This user name is reserved.');
export const fullName = z.string().max(100, 'A full name has at most 100 characters.');
