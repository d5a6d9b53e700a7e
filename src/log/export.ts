import { z } from 'zod';
import type { ActorContext } from '../context.ts';
import { csvText } from '../downloads/csv.ts';
import type { DownloadKind } from '../downloads/links.ts';
import { type LogEntry, Prisma } from '../generated/prisma/client.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject } from '../users/rules.ts';
import { readOldest, type Selection, selectionOf } from './entries.ts';
import { type LogFilter, logFilterJson, requireModest } from './filter.ts';
import { csvCells, LOG_COLUMNS, type LogColumn, localTimes, type RawShape, rawLines } from './text.ts';

/** Entries that are in memory at once. */
const BATCH = 200;

/** JSON as it is, or as text in the query of an address. */
const json = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value, issues) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      issues.addIssue({ code: 'custom', message: 'filter is no JSON.' });
      return z.NEVER;
    }
  }, schema);

const filter = json(logFilterJson.nullish());
const columnNames = Object.keys(LOG_COLUMNS) as [LogColumn, ...LogColumn[]];

/**
 * The detailed log as CSV (LOG-13, LOG-14). As a query: `filter`, the JSON of a `LogFilter`, and `columns`, names of `LogColumn`
 * with commas between them.
 */
export const logCsv: DownloadKind<{ filter?: LogFilter | null | undefined; columns: LogColumn[] }> = {
  path: 'log.csv',
  params: z.strictObject({
    filter,
    columns: z.preprocess(
      (value) => (typeof value === 'string' ? value.split(',') : value),
      z.array(z.enum(columnNames)).min(1).max(columnNames.length).default(columnNames),
    ),
  }),
  open: async (ctx, params) => {
    const { selection, until, timeZone } = await begin(ctx, params.filter, 'CSV');
    const cells = csvCells(timeZone, params.columns);
    async function* rows() {
      for await (const entries of readAll(ctx, selection, until)) yield* entries.map(cells);
    }
    return {
      fileName: fileName(ctx, timeZone, 'csv'),
      contentType: 'text/csv; charset=utf-8; header=present',
      content: csvText(
        params.columns.map((column) => LOG_COLUMNS[column][0]),
        rows(),
      ),
    };
  },
};

/** The raw log as text (LOG-13). As a query: `filter` as for CSV, and `shape`, ACCOUNT or USER for the shorter lines. */
export const logText: DownloadKind<{ filter?: LogFilter | null | undefined; shape: RawShape }> = {
  path: 'log.txt',
  params: z.strictObject({ filter, shape: z.enum(['ACCOUNT', 'USER']).default('ACCOUNT') }),
  open: async (ctx, params) => {
    const { selection, until, timeZone } = await begin(ctx, params.filter, 'TEXT');
    const line = rawLines(timeZone, params.shape);
    async function* content() {
      for await (const entries of readAll(ctx, selection, until))
        yield entries.map((entry) => `${line(entry)}\n`).join('');
    }
    return {
      fileName: fileName(ctx, timeZone, 'txt'),
      contentType: 'text/plain; charset=utf-8',
      content: content(),
    };
  },
};

/** What is exported: up to the entry that is the newest now, before the one that tells of the export. */
function begin(ctx: ActorContext, wanted: LogFilter | null | undefined, format: 'CSV' | 'TEXT') {
  requireModest(wanted, ctx.config);
  return inAccountAs(ctx, async ({ tx, accountId, log }, actor) => {
    const { logSeq, timeZone } = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { logSeq: true, timeZone: true },
    });
    log({ code: 'LOG_EXPORTED', user: actorSubject(actor), params: { format } });
    return { selection: selectionOf(actor, wanted), until: logSeq, timeZone };
  });
}

/** The selection, oldest first, batch by batch, as it is asked for. */
async function* readAll(ctx: ActorContext, selection: Selection, until: bigint): AsyncGenerator<LogEntry[]> {
  let place = 0n;
  for (;;) {
    const where = Prisma.sql`"seq" > ${place}::bigint AND "seq" <= ${until}::bigint`;
    const entries = await readOldest(ctx, selection, where, BATCH);
    const last = entries.at(-1);
    if (!last) return;
    yield entries;
    if (entries.length < BATCH) return;
    place = last.seq;
  }
}

const fileName = ({ clock }: ActorContext, timeZone: string, ending: string): string =>
  `log-${localTimes(timeZone)(clock.now()).stamp.slice(0, 'YYYY-MM-DD'.length)}.${ending}`;
