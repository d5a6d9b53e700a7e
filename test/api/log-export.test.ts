import { request } from 'node:http';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { inAccount } from '../../src/log/write.ts';
import { type ApiCaller, eventually, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Person, TestAccount } from '../support/world.ts';

const LINK = `query ($format: LogFileFormat!, $filter: LogFilter, $columns: [LogColumn!]) {
  logDownload(format: $format, filter: $filter, columns: $columns) { url expiresAt }
}`;
const ENTRIES =
  'query ($filter: LogFilter) { logEntries(first: 500, filter: $filter, orderBy: [{ field: TIME }]) { nodes { number code text category severity trigger userReference userName ewonReference ewonName } } }';
const HEADER =
  'number,time,utcOffset,code,event,category,severity,trigger,userReference,user,ewonReference,ewon,parameters';

let server: TestServer;
let account: TestAccount;
let plain: Person;

beforeAll(async () => {
  server = await startServer();
  account = await TestAccount.create(server);
  plain = await account.user('plain', [await account.group('some')]);
  await server.app.platform.db.account.update({ where: { id: account.id }, data: { timeZone: 'Asia/Kolkata' } });
  await inAccount(server.app.platform, account.id, async ({ log }) =>
    log(
      { code: 'ACCOUNT_CHANGED', params: { setting: 'name, "quoted"' } },
      { code: 'EWON_WAKING_UP', ewon: { id: account.id, number: 7, name: '=HYPERLINK("http://x")' } },
      { code: 'EWON_WAKING_UP', ewon: { id: account.id, number: 8, name: 'two\nlines' } },
      { code: 'EWON_CONFIGURATION_ERROR', ewon: { id: account.id, number: 9, name: '-2+3' }, params: { reason: 'x' } },
    ),
  );
});
afterAll(() => server.close());

const get = (api: ApiCaller, path: string, token: string | null = null) =>
  fetch(`${api.url}${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
/** A file by the link that the API gives. */
async function file(api: ApiCaller, args: Record<string, unknown>): Promise<string> {
  const response = await get(api, (await api.run(LINK, args)).logDownload.url);
  expect(response.status).toBe(200);
  return response.text();
}
/** A file by the token of a login. */
async function byToken(api: ApiCaller, name: string, query: Record<string, string> = {}) {
  const response = await get(api, `/downloads/${name}?${new URLSearchParams(query)}`, api.token);
  return { response, text: await response.text() };
}
const rows = (csv: string): Json[] => parse(csv, { columns: true });
const entries = async (api: ApiCaller, filter: object = {}): Promise<Json[]> =>
  (await api.run(ENTRIES, { filter })).logEntries.nodes;
const unarmed = (text: string | null): string => (text === null ? '' : /^[=+\-@]/.test(text) ? `'${text}` : text);

describe('CSV', () => {
  test('LOG-13 LOG-14 LOG-18 the detailed log with a header line, oldest first, in the account’s time zone; no cell is a formula', async () => {
    const expected = await entries(account.admin.api);
    const csv = await file(account.admin.api, { format: 'CSV' });
    expect(csv.split('\r\n')[0]).toBe(HEADER);
    expect(csv.endsWith('\r\n')).toBe(true);
    const found = rows(csv);
    expect(found.map(({ time: _time, utcOffset: _offset, parameters: _parameters, ...row }) => row)).toEqual(
      expected.map(({ userName, ewonName, text, userReference, ewonReference, ...entry }) => ({
        ...entry,
        event: unarmed(text),
        user: unarmed(userName),
        ewon: unarmed(ewonName),
        userReference: userReference ?? '',
        ewonReference: ewonReference ?? '',
      })),
    );
    const stored = await server.app.platform.db.logEntry.findMany({
      where: { accountId: account.id },
      orderBy: { seq: 'asc' },
    });
    for (const [index, { time, utcOffset, parameters }] of found.entries()) {
      expect(utcOffset).toBe('UTC+05:30');
      expect(Date.parse(`${time.replace(' ', 'T')}+05:30`)).toBe(
        Math.floor((stored[index]?.at.getTime() ?? 0) / 1000) * 1000,
      );
      expect(JSON.parse(parameters)).toEqual(stored[index]?.params);
    }
    expect(csv).toContain(`"'=HYPERLINK(""http://x"")"`);
    expect(csv).toContain(`"two\nlines"`);
    expect(csv).toContain(`,'-2+3,`);
  });

  test('LOG-09 LOG-14 the chosen columns of the filtered selection, all of it and not a page', async () => {
    const filter = { codes: ['EWON_WAKING_UP', 'EWON_CONFIGURATION_ERROR'] };
    const csv = await file(account.admin.api, { format: 'CSV', filter, columns: ['SEVERITY', 'EWON_REFERENCE'] });
    expect(csv).toBe('severity,ewonReference\r\nINFO,DEV7\r\nINFO,DEV8\r\nERROR,DEV9\r\n');
    const own = await TestAccount.create(server);
    await inAccount(server.app.platform, own.id, async ({ log }) =>
      log(...Array.from({ length: 2500 }, () => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting: 'x' } }))),
    );
    const numbers = rows(await file(own.admin.api, { format: 'CSV', filter: { categories: ['ACCOUNT'] } })).map(
      ({ number }) => Number(number),
    );
    expect(numbers).toEqual([1, ...Array.from({ length: 2500 }, (_none, index) => index + 3)]);
    expect(await file(own.admin.api, { format: 'CSV', filter: { codes: [] }, columns: ['EVENT'] })).toBe('event\r\n');
  });

  test('LOG-13 LOG-14 the same with a login’s token and the selection in the address', async () => {
    const filter = { OR: [{ codes: ['EWON_WAKING_UP'] }, { severities: ['ERROR'] }] };
    const byLink = await file(account.admin.api, { format: 'CSV', filter, columns: ['NUMBER', 'EVENT'] });
    const { response, text } = await byToken(account.admin.api, 'log.csv', {
      filter: JSON.stringify(filter),
      columns: 'NUMBER,EVENT',
    });
    expect(text).toBe(byLink);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="log-\d{4}-\d\d-\d\d\.csv"$/);
    const at = { from: '2000-01-01T00:00:00Z', to: '2001-01-01T00:00:00Z' };
    expect(
      (await byToken(account.admin.api, 'log.csv', { filter: JSON.stringify({ at }), columns: 'EVENT' })).text,
    ).toBe('event\r\n');
    for (const query of [
      { filter: '{' },
      { filter: '{"nothing":[]}' },
      { filter: '{"codes":["NONE"]}' },
      { filter: '{"at":{"from":"now"}}' },
      { filter: '{"NOT":{"NOT":{"NOT":{"NOT":{"NOT":{}}}}}}' },
      { columns: 'NONE' },
      { columns: '' },
      { other: 'x' },
    ] as Record<string, string>[]) {
      const wrong = await byToken(account.admin.api, 'log.csv', query);
      expect(wrong.response.status, JSON.stringify(query)).toBe(400);
      expect(JSON.parse(wrong.text).code).toBe('VALIDATION_FAILED');
    }
    const twice = await account.admin.api.send(LINK, { format: 'CSV', columns: ['EVENT', 'EVENT'] });
    expect(twice.errors?.[0]?.extensions.code).toBe('VALIDATION_FAILED');
    const raw = await account.admin.api.send(LINK, { format: 'RAW', columns: ['EVENT'] });
    expect(raw.errors?.[0]?.extensions.code).toBe('VALIDATION_FAILED');
  });
});

test('LOG-08 LOG-13 LOG-18 the raw log as text: the lines of the raw view, oldest first; of users the shorter ones', async () => {
  const { rawLog } = await account.admin.api.run('{ rawLog(first: 500) { nodes } }');
  const text = await file(account.admin.api, { format: 'RAW' });
  expect(text).toBe(
    [...rawLog.nodes]
      .reverse()
      .map((line: string) => `${line}\n`)
      .join(''),
  );
  const userIds = [plain.id];
  const { rawUserLog } = await account.admin.api.run(
    'query ($userIds: [ID!]!) { rawUserLog(userIds: $userIds, first: 500) { nodes } }',
    { userIds },
  );
  const of = await byToken(account.admin.api, 'log.txt', { filter: JSON.stringify({ userIds }), shape: 'USER' });
  expect(of.response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(of.text).toBe(
    [...rawUserLog.nodes]
      .reverse()
      .map((line: string) => `${line}\n`)
      .join(''),
  );
  expect(await file(account.admin.api, { format: 'RAW_USER', filter: { userIds } })).toBe(of.text);
});

describe('Who', () => {
  test('LOG-20 gets what he may read when he downloads, whatever he could read when he asked for the link', async () => {
    const own = await entries(plain.api);
    const found = rows(await file(plain.api, { format: 'CSV' }));
    expect(found.map(({ number }) => number)).toEqual(own.map(({ number }) => number));
    expect(new Set(found.map(({ user }) => user))).toEqual(new Set(['plain']));

    const second = await account.user('second', [await adminsOf(account)]);
    const { url } = (await second.api.run(LINK, { format: 'CSV', filter: { codes: ['ACCOUNT_CREATED'] } })).logDownload;
    const lines = async () => rows(await (await get(second.api, url)).text()).length;
    expect(await lines()).toBe(1);
    const some = await account.group('others');
    await account.admin.api.succeed(
      'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { __typename ... on Error { code message } } }',
      { input: { userId: second.id, properties: { groupIds: [some] } } },
    );
    expect(await lines()).toBe(0);
    await second.api.mutate('mutation { logout { __typename } }');
    expect((await get(second.api, url)).status).toBe(404);
  });

  test('LOG-20 nobody gets it without a login', async () => {
    for (const path of ['/downloads/log.csv', '/downloads/log.txt']) {
      expect((await get(account.admin.api, path)).status).toBe(401);
      expect((await get(account.admin.api, path, 'x'.repeat(43))).status).toBe(401);
    }
  });

  test('LOG-01 LOG-13 writes an entry for each download, which is not in the file', async () => {
    const exported = () => entries(account.admin.api, { codes: ['LOG_EXPORTED'] });
    const before = await exported();
    const { url } = (await plain.api.run(LINK, { format: 'RAW' })).logDownload;
    expect(await exported()).toHaveLength(before.length);
    const text = await (await get(plain.api, url)).text();
    const after = await exported();
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-1)).toMatchObject({
      text: 'Log exported by plain (TEXT)',
      userName: 'plain',
      category: 'ACCOUNT',
    });
    expect(text).not.toContain('(TEXT)');
  });
});

test('LOG-13 LOG-14 what is written while somebody downloads does not make the file longer, and he reads at his own pace', async () => {
  const own = await TestAccount.create(server);
  const { platform } = server.app;
  const setting = 'x'.repeat(16_000);
  const write = (count: number) =>
    inAccount(platform, own.id, async ({ log }) =>
      log(...Array.from({ length: count }, () => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting } }))),
    );
  for (let round = 0; round < 3; round++) await write(400);
  const { url } = (await own.admin.api.run(LINK, { format: 'RAW' })).logDownload;
  const last = (await entries(own.admin.api, { codes: ['ACCOUNT_CREATED'] })).length + 1 + 1200;
  let lines = 0;
  await new Promise<void>((resolve, reject) => {
    const sent = request(`${own.admin.api.url}${url}`, (response) => {
      response.once('data', (first: Buffer) => {
        lines += first.filter((byte) => byte === 10).length;
        response.pause();
        const more = async () => {
          await write(300);
          // A reader who waits does not keep others from their work, and finds the file as it was.
          await eventually(
            'the entry of the download',
            () => entries(own.admin.api, { codes: ['LOG_EXPORTED'] }),
            (found) => found.length === 1,
          );
          response.on('data', (chunk: Buffer) => {
            lines += chunk.filter((byte) => byte === 10).length;
          });
          response.resume();
        };
        more().catch(reject);
      });
      response.on('end', resolve);
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
  expect(lines).toBe(last);
});

const adminsOf = async (of: TestAccount): Promise<string> => {
  const { id } = await server.app.platform.db.group.findFirstOrThrow({
    where: { accountId: of.id, administrators: true },
  });
  return encodeGlobalId('Group', id);
};
