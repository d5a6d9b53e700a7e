import { z } from 'zod';
import { PlanEnum } from '../account/plan-graphql.ts';
import { MoneyType } from '../billing/money.ts';
import { MONTH } from '../billing/months.ts';
import { DownloadLinkType } from '../downloads/graphql.ts';
import { createDownloadLink } from '../downloads/links.ts';
import { builder } from '../graphql/builder.ts';
import { listMonths, readReport } from './collect.ts';
import type { ReportFacts, UsageFact } from './facts.ts';
import { findReport, formatsOf, mayReadReports, REPORT_FILES, type ReportFormat, type ReportKind } from './files.ts';

const month = z.string().regex(MONTH, 'A month is as 2026-11.');

const ReportKindEnum = builder.enumType('ReportKind', {
  description: 'A report of a month (BIL-06).',
  values: {
    CONNECTIONS: {
      description: 'A line a session that ended in the month, of the month so far also those still open (BIL-10).',
    },
    CONSUMPTION: { description: 'What was used against what is included, charges, and peaks by day (BIL-10).' },
  } satisfies Record<ReportKind, object>,
});

const ReportFormatEnum = builder.enumType('ReportFormat', {
  description: 'The form of a report (BIL-08).',
  values: {
    PDF: { description: 'To read and print; also of the month so far (BIL-07).' },
    CSV: { description: 'UTF-8 with a header line, for programs. A text that would be a formula gets an apostrophe.' },
    XLSX: { description: 'A spreadsheet. Of very many connections it is refused: take CSV.' },
  } satisfies Record<ReportFormat, object>,
});

const MonthReportsType = builder.objectRef<{ month: string; complete: boolean }>('MonthReports').implement({
  description: 'The reports of a month, one of each kind (BIL-06).',
  fields: (t) => ({
    month: t.exposeString('month', { description: 'As `2026-11`, for `reportDownload` and `consumption`.' }),
    complete: t.exposeBoolean('complete', {
      description: 'Whether the month is over in the account’s time zone: its reports never change (BIL-09).',
    }),
    formats: t.field({
      type: [ReportFormatEnum],
      description: 'In which forms they can be downloaded; PDF only until the month is over (BIL-07, BIL-08).',
      resolve: ({ complete }) => [...formatsOf(complete)],
    }),
  }),
});

const UsageFigureType = builder.objectRef<UsageFact>('UsageFigure').implement({
  description: 'What was used of something in a month, against what is included: whole numbers.',
  fields: (t) => ({
    used: t.exposeFloat('used', { description: 'In the unit of the field.' }),
    included: t.exposeFloat('included', { description: 'In the same unit; 0 where nothing is.' }),
  }),
});

const DailyPeakType = builder.objectRef<ReportFacts['peaks'][number]>('DailyPeak').implement({
  description: 'The most connections that were open at once on a day.',
  fields: (t) => ({
    day: t.field({
      type: 'Date',
      description: 'In the account’s time zone.',
      resolve: ({ day }) => new Date(`${day}T00:00:00Z`),
    }),
    peak: t.exposeInt('peak', { description: 'How many.' }),
  }),
});

const ReportChargeType = builder.objectRef<ReportFacts['charges'][number]>('ReportCharge').implement({
  description: 'What a month costs: of one that is over, what was taken.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What for.' }),
    quantity: t.exposeInt('quantity', { description: 'Whole units (BIL-13).' }),
    unitPrice: t.field({
      type: MoneyType,
      description: 'Of one unit.',
      resolve: ({ unitCents }) => ({ cents: unitCents }),
    }),
    amount: t.field({ type: MoneyType, description: 'Of all of them.', resolve: ({ cents }) => ({ cents }) }),
  }),
});

const SessionTotalsType = builder.objectRef<ReportFacts['sessions']>('SessionTotals').implement({
  description: 'The sessions that ended in a month, together.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'How many.' }),
    duration: t.field({
      type: 'Duration',
      description: 'How long they lasted, in whole seconds.',
      resolve: ({ seconds }) => seconds,
    }),
    bytesIn: t.expose('bytesIn', { type: 'ByteCount', description: 'From users to Ewons.' }),
    bytesOut: t.expose('bytesOut', { type: 'ByteCount', description: 'From Ewons to users.' }),
  }),
});

const ConsumptionType = builder.objectRef<ReportFacts>('Consumption').implement({
  description: 'The figures of the consumption report, to be drawn (BIL-10). Administrators only (BIL-16).',
  fields: (t) => {
    const figure = (name: 'traffic' | 'sms' | 'mails' | 'dataPoints' | 'peakConnections', description: string) =>
      t.field({ type: UsageFigureType, description, resolve: (facts) => facts[name] });
    const time = (name: 'from' | 'to' | 'at', description: string) =>
      t.field({ type: 'DateTime', description, resolve: (facts) => new Date(facts[name]) });
    return {
      month: t.exposeString('month', { description: 'As `2026-11`.' }),
      complete: t.exposeBoolean('complete', { description: 'Whether the month is over; then nothing here changes.' }),
      from: time('from', 'Its begin, or when the account was created.'),
      to: time('to', 'Its end, exclusive.'),
      at: time('at', 'When the figures were taken: now, or when the month was closed.'),
      timeZone: t.exposeString('timeZone', { description: 'By which month and days go.' }),
      plan: t.field({ type: PlanEnum, description: 'Then in force.', resolve: ({ plan }) => plan }),
      traffic: figure('traffic', 'Bytes of VPN traffic, both ways.'),
      sms: figure('sms', 'Text messages.'),
      mails: figure('mails', 'Mails that Ewons sent; no plan includes any.'),
      dataPoints: figure('dataPoints', 'Values that the DataMailbox received.'),
      peakConnections: figure('peakConnections', 'The most connections at once, against the number that is allowed.'),
      peaks: t.field({
        type: [DailyPeakType],
        description: 'The days so far, in order.',
        resolve: ({ peaks }) => peaks,
      }),
      charges: t.field({
        type: [ReportChargeType],
        description: 'What the month costs; empty when nothing.',
        resolve: ({ charges }) => charges,
      }),
      sessions: t.field({
        type: SessionTotalsType,
        description: 'The sessions that ended in it.',
        resolve: ({ sessions }) => sessions,
      }),
    };
  },
});

const WHO = 'Null for all but Administrators (BIL-16), and on plans without `reports` (ACC-10).';

builder.prismaObjectFields('Account', (t) => ({
  reports: t.field({
    type: [MonthReportsType],
    nullable: true,
    description: `The months that have reports, newest first; the first is not over (BIL-06). ${WHO}`,
    select: { id: true },
    resolve: ({ id }, _args, ctx) => (ctx.actor && mayReadReports(ctx.actor) ? listMonths(ctx, id) : null),
  }),
  consumption: t.field({
    type: ConsumptionType,
    nullable: true,
    description: `What was used in a month, against what is included. ${WHO} Errors: NOT_FOUND (no such month, or one without a report).`,
    args: {
      month: t.arg.string({ description: 'As `2026-11`; the one that is not over unless given.' }),
    },
    select: { id: true, openMonth: true },
    resolve: async ({ id, openMonth }, args, ctx) =>
      ctx.actor && mayReadReports(ctx.actor) ? (await readReport(ctx, id, args.month ?? openMonth)).facts : null,
  }),
}));

builder.queryField('reportDownload', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: DownloadLinkType,
    description:
      'Where a report is downloaded (BIL-06, BIL-08); the download writes an entry into the log. Administrators only (BIL-16). Errors: FORBIDDEN, NOT_FOUND (a month without a report), PLAN_FEATURE_NOT_AVAILABLE, REPORT_TOO_LONG, VALIDATION_FAILED (CSV or XLSX of the month so far, BIL-07).',
    args: {
      kind: t.arg({ type: ReportKindEnum, required: true, description: 'Which report.' }),
      month: t.arg.string({ required: true, validate: month, description: 'As `2026-11`; see `Account.reports`.' }),
      format: t.arg({ type: ReportFormatEnum, required: true, description: 'In which form.' }),
    },
    resolve: async (_root, { kind, month, format }, ctx) => {
      await findReport(ctx, kind, month, format);
      return createDownloadLink(ctx, REPORT_FILES[kind], { month, format });
    },
  }),
);
