import { createServer, request } from 'node:http';
import { parse } from 'csv-parse/sync';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import readExcel from 'read-excel-file/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { monthBounds, nextMonth, scheduleMonthEnd } from '../../src/billing/months.ts';
import { createDownloadDoor } from '../../src/downloads/door.ts';
import { inAccount } from '../../src/log/write.ts';
import { type ApiCaller, eventually, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { logIn, type Person, TestAccount, USER_PASSWORD } from '../support/world.ts';

const ZONE = 'Asia/Kolkata';
const LINK = `query ($kind: ReportKind!, $month: String!, $format: ReportFormat!) {
  reportDownload(kind: $kind, month: $month, format: $format) { url expiresAt }
}`;
const FIGURES = `query ($month: String) { account { consumption(month: $month) {
  month complete timeZone plan traffic { used included } sms { used included } mails { used included } dataPoints { used included }
  peakConnections { used included } peaks { day peak } charges { name quantity amount { amount currency } }
  sessions { count duration bytesIn bytesOut }
} } }`;

let server: TestServer;
let account: TestAccount;
let plain: Person;
/** Over, and not over. */
let past: string;
let open: string;

const db = () => server.app.platform.db;
const rowOf = ({ id }: TestAccount) => db().account.findUniqueOrThrow({ where: { id } });

/** A session as the account had it, of so many seconds up to an instant. */
const session = (accountId: string, endedAt: Date, seconds: number, more: object = {}) =>
  db().session.create({
    data: {
      ...{ accountId, userName: '=1+1', userNumber: 7, ewonName: 'Насос "A", Αθήνα', ewonNumber: 12, takesSlot: true },
      ...{ client: 'ECATCHER', state: 'CLOSED', endedAt, startedAt: new Date(endedAt.getTime() - seconds * 1000) },
      ...{ aliveUntil: endedAt, bytesIn: 1500n, bytesOut: 2_500_000n, ...more },
    },
  });

beforeAll(async () => {
  server = await startServer({ env: { REPORT_XLSX_LINES: '3', STREAM_STALL_SECONDS: '1' } });
  account = await TestAccount.create(server);
  plain = await account.user('plain', [await account.group('some')]);
  await db().account.update({ where: { id: account.id }, data: { timeZone: ZONE, company: 'Компания' } });
  past = (await rowOf(account)).openMonth;
  await inAccount(server.app.platform, account.id, (tx) => scheduleMonthEnd(tx, { timeZone: ZONE, openMonth: past }));
  const { to } = monthBounds(past, ZONE);
  server.clock.advance(to.getTime() - server.clock.now().getTime() - 1000);
  await session(account.id, new Date(to.getTime() - 3_600_000), 3661);
  await session(account.id, new Date(to.getTime() - 1000), 60, { userName: 'Bob', client: 'M2WEB' });
  server.clock.advance(2000);
  await eventually(
    'the end of the month',
    async () => {
      await server.app.jobs.run();
      return (await rowOf(account)).openMonth;
    },
    (month) => month !== past,
  );
  open = nextMonth(past);
  account = Object.assign(Object.create(TestAccount.prototype), account, {
    admin: await logIn(server, account.name, 'admin', 'Admin-pass-1'),
  });
  plain = await logIn(server, account.name, 'plain', USER_PASSWORD);
});
afterAll(() => server.close());

const get = (path: string, token: string | null = null, method = 'GET') =>
  fetch(`${server.url}${path}`, { method, headers: token ? { authorization: `Bearer ${token}` } : {} });
async function linkTo(kind: string, month: string, format: string, api = account.admin.api): Promise<string> {
  return (await api.run(LINK, { kind, month, format })).reportDownload.url;
}
async function file(kind: string, month: string, format: string): Promise<{ response: Response; bytes: Buffer }> {
  const response = await get(await linkTo(kind, month, format));
  expect(response.status).toBe(200);
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}
async function textOf(bytes: Buffer): Promise<string> {
  const document = await getDocument({ data: new Uint8Array(bytes), verbosity: 0 }).promise;
  const { items } = await (await document.getPage(1)).getTextContent();
  await document.destroy();
  return items.map((item) => ('str' in item ? item.str : '')).join('|');
}
const refusal = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
];
const codeOf = async (api: ApiCaller, args: object): Promise<string | undefined> =>
  (await api.send(LINK, { kind: 'CONNECTIONS', month: past, format: 'PDF', ...args })).errors?.[0]?.extensions.code;
const linesOf = () =>
  db().connectionReportLine.findMany({ where: { accountId: account.id, month: past }, orderBy: { number: 'asc' } });

describe('reports', () => {
  test('BIL-06 BIL-07 BIL-08 each month has both reports; the month so far as PDF, one that is over in three formats', async () => {
    const { reports } = (await account.admin.api.run('{ account { reports { month complete formats } } }')).account;
    expect(reports).toEqual([
      { month: open, complete: false, formats: ['PDF'] },
      { month: past, complete: true, formats: ['PDF', 'CSV', 'XLSX'] },
    ]);
    for (const kind of ['CONNECTIONS', 'CONSUMPTION']) {
      for (const format of ['CSV', 'XLSX'])
        expect(await codeOf(account.admin.api, { kind, month: open, format })).toBe('VALIDATION_FAILED');
      expect(await textOf((await file(kind, open, 'PDF')).bytes)).toContain('The month so far');
    }
    const path = `/downloads/reports/connections?month=${open}&format=csv`;
    expect(await refusal(await get(path, account.admin.api.token))).toEqual([400, 'VALIDATION_FAILED']);
  });

  test('BIL-08 BIL-10 the connections as PDF are those of the database, in the time zone of the account', async () => {
    const { response, bytes } = await file('CONNECTIONS', past, 'PDF');
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="${account.name}-connections-${past}.pdf"`,
    );
    const text = await textOf(bytes);
    for (const part of ['=1+1', 'USR7', 'Насос "A", Αθήνα', 'DEV12', 'Ecatcher', 'M2web', 'Компания', ZONE])
      expect(text).toContain(part);
    expect(text).toMatch(/21:58:59.*23:00:00.*1:01:01.*1\.5.*2,500\.0/);
    expect(text).toMatch(/2 connections.*1:02:01.*3\.0.*5,000\.0/);
  });

  test('BIL-08 BIL-10 the connections as CSV: exact numbers, times with their offset, no formulas', async () => {
    const rows: Json[] = parse((await file('CONNECTIONS', past, 'CSV')).bytes, { columns: true });
    const stored = await linesOf();
    expect(rows).toHaveLength(2);
    expect(rows.map(({ start, end }) => [new Date(start), new Date(end)])).toEqual(
      stored.map(({ startedAt, endedAt }) => [startedAt, endedAt]),
    );
    expect(rows[0]).toMatchObject({
      ...{ user: "'=1+1", userReference: 'USR7', ewon: 'Насос "A", Αθήνα', ewonReference: 'DEV12' },
      ...{ client: 'ECATCHER', durationSeconds: '3661', bytesToEwon: '1500', bytesFromEwon: '2500000' },
    });
    expect(rows[0].end).toMatch(/T23:00:00\.000\+05:30$/);
  });

  test('BIL-08 BIL-10 the connections as a spreadsheet: dates are dates, numbers numbers, a text is no formula', async () => {
    const { response, bytes } = await file('CONNECTIONS', past, 'XLSX');
    expect(response.headers.get('content-type')).toContain('spreadsheetml');
    const sheets = (await readExcel(bytes)) as Json[];
    expect(sheets.map(({ sheet }) => sheet)).toEqual(['Connections', 'Report']);
    const [head, first] = sheets[0].data;
    expect(head.slice(0, 2)).toEqual(['User', 'User reference']);
    const [stored] = await linesOf();
    expect(first.slice(0, 5)).toEqual(['=1+1', 'USR7', 'Насос "A", Αθήνα', 'DEV12', 'Ecatcher']);
    // A day and its time are one fraction, which loses a little.
    const seconds = (at: Date | undefined) => Math.round((at?.getTime() ?? 0) / 1000);
    expect(first.slice(5, 7).map(seconds)).toEqual(
      [stored?.startedAt, stored?.endedAt].map((at) => seconds(at) + 5.5 * 3600),
    );
    expect(first.slice(8)).toEqual([1500, 2_500_000]);
  });

  test('BIL-08 BIL-10 the consumption in every format has the figures of the API', async () => {
    const { consumption } = (await account.admin.api.run(FIGURES, { month: past })).account;
    expect(consumption).toMatchObject({
      ...{ month: past, complete: true, timeZone: ZONE, plan: 'PRO', traffic: { used: 0 }, mails: { included: 0 } },
      peakConnections: { used: 1, included: 3 },
      sessions: { count: 2, duration: 'PT3721S', bytesIn: 3000, bytesOut: 5_000_000 },
    });
    expect(consumption.peaks.at(-1)).toEqual({ day: expect.stringContaining(past), peak: 1 });
    expect(consumption.charges.length).toBeGreaterThan(0);

    const text = await textOf((await file('CONSUMPTION', past, 'PDF')).bytes);
    expect(text).toContain(`0 of ${(consumption.sms.included as number).toLocaleString('en-US')}`);
    expect(text).toMatch(/Allowed: 3/);
    for (const { amount } of consumption.charges)
      expect(text).toContain(Number(amount.amount).toLocaleString('en-US', { minimumFractionDigits: 2 }));

    const rows: Json[] = parse((await file('CONSUMPTION', past, 'CSV')).bytes, { columns: true });
    const of = (section: string) => rows.filter((row) => row.section === section);
    expect(
      of('USAGE').map(({ quantity, included }) => ({ used: Number(quantity), included: Number(included) })),
    ).toEqual(['traffic', 'sms', 'mails', 'dataPoints', 'peakConnections'].map((name) => consumption[name]));
    expect(of('CHARGE').map(({ amount, currency }) => ({ amount, currency }))).toEqual(
      consumption.charges.map(({ amount }: Json) => amount),
    );
    expect(of('DAILY_PEAK').map(({ item, quantity }) => ({ day: item, peak: Number(quantity) }))).toEqual(
      consumption.peaks,
    );

    const sheets = (await readExcel((await file('CONSUMPTION', past, 'XLSX')).bytes)) as Json[];
    expect(sheets.map(({ sheet }) => sheet)).toEqual(['Usage', 'Charges', 'Daily peaks', 'Report']);
    expect(sheets[0].data[1].slice(0, 4)).toEqual(['VPN traffic', 'bytes', 0, consumption.traffic.included]);
    expect(sheets[2].data).toHaveLength(1 + consumption.peaks.length);
  });

  test('BIL-09 the files of a month that is over never change; a month before the account, or to come, is NOT_FOUND', async () => {
    const before = await Promise.all([file('CONNECTIONS', past, 'PDF'), file('CONSUMPTION', past, 'PDF')]);
    const csv = await file('CONNECTIONS', past, 'CSV');
    const where = { accountId: account.id };
    await db().session.updateMany({ where, data: { userName: 'Else', bytesIn: 9n } });
    await db().account.update({ where: { id: account.id }, data: { company: 'Other', concurrentConnections: 9 } });
    server.clock.advance(60_000);
    const after = await Promise.all([file('CONNECTIONS', past, 'PDF'), file('CONSUMPTION', past, 'PDF')]);
    for (const [index, { bytes }] of before.entries()) expect(after[index]?.bytes.equals(bytes)).toBe(true);
    expect((await file('CONNECTIONS', past, 'CSV')).bytes.equals(csv.bytes)).toBe(true);

    for (const month of ['2001-01', nextMonth(open), '9999-12']) {
      expect(await codeOf(account.admin.api, { month })).toBe('NOT_FOUND');
      const { errors } = await account.admin.api.send(FIGURES, { month });
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
      const path = `/downloads/reports/consumption?month=${month}`;
      expect(await refusal(await get(path, account.admin.api.token))).toEqual([404, 'NOT_FOUND']);
    }
    expect(await codeOf(account.admin.api, { month: '2026-13' })).toBe('VALIDATION_FAILED');
  });

  test('BIL-16 ACC-10 ACC-11 reports are for Administrators on plans that have them', async () => {
    expect(await codeOf(plain.api, {})).toBe('FORBIDDEN');
    const none = '{ account { reports { month } consumption { month } } }';
    expect((await plain.api.run(none)).account).toEqual({ reports: null, consumption: null });
    const path = `/downloads/reports/connections?month=${past}`;
    expect(await refusal(await get(path, plain.api.token))).toEqual([403, 'FORBIDDEN']);
    const free = await TestAccount.create(server, 'FREE');
    const month = (await rowOf(free)).openMonth;
    expect(await codeOf(free.admin.api, { month })).toBe('PLAN_FEATURE_NOT_AVAILABLE');
    expect((await free.admin.api.run(none)).account).toEqual({ reports: null, consumption: null });
    const other = `/downloads/reports/connections?month=${month}`;
    expect(await refusal(await get(other, free.admin.api.token))).toEqual([403, 'PLAN_FEATURE_NOT_AVAILABLE']);
    const light = await TestAccount.create(server, 'LIGHT');
    expect(await codeOf(light.admin.api, { month })).toBeUndefined();
    expect(await codeOf(light.admin.api, { month: past === month ? open : past })).toBe('NOT_FOUND');
  });

  test('BIL-08 more connections than a spreadsheet may have: CSV has them', async () => {
    const limits = server.app.platform.config.limits as { REPORT_XLSX_LINES: number };
    limits.REPORT_XLSX_LINES = 1;
    expect(await codeOf(account.admin.api, { format: 'XLSX' })).toBe('REPORT_TOO_LONG');
    expect(await codeOf(account.admin.api, { format: 'CSV' })).toBeUndefined();
    expect(await codeOf(account.admin.api, { kind: 'CONSUMPTION', format: 'XLSX' })).toBeUndefined();
    limits.REPORT_XLSX_LINES = 2;
    expect(await codeOf(account.admin.api, { format: 'XLSX' })).toBeUndefined();
  });

  test('LOG-01 BIL-06 a download writes an entry, a link does not', async () => {
    const told = async () => (await account.log({ codes: ['REPORT_DOWNLOADED'] })).length;
    const before = await told();
    const url = await linkTo('CONSUMPTION', past, 'CSV');
    expect(await told()).toBe(before);
    await (await get(url)).text();
    const [entry] = await account.log({ codes: ['REPORT_DOWNLOADED'] });
    expect(entry.text).toBe(`Report consumption ${past}, CSV downloaded by admin`);
    expect(await told()).toBe(before + 1);
  });
});

describe('the door', () => {
  test('BIL-16 a link ends with its time and with its login, and goes by the rights of its user then', async () => {
    const { api } = await logIn(server, account.name, 'admin', 'Admin-pass-1');
    const url = await linkTo('CONSUMPTION', past, 'CSV', api);
    const other = await linkTo('CONSUMPTION', past, 'CSV');
    expect((await get(url)).status).toBe(200);
    await api.run('mutation { logout { __typename } }');
    expect(await refusal(await get(url))).toEqual([404, 'DOWNLOAD_INVALID']);
    expect((await get(other)).status).toBe(200);
    await db().account.update({ where: { id: account.id }, data: { plan: 'FREE' } });
    expect(await refusal(await get(other))).toEqual([403, 'PLAN_FEATURE_NOT_AVAILABLE']);
    await db().account.update({ where: { id: account.id }, data: { plan: 'PRO' } });
    server.clock.advance(301_000);
    expect(await refusal(await get(other))).toEqual([404, 'DOWNLOAD_INVALID']);
  });

  test('API-04 what is no file, no link or no token is refused in one form; only GET reads', async () => {
    const { secrets } = server.app.platform;
    const { token } = account.admin.api;
    for (const forged of ['x', 'A'.repeat(200), secrets.encrypt('no JSON'), secrets.encrypt('{"path":"log.csv"}')])
      expect(await refusal(await get(`/downloads/link/${forged}`))).toEqual([404, 'DOWNLOAD_INVALID']);
    expect(await refusal(await get('/downloads/reports/other', token))).toEqual([404, 'NOT_FOUND']);
    expect(await refusal(await get('/downloads', token))).toEqual([404, 'NOT_FOUND']);
    const path = `/downloads/reports/connections?month=${past}`;
    for (const wrong of [null, 'x'.repeat(43)]) {
      const response = await get(path, wrong);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refusal(response)).toEqual([401, 'UNAUTHENTICATED']);
    }
    for (const query of ['', '?month=x', `?month=${past}&format=doc`, `?month=${past}&more=1`])
      expect(await refusal(await get(`/downloads/reports/connections${query}`, token))).toEqual([
        ...[400, 'VALIDATION_FAILED'],
      ]);
    for (const method of ['HEAD', 'POST', 'DELETE']) {
      const response = await get(path, token, method);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    }
  });

  /** The door over a database whose frozen lines are as given, 2000 at a time. */
  async function withLines(lines: () => object[], use: (url: string) => Promise<void>): Promise<void> {
    const { platform } = server.app;
    const connectionReportLine = { findMany: async () => lines() };
    const db = new Proxy(platform.db, {
      get: (real, name) => (name === 'connectionReportLine' ? connectionReportLine : Reflect.get(real, name)),
    });
    const serve = createDownloadDoor({ ...platform, db });
    const door = createServer((req, res) => void serve(req, res));
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const { port } = door.address() as { port: number };
    try {
      await use(`http://127.0.0.1:${port}/downloads/reports/connections?month=${past}&format=`);
    } finally {
      door.close();
      door.closeAllConnections();
    }
  }
  const authorized = () => ({ authorization: `Bearer ${account.admin.api.token}` });
  const many = async () => {
    const [line] = await linesOf();
    return Array.from({ length: 2000 }, () => ({ ...line, userName: 'x'.repeat(200) }));
  };

  test('API-04 a failure before the first byte is told, with a request id; one after it ends the connection', async () => {
    const fails = () => {
      throw new Error('secret of the database');
    };
    await withLines(fails, async (url) => {
      const told = await fetch(`${url}xlsx`, { headers: authorized() });
      const body = (await told.json()) as Json;
      expect([told.status, body.code]).toEqual([500, 'INTERNAL_ERROR']);
      expect(body.requestId).toBe(told.headers.get('x-request-id'));
      expect(JSON.stringify(body)).not.toContain('secret');
    });
    const batches = [await many()];
    await withLines(
      () => batches.pop() ?? fails(),
      async (url) => {
        const broken = await fetch(`${url}csv`, { headers: authorized() });
        expect(broken.status).toBe(200);
        await expect(broken.arrayBuffer()).rejects.toThrow();
      },
    );
  });

  test('API-03 M2W-13 a download is a call of its login and account, with the token and by a link', async () => {
    const { apiLimits, db } = server.app.platform;
    const calls = async () => {
      await apiLimits.flush();
      const { _sum } = await db.apiUsage.aggregate({ where: { accountId: account.id }, _sum: { calls: true } });
      return _sum.calls ?? 0;
    };
    const url = await linkTo('CONSUMPTION', past, 'CSV');
    const path = `/downloads/reports/consumption?month=${past}&format=csv`;
    const { token } = account.admin.api;
    const before = await calls();
    for (const response of [await get(url), await get(path, token), await get('/downloads/reports/other', token)])
      expect(Number(response.headers.get('ratelimit-remaining'))).toBeGreaterThan(0);
    expect(await calls()).toBe(before + 3);
    for (const stranger of [await get('/downloads/link/x'), await get(path), await get(path, 'x'.repeat(43))])
      expect([401, 404]).toContain(stranger.status);
    expect(await calls()).toBe(before + 3);

    const limits = server.app.platform.config.limits as { API_CALLS_PER_DAY_PRO: number };
    const most = limits.API_CALLS_PER_DAY_PRO;
    limits.API_CALLS_PER_DAY_PRO = 1;
    try {
      for (const response of [await get(url), await get(path, token)]) {
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(await refusal(response)).toEqual([429, 'RATE_LIMITED']);
      }
    } finally {
      limits.API_CALLS_PER_DAY_PRO = most;
    }
  });

  test('API-03 a login has some downloads at the same time, and gets room again when they are over', async () => {
    const waiting: (() => void)[] = [];
    let reading = 0;
    const held = () => {
      reading += 1;
      return new Promise<object[]>((resolve) => waiting.push(() => resolve([])));
    };
    const arrived = (wanted: number) =>
      eventually(
        'the reading',
        () => reading,
        (count) => count === wanted,
      );
    await withLines(held as never, async (url) => {
      const running = [0, 1, 2, 3].map(() => fetch(`${url}csv`, { headers: authorized() }));
      await arrived(4);
      const more = await fetch(`${url}csv`, { headers: authorized() });
      expect(more.headers.get('retry-after')).toBe('5');
      expect(await refusal(more)).toEqual([429, 'TOO_MANY_REQUESTS']);
      const other = await logIn(server, account.name, 'admin', 'Admin-pass-1');
      running.push(fetch(`${url}csv`, { headers: { authorization: `Bearer ${other.api.token}` } }));
      await arrived(5);
      for (const go of waiting.splice(0)) go();
      for (const one of running) await (await one).text();
      const again = [0, 1, 2, 3].map(() => fetch(`${url}csv`, { headers: authorized() }));
      await arrived(9);
      for (const go of waiting.splice(0)) go();
      expect((await Promise.all(again)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });
  });

  test('API-03 few reports are made at once, few wait, one more is refused; CSV waits for none', async () => {
    const limits = server.app.platform.config.limits as Record<
      'REPORTS_AT_ONCE' | 'REPORTS_WAITING' | 'DOWNLOADS_PER_LOGIN',
      number
    >;
    const before = { ...limits };
    Object.assign(limits, { REPORTS_AT_ONCE: 1, REPORTS_WAITING: 1, DOWNLOADS_PER_LOGIN: 9 });
    const waiting: (() => void)[] = [];
    let reading = 0;
    const held = () => {
      reading += 1;
      return new Promise<object[]>((resolve) => waiting.push(() => resolve([])));
    };
    try {
      await withLines(held as never, async (url) => {
        const first = fetch(`${url}xlsx`, { headers: authorized() });
        await eventually(
          'the first',
          async () => reading,
          (count) => count === 1,
        );
        const second = fetch(`${url}pdf`, { headers: authorized() });
        const third = await eventually(
          'a refusal',
          async () => {
            const gone = new AbortController();
            const answer = await Promise.race([
              fetch(`${url}pdf`, { headers: authorized(), signal: gone.signal }),
              new Promise<null>((resolve) => setTimeout(() => resolve(null), 300)),
            ]).catch(() => null);
            if (answer === null) gone.abort();
            return answer;
          },
          (answer) => answer !== null,
        );
        expect(third?.headers.get('retry-after')).toBe('5');
        expect(await refusal(third as Response)).toEqual([429, 'TOO_MANY_REQUESTS']);
        expect(reading).toBe(1);
        const csv = fetch(`${url}csv`, { headers: authorized() });
        await eventually(
          'the lines of the CSV',
          async () => reading,
          (count) => count === 2,
        );
        await eventually(
          'all files',
          async () => {
            for (const go of waiting.splice(0)) go();
            return Promise.race([
              Promise.all([first, second, csv].map(async (one) => (await one).status)),
              new Promise<null>((resolve) => setTimeout(() => resolve(null), 50)),
            ]);
          },
          (statuses) => JSON.stringify(statuses) === '[200,200,200]',
        );
      });
    } finally {
      Object.assign(limits, before);
    }
  });

  test('BIL-08 a reader who takes nothing is cut, and one who leaves ends the reading', async () => {
    const batch = await many();
    let read = 0;
    const endless = () => {
      read += 1;
      return batch;
    };
    const stopped = async () => {
      let before = -1;
      await eventually(
        'the end of the reading',
        () => {
          const same = before === read;
          before = read;
          return new Promise<boolean>((resolve) => setTimeout(() => resolve(same), 100));
        },
        Boolean,
      );
    };
    await withLines(endless, async (url) => {
      const ended = await new Promise<string>((resolve, reject) => {
        const sent = request(`${url}csv`, { headers: authorized() }, (response) => {
          response.once('close', () => resolve('cut'));
          response.once('error', () => resolve('cut'));
          response.once('readable', () => response.read(1));
          // Cut or not, what has arrived is read up: an endless file would go on for ever.
          setTimeout(() => response.resume(), 2500).unref();
        });
        setTimeout(() => reject(new Error('Not cut.')), 8000).unref();
        sent.on('error', () => resolve('cut'));
        sent.end();
      });
      expect(ended).toBe('cut');
      await stopped();

      const leaving = new AbortController();
      const { body } = await fetch(`${url}csv`, { headers: authorized(), signal: leaving.signal });
      await body?.getReader().read();
      leaving.abort();
      await stopped();
    });
  });
});
