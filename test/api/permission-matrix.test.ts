import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { monthIn } from '../../src/billing/months.ts';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { schema } from '../../src/graphql/schema.ts';
import { credentialOf } from '../../src/imports/source.ts';
import { encodeCursor } from '../../src/log/cursor.ts';
import { inAccount } from '../../src/log/write.ts';
import { createKey, createToken, hashToken } from '../../src/secrets.ts';
import { ApiCaller, type GraphQLAnswer } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

/*
 * Who may do what: for every field of Query, Mutation and Subscription the answer to each of seven actors. The operation of a
 * row, below the table, is valid and about something of the actor's own account, so that nothing but his rights is in its way.
 *
 *   nobody      without a token
 *   free        role USER on a FREE account
 *   connects    on PRO: member of a group with the two connect rights on the pool that everything here is in
 *   modifies    the same with the right to modify its Ewons
 *   administers the same with the right to administer it; these three are members of a group Team besides, which they do not manage
 *   admin       an Administrator on PRO
 *   token       an API token for that pool
 *
 * `ok`: done, or read. `empty`, `null`: a list without an object, no object. Anything else is the code of the error:
 *   LOGIN = UNAUTHENTICATED    PLAN = PLAN_FEATURE_NOT_AVAILABLE    OPEN = LOGIN_ALREADY_OPEN, so the login is past that step
 */
const TABLE = `
field                                  | nobody | free      | connects  | modifies  | administers | admin | token
Query.account                          | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.branding                         | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.dataPoints                       | LOGIN  | ok        | ok        | ok        | ok          | ok    | ok
Query.ewon                             | LOGIN  | ok        | ok        | ok        | ok          | ok    | ok
Query.ewons                            | LOGIN  | ok        | ok        | ok        | ok          | ok    | ok
Query.group                            | LOGIN  | null      | ok        | ok        | ok          | ok    | FORBIDDEN
Query.groups                           | LOGIN  | empty     | ok        | ok        | ok          | ok    | FORBIDDEN
Query.logDownload                      | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.logEntries                       | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.node                             | null   | ok        | ok        | ok        | ok          | ok    | ok
Query.nodes                            | null   | ok        | ok        | ok        | ok          | ok    | ok
Query.oneTimeSecrets                   | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.planOffer                        | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Query.plans                            | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.pool                             | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.pools                            | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.rawLog                           | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.rawUserLog                       | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.reachability                     | LOGIN  | ok        | ok        | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Query.reportDownload                   | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Query.sessions                         | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.slotOffer                        | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Query.user                             | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.users                            | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Query.viewer                           | null   | ok        | ok        | ok        | ok          | ok    | null
Mutation.acceptInvitation              | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.addEwonsToPool                | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.addGroupMembers               | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.approveEwon                   | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | ok          | ok    | FORBIDDEN
Mutation.buySmsPackage                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.cancelScheduledDecrease       | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.changePassword                | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.changePlan                    | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.closeSession                  | LOGIN  | NOT_FOUND | NOT_FOUND | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.confirmDevicePasswordsChanged | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.confirmIdentity               | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.confirmSecondFactorEnrolment  | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.continueLogin                 | LOGIN  | OPEN      | OPEN      | OPEN      | OPEN        | OPEN  | FORBIDDEN
Mutation.createAccount                 | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.createApiToken                | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.createContact                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.createEwon                    | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.createEwonService             | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.createGroup                   | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.createLanDevice               | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.createM2uLink                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.createPool                    | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.createUser                    | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.deleteApiToken                | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.deleteContact                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.deleteEwonService             | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.deleteGroup                   | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.deleteLanDevice               | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.deleteM2uLink                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.deletePool                    | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.deleteUser                    | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.disableSecondFactor           | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.disableUser                   | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.duplicateUser                 | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.enableUser                    | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.estimatePasswordStrength      | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.exportRegistrationKey         | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.forcePasswordChange           | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.generateBackupCodes           | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.grantSupportAccess            | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.importEwons                   | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.inviteUser                    | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.keepSessionAlive              | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.leaveSlotQueue                | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.login                         | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.logout                        | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.openSession                   | LOGIN  | ok        | ok        | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.payCredit                     | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.previewImport                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.readSecret                    | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.recoverPassword               | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.rejectEwon                    | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | ok          | ok    | FORBIDDEN
Mutation.removeBrandingFile            | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.removeEwon                    | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.removeEwonsFromPool           | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.removeGroupMembers            | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.renewActivationKey            | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.renewApiToken                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.renewRegistrationKey          | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.requestPasswordRecovery       | ok     | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.resendLoginCode               | LOGIN  | OPEN      | OPEN      | OPEN      | OPEN        | OPEN  | FORBIDDEN
Mutation.resetSecondFactor             | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.retrieveBackupCodes           | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.retryMessage                  | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.revokeLogins                  | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.revokeSupportAccess           | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.sendConfirmationCode          | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.sendEwonOffline               | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.setAutoRegistration           | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setBrandingFile               | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setConcurrentConnections      | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setCustomFieldNames           | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setFirewallLevel              | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.setGroupRights                | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setPoolRights                 | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setPortalOrigins              | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setPrivacy                    | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setReservations               | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.setSecondFactor               | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.setUserPassword               | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.shareSecret                   | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.startSecondFactorEnrolment    | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.submitLoginCode               | LOGIN  | OPEN      | OPEN      | OPEN      | OPEN        | OPEN  | FORBIDDEN
Mutation.updateAccount                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updateApiToken                | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updateContact                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updateEwon                    | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.updateEwonService             | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.updateGroup                   | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updateLanDevice               | LOGIN  | FORBIDDEN | FORBIDDEN | ok        | ok          | ok    | FORBIDDEN
Mutation.updateM2uLink                 | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updatePasswordPolicy          | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updatePool                    | LOGIN  | PLAN      | FORBIDDEN | FORBIDDEN | ok          | ok    | FORBIDDEN
Mutation.updateSecondFactorPolicy      | LOGIN  | FORBIDDEN | FORBIDDEN | FORBIDDEN | FORBIDDEN   | ok    | FORBIDDEN
Mutation.updateUser                    | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Mutation.wakeUpEwon                    | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Mutation.withdrawRememberedPcs         | LOGIN  | NOT_FOUND | NOT_FOUND | NOT_FOUND | NOT_FOUND   | ok    | FORBIDDEN
Subscription.connectionEvents          | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Subscription.logEvents                 | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
Subscription.slotUsage                 | LOGIN  | ok        | ok        | ok        | ok          | ok    | FORBIDDEN
`;

const ACTORS = ['nobody', 'free', 'connects', 'modifies', 'administers', 'admin', 'token'] as const;
type ActorName = (typeof ACTORS)[number];
const SHORT: Record<string, string> = {
  UNAUTHENTICATED: 'LOGIN',
  PLAN_FEATURE_NOT_AVAILABLE: 'PLAN',
  LOGIN_ALREADY_OPEN: 'OPEN',
};

let server: TestServer;
let passwordHash: string;
/** An account whose Ewons others may take over. */
let donor: TestAccount;

/** An account with something of every kind, all in one pool. Ids are keys of the database. */
interface Realm {
  account: TestAccount;
  poolId: string;
  /** An empty pool, where there are pools. */
  secondPoolId: string;
  /** Online. */
  ewonId: string;
  /** A group that no actor manages: Team, or where there are no groups the built-in one. */
  teamId: string;
}

/** One call: who, and what of his there is. */
interface Cell {
  actor: ActorName;
  realm: Realm;
  /** The acting user; without one (nobody, token) any of the account. */
  userId: string;
  /** His login. */
  loginId: string | null;
}

const db = () => server.app.platform.db;
const now = () => server.clock.now();
const inMinutes = (minutes: number) => new Date(now().getTime() + minutes * 60_000);
const unique = (what: string) => `${what}-${randomUUID().slice(0, 8)}`;
const named = (name: string) => ({ name, nameKey: name.toLowerCase() });
const global = encodeGlobalId;

let services = 0;
/** A service on a port of its own. */
const servicePort = () => {
  services += 1;
  return { name: 'Web', port: 8000 + services, protocol: 'HTTP' as const };
};

/** Makes what an operation may use up. */
const make = {
  user: async ({ account }: Realm, more: object = {}, groupIds: string[] = []) => {
    const username = unique('user');
    const { id } = await db().user.create({
      data: {
        ...{ accountId: account.id, username, usernameKey: username, email: 'someone@example.com' },
        ...{ passwordHash, passwordChangedAt: now(), createdAt: now() },
        memberships: { create: groupIds.map((groupId) => ({ groupId })) },
        ...more,
      },
    });
    return id;
  },
  /** A user of his own with the rights of the actor, for what ends logins or changes passwords. */
  twin: async ({ realm, userId }: Cell, more: object) => {
    const { role, memberships } = await db().user.findUniqueOrThrow({
      where: { id: userId },
      include: { memberships: true },
    });
    return make.user(
      realm,
      { role, ...more },
      memberships.map(({ groupId }) => groupId),
    );
  },
  login: async (accountId: string, userId: string) => {
    const token = createToken();
    const login = await db().login.create({
      data: {
        ...{ accountId, userId, tokenHash: hashToken(token), client: 'ECATCHER' },
        ...{ createdAt: now(), lastUsedAt: now(), expiresAt: inMinutes(600), confirmedAt: now() },
      },
    });
    return { token, id: login.id };
  },
  ewon: async ({ account, poolId, ewonId }: Realm, registrationStatus: 'ACTIVE' | 'PENDING' | 'PENDING_APPROVAL') => {
    const name = unique('ewon');
    const { gatewayId } = await db().ewon.findUniqueOrThrow({ where: { id: ewonId } });
    const { id } = await db().ewon.create({
      data: {
        ...{ accountId: account.id, ...named(name), registrationStatus, createdAt: now() },
        ...{ gatewayId: registrationStatus === 'ACTIVE' ? gatewayId : null },
        pools: { create: { poolId } },
      },
    });
    return global('Ewon', id);
  },
  /** Woken or sent offline without cost or effect on the Ewon of the realm. */
  onDemand: async (realm: Realm) => {
    const ewonId = await make.ewon(realm, 'ACTIVE');
    const reach = { connectionMode: 'ON_DEMAND', wakeUpNumber: '+32470123456', tunnelId: randomUUID() } as const;
    await db().ewon.update({ where: { id: key(ewonId) }, data: reach });
    return ewonId;
  },
  lanDevice: async ({ ewonId }: Realm) => {
    const { id } = await db().lanDevice.create({
      data: { ewonId, name: 'PLC', address: '10.0.0.20', createdAt: now() },
    });
    return global('LanDevice', id);
  },
  service: async ({ ewonId }: Realm) => {
    const { id } = await db().ewonService.create({ data: { ewonId, ...servicePort(), createdAt: now() } });
    return global('EwonService', id);
  },
  pool: async ({ account, poolId }: Realm) => {
    // With the rights that the groups have on the pool of the account.
    const rights = await db().poolRight.findMany({ where: { poolId } });
    const { id } = await db().pool.create({
      data: {
        ...{ accountId: account.id, ...named(unique('pool')), createdAt: now() },
        rights: { create: rights.map(({ poolId: _, ...right }) => right) },
      },
    });
    return id;
  },
  session: async ({ account, ewonId }: Realm, userId: string) => {
    const { id } = await db().session.create({
      data: {
        ...{
          accountId: account.id,
          userId,
          userName: 'somebody',
          userNumber: 1,
          ewonId,
          ewonName: 'an Ewon',
          ewonNumber: 1,
        },
        ...{ client: 'M2WEB', takesSlot: false, startedAt: now(), aliveUntil: inMinutes(60) },
      },
    });
    return global('Session', id);
  },
  token: async ({ account, poolId }: Realm, value = createKey(40)) => {
    const { id } = await db().apiToken.create({
      data: {
        ...{ accountId: account.id, ...named(unique('token')), tokenHash: hashToken(value), prefix: value.slice(0, 6) },
        ...{ createdAt: now(), renewedAt: now(), poolId: poolId || null },
      },
    });
    return global('ApiToken', id);
  },
  support: async ({ account, ...realm }: Realm) => {
    const userId = await make.user({ account, ...realm }, { expiresAt: inMinutes(600) });
    const { id } = await db().supportAccess.create({
      data: {
        ...{ accountId: account.id, userId, engineer: 'engineer@hms.se' },
        ...{ createdAt: now(), expiresAt: inMinutes(600) },
      },
    });
    return global('SupportAccess', id);
  },
  contact: async ({ account }: Realm) => {
    const contact = { accountId: account.id, name: unique('contact'), email: 'x@example.com', createdAt: now() };
    return global('Contact', (await db().contact.create({ data: contact })).id);
  },
  m2uLink: async ({ account }: Realm) => {
    const link = { accountId: account.id, ...named(unique('link')), url: 'https://m2u.example/', createdAt: now() };
    return global('M2uLink', (await db().m2uLink.create({ data: link })).id);
  },
  /** Of a list without an Ewon. */
  importTicket: async ({ realm, userId }: Cell) => {
    const ticket = createToken();
    const source = await db().user.findFirstOrThrow({ where: { accountId: donor.id } });
    await db().importPreview.create({
      data: {
        ...{ accountId: realm.account.id, userId, sourceId: donor.id, sourceUserId: source.id },
        sourceCredential: credentialOf(server.app.platform, source.passwordHash ?? ''),
        ...{ ticketHash: hashToken(ticket), createdAt: now(), expiresAt: inMinutes(15) },
      },
    });
    return ticket;
  },
  message: async ({ account }: Realm) => {
    const { id } = await db().message.create({
      data: {
        ...{ accountId: account.id, channel: 'MAIL', template: 'INVITATION', recipient: 'someone@example.com' },
        ...{ paramsEncrypted: 'x', state: 'QUEUED', createdAt: now(), dueAt: inMinutes(60), expiresAt: inMinutes(600) },
      },
    });
    return global('OutgoingMessage', id);
  },
};

const otherUser = async ({ realm }: Cell, more: object = {}) =>
  global('User', await make.user(realm, more, [realm.teamId]));
const withSecondFactor = { secondFactorState: 'ENABLED', secondFactorMethod: 'EMAIL' };
const own = ({ userId }: Cell) => global('User', userId);
const ewon = ({ realm }: Cell) => global('Ewon', realm.ewonId);
const team = ({ realm }: Cell) => global('Group', realm.teamId);
const password = { password: 'Other-pass-1', passwordConfirmation: 'Other-pass-1' };
const LIST = '(first: 1) { nodes { __typename } }';

/** `select` of a query or subscription is written in place; the input of a mutation is made for each call. */
type Operation =
  | { select: (cell: Cell) => string }
  | { input: ((cell: Cell) => object | Promise<object>) | null; asTwin?: object };

const query = (select: string | ((cell: Cell) => string)): Operation => ({
  select: typeof select === 'string' ? () => select : select,
});
const mutation = (input: ((cell: Cell) => object | Promise<object>) | null = null): Operation => ({ input });
/** The same by a user of his own, whom it may leave without logins; with these columns. */
const twin = (input: ((cell: Cell) => object | Promise<object>) | null = null, asTwin = {}): Operation => ({
  input,
  asTwin,
});

const OPERATIONS: Record<string, Operation> = {
  'Query.account': query('{ id }'),
  'Query.branding': query(({ realm }) => `(account: "${realm.account.name}") { logoImage }`),
  'Query.dataPoints': query(LIST),
  'Query.ewon': query((cell) => `(by: { id: "${ewon(cell)}" }) { id }`),
  'Query.ewons': query(LIST),
  'Query.group': query((cell) => `(by: { id: "${team(cell)}" }) { id }`),
  'Query.groups': query(LIST),
  'Query.logDownload': query('(format: CSV) { url }'),
  'Query.logEntries': query(LIST),
  'Query.node': query((cell) => `(id: "${ewon(cell)}") { id }`),
  'Query.nodes': query((cell) => `(ids: ["${ewon(cell)}"]) { id }`),
  'Query.oneTimeSecrets': query(LIST),
  'Query.pool': query(({ realm }) => `(by: { id: "${global('Pool', realm.poolId)}" }) { id }`),
  'Query.pools': query(LIST),
  'Query.rawLog': query('{ pageInfo { endCursor } }'),
  'Query.rawUserLog': query((cell) => `(userIds: ["${own(cell)}"]) { pageInfo { endCursor } }`),
  'Query.reachability': query(
    (cell) => `(input: { ewonId: "${ewon(cell)}", address: "10.0.0.20", port: 80 }) { rule }`,
  ),
  'Query.sessions': query(LIST),
  'Query.planOffer': query('(plan: PRO) { plan }'),
  'Query.plans': query('{ plan }'),
  'Query.reportDownload': query(() => {
    const month = monthIn('UTC', server.clock.now());
    return `(kind: CONNECTIONS, month: "${month}", format: PDF) { url }`;
  }),
  'Query.slotOffer': query('(concurrentConnections: 4) { concurrentConnections }'),
  'Query.user': query((cell) => `(by: { id: "${own(cell)}" }) { id }`),
  'Query.users': query(LIST),
  'Query.viewer': query('{ user { id } }'),

  'Mutation.acceptInvitation': mutation(async (cell) => {
    const token = createToken();
    await otherUser(cell, { passwordHash: null, invitationHash: hashToken(token), invitationExpiresAt: inMinutes(60) });
    return { token, ...password };
  }),
  'Mutation.addEwonsToPool': mutation(async ({ realm }) => ({
    poolId: global('Pool', realm.secondPoolId),
    ewonIds: [await make.ewon(realm, 'ACTIVE')],
  })),
  'Mutation.addGroupMembers': mutation((cell) => ({ groupId: team(cell), userIds: [own(cell)] })),
  'Mutation.approveEwon': mutation(async ({ realm }) => ({ ewonId: await make.ewon(realm, 'PENDING_APPROVAL') })),
  'Mutation.cancelScheduledDecrease': mutation(),
  'Mutation.changePassword': twin(() => ({ currentPassword: USER_PASSWORD, ...password })),
  'Mutation.closeSession': mutation(async (cell) => ({
    sessionId: await make.session(cell.realm, await make.user(cell.realm, {}, [cell.realm.teamId])),
  })),
  'Mutation.confirmDevicePasswordsChanged': mutation(async ({ realm }) => ({
    supportAccessId: await make.support(realm),
  })),
  'Mutation.confirmIdentity': mutation(() => ({ password: USER_PASSWORD })),
  'Mutation.confirmSecondFactorEnrolment': twin(async ({ userId, loginId }) => {
    const target = 'someone@example.com';
    const codeHash = server.app.platform.secrets.hash('code', `${loginId}:000000`);
    const challenge = { userId, purpose: 'ENROL_EMAIL', method: 'EMAIL', target, codeHash } as const;
    if (loginId) await db().challenge.create({ data: { ...challenge, loginId, expiresAt: inMinutes(5) } });
    return { code: '000000' };
  }),
  'Mutation.continueLogin': mutation(),
  'Mutation.createAccount': mutation(() => ({
    ...{ name: unique('new'), company: 'New', email: 'new@example.com', username: 'admin', password: USER_PASSWORD },
  })),
  'Mutation.createApiToken': mutation(({ realm, actor }) => ({
    name: unique('token'),
    ...(actor !== 'free' && { poolId: global('Pool', realm.poolId) }),
  })),
  'Mutation.createContact': mutation(() => ({ name: 'Somebody', email: 'somebody@example.com' })),
  'Mutation.createEwon': mutation(({ realm }) => ({
    name: unique('made'),
    properties: { poolIds: [global('Pool', realm.poolId)] },
  })),
  'Mutation.createEwonService': mutation((cell) => ({ ewonId: ewon(cell), ...servicePort() })),
  'Mutation.createGroup': mutation(() => ({ name: unique('group') })),
  'Mutation.createLanDevice': mutation((cell) => ({ ewonId: ewon(cell), name: 'PLC', address: '10.0.0.20' })),
  'Mutation.createM2uLink': mutation(() => ({ name: unique('link'), url: 'https://m2u.example/' })),
  'Mutation.createPool': mutation(() => ({ name: unique('pool') })),
  'Mutation.createUser': mutation((cell) => ({
    ...{ username: unique('made'), email: 'made@example.com', ...password },
    groupIds: cell.actor === 'free' ? [] : [team(cell)],
  })),
  'Mutation.deleteApiToken': mutation(async ({ realm }) => ({ tokenId: await make.token(realm) })),
  'Mutation.deleteContact': mutation(async ({ realm }) => ({ contactId: await make.contact(realm) })),
  'Mutation.deleteEwonService': mutation(async ({ realm }) => ({ serviceId: await make.service(realm) })),
  'Mutation.deleteGroup': mutation(async ({ realm, actor }) => {
    if (actor !== 'admin') return { groupId: global('Group', realm.teamId) };
    const group = { accountId: realm.account.id, ...named(unique('group')), createdAt: now() };
    return { groupId: global('Group', (await db().group.create({ data: group })).id) };
  }),
  'Mutation.deleteLanDevice': mutation(async ({ realm }) => ({ lanDeviceId: await make.lanDevice(realm) })),
  'Mutation.deleteM2uLink': mutation(async ({ realm }) => ({ linkId: await make.m2uLink(realm) })),
  'Mutation.deletePool': mutation(async ({ realm }) => ({ poolId: global('Pool', await make.pool(realm)) })),
  'Mutation.deleteUser': mutation(async (cell) => ({ userId: await otherUser(cell), confirm: true })),
  'Mutation.disableSecondFactor': mutation(async (cell) => ({ userId: await otherUser(cell, withSecondFactor) })),
  'Mutation.disableUser': mutation(async (cell) => ({ userId: await otherUser(cell) })),
  'Mutation.duplicateUser': mutation(async (cell) => ({
    ...{ userId: await otherUser(cell), username: unique('copy'), ...password },
  })),
  'Mutation.enableUser': mutation(async (cell) => ({ userId: await otherUser(cell, { disabledAt: now() }) })),
  'Mutation.estimatePasswordStrength': mutation(() => ({ password: 'correct horse' })),
  'Mutation.exportRegistrationKey': mutation(() => ({})),
  'Mutation.forcePasswordChange': mutation(async (cell) => ({ userId: await otherUser(cell) })),
  'Mutation.generateBackupCodes': twin(null, withSecondFactor),
  'Mutation.grantSupportAccess': mutation(({ realm, actor }) => ({
    email: `${unique('engineer')}@hms.se`,
    ewonIds: actor === 'free' ? [] : [global('Ewon', realm.ewonId)],
  })),
  'Mutation.importEwons': mutation(async (cell) => ({
    ...{ ticket: await make.importTicket(cell), pool: { poolId: global('Pool', cell.realm.poolId) }, confirm: true },
  })),
  'Mutation.inviteUser': mutation(async (cell) => ({ userId: await otherUser(cell) })),
  'Mutation.keepSessionAlive': mutation(async ({ realm, userId }) => ({
    sessionId: await make.session(realm, userId),
  })),
  'Mutation.leaveSlotQueue': mutation(),
  'Mutation.login': mutation(async ({ realm, userId }) => {
    const { username } = await db().user.findUniqueOrThrow({ where: { id: userId } });
    return { account: realm.account.name, username, password: USER_PASSWORD };
  }),
  'Mutation.logout': twin(),
  'Mutation.openSession': twin((cell) => ({ ewonId: ewon(cell), client: 'M2WEB' })),
  'Mutation.previewImport': mutation(() => ({
    ...{ account: donor.name, username: 'admin', password: ADMIN_PASSWORD },
  })),
  'Mutation.readSecret': mutation(async ({ realm, userId }) => {
    const secret = { accountId: realm.account.id, recipientId: userId, senderName: 'admin', createdAt: now() };
    const contentEncrypted = server.app.platform.secrets.encrypt('text');
    const { id } = await db().oneTimeSecret.create({ data: { ...secret, contentEncrypted, expiresAt: inMinutes(60) } });
    return { secretId: global('OneTimeSecret', id) };
  }),
  'Mutation.recoverPassword': mutation(async (cell) => {
    const token = createToken();
    await otherUser(cell, { recoveryHash: hashToken(token), recoveryExpiresAt: inMinutes(60) });
    return { token, ...password };
  }),
  'Mutation.rejectEwon': mutation(async ({ realm }) => ({ ewonId: await make.ewon(realm, 'PENDING_APPROVAL') })),
  'Mutation.removeBrandingFile': mutation(() => ({ name: 'logo.png' })),
  'Mutation.removeEwon': mutation(async ({ realm }) => ({ ewonId: await make.ewon(realm, 'ACTIVE'), confirm: true })),
  'Mutation.removeEwonsFromPool': mutation(async ({ realm }) => ({
    poolId: global('Pool', realm.secondPoolId),
    ewonIds: [global('Ewon', realm.ewonId)],
  })),
  'Mutation.removeGroupMembers': mutation((cell) => ({ groupId: team(cell), userIds: [own(cell)] })),
  'Mutation.renewActivationKey': mutation(async ({ realm }) => ({ ewonId: await make.ewon(realm, 'PENDING') })),
  'Mutation.renewApiToken': mutation(async ({ realm }) => ({ tokenId: await make.token(realm) })),
  'Mutation.renewRegistrationKey': mutation(),
  'Mutation.requestPasswordRecovery': mutation(({ realm }) => ({
    ...{ account: realm.account.name, usernameOrEmail: 'nobody' },
  })),
  'Mutation.resendLoginCode': mutation(() => ({})),
  'Mutation.resetSecondFactor': mutation(async (cell) => ({ userId: await otherUser(cell, withSecondFactor) })),
  'Mutation.retrieveBackupCodes': mutation(async (cell) => ({ userId: await otherUser(cell, withSecondFactor) })),
  'Mutation.retryMessage': mutation(async ({ realm }) => ({ messageId: await make.message(realm) })),
  'Mutation.revokeLogins': twin(() => ({ others: true })),
  'Mutation.revokeSupportAccess': mutation(async ({ realm }) => ({ supportAccessId: await make.support(realm) })),
  'Mutation.sendConfirmationCode': twin(() => ({}), withSecondFactor),
  'Mutation.sendEwonOffline': mutation(async ({ realm }) => ({ ewonId: await make.onDemand(realm) })),
  'Mutation.setAutoRegistration': mutation(() => ({ enabled: true })),
  'Mutation.setBrandingFile': mutation(() => ({ name: 'skin.ini', content: new File(['title = x'], 'x') })),
  'Mutation.setConcurrentConnections': mutation(() => ({ concurrentConnections: 50, acknowledgeContractChange: true })),
  'Mutation.setFirewallLevel': mutation((cell) => ({ ewonId: ewon(cell), level: 'HIGH' })),
  'Mutation.setGroupRights': mutation((cell) => ({ groupId: team(cell), managedGroupIds: [] })),
  'Mutation.setPoolRights': mutation((cell) => ({ groupId: team(cell), poolRights: [] })),
  'Mutation.buySmsPackage': mutation(() => ({
    ...{ units: 100, acknowledgedPrice: '12.00', idempotencyKey: unique('key') },
  })),
  'Mutation.payCredit': mutation(() => ({ amount: '1.00', idempotencyKey: unique('key') })),
  'Mutation.changePlan': mutation(() => ({ plan: 'PRO' })),
  'Mutation.updateAccount': mutation(() => ({ city: 'Ghent' })),
  'Mutation.setCustomFieldNames': mutation(() => ({ users: ['Badge', 'Team', 'Site'] })),
  'Mutation.setPortalOrigins': mutation(() => ({ origins: [] })),
  'Mutation.setPrivacy': mutation(() => ({ geolocationEnabled: true })),
  'Mutation.setReservations': mutation(() => ({ reservations: [] })),
  'Mutation.setSecondFactor': mutation(async (cell) => ({ userId: await otherUser(cell), method: 'EMAIL' })),
  'Mutation.setUserPassword': mutation(async (cell) => ({ userId: await otherUser(cell), ...password })),
  'Mutation.shareSecret': mutation((cell) => ({ recipientId: own(cell), content: 'text' })),
  'Mutation.startSecondFactorEnrolment': twin(() => ({ method: 'APP' })),
  'Mutation.submitLoginCode': mutation(() => ({ code: '000000' })),
  'Mutation.updateApiToken': mutation(async ({ realm }) => ({
    tokenId: await make.token(realm),
    name: unique('named'),
  })),
  'Mutation.updateContact': mutation(async ({ realm }) => ({
    ...{ contactId: await make.contact(realm), name: 'Somebody else' },
  })),
  'Mutation.updateEwon': mutation((cell) => ({ ewonId: ewon(cell), properties: { description: 'text' } })),
  'Mutation.updateEwonService': mutation(async ({ realm }) => ({
    ...{ serviceId: await make.service(realm), name: 'Web' },
  })),
  'Mutation.updateGroup': mutation((cell) => ({ groupId: team(cell), smsSender: true })),
  'Mutation.updateLanDevice': mutation(async ({ realm }) => ({
    ...{ lanDeviceId: await make.lanDevice(realm), name: 'PLC' },
  })),
  'Mutation.updateM2uLink': mutation(async ({ realm }) => ({
    linkId: await make.m2uLink(realm),
    name: unique('link'),
  })),
  'Mutation.updatePasswordPolicy': mutation(() => ({ needsLetter: true })),
  'Mutation.updatePool': mutation(({ realm }) => ({ poolId: global('Pool', realm.poolId) })),
  'Mutation.updateSecondFactorPolicy': mutation(() => ({ onByDefault: false })),
  'Mutation.updateUser': mutation(async (cell) => ({
    ...{ userId: await otherUser(cell), properties: { description: 'text' } },
  })),
  'Mutation.wakeUpEwon': mutation(async ({ realm }) => ({ ewonId: await make.onDemand(realm) })),
  'Mutation.withdrawRememberedPcs': mutation(async (cell) => ({ userId: await otherUser(cell) })),

  'Subscription.connectionEvents': query(({ realm }) => `(after: "${encodeCursor(realm.account.id, 0n)}") { cursor }`),
  'Subscription.logEvents': query(({ realm }) => `(after: "${encodeCursor(realm.account.id, 0n)}") { cursor }`),
  'Subscription.slotUsage': query('{ total }'),
};

const cells = {} as Record<ActorName, Cell & { api: ApiCaller }>;

/** Raw key of a global id. */
const key = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1] as string;

beforeAll(async () => {
  // Hundreds of small requests: where there is PostgreSQL they cost half.
  const { server: started, account: pro } = await startWorld({
    database: inject('postgres') ? 'postgresql' : 'pglite',
  });
  server = started;
  passwordHash = await server.app.platform.passwords.hash(USER_PASSWORD);
  const free = await TestAccount.create(server, 'FREE');
  donor = await TestAccount.create(server, 'FREE');
  await pro.setSlots(100);
  const { db: database } = server.app.platform;

  const poolId = await pro.pool('Hall');
  const secondPoolId = await pro.pool('Second');
  const team = key(await pro.group('Team'));
  const proRealm: Realm = {
    account: pro,
    ...{ poolId: key(poolId), secondPoolId: key(secondPoolId), teamId: team },
    ewonId: key((await pro.onlineEwon({ name: 'Machine', poolIds: [poolId, secondPoolId] })).id),
  };
  const freePool = key(await free.defaultPool());
  const freeRealm: Realm = {
    account: free,
    ...{ poolId: freePool, secondPoolId: freePool },
    teamId: (await database.group.findFirstOrThrow({ where: { accountId: free.id } })).id,
    ewonId: key((await free.onlineEwon({ name: 'Machine' })).id),
  };
  const builtIn = await database.group.findFirstOrThrow({ where: { accountId: pro.id, administrators: true } });
  for (const { account, ewonId } of [proRealm, freeRealm])
    await database.dataPoint.create({
      data: { accountId: account.id, ewonId, tag: 'level', at: now(), receivedAt: now(), value: 1 },
    });

  const person = async (actor: ActorName, realm: Realm, groupIds: string[]) => {
    const { id: accountId } = realm.account;
    const userId = await make.user(realm, {}, groupIds);
    const login = await make.login(accountId, userId);
    cells[actor] = { actor, realm, userId, loginId: login.id, api: new ApiCaller(server.url, login.token) };
    await make.session(realm, userId);
    const secret = { accountId, recipientId: userId, senderName: 'admin', contentEncrypted: 'x' };
    await database.oneTimeSecret.create({ data: { ...secret, createdAt: now(), expiresAt: inMinutes(60) } });
    await inAccount(server.app.platform, accountId, async ({ log }) =>
      log({ code: 'LOGGED_OUT', user: { id: userId, number: 1, name: actor } }),
    );
  };
  const RIGHTS = {
    connects: { connectEcatcher: true, connectM2web: true },
    modifies: { modify: true },
    administers: { administer: true },
  };
  for (const [actor, rights] of Object.entries(RIGHTS) as [ActorName, object][]) {
    const group = await pro.group(actor, [
      { poolId, ...rights },
      { poolId: secondPoolId, ...rights },
    ]);
    await person(actor, proRealm, [key(group), team]);
  }
  await person('free', freeRealm, []);
  await person('admin', proRealm, [builtIn.id, team]);
  const value = createKey(40);
  await make.token(proRealm, value);
  const without = { realm: proRealm, userId: await make.user(proRealm, {}, [team]), loginId: null };
  cells.nobody = { ...without, actor: 'nobody', api: new ApiCaller(server.url) };
  cells.token = { ...without, actor: 'token', api: new ApiCaller(server.url, value) };
});
afterAll(() => server.close());

/** The answer as a cell of the table has it. */
function outcome({ data, errors }: GraphQLAnswer): string {
  const code = errors?.[0]?.extensions.code;
  if (code) return SHORT[code] ?? code;
  const [value] = Object.values(data ?? {}) as Record<string, unknown>[];
  if (value === null || value === undefined || (Array.isArray(value) && value[0] === null)) return 'null';
  if (typeof value.code === 'string') return SHORT[value.code] ?? value.code;
  if (Array.isArray(value.nodes) && value.nodes.length === 0) return 'empty';
  return 'ok';
}

async function call(field: string, operation: Operation, cell: Cell & { api: ApiCaller }): Promise<string> {
  const [type, name] = field.split('.') as [string, string];
  if ('select' in operation) {
    const document = `${type.toLowerCase()} { ${name}${operation.select(cell)} }`;
    return outcome(type === 'Subscription' ? await firstEvent(cell.api, document) : await cell.api.send(document));
  }
  let caller = cell;
  if (operation.asTwin && !['nobody', 'token'].includes(cell.actor)) {
    const userId = await make.twin(cell, operation.asTwin);
    const { token, id } = await make.login(cell.realm.account.id, userId);
    caller = { ...cell, userId, loginId: id, api: new ApiCaller(server.url, token) };
  }
  const args = schema.getMutationType()?.getFields()[name]?.args ?? [];
  const input = operation.input && (await operation.input(caller));
  if (args.length === 0)
    return outcome(await caller.api.send(`mutation { ${name} { __typename ... on Error { code } } }`));
  const document = `mutation ($input: ${args[0]?.type}) { ${name}(input: $input) { __typename ... on Error { code } } }`;
  const withFile = input !== null && Object.values(input).some((value) => value instanceof File);
  return outcome(await (withFile ? caller.api.upload(document, { input }) : caller.api.send(document, { input })));
}

/** What a subscription over server-sent events says first. */
async function firstEvent({ url, token }: ApiCaller, document: string): Promise<GraphQLAnswer> {
  const gone = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'text/event-stream' },
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: document }),
    signal: AbortSignal.any([gone.signal, AbortSignal.timeout(10_000)]),
  });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const event = /^data: ?(\{.+)$/m.exec(text)?.[1];
    if (event) {
      gone.abort();
      return JSON.parse(event) as GraphQLAnswer;
    }
  }
  return JSON.parse(text) as GraphQLAnswer;
}

const [, ...rows] = TABLE.trim().split('\n');
const expected = new Map(
  rows.map((row) => {
    const [field = '', ...answers] = row.split('|').map((part) => part.trim());
    return [field, answers] as const;
  }),
);
const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.keys(type?.getFields() ?? {}).map((name) => `${type?.name}.${name}`),
);

describe('who may do what', () => {
  it('is said of every field of the schema, and of nothing else', () => {
    expect([...expected.keys()].sort()).toEqual([...fields].sort());
    expect(Object.keys(OPERATIONS).sort()).toEqual([...fields].sort());
  });

  it.each(fields)('ACC-22 GRP-16 GRP-17 GRP-23 TOK-13 %s', async (field) => {
    const operation = OPERATIONS[field];
    if (!operation) throw new Error(`${field} has no operation.`);
    const answers = await Promise.all(ACTORS.map((actor) => call(field, operation, cells[actor])));
    const row = (given: readonly string[]) => ACTORS.map((actor, index) => `${actor}: ${given[index]}`);
    expect(row(answers)).toEqual(row(expected.get(field) ?? []));
  });
});
