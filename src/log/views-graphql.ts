import { z } from 'zod';
import { DownloadLinkType } from '../downloads/graphql.ts';
import { createDownloadLink } from '../downloads/links.ts';
import { AppError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { pageSizes } from '../graphql/paging.ts';
import { selectionOf } from './entries.ts';
import { logCsv, logText } from './export.ts';
import { FILTER_IDS_MAX, type LogFilter, requireModest } from './filter.ts';
import { LogEntryType, LogFilterInput } from './graphql.ts';
import type { LogOrder, LogOrderField } from './order.ts';
import { type LogPage, readPage } from './page.ts';
import { LOG_COLUMNS, type LogColumn, type RawShape, rawLines } from './text.ts';

const OrderFieldEnum = builder.enumType('LogOrderField', {
  description: 'What the log can be ordered by (LOG-09).',
  values: {
    TIME: { description: 'When it happened.' },
    EVENT: { description: 'By its code.' },
    CATEGORY: { description: 'In the order USER, EWON, ACCOUNT, SECURITY, BILLING.' },
    SEVERITY: { description: 'INFO, WARNING, ERROR.' },
    TRIGGER: { description: 'USER, EWON, PLATFORM.' },
    USER: { description: 'The user’s display name at the time.' },
    EWON: { description: 'The Ewon’s name at the time.' },
  } satisfies Record<LogOrderField, object>,
});

const LogOrderInput = builder.inputType('LogOrder', {
  description: 'One field of an order; entries without a user or Ewon come last in both directions.',
  fields: (t) => ({
    field: t.field({ type: OrderFieldEnum, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'Which way round.' }),
  }),
});

interface PageArgs {
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
}

/** @throws AppError VALIDATION_FAILED, CURSOR_INVALID, CURSOR_EXPIRED */
function pageOf(
  ctx: LoggedInContext,
  args: PageArgs,
  filter: LogFilter | null | undefined,
  orderBy: readonly LogOrder[] = [],
): Promise<LogPage> {
  const max = pageSizes.maxSize(args, ctx);
  if (args.first != null && args.last != null)
    throw new AppError('VALIDATION_FAILED', 'Either first or last, not both.', ['last']);
  requireModest(filter, ctx.config);
  return readPage(ctx, selectionOf(ctx.actor, filter), {
    orderBy,
    size: Math.min(args.first ?? args.last ?? pageSizes.defaultSize(args, ctx), max),
    backward: args.last != null,
    after: args.after,
    before: args.before,
  });
}

builder.queryField('logEntries', (t) =>
  t.withAuth({ loggedIn: true }).connection(
    {
      type: LogEntryType,
      description:
        'The log as far as the viewer may read it (LOG-20). Newest first unless ordered otherwise: `first/after` goes back in time, `last/before` comes towards the present from a cursor (LOG-11, LOG-12, EVT-05). Ordered by TIME, in either direction, its cursors are those of the streams; those of another order are of that order only. Errors: CURSOR_EXPIRED, CURSOR_INVALID, VALIDATION_FAILED.',
      args: {
        filter: t.arg({ type: LogFilterInput }),
        orderBy: t.arg({
          type: [LogOrderInput],
          description:
            'By the first field, among equals by the next; at most four. Equals in all follow each other in time, in the direction of the last field.',
          validate: z.array(z.any()).max(4),
        }),
      },
      resolve: (_root, args, ctx) => pageOf(ctx, args, args.filter, args.orderBy ?? []),
    },
    { name: 'LogEntryConnection', description: 'A page of the log.' },
    { name: 'LogEntryEdge', description: 'An entry of a page with its place.' },
  ),
);

/** The page as raw lines in the account's time zone (LOG-08, LOG-18). */
async function rawPage(ctx: LoggedInContext, args: PageArgs, shape: RawShape, filter: LogFilter | null) {
  const [{ edges, pageInfo }, { timeZone }] = [
    await pageOf(ctx, args, filter),
    await ctx.db.account.findUniqueOrThrow({ where: { id: ctx.actor.accountId }, select: { timeZone: true } }),
  ];
  const line = rawLines(timeZone, shape);
  return { edges: edges.map(({ cursor, node }) => ({ cursor, node: line(node) })), pageInfo };
}

const RAW_PAGES =
  'Newest first, in pages with the cursors of `logEntries`. Line breaks and control characters within a line are replaced. Errors: CURSOR_EXPIRED, CURSOR_INVALID, VALIDATION_FAILED.';

builder.queryFields((t) => ({
  rawLog: t.withAuth({ loggedIn: true }).connection(
    {
      type: 'String',
      description: `The log, as far as the viewer may read it (LOG-20), in plain lines (LOG-08): day and time in the account’s time zone, name of the user or Ewon, USER, EWON or PLATFORM, and what happened. ${RAW_PAGES}`,
      resolve: (_root, args, ctx) => rawPage(ctx, args, 'ACCOUNT', null),
    },
    { name: 'RawLogConnection', description: 'A page of the log in plain lines.' },
    { name: 'RawLogEdge', description: 'A line with its place.' },
  ),
  rawUserLog: t.withAuth({ loggedIn: true }).connection(
    {
      type: 'String',
      description: `The log of some users, as far as the viewer may read it (LOG-05, USR-42), in plain lines (LOG-08): day and time in the account’s time zone, and what happened. ${RAW_PAGES}`,
      args: {
        userIds: t.arg.idList({
          required: true,
          description: `Whose; 1–${FILTER_IDS_MAX}.`,
          validate: z.array(z.string()).min(1).max(FILTER_IDS_MAX),
        }),
      },
      resolve: (_root, args, ctx) => rawPage(ctx, args, 'USER', { userIds: args.userIds }),
    },
    { name: 'RawUserLogConnection', description: 'A page of the log of users in plain lines.' },
    { name: 'RawUserLogEdge', description: 'A line with its place.' },
  ),
}));

const LogFileEnum = builder.enumType('LogFileFormat', {
  description: 'In which form the log is exported (LOG-13).',
  values: {
    CSV: { description: 'A table with a header line (LOG-14): UTF-8, as RFC 4180 has it.' },
    RAW: { description: 'The lines of `rawLog`.' },
    RAW_USER: { description: 'The lines of `rawUserLog`.' },
  },
});

const LogColumnEnum = builder.enumType('LogColumn', {
  description: 'A column of the exported log.',
  values: {
    NUMBER: { description: 'The entry’s number.' },
    TIME: { description: 'Day and time in the account’s time zone (LOG-18): `2026-11-22 14:03:07`.' },
    UTC_OFFSET: { description: 'How far that is from UTC: `UTC+01:00`.' },
    CODE: { description: 'The code of the event.' },
    EVENT: { description: 'What happened, in English.' },
    CATEGORY: { description: 'What it is about.' },
    SEVERITY: { description: 'How serious it is.' },
    TRIGGER: { description: 'Who triggered it.' },
    USER_REFERENCE: { description: '`USR` and a number.' },
    USER: { description: 'The user’s display name at the time.' },
    EWON_REFERENCE: { description: '`DEV` and a number.' },
    EWON: { description: 'The Ewon’s name at the time.' },
    PARAMETERS: { description: 'The details behind the text, as JSON.' },
  } satisfies Record<LogColumn, object>,
});

builder.queryField('logDownload', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: DownloadLinkType,
    description:
      'Where the log is downloaded as a file (LOG-13): all entries that the filter keeps (LOG-14) and whose reading the viewer may then (LOG-20), oldest first, up to the newest when the download begins. The download writes an entry. Errors: VALIDATION_FAILED.',
    args: {
      format: t.arg({ type: LogFileEnum, required: true, description: 'In which form.' }),
      filter: t.arg({ type: LogFilterInput }),
      columns: t.arg({
        type: [LogColumnEnum],
        description: 'For CSV, in this order (LOG-09); all unless given, at least one, each once.',
        validate: z
          .array(z.any())
          .min(1)
          .refine((columns) => new Set(columns).size === columns.length, 'Each column once.'),
      }),
    },
    resolve: (_root, { format, filter, columns }, ctx) => {
      requireModest(filter, ctx.config);
      if (format === 'CSV')
        return createDownloadLink(ctx, logCsv, {
          filter,
          columns: columns ?? (Object.keys(LOG_COLUMNS) as LogColumn[]),
        });
      if (columns) throw new AppError('VALIDATION_FAILED', 'Raw lines have no columns.', ['columns']);
      return createDownloadLink(ctx, logText, { filter, shape: format === 'RAW' ? 'ACCOUNT' : 'USER' });
    },
  }),
);
