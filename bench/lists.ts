// Pages of lists of 100,000 Ewons and 20,000 users, over the same pages of an account with 1,000 of each: the first page and
// page 200, with a filter and an order, over HTTP, in turn, on PostgreSQL. Then how the database reads them.
//
//   BENCH_DATABASE_URL=postgresql://… npm run bench -- lists
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createAccount, ms, percentile, send, startBenched, timed } from './support.ts';

const ROUNDS = 15;
const PAGE = 50;
const FAR_PAGE = 200;
/** The most that a page of the large account may take, over the same one of the small account. */
const BOUND = 3;
const PASSWORD = 'Bench-pass-1';
const SIZES = { large: { ewons: 100_000, users: 20_000 }, small: { ewons: 1000, users: 1000 } };

const LISTS = [
  ['ewons', '{ registrationStatus: ACTIVE }', '[{ field: NAME }]', 'id name serialNumber'],
  ['ewons', '{ customField1: { isNull: false } }', '[{ field: CUSTOM_FIELD_1, direction: DESC }]', 'id name'],
  ['ewons', '{ search: "hall" }', '[{ field: CREATED_AT, direction: DESC }]', 'id name description'],
  ['users', '{ email: { contains: "@" } }', '[{ field: FULL_NAME, direction: DESC }]', 'id username fullName'],
  ['users', '{ status: PENDING }', '[{ field: LAST_LOGIN_AT, direction: DESC }]', 'id username lastLoginAt'],
  ['users', '{ search: "name" }', '[{ field: USERNAME }]', 'id username fullName'],
] as const;

const seed = (account: string, { ewons, users }: { ewons: number; users: number }): string => `
  INSERT INTO "Ewon" ("id", "accountId", "name", "nameKey", "description", "custom1", "registrationStatus", "createdAt", "lastSeenAt")
  SELECT gen_random_uuid(), '${account}', 'Pump ' || md5(n::text), 'pump ' || md5(n::text), 'In hall ' || n % 500,
    CASE WHEN n % 3 > 0 THEN 'Line ' || n % 50 END, 'ACTIVE', now() - n * interval '1 minute', now() - n * interval '1 second'
  FROM generate_series(1, ${ewons}) n;
  INSERT INTO "User" ("id", "accountId", "username", "usernameKey", "fullName", "email", "createdAt", "lastLoginAt")
  SELECT gen_random_uuid(), '${account}', 'User' || n, 'user' || n, CASE WHEN n % 4 > 0 THEN 'Name ' || md5(n::text) END,
    'u' || n || '@example.com', now() - n * interval '1 minute', CASE WHEN n % 5 > 0 THEN now() - n * interval '1 hour' END
  FROM generate_series(1, ${users}) n;`;

const administrator = process.env.BENCH_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const database = `talkgate_bench_${randomUUID().slice(0, 8)}`;

async function sql<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const url = new URL(administrator);
url.pathname = database;
await sql(administrator, (client) => client.query(`CREATE DATABASE "${database}"`));
try {
  const server = await startBenched({ DATABASE_URL: url.href, REQUESTS_PER_MINUTE_LOGIN: '1000000' });
  try {
    const tokens = {
      large: await createAccount(server.url, 'large', PASSWORD),
      small: await createAccount(server.url, 'small', PASSWORD),
    };
    await sql(url.href, async (client) => {
      for (const [name, size] of Object.entries(SIZES)) {
        const { rows } = await client.query('SELECT "id" FROM "Account" WHERE "name" = $1', [name]);
        await client.query(seed(rows[0].id, size));
      }
      await client.query('VACUUM ANALYZE');
    });
    for (const [field, filter, orderBy, fields] of LISTS) await compare(field, filter, orderBy, fields);

    async function compare(field: string, filter: string, orderBy: string, fields: string) {
      const query = `query ($after: String) { ${field}(filter: ${filter}, orderBy: ${orderBy}, first: ${PAGE}, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
      const read = async (token: string, after: string | null) =>
        (await send(server.url, token, query, { after }))[field];
      /** The cursor before page `FAR_PAGE`, or before the last full page of a shorter list, and the number of that page. */
      const far = async (token: string): Promise<[string | null, number]> => {
        let after: string | null = null;
        for (let page = 1; page < FAR_PAGE; page++) {
          const { pageInfo } = await read(token, after);
          if (!pageInfo.hasNextPage) return [after, page];
          after = pageInfo.endCursor;
        }
        return [after, FAR_PAGE];
      };
      const places = { large: await far(tokens.large), small: await far(tokens.small) };
      const times = { large: { first: [], far: [] }, small: { first: [], far: [] } } as Record<
        'large' | 'small',
        { first: number[]; far: number[] }
      >;
      for (let round = 0; round < ROUNDS; round++)
        for (const account of ['large', 'small'] as const) {
          times[account].first.push(await timed(() => read(tokens[account], null)));
          times[account].far.push(await timed(() => read(tokens[account], places[account][0])));
        }
      console.log(`${field} ${filter} ${orderBy}`);
      for (const which of ['first', 'far'] as const) {
        const [large, small] = [percentile(times.large[which], 0.5), percentile(times.small[which], 0.5)];
        const pages = which === 'first' ? 'page 1' : `page ${places.large[1]}, of the small account ${places.small[1]}`;
        const ratio = large / small;
        console.log(`  ${pages}: ${ms(large)} against ${ms(small)}, ratio ${ratio.toFixed(2)} (at most ${BOUND})`);
        if (ratio > BOUND) process.exitCode = 1;
      }
    }

    await sql(url.href, async (client) => {
      const { rows } = await client.query(`SELECT "id" FROM "Account" WHERE "name" = 'large'`);
      const account = `"accountId" = '${rows[0].id}'`;
      for (const statement of [
        `SELECT * FROM "Ewon" WHERE ${account} AND "nameKey" >= 'pump 8' AND ("nameKey" > 'pump 8' OR "nameKey" = 'pump 8') ORDER BY "nameKey", "id" LIMIT 51`,
        `SELECT * FROM "Ewon" WHERE ${account} AND "custom1" IS NOT NULL AND "custom1" <= 'Line 3' ORDER BY "custom1" DESC, "id" DESC LIMIT 51`,
        `SELECT * FROM "Ewon" WHERE ${account} AND "custom1" IS NULL ORDER BY "custom1" DESC, "id" DESC LIMIT 51`,
        `SELECT * FROM "User" WHERE ${account} AND "fullName" IS NOT NULL ORDER BY "fullName" DESC, "id" DESC LIMIT 51`,
        `SELECT * FROM "User" WHERE ${account} AND "lastLoginAt" IS NOT NULL ORDER BY "lastLoginAt" DESC, "id" DESC LIMIT 51`,
      ]) {
        const plan = await client.query(`EXPLAIN (COSTS OFF) ${statement}`);
        const lines = plan.rows.map((row) => String(row['QUERY PLAN'])).filter((line) => /Index|Scan|Sort/.test(line));
        console.log(`${statement.replace(account, '…')}\n${lines.map((line) => `    ${line.trim()}`).join('\n')}`);
      }
    });
  } finally {
    await server.kill();
  }
} finally {
  await sql(administrator, (client) => client.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`));
}
