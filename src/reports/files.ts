import { z } from 'zod';
import { requireFeature } from '../account/plans.ts';
import { MONTH, type Month } from '../billing/months.ts';
import type { ActorContext } from '../context.ts';
import type { DownloadKind } from '../downloads/links.ts';
import { AppError } from '../errors.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { readReport } from './collect.ts';
import { connectionCsv, consumptionCsv } from './csv.ts';
import type { Report } from './facts.ts';
import { connectionPdf, consumptionPdf } from './pdf.ts';
import { connectionXlsx, consumptionXlsx } from './xlsx.ts';

/** BIL-06 */
export type ReportKind = 'CONNECTIONS' | 'CONSUMPTION';

/** BIL-08 */
const REPORT_FORMATS = ['PDF', 'CSV', 'XLSX'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** The formats of a month's reports: of the month so far, PDF only (BIL-07, BIL-08). */
export const formatsOf = (complete: boolean): readonly ReportFormat[] => (complete ? REPORT_FORMATS : ['PDF']);

/** BIL-16, ACC-10 */
export const mayReadReports = ({ administrator, features }: Actor): boolean => administrator && features.reports;

const WRITERS: Record<ReportKind, Record<ReportFormat, (report: Report) => AsyncIterable<Uint8Array | string>>> = {
  CONNECTIONS: { PDF: connectionPdf, CSV: connectionCsv, XLSX: connectionXlsx },
  CONSUMPTION: { PDF: consumptionPdf, CSV: consumptionCsv, XLSX: consumptionXlsx },
};

const CONTENT_TYPES: Record<ReportFormat, string> = {
  PDF: 'application/pdf',
  CSV: 'text/csv; charset=utf-8; header=present',
  XLSX: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/**
 * A report that can be made into a file of this format.
 * @throws AppError FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (no such month), VALIDATION_FAILED (format of the month so
 *   far), REPORT_TOO_LONG
 */
export async function findReport(
  ctx: ActorContext,
  kind: ReportKind,
  month: Month,
  format: ReportFormat,
): Promise<Report> {
  requireAdministrator(ctx.actor);
  requireFeature(ctx.actor.plan, 'reports');
  const report = await readReport(ctx, ctx.actor.accountId, month);
  const { complete, sessions } = report.facts;
  if (!formatsOf(complete).includes(format))
    throw new AppError('VALIDATION_FAILED', `The reports of ${month} are PDF only until the month is over.`, [
      'format',
    ]);
  const most = ctx.config.limits.REPORT_XLSX_LINES;
  if (format === 'XLSX' && kind === 'CONNECTIONS' && sessions.count > most)
    throw new AppError('REPORT_TOO_LONG', `A spreadsheet has at most ${most} lines; take CSV or PDF.`, ['format']);
  return report;
}

const reportFile = (
  kind: ReportKind,
  path: string,
  name: string,
): DownloadKind<{ month: Month; format: ReportFormat }> => ({
  path,
  params: z.strictObject({
    month: z.string().regex(MONTH, 'A month is as 2026-11.'),
    format: z.string().toUpperCase().pipe(z.enum(REPORT_FORMATS, 'The formats are pdf, csv and xlsx.')).default('PDF'),
  }),
  heavy: ({ format }) => format !== 'CSV',
  open: async (ctx, { month, format }) => {
    const report = await findReport(ctx, kind, month, format);
    await inAccountAs(ctx, async ({ log }, actor) => {
      requireAdministrator(actor);
      log({ code: 'REPORT_DOWNLOADED', user: actorSubject(actor), params: { name: `${name} ${month}, ${format}` } });
    });
    return {
      fileName: `${ctx.actor.accountName}-${name}-${month}.${format.toLowerCase()}`,
      contentType: CONTENT_TYPES[format],
      content: WRITERS[kind][format](report),
    };
  },
});

/** The reports of a month as files, for Administrators (BIL-06, BIL-16): `month`, as `2026-11`, and `format`, `pdf` unless given. */
export const REPORT_FILES = {
  CONNECTIONS: reportFile('CONNECTIONS', 'reports/connections', 'connections'),
  CONSUMPTION: reportFile('CONSUMPTION', 'reports/consumption', 'consumption'),
} satisfies Record<ReportKind, unknown>;
