import { z } from 'zod';
import { MoneyType } from '../billing/money.ts';
import { EwonType } from '../ewons/graphql.ts';
import { ewonReference } from '../ewons/rules.ts';
import type { SessionCloseReason, SessionState } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { ClientKindEnum } from '../graphql/enums.ts';
import { ErrorRef } from '../graphql/errors.ts';
import { keyOf, NO_ID } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { serveStream } from '../graphql/streams.ts';
import { whereVisible } from '../graphql/visible.ts';
import { GroupType } from '../groups/graphql.ts';
import { idempotencyKey } from '../idempotency.ts';
import { UserType } from '../users/graphql.ts';
import { userReference } from '../users/rules.ts';
import { closeSession } from './close.ts';
import { followSlots } from './follow-slots.ts';
import { keepSessionAlive } from './keep-alive.ts';
import { visibleEwonLoader, visibleGroupLoader, visibleUserLoader } from './loaders.ts';
import { openSession, type TunnelTicket } from './open.ts';
import { leaveQueue, queuePosition } from './queue.ts';
import { NoFreeSlotError, type SlotHolder, UserAlreadyConnectedError } from './refusal.ts';
import { mayClose, sessionReference, sessionsVisibleTo } from './rules.ts';
import type { SlotFigures } from './slot-rules.ts';
import {
  cancelScheduledDecrease,
  offerSlots,
  readSlotFigures,
  type SlotOffer,
  setConcurrentConnections,
  setReservations,
} from './slots.ts';

const SessionStateEnum = builder.enumType('SessionState', {
  description: 'Whether a session is live: OPEN or CLOSED (CON-09).',
  values: { OPEN: { description: 'Live.' }, CLOSED: { description: 'Over; `closeReason` says why.' } } satisfies Record<
    SessionState,
    object
  >,
});

export const CloseReasonEnum = builder.enumType('SessionCloseReason', {
  description: 'Why a session ended (CON-09).',
  values: {
    BY_USER: { description: 'By its own user.' },
    BY_ADMINISTRATOR: { description: 'By an Administrator.' },
    EWON_OFFLINE: { description: 'The Ewon went offline or was removed (CON-11).' },
    USER_DISABLED: { description: 'The user was disabled (USR-28).' },
    USER_EXPIRED: { description: 'The user’s expiration date passed (USR-38).' },
    USER_DELETED: { description: 'The user was deleted (USR-30).' },
    ACCESS_REVOKED: { description: 'The user lost the right to connect (GRP-21).' },
    SESSION_EXPIRED: { description: 'The login that it was opened from ended.' },
    SWITCHED: { description: 'The user switched to another session (CON-07).' },
    IMPORTED: { description: 'Another account took the Ewon over (IMP-09).' },
    TIMEOUT: { description: 'The client sent no keep-alive in time (CON-30).' },
  } satisfies Record<SessionCloseReason, object>,
});

const SessionSlotType = builder.objectRef<{ groupId: string | null }>('SessionSlot').implement({
  description: 'Which of the account’s concurrent connections a session holds, or held (CON-23).',
  fields: (t) => ({
    reserved: t.boolean({
      description: 'True for a slot that is reserved for a group, false for a shared one.',
      resolve: ({ groupId }) => groupId !== null,
    }),
    group: t.field({
      type: GroupType,
      nullable: true,
      description: 'The group it is reserved for; null for a shared slot, or where the viewer may not see the group.',
      resolve: ({ groupId }, _args, ctx) =>
        groupId === null ? null : ctx.loaders.get(visibleGroupLoader, ctx).load(groupId),
    }),
  }),
});

export const SessionType = builder.prismaNode('Session', {
  id: { field: 'id' },
  findUnique: whereVisible(sessionsVisibleTo),
  nullable: true,
  description:
    'A user’s remote connection to an Ewon. Visible to its user, to those who manage the Ewon, and to Administrators. Names and references are kept as they were, after user or Ewon are gone.',
  fields: (t) => ({
    reference: t.string({
      description: '`SES` and a number, as logs name it.',
      select: { number: true },
      resolve: ({ number }) => sessionReference(number),
    }),
    userName: t.exposeString('userName', { description: 'The user’s display name at the time.' }),
    userReference: t.string({
      description: '`USR` and a number.',
      select: { userNumber: true },
      resolve: ({ userNumber }) => userReference(userNumber),
    }),
    user: t.field({
      type: UserType,
      nullable: true,
      description: 'Its user; null when deleted, or where the viewer may not see him.',
      select: { userId: true },
      resolve: ({ userId }, _args, ctx) =>
        userId === null ? null : ctx.loaders.get(visibleUserLoader, ctx).load(userId),
    }),
    ewonName: t.exposeString('ewonName', { description: 'The Ewon’s name at the time.' }),
    ewonReference: t.string({
      description: '`DEV` and a number.',
      select: { ewonNumber: true },
      resolve: ({ ewonNumber }) => ewonReference(ewonNumber),
    }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'The Ewon; null when removed, or where the viewer may no longer see it.',
      select: { ewonId: true },
      resolve: ({ ewonId }, _args, ctx) =>
        ewonId === null ? null : ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId),
    }),
    client: t.expose('client', { type: ClientKindEnum, description: 'The kind of client.' }),
    state: t.expose('state', { type: SessionStateEnum, description: 'OPEN or CLOSED.' }),
    slot: t.field({
      type: SessionSlotType,
      nullable: true,
      description: 'Null where the client takes none (CON-06).',
      select: { takesSlot: true, slotGroupId: true },
      resolve: ({ takesSlot, slotGroupId }) => (takesSlot ? { groupId: slotGroupId } : null),
    }),
    userVpnAddress: t.expose('userVpnAddress', {
      type: 'IPv4',
      nullable: true,
      description: 'The user’s address in the VPN; null for M2web.',
    }),
    ewonVpnAddress: t.expose('ewonVpnAddress', {
      type: 'IPv4',
      nullable: true,
      description: 'The Ewon’s address in the VPN.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was opened.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was closed; null while open.',
    }),
    closeReason: t.expose('closeReason', { type: CloseReasonEnum, nullable: true, description: 'Null while open.' }),
    closedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who closed it; null when the platform did, or where the viewer may not see him.',
      select: { closedById: true },
      resolve: ({ closedById }, _args, ctx) =>
        closedById === null ? null : ctx.loaders.get(visibleUserLoader, ctx).load(closedById),
    }),
    aliveUntil: t.expose('aliveUntil', {
      type: 'DateTime',
      description: 'Without a keep-alive until then, the session is closed with TIMEOUT (CON-30).',
    }),
    bytesIn: t.expose('bytesIn', { type: 'ByteCount', description: 'Bytes from the user to the Ewon (CON-29).' }),
    bytesOut: t.expose('bytesOut', { type: 'ByteCount', description: 'Bytes from the Ewon to the user (CON-29).' }),
    viewerMayClose: t.boolean({
      description: 'The viewer may close it (CON-10).',
      select: { userId: true },
      resolve: (session, _args, { actor }) => actor !== null && mayClose(actor, session),
    }),
  }),
});

const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'From `from` (inclusive) to `to` (exclusive); either may be left out.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Not before.' }),
    to: t.field({ type: 'DateTime', description: 'Before.' }),
  }),
});
export const DateTimeRangeInput = DateTimeRange;

const sessionList = defineList({
  model: 'Session',
  things: 'sessions',
  fields: {
    number: { description: 'The number in its reference, as 12 of SES12.' },
    userName: { description: 'The user’s display name at the time.' },
    userNumber: { description: 'The number in the reference of its user, as 12 of USR12.' },
    userIds: { column: 'userId', idOf: 'User', description: 'Its user.' },
    ewonName: { description: 'The Ewon’s name at the time.' },
    ewonNumber: { description: 'The number in the reference of its Ewon, as 12 of DEV12.' },
    ewonIds: { column: 'ewonId', idOf: 'Ewon', description: 'Its Ewon.' },
    client: { enum: ClientKindEnum, description: 'The kind of client.' },
    state: { enum: SessionStateEnum, description: 'Whether it is live.' },
    userVpnAddress: { description: 'The user’s address in the VPN.' },
    ewonVpnAddress: { description: 'The Ewon’s address in the VPN.' },
    startedAt: { description: 'When it was opened.' },
    endedAt: { description: 'When it was closed.' },
    closeReason: { enum: CloseReasonEnum, description: 'Why it ended.' },
    aliveUntil: { description: 'Until when its client is taken to be there (CON-30).' },
    bytesIn: { description: 'Bytes from the user to the Ewon (CON-29).' },
    bytesOut: { description: 'Bytes from the Ewon to the user (CON-29).' },
  },
  search: ['userName', 'ewonName'],
  extra: (t) => ({ live: t.boolean({ description: 'Only open sessions, or only closed ones.' }) }),
  where: ({ live }) => (live == null ? [] : [{ state: live ? 'OPEN' : 'CLOSED' }]),
  order: [['startedAt', 'desc']],
});

const ofEwon = sessionList.nested<{ id: string }>('sessions', ({ id }) => ({ ewonId: id }), {
  type: SessionType,
  description: 'Its sessions that the viewer may see, newest first unless ordered otherwise.',
  where: ({ actor }) => (actor ? sessionsVisibleTo(actor) : { id: NO_ID }),
});

builder.prismaObjectField('Ewon', 'sessions', (t) =>
  t.connection(
    { ...ofEwon, select: (args, ctx, nodes) => ofEwon.select(args, ctx, nodes as never) },
    ...sessionList.connection('EwonSession'),
  ),
);

const SlotReservationType = builder
  .objectRef<{ groupId: string; count: number; inUse: number }>('SlotReservation')
  .implement({
    description: 'Connections kept for the members of a group (CON-20).',
    fields: (t) => ({
      group: t.field({
        type: GroupType,
        nullable: true,
        description: 'The group; null where the viewer may not see it.',
        resolve: ({ groupId }, _args, ctx) => ctx.loaders.get(visibleGroupLoader, ctx).load(groupId),
      }),
      count: t.exposeInt('count', { description: 'How many are reserved.' }),
      inUse: t.exposeInt('inUse', { description: 'How many of them are held now.' }),
    }),
  });

export const SlotUsageType = builder.objectRef<SlotFigures>('SlotUsage').implement({
  description: 'The account’s concurrent connections in figures (CON-12).',
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'The number in force.' }),
    inUse: t.exposeInt('inUse', {
      description: 'Held now; may exceed the total for a while after a decrease (CON-19).',
    }),
    free: t.exposeInt('free', { description: 'Held by nobody, reserved ones included.' }),
    freeForViewer: t.exposeInt('freeForViewer', {
      description: 'Free for the viewer: shared ones and those reserved for his groups.',
    }),
    usableByViewer: t.exposeInt('usableByViewer', {
      description:
        'The most that users with the viewer’s groups could ever hold: the total without the reservations of other groups (CON-21).',
    }),
    reservations: t.field({
      type: [SlotReservationType],
      description: 'What is reserved, and for whom.',
      resolve: ({ reservations }) => reservations,
    }),
  }),
});

const SlotHolderType = builder.objectRef<SlotHolder>('SlotHolder').implement({
  description: 'Somebody who holds one of the connections (WTL-01).',
  fields: (t) => ({
    userName: t.exposeString('userName', {
      nullable: true,
      description: 'Null where the viewer may not read the name (USR-14).',
    }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when.' }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'What he is connected to; null where the viewer may not see it.',
      resolve: ({ ewonId }, _args, ctx) =>
        ewonId === null ? null : ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId),
    }),
  }),
});

builder.objectType(NoFreeSlotError, {
  name: 'NoFreeSlotError',
  description: 'No connection is free that the viewer may use (CON-05); says why (WTL-01).',
  interfaces: [ErrorRef],
  fields: (t) => ({
    usage: t.field({
      type: SlotUsageType,
      description: 'The connections in figures at that moment.',
      resolve: ({ refusal }) => refusal.figures,
    }),
    holders: t.field({
      type: [SlotHolderType],
      description: 'Who holds them.',
      resolve: ({ refusal }) => refusal.holders,
    }),
    queuePosition: t.int({
      nullable: true,
      description: 'The viewer’s place in the queue, 1 being next; null when he does not wait.',
      resolve: ({ refusal }) => refusal.queuePosition,
    }),
  }),
});

builder.objectType(UserAlreadyConnectedError, {
  name: 'UserAlreadyConnectedError',
  description: 'The viewer has an Ecatcher session already (CON-07).',
  interfaces: [ErrorRef],
  fields: (t) => ({
    session: t.prismaField({
      type: 'Session',
      description: 'The present session; `switch: true` would close it.',
      resolve: (query, { session }, _args, { db }) =>
        db.session.findUniqueOrThrow({ ...query, where: { id: session.id } }),
    }),
  }),
});

const TunnelTicketType = builder.objectRef<TunnelTicket>('TunnelTicket').implement({
  description: 'Lets the client open its end of the tunnel: one use, 60 seconds.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where to connect: the gateway instance that holds the Ewon.' }),
    portalUrl: t.exposeString('portalUrl', {
      nullable: true,
      description:
        'Of an M2web session: where a browser posts a form with the token as `ticket`, to reach the web pages behind the Ewon (TUN-07).',
    }),
    token: t.exposeString('token', { description: 'Bearer token for that address, not for the API. Shown only now.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it is void.' }),
  }),
});

interface SlotWait {
  id: string;
  ewonId: string;
  arrivedAt: Date;
  expiresAt: Date;
}

export const SlotWaitType = builder.objectRef<SlotWait>('SlotWait').implement({
  description: 'The viewer’s place in the queue for a connection (WTL-02, WTL-03).',
  fields: (t) => ({
    position: t.int({
      nullable: true,
      description: '1 is next; null when he has just been served or left.',
      resolve: (_wait, _args, { db, clock, actor }) => (actor ? queuePosition(db, clock.now(), actor) : null),
    }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'What he waits to connect to.',
      resolve: ({ ewonId }, _args, ctx) => ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId),
    }),
    arrivedAt: t.expose('arrivedAt', { type: 'DateTime', description: 'Since when he waits.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when he waits.' }),
  }),
});

const SlotOfferType = builder.objectRef<SlotOffer>('SlotOffer').implement({
  description: 'What a number of concurrent connections would mean (CON-14).',
  fields: (t) => ({
    concurrentConnections: t.exposeInt('concurrentConnections', { description: 'The number asked about.' }),
    included: t.exposeInt('included', {
      description: 'How many the plan includes; the number cannot go below (CON-18).',
    }),
    monthlyPrice: t.field({
      type: MoneyType,
      description: 'Price of those beyond, a month (BIL-14).',
      resolve: ({ monthlyPriceCents }) => ({ cents: monthlyPriceCents }),
    }),
    monthlyPriceCents: t.exposeInt('monthlyPriceCents', {
      deprecationReason: 'Ask for `monthlyPrice`, which is exact and names its currency. Goes on 2027-06-01.',
      description: 'Price of those beyond, a month, in cents (BIL-14).',
    }),
    effectiveAt: t.expose('effectiveAt', {
      type: 'DateTime',
      description: 'From when it would be in force (CON-15, CON-16).',
    }),
  }),
});

builder.queryFields((t) => ({
  sessions: t.withAuth({ loggedIn: true }).connection(
    sessionList.shown({
      type: SessionType,
      description: 'The sessions that the viewer may see, newest first unless ordered otherwise.',
      where: ({ actor }: LoggedInContext) => sessionsVisibleTo(actor),
    }),
    ...sessionList.connection(),
  ),
  slotOffer: t.withAuth({ loggedIn: true }).field({
    type: SlotOfferType,
    description:
      'Price and date of another number of concurrent connections, before it is ordered (CON-14). Administrators only (BIL-16). Errors: FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED.',
    args: { concurrentConnections: t.arg.int({ required: true, description: 'The number in question.' }) },
    resolve: (_root, { concurrentConnections }, ctx) => offerSlots(ctx, concurrentConnections),
  }),
}));

builder.subscriptionField('slotUsage', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: SlotUsageType,
    description:
      'The account’s concurrent connections: the present figures at once, then at each change; a slow reader gets the latest ones only (EVT-11).',
    subscribe: (_root, _args, ctx) =>
      serveStream(ctx, async function* (signal) {
        for await (const { actor, figures } of followSlots(ctx, ctx.actor, signal)) {
          ctx.actor = actor;
          yield figures;
        }
      }),
    resolve: (figures) => figures,
  }),
);

const OpenSessionInput = builder.inputType('OpenSessionInput', {
  description: 'The session to open.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'An active Ewon that is online.' }),
    client: t.field({
      type: ClientKindEnum,
      required: true,
      defaultValue: 'ECATCHER',
      description: 'Only ECATCHER takes one of the concurrent connections (CON-06).',
    }),
    switch: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Closes the viewer’s present Ecatcher session in the same step (CON-07).',
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 0,
      validate: z.number().int().min(0, 'waitSeconds is from 0 to 3600.').max(3600, 'waitSeconds is from 0 to 3600.'),
      description:
        'How long to wait when none is free, in seconds; the server may wait less (WTL-02). The answer comes when served, or when the time is over.',
    }),
    idempotencyKey: t.string({
      validate: idempotencyKey,
      description: 'The same key and input by the same login gives the same session for 24 hours (API-01).',
    }),
  }),
});

const sessionField = { type: 'Session' as const };
const sessionSuccess = (name: string, text: string) =>
  builder.objectRef<{ sessionId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      session: t.prismaField({
        ...sessionField,
        description: 'The session as it is now.',
        resolve: (query, { sessionId }, _args, { db }) =>
          db.session.findUniqueOrThrow({ ...query, where: { id: sessionId } }),
      }),
    }),
  });

const OpenSessionSuccess = builder
  .objectRef<{ sessionId: string; ticket: TunnelTicket }>('OpenSessionSuccess')
  .implement({
    description: 'The session is open.',
    fields: (t) => ({
      session: t.prismaField({
        ...sessionField,
        description: 'The open session.',
        resolve: (query, { sessionId }, _args, { db }) =>
          db.session.findUniqueOrThrow({ ...query, where: { id: sessionId } }),
      }),
      tunnel: t.field({
        type: TunnelTicketType,
        description: 'For the client’s end of the tunnel.',
        resolve: ({ ticket }) => ticket,
      }),
    }),
  });
const KeepSessionAliveSuccess = sessionSuccess(
  'KeepSessionAliveSuccess',
  'The session, with its new `aliveUntil`; read `state`: a closed one stays closed.',
);
const CloseSessionSuccess = sessionSuccess('CloseSessionSuccess', 'The session is closed, now or before.');

const SessionInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ sessionId: t.id({ required: true, description: 'The session.' }) }),
  });
const KeepSessionAliveInput = SessionInput('KeepSessionAliveInput', 'A session of the viewer’s own.');
const CloseSessionInput = SessionInput('CloseSessionInput', 'A session of the viewer’s own, or as Administrator any.');

const SlotReservationInput = builder.inputType('SlotReservationInput', {
  description: 'Connections to keep for a group.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'The group.' }),
    count: t.int({
      required: true,
      validate: z.number().int().min(0, 'count is 0 or more.').max(100_000),
      description: 'How many; 0 ends the reservation.',
    }),
  }),
});
const SetReservationsInput = builder.inputType('SetReservationsInput', {
  description: 'All reservations of the account; a group that is not named loses its own.',
  fields: (t) => ({
    reservations: t.field({
      type: [SlotReservationInput],
      required: true,
      description: 'Each group at most once.',
      validate: z.array(z.any()).max(500),
    }),
  }),
});
const SetConcurrentConnectionsInput = builder.inputType('SetConcurrentConnectionsInput', {
  description: 'The number of concurrent connections that the account wants.',
  fields: (t) => ({
    concurrentConnections: t.int({ required: true, description: 'Not below what the plan includes (CON-18).' }),
    acknowledgeContractChange: t.boolean({
      required: true,
      defaultValue: false,
      description: 'The caller knows that contract and price change (CON-14); see `slotOffer`.',
    }),
  }),
});

/** Successes that are about the account’s slots. */
const slotsSuccess = (name: string, text: string) =>
  builder.objectRef<object>(name).implement({
    description: text,
    fields: (t) => ({
      slots: t.withAuth({ loggedIn: true }).field({
        type: SlotUsageType,
        description: 'The connections as they are now.',
        resolve: (_parent, _args, { db, actor }) => readSlotFigures(db, actor),
      }),
      account: t.withAuth({ loggedIn: true }).prismaField({
        type: 'Account',
        description: 'The account, with a scheduled decrease where there is one.',
        resolve: (query, _parent, _args, { db, actor }) =>
          db.account.findUniqueOrThrow({ ...query, where: { id: actor.accountId } }),
      }),
    }),
  });
const SetReservationsSuccess = slotsSuccess(
  'SetReservationsSuccess',
  'The reservations are in force; live sessions go on.',
);
const SetConcurrentConnectionsSuccess = slotsSuccess(
  'SetConcurrentConnectionsSuccess',
  'An increase is in force; a decrease may be scheduled (CON-17).',
);
const CancelScheduledDecreaseSuccess = slotsSuccess('CancelScheduledDecreaseSuccess', 'No decrease is scheduled.');
const LeaveSlotQueueSuccess = builder.objectRef<{ left: boolean }>('LeaveSlotQueueSuccess').implement({
  description: 'The viewer does not wait.',
  fields: (t) => ({ left: t.exposeBoolean('left', { description: 'True when he was waiting until now.' }) }),
});

builder.mutationFields((t) => ({
  openSession: t.withAuth({ loggedIn: true }).field({
    type: OpenSessionSuccess,
    errors: { types: [NoFreeSlotError, UserAlreadyConnectedError] },
    description:
      'Opens a session to an Ewon; with Ecatcher it takes one of the account’s concurrent connections (CON-01 to CON-07, CON-27). Errors: NOT_FOUND, FORBIDDEN, EWON_NOT_APPROVED, EWON_OFFLINE, CONCURRENT_CONNECTION_LIMIT, USER_ALREADY_CONNECTED, VPN_ADDRESS_EXHAUSTED, IDEMPOTENCY_KEY_REUSED.',
    args: { input: t.arg({ type: OpenSessionInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const request = { ...input, ewonId: keyOf('Ewon', input.ewonId), idempotencyKey: input.idempotencyKey ?? null };
      const { session, ticket } = await openSession(ctx, request, ctx.signal);
      return { sessionId: session.id, ticket };
    },
  }),
  keepSessionAlive: t.withAuth({ loggedIn: true }).field({
    type: KeepSessionAliveSuccess,
    errors: {},
    description:
      'Tells that the client of a session is still there; at least every 120 seconds (CON-30). Errors: NOT_FOUND.',
    args: { input: t.arg({ type: KeepSessionAliveInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const sessionId = keyOf('Session', input.sessionId);
      await keepSessionAlive(ctx, sessionId);
      return { sessionId };
    },
  }),
  closeSession: t.withAuth({ loggedIn: true }).field({
    type: CloseSessionSuccess,
    errors: {},
    description: 'Closes a session (CON-10); closing it again changes nothing. Errors: NOT_FOUND, FORBIDDEN.',
    args: { input: t.arg({ type: CloseSessionInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const sessionId = keyOf('Session', input.sessionId);
      await closeSession(ctx, sessionId);
      return { sessionId };
    },
  }),
  leaveSlotQueue: t.withAuth({ loggedIn: true }).field({
    type: LeaveSlotQueueSuccess,
    errors: {},
    description: 'Leaves the queue for a connection (WTL-03); the waiting `openSession` is then refused.',
    resolve: async (_root, _args, ctx) => {
      const entries = await ctx.db.slotWaiter.findMany({
        where: { userId: ctx.actor.userId, state: 'WAITING' },
        select: { id: true },
      });
      const left = await Promise.all(entries.map(({ id }) => leaveQueue(ctx, id, 'LEFT')));
      ctx.bell.ring(`slots:${ctx.actor.accountId}`);
      return { left: left.includes(true) };
    },
  }),
  setReservations: t.withAuth({ loggedIn: true }).field({
    type: SetReservationsSuccess,
    errors: {},
    description:
      'Reserves connections for groups (CON-20, CON-26). Administrators on PRO. Errors: FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, RESERVATION_EXCEEDS_TOTAL.',
    args: { input: t.arg({ type: SetReservationsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setReservations(
        ctx,
        input.reservations.map(({ groupId, count }) => ({ groupId: keyOf('Group', groupId), count })),
      );
      return {};
    },
  }),
  setConcurrentConnections: t.withAuth({ loggedIn: true }).field({
    type: SetConcurrentConnectionsSuccess,
    errors: {},
    description:
      'Changes the number of concurrent connections (CON-13 to CON-19): up at once, down when the present number has been in force for three months. Administrators only. Errors: FORBIDDEN, ACKNOWLEDGEMENT_REQUIRED, PLAN_FEATURE_NOT_AVAILABLE, RESERVATION_EXCEEDS_TOTAL.',
    args: { input: t.arg({ type: SetConcurrentConnectionsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setConcurrentConnections(ctx, input.concurrentConnections, input.acknowledgeContractChange);
      return {};
    },
  }),
  cancelScheduledDecrease: t.withAuth({ loggedIn: true }).field({
    type: CancelScheduledDecreaseSuccess,
    errors: {},
    description: 'Cancels a scheduled decrease (CON-17). Administrators only. Errors: FORBIDDEN.',
    resolve: async (_root, _args, ctx) => {
      await cancelScheduledDecrease(ctx);
      return {};
    },
  }),
}));
