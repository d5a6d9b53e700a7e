// The log of a big account on PostgreSQL: its lists beside those of a small one, and a million lines as a file with the memory
// that it takes. Needs PostgreSQL at BENCH_DATABASE_URL, by default on loopback, where it makes a database and drops it.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { Client } from 'pg';
import { createAccount, percentile, send, startBenched } from './support.ts';

const MIB = 1024 * 1024;
const SIZES = { big: Number(process.env.BENCH_LOG_ENTRIES ?? 5_000_000), small: 1000 };
const EXPORTED = Math.min(1_000_000, SIZES.big);
const ROUNDS = 7;
const PAGE = 50;
const FAR = 200;
const POSTGRES = process.env.BENCH_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/** What the lists are asked for: a filter, and an order. Of a thousand entries page 200 is beyond the end; there it is page 5. */
const LISTS: [title: string, filter: string, field: string][] = [
  ['category, by user', 'categories: [USER]', 'USER'],
  ['category, by Ewon', 'categories: [EWON]', 'EWON'],
  ['trigger, by severity', 'triggers: [USER]', 'SEVERITY'],
  ['trigger, by category', 'triggers: [USER]', 'CATEGORY'],
  ['severity, by event', 'severities: [INFO]', 'EVENT'],
  ['category, by trigger', 'categories: [USER]', 'TRIGGER'],
  ['category, by time', 'categories: [USER]', 'TIME'],
];

const closers: (() => unknown)[] = [];
try {
  await run();
} finally {
  for (const close of closers.reverse()) await close();
}

async function connectTo(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  closers.push(() => client.end());
  return client;
}

async function run(): Promise<void> {
  const name = `talkgate_bench_${randomUUID().replaceAll('-', '')}`;
  const administrator = await connectTo(POSTGRES);
  await administrator.query(`CREATE DATABASE "${name}"`);
  closers.push(() => administrator.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
  const url = new URL(POSTGRES);
  url.pathname = name;
  const started = await startBenched({ DATABASE_URL: url.href });
  closers.push(() => started.kill());
  const tokens = {
    big: await createAccount(started.url, 'big', 'Bench-pass-1'),
    small: await createAccount(started.url, 'small', 'Bench-pass-1'),
  };
  const db = await connectTo(url.href);
  const indexes = await db.query(
    `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'LogEntry' AND indexname <> 'LogEntry_pkey'`,
  );
  // To fill a table and then make its indexes takes a fraction of the time.
  for (const { indexname } of indexes.rows) await db.query(`DROP INDEX "${indexname}"`);
  for (const size of ['small', 'big'] as const) await seed(db, size, SIZES[size]);
  await db.query(`SET maintenance_work_mem = '512MB'`);
  for (const { indexdef } of indexes.rows) await db.query(indexdef);
  await db.query('VACUUM ANALYZE "LogEntry"');
  await lists(started.url, tokens);
  await plans(db);
  await files(started.url, tokens.big);
}

/** Entries of 2,000 users and 20,000 Ewons, in the shares that a year of an account has. */
async function seed(db: Client, account: string, count: number): Promise<void> {
  const from = performance.now();
  await db.query(
    `INSERT INTO "LogEntry" ("accountId", "seq", "at", "code", "category", "severity", "trigger",
       "userId", "userNumber", "userName", "ewonId", "ewonNumber", "ewonName", "params")
     SELECT a."id", a."logSeq" + n, timestamp '2026-01-01' + n * interval '6 seconds', k.*,
       CASE WHEN has_user THEN md5('u' || u)::uuid END, CASE WHEN has_user THEN u END, CASE WHEN has_user THEN 'User ' || u END,
       CASE WHEN has_ewon THEN md5('e' || e)::uuid END, CASE WHEN has_ewon THEN e END, CASE WHEN has_ewon THEN 'Ewon ' || e END,
       jsonb_build_object('vpnAddress', '10.0.0.1', 'reason', 'gone', 'client', 'ECATCHER', 'closeReason', 'BY_USER')
     FROM "Account" a CROSS JOIN LATERAL (
       SELECT n, (hashint4(n::int) & 2147483647) % 1000 AS share, (hashint4(n::int + 7) & 2147483647) % 2000 AS u,
         (hashint4(n::int + 11) & 2147483647) % 20000 AS e FROM generate_series(1, $2::int) n
     ) s JOIN (VALUES
       (0, 350, false, true), (350, 700, false, true), (700, 790, true, true), (790, 880, true, true), (880, 970, true, false),
       (970, 990, true, false), (990, 997, true, true), (997, 999, false, true), (999, 1000, false, false)
     ) v ("from", "to", has_user, has_ewon) ON s.share >= v."from" AND s.share < v."to"
     CROSS JOIN LATERAL (SELECT k.code, k.category::"LogCategory", k.severity::"LogSeverity", k.trigger::"LogTrigger" FROM (VALUES
       (0, 'EWON_ONLINE', 'EWON', 'INFO', 'EWON'), (350, 'EWON_OFFLINE', 'EWON', 'INFO', 'EWON'),
       (700, 'SESSION_STARTED', 'USER', 'INFO', 'USER'), (790, 'SESSION_CLOSED', 'USER', 'INFO', 'USER'),
       (880, 'LOGIN_SUCCEEDED', 'SECURITY', 'INFO', 'USER'), (970, 'LOGIN_FAILED', 'SECURITY', 'WARNING', 'USER'),
       (990, 'EWON_CHANGED', 'EWON', 'INFO', 'USER'), (997, 'EWON_CONFIGURATION_ERROR', 'EWON', 'ERROR', 'EWON'),
       (999, 'SLOTS_CHANGED', 'BILLING', 'INFO', 'PLATFORM')
     ) k ("at", code, category, severity, trigger) WHERE k."at" = v."from") k
     WHERE a."name" = $1`,
    [account, count],
  );
  await db.query('UPDATE "Account" SET "logSeq" = "logSeq" + $2 WHERE "name" = $1', [account, count]);
  console.log(`${account}: ${count} entries in ${((performance.now() - from) / 1000).toFixed(0)} s`);
}

function listOf(filter: string, field: string, after: string | null, first: number): string {
  const place = after ? `, after: "${after}"` : '';
  return `{ logEntries(first: ${first}${place}, filter: { ${filter} }, orderBy: [{ field: ${field}, direction: DESC }]) { nodes { number at text userName ewonName } pageInfo { endCursor hasNextPage } } }`;
}

/** The cursor behind so many pages of a list; of a short list that before its last page. */
async function placeAfter(api: string, token: string, filter: string, field: string, pages: number) {
  let place: string | null = null;
  for (let left = pages * PAGE; left > 0; left -= 500) {
    const { logEntries } = await send(api, token, listOf(filter, field, place, Math.min(500, left)));
    if (!logEntries.pageInfo.hasNextPage) return place;
    place = logEntries.pageInfo.endCursor;
  }
  return place;
}

async function lists(api: string, tokens: Record<'big' | 'small', string>): Promise<void> {
  console.log(`Pages of ${PAGE} over HTTP, ${ROUNDS} rounds in turn, medians: ${SIZES.big} entries and ${SIZES.small}`);
  for (const [title, filter, field] of LISTS) {
    const places = {
      big: await placeAfter(api, tokens.big, filter, field, FAR - 1),
      small: await placeAfter(api, tokens.small, filter, field, 2),
    };
    const times = { first: { big: [], small: [] }, far: { big: [], small: [] } } as Record<
      'first' | 'far',
      Record<'big' | 'small', number[]>
    >;
    for (let round = -2; round < ROUNDS; round++) {
      for (const size of ['big', 'small'] as const) {
        for (const page of ['first', 'far'] as const) {
          const query = listOf(filter, field, page === 'first' ? null : places[size], PAGE);
          const from = performance.now();
          await send(api, tokens[size], query);
          if (round >= 0) times[page][size].push(performance.now() - from);
        }
      }
    }
    const text = (['first', 'far'] as const).map((page) => {
      const [big, small] = [percentile(times[page].big, 0.5), percentile(times[page].small, 0.5)];
      return `${page === 'first' ? 'first page' : `page ${FAR}`} ${big.toFixed(1)} and ${small.toFixed(1)} ms, ratio ${(big / small).toFixed(2)}`;
    });
    console.log(`  ${title.padEnd(22)} ${text.join('; ')}`);
  }
}

/** By which index the database goes, with the conditions that the lists ask it. */
async function plans(db: Client): Promise<void> {
  const { rows } = await db.query(`SELECT "id" FROM "Account" WHERE "name" = 'big'`);
  for (const [where, order] of [
    [`"category" = 'USER' AND "userName" IS NOT NULL`, '"userName" DESC, "seq" DESC'],
    [`"category" = 'USER'`, '"severity" DESC, "seq" DESC'],
    [`"category" = 'USER' AND ("severity", "seq") < ('INFO', 4000000)`, '"severity" DESC, "seq" DESC'],
    [`"trigger" = 'USER'`, '"category" DESC, "seq" DESC'],
    [`"severity" = 'ERROR'`, '"seq" DESC'],
  ]) {
    const plan = await db.query(
      `EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM "LogEntry" WHERE "accountId" = '${rows[0].id}' AND ${where} ORDER BY ${order} LIMIT 51`,
    );
    const lines = plan.rows.map((row) => String(row['QUERY PLAN']).trim());
    const told = lines.filter((line) => /Scan|Sort Key|Execution/.test(line)).map((line) => line.replace('->  ', ''));
    console.log(`  ${where} ORDER BY ${order}\n    ${told.join('\n    ')}`);
  }
}

/** A million lines of each form, with the platform's resident memory before and at most. */
async function files(api: string, token: string): Promise<void> {
  const memory = async () => {
    const text = await (await fetch(new URL('/metrics', api))).text();
    return Number(/^process_resident_memory_bytes ([\d.e+]+)/m.exec(text)?.[1]) / MIB;
  };
  const until = new Date(Date.parse('2026-01-01T00:00:00Z') + EXPORTED * 6000).toISOString();
  for (const [format, filter] of [
    ['RAW', `at: { to: "${until}" }`],
    ['CSV', `at: { to: "${until}" }`],
  ]) {
    const { logDownload } = await send(api, token, `{ logDownload(format: ${format}, filter: { ${filter} }) { url } }`);
    const before = await memory();
    let [peak, bytes, lines] = [before, 0, 0];
    const watch = setInterval(() => {
      memory().then((now) => {
        peak = Math.max(peak, now);
      }, console.error);
    }, 250);
    const from = performance.now();
    const { body } = await fetch(new URL(logDownload.url, api));
    for await (const chunk of Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])) {
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    }
    clearInterval(watch);
    const seconds = (performance.now() - from) / 1000;
    console.log(
      `${format}: ${lines} lines, ${(bytes / MIB).toFixed(0)} MiB in ${seconds.toFixed(0)} s; the platform's memory ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most (+${(peak - before).toFixed(0)} MiB)`,
    );
  }
}
