import { z } from 'zod';
import { EwonType } from '../ewons/graphql.ts';
import { ewonReference } from '../ewons/rules.ts';
import { type LogEntry, Prisma } from '../generated/prisma/client.ts';
import type { LogCategory, LogSeverity, LogTrigger } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import type { GraphQLContext, LoggedInContext } from '../graphql/context.ts';
import { StringFilter } from '../graphql/lists/inputs.ts';
import { serveStream } from '../graphql/streams.ts';
import { CloseReasonEnum, DateTimeRangeInput, SessionType } from '../sessions/graphql.ts';
import { publicNameLoader, visibleEwonLoader, visibleSessionLoader, visibleUserLoader } from '../sessions/loaders.ts';
import type { Actor } from '../users/actor.ts';
import { UserType } from '../users/graphql.ts';
import { userReference } from '../users/rules.ts';
import { encodeCursor } from './cursor.ts';
import { amongEntries, selectionOf } from './entries.ts';
import { type ConnectionEventCode, LOG_EVENTS, type LogCode } from './events.ts';
import { FILTER_IDS_MAX, filterSql, type LogFilter, requireModest, SEARCH_MAX } from './filter.ts';
import { followLog } from './follow.ts';
import { parametersOf, textOf } from './text.ts';
import { readableConnectionEvents } from './visible.ts';

const CategoryEnum = builder.enumType('LogCategory', {
  description: 'What an entry is about (LOG-10): USER, EWON, ACCOUNT, SECURITY or BILLING.',
  values: {
    USER: { description: 'Users and their sessions.' },
    EWON: { description: 'Ewons and their devices.' },
    ACCOUNT: { description: 'Settings, groups and pools of the account.' },
    SECURITY: { description: 'Logins, keys, and what was refused.' },
    BILLING: { description: 'What contract and price depend on.' },
  } satisfies Record<LogCategory, object>,
});
const SeverityEnum = builder.enumType('LogSeverity', {
  description: 'How serious an entry is (LOG-10): INFO, WARNING or ERROR.',
  values: {
    INFO: { description: 'As it should be.' },
    WARNING: { description: 'Worth a look.' },
    ERROR: { description: 'Something does not work.' },
  } satisfies Record<LogSeverity, object>,
});
const TriggerEnum = builder.enumType('LogTrigger', {
  description: 'Who triggered the event (LOG-02): a USER, an EWON, or the PLATFORM itself.',
  values: {
    USER: { description: 'A user.' },
    EWON: { description: 'A device.' },
    PLATFORM: { description: 'The platform itself, such as a time that has passed.' },
  } satisfies Record<LogTrigger, object>,
});
const LogCodeEnum = builder.enumType('LogCode', {
  description:
    'What happened, as a stable code (LOG-19). New codes may come; a client shows the text of one it does not know.',
  values: Object.fromEntries(
    Object.entries(LOG_EVENTS).map(([code, { category, severity }]) => [
      code,
      { description: `${category}, ${severity}.` },
    ]),
  ) as Record<LogCode, object>,
});

const LogParameterType = builder.objectRef<{ name: string; value: string | null }>('LogParameter').implement({
  description: 'A detail of an entry; never a secret (LOG-21).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is.' }),
    value: t.exposeString('value', { nullable: true, description: 'Its value as text.' }),
  }),
});

export const LogEntryType = builder.objectRef<LogEntry>('LogEntry').implement({
  description:
    'Something that happened in the account (LOG-01, LOG-02). Entries are never changed; names and references are as they were.',
  fields: (t) => ({
    cursor: t.field({
      type: 'Cursor',
      description: 'Its place: streams and `logEntries` go on from it (EVT-05).',
      resolve: ({ accountId, seq }) => encodeCursor(accountId, seq),
    }),
    number: t.string({
      description: 'Its number in the account’s log, from 1 without gaps (EVT-01); a whole number of up to 18 digits.',
      resolve: ({ seq }) => String(seq),
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    code: t.field({ type: LogCodeEnum, description: 'What happened.', resolve: ({ code }) => code as LogCode }),
    text: t.string({
      description: 'What happened, in English, made from code and parameters (LOG-19).',
      resolve: textOf,
    }),
    category: t.expose('category', { type: CategoryEnum, description: 'What it is about.' }),
    severity: t.expose('severity', { type: SeverityEnum, description: 'How serious it is.' }),
    trigger: t.expose('trigger', { type: TriggerEnum, description: 'Who triggered it.' }),
    userReference: t.string({
      nullable: true,
      description: '`USR` and a number (LOG-03); null where no user is concerned.',
      resolve: ({ userNumber }) => (userNumber === null ? null : userReference(userNumber)),
    }),
    userName: t.exposeString('userName', { nullable: true, description: 'The user’s display name at the time.' }),
    user: t.field({
      type: UserType,
      nullable: true,
      description: 'The user; null when deleted or not visible to the viewer.',
      resolve: ({ userId }, _args, ctx) =>
        userId === null ? null : ctx.loaders.get(visibleUserLoader, ctx).load(userId),
    }),
    ewonReference: t.string({
      nullable: true,
      description: '`DEV` and a number (LOG-03); null where no Ewon is concerned.',
      resolve: ({ ewonNumber }) => (ewonNumber === null ? null : ewonReference(ewonNumber)),
    }),
    ewonName: t.exposeString('ewonName', { nullable: true, description: 'The Ewon’s name at the time.' }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'The Ewon; null when removed or not visible to the viewer.',
      resolve: ({ ewonId }, _args, ctx) =>
        ewonId === null ? null : ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId),
    }),
    session: t.field({
      type: SessionType,
      nullable: true,
      description: 'The session that it is about; null where there is none or it is not visible to the viewer.',
      resolve: ({ sessionId }, _args, ctx) =>
        sessionId === null ? null : ctx.loaders.get(visibleSessionLoader, ctx).load(sessionId),
    }),
    parameters: t.field({
      type: [LogParameterType],
      description: 'The details behind the text.',
      resolve: (entry) =>
        Object.entries(parametersOf(entry)).map(([name, value]) => ({
          name,
          value: value === null ? null : String(value),
        })),
    }),
  }),
});

const ids = (what: string) => ({
  description: `${what}; at most ${FILTER_IDS_MAX}.`,
  validate: z.array(z.string()).max(FILTER_IDS_MAX),
});

export const LogFilterInput = builder.inputRef<LogFilter>('LogFilter');
LogFilterInput.implement({
  description:
    'All given conditions hold together; several values of one are alternatives (LOG-10). AND, OR and NOT have FILTER_DEPTH_MAX levels and FILTER_CONDITIONS_MAX conditions at most.',
  fields: (t) => ({
    AND: t.field({ type: [LogFilterInput], description: 'All of these hold.' }),
    OR: t.field({ type: [LogFilterInput], description: 'One of these holds; an empty list keeps nothing.' }),
    NOT: t.field({
      type: LogFilterInput,
      description: 'This does not hold; of entries without a user or Ewon, nothing about it does.',
    }),
    ewonIds: t.idList(ids('About one of these Ewons (LOG-06)')),
    userIds: t.idList(ids('Of one of these users (LOG-05)')),
    poolIds: t.idList(ids('About an Ewon that is now in one of these pools')),
    categories: t.field({ type: [CategoryEnum], description: 'Of one of these categories.' }),
    severities: t.field({ type: [SeverityEnum], description: 'Of one of these severities.' }),
    triggers: t.field({ type: [TriggerEnum], description: 'Triggered by one of these.' }),
    codes: t.field({ type: [LogCodeEnum], description: 'With one of these codes.' }),
    at: t.field({ type: DateTimeRangeInput, description: 'In this time.' }),
    userName: t.field({ type: StringFilter, description: 'Of users of such a name at the time.' }),
    ewonName: t.field({ type: StringFilter, description: 'About Ewons of such a name at the time.' }),
    search: t.string({
      description: `Part of the name of the user or Ewon at the time, in upper or lower case; at most ${SEARCH_MAX} characters.`,
      validate: z.string().max(SEARCH_MAX),
    }),
  }),
});

const ConnectionEventFilter = builder.inputType('ConnectionEventFilter', {
  description: 'All given conditions hold together; several values of one are alternatives.',
  fields: (t) => ({
    ewonIds: t.idList(ids('About one of these Ewons')),
    userIds: t.idList(ids('Of one of these users')),
    poolIds: t.idList(ids('About an Ewon that is now in one of these pools')),
  }),
});

interface Batch {
  entries: LogEntry[];
  cursor: string;
}

const LogEventBatchType = builder.objectRef<Batch>('LogEventBatch').implement({
  description: 'New log entries in their order: usually one, many while catching up.',
  fields: (t) => ({
    entries: t.field({ type: [LogEntryType], description: 'At least one.', resolve: ({ entries }) => entries }),
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Where to go on after this batch.' }),
  }),
});

interface ConnectionEvent {
  entry: LogEntry;
}

/** The fields that every event of the connection stream has. */
const ConnectionEventInterface = builder.interfaceRef<ConnectionEvent>('ConnectionEventFacts').implement({
  description: 'What every connection event tells.',
  fields: (t) => ({
    cursor: t.field({
      type: 'Cursor',
      description: 'Its place in the log.',
      resolve: ({ entry }) => encodeCursor(entry.accountId, entry.seq),
    }),
    at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: ({ entry }) => entry.at }),
    ewonName: t.string({ description: 'The Ewon’s name at the time.', resolve: ({ entry }) => entry.ewonName ?? '' }),
    ewonReference: t.string({
      description: '`DEV` and a number.',
      resolve: ({ entry }) => ewonReference(entry.ewonNumber ?? 0),
    }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'The Ewon as it is at delivery (EVT-10); null when removed since.',
      resolve: ({ entry: { ewonId } }, _args, ctx) =>
        ewonId === null ? null : ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId),
    }),
  }),
});

const parameter = (entry: LogEntry, name: string): string => String(parametersOf(entry)[name] ?? '');

const userName = async ({ entry }: ConnectionEvent, ctx: GraphQLContext): Promise<string | null> =>
  entry.userId !== null && (await ctx.loaders.get(publicNameLoader, ctx).load(entry.userId)) !== null
    ? entry.userName
    : null;

const sessionOf = ({ entry: { sessionId } }: ConnectionEvent, ctx: GraphQLContext) =>
  sessionId === null ? null : ctx.loaders.get(visibleSessionLoader, ctx).load(sessionId);

const NAME = 'The user’s display name at the time; null where the viewer may not read it (USR-14).';

const EwonOnline = builder.objectRef<ConnectionEvent>('EwonOnline').implement({
  description: 'An Ewon came online.',
  interfaces: [ConnectionEventInterface],
  fields: (t) => ({
    vpnAddress: t.field({
      type: 'IPv4',
      description: 'The address it holds (VPN-09).',
      resolve: ({ entry }) => parameter(entry, 'vpnAddress'),
    }),
  }),
});
const EwonOffline = builder.objectRef<ConnectionEvent>('EwonOffline').implement({
  description: 'An Ewon went offline.',
  interfaces: [ConnectionEventInterface],
  fields: (t) => ({
    reason: t.string({ description: 'Why, in English.', resolve: ({ entry }) => parameter(entry, 'reason') }),
  }),
});
const EwonWakingUp = builder.objectRef<ConnectionEvent>('EwonWakingUp').implement({
  description: 'A wake-up was sent to an Ewon (WAK-01).',
  interfaces: [ConnectionEventInterface],
});
const SessionStarted = builder.objectRef<ConnectionEvent>('SessionStarted').implement({
  description: 'A session was opened.',
  interfaces: [ConnectionEventInterface],
  fields: (t) => ({
    userName: t.string({ nullable: true, description: NAME, resolve: (event, _args, ctx) => userName(event, ctx) }),
    session: t.field({
      type: SessionType,
      nullable: true,
      description: 'The session as it is at delivery; null where the viewer may not see it.',
      resolve: (event, _args, ctx) => sessionOf(event, ctx),
    }),
  }),
});
const SessionClosed = builder.objectRef<ConnectionEvent>('SessionClosed').implement({
  description: 'A session ended.',
  interfaces: [ConnectionEventInterface],
  fields: (t) => ({
    userName: t.string({ nullable: true, description: NAME, resolve: (event, _args, ctx) => userName(event, ctx) }),
    closeReason: t.field({
      type: CloseReasonEnum,
      description: 'Why (CON-09).',
      resolve: ({ entry }) => parameter(entry, 'closeReason') as typeof CloseReasonEnum.$inferType,
    }),
    session: t.field({
      type: SessionType,
      nullable: true,
      description: 'The session; null where the viewer may not see it.',
      resolve: (event, _args, ctx) => sessionOf(event, ctx),
    }),
  }),
});
const SessionRefused = builder.objectRef<ConnectionEvent>('SessionRefused').implement({
  description: 'Somebody could not open a session.',
  interfaces: [ConnectionEventInterface],
  fields: (t) => ({
    userName: t.string({ nullable: true, description: NAME, resolve: (event, _args, ctx) => userName(event, ctx) }),
    reason: t.string({
      description: 'The error code of the refusal, as CONCURRENT_CONNECTION_LIMIT.',
      resolve: ({ entry }) => parameter(entry, 'reason'),
    }),
  }),
});

const CONNECTION_EVENT_TYPES: Record<ConnectionEventCode, string> = {
  EWON_ONLINE: 'EwonOnline',
  EWON_OFFLINE: 'EwonOffline',
  EWON_WAKING_UP: 'EwonWakingUp',
  SESSION_STARTED: 'SessionStarted',
  SESSION_CLOSED: 'SessionClosed',
  SESSION_REFUSED: 'SessionRefused',
};

const ConnectionEventUnion = builder.unionType('ConnectionEvent', {
  description: 'Something that happened to a connection (EVT-02).',
  types: [EwonOnline, EwonOffline, EwonWakingUp, SessionStarted, SessionClosed, SessionRefused],
  resolveType: ({ entry }) => CONNECTION_EVENT_TYPES[entry.code as ConnectionEventCode],
});

const ConnectionEventBatchType = builder.objectRef<Batch>('ConnectionEventBatch').implement({
  description: 'New connection events in their order: usually one, many while catching up.',
  fields: (t) => ({
    events: t.field({
      type: [ConnectionEventUnion],
      description: 'At least one.',
      resolve: ({ entries }) => entries.map((entry) => ({ entry })),
    }),
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Where to go on after this batch.' }),
  }),
});

/** Streams what `readable` leaves of the log, with the viewer's rights as they are at each batch (EVT-07). */
function stream(
  ctx: LoggedInContext,
  after: string | null | undefined,
  readable: (actor: Actor, entries: LogEntry[]) => Promise<LogEntry[]>,
) {
  return serveStream(ctx, async function* (signal) {
    for await (const { actor, entries, cursor } of followLog(ctx, ctx.actor, {
      after: after ?? null,
      select: (all, reader) => readable(reader, all),
      signal,
    })) {
      ctx.actor = actor;
      yield { entries, cursor };
    }
  });
}

const AFTER =
  'Exclusive: first comes what was written since, then the stream goes live, with no entry missing and none twice (EVT-03). Without it the stream starts now.';
const STREAM_ERRORS =
  'It ends with STREAM_LAGGED or LOGIN_EXPIRED and, in `extensions.cursor`, where to go on. Errors: CURSOR_EXPIRED, CURSOR_INVALID.';

/** Of the entries that a reader may read, those that a filter keeps. */
const keep = (db: LoggedInContext['db'], actor: Actor, entries: LogEntry[], filter: LogFilter): Promise<LogEntry[]> =>
  amongEntries(
    db,
    { accountId: actor.accountId, readable: [Prisma.sql`TRUE`], filter: filterSql(actor, filter) },
    entries,
  );

builder.subscriptionFields((t) => ({
  connectionEvents: t.withAuth({ loggedIn: true }).field({
    type: ConnectionEventBatchType,
    description: `Ewons coming and going, sessions started, closed and refused, as far as the viewer may see them (EVT-02, EVT-07). ${STREAM_ERRORS}`,
    args: { after: t.arg({ type: 'Cursor', description: AFTER }), filter: t.arg({ type: ConnectionEventFilter }) },
    subscribe: (_root, { after, filter }, ctx) =>
      stream(ctx, after, async (actor, entries) => {
        const readable = await readableConnectionEvents(ctx.db, actor, entries);
        return filter ? keep(ctx.db, actor, readable, filter) : readable;
      }),
    resolve: (batch) => batch,
  }),
  logEvents: t.withAuth({ loggedIn: true }).field({
    type: LogEventBatchType,
    description: `Every log entry that the viewer may read, as it is written (EVT-02, LOG-20). ${STREAM_ERRORS}`,
    args: { after: t.arg({ type: 'Cursor', description: AFTER }), filter: t.arg({ type: LogFilterInput }) },
    subscribe: (_root, { after, filter }, ctx) => {
      requireModest(filter, ctx.config);
      return stream(ctx, after, async (actor, entries) =>
        actor.administrator && !filter ? entries : amongEntries(ctx.db, selectionOf(actor, filter), entries),
      );
    },
    resolve: (batch) => batch,
  }),
}));
