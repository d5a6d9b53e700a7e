import { afterEach, expect, it } from 'vitest';
import { encodeCursor } from '../../src/log/cursor.ts';
import { addTraffic } from '../../src/sessions/traffic.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, CLOSE_SESSION, logIn, openSession, TestAccount } from '../support/world.ts';

/*
 * A year of one account, by the clock that can be moved: what is charged, when, and what of it can be read afterwards. The
 * account lives in Brussels, so its months end an hour or two before those of UTC.
 */

const GIGABYTE = 1_000_000_000;
const NEW_PASSWORD = 'Admin-pass-2';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** What a year left behind. */
interface Year {
  ledger: string[];
  april: { early: Buffer; late: Buffer };
  slots: Record<string, number>;
  plans: Record<string, string>;
}

async function liveThroughAYear(): Promise<Year> {
  const server = await startServer({
    // Devices live by the real clock, the authority by the platform's: a certificate of ninety days would not last.
    env: { SIMULATION: 'true', CERTIFICATE_DAYS: '3650', LOG_RETENTION_MONTHS: '12' },
  });
  servers.push(server);
  const { platform } = server.app;
  const to = async (time: string) => {
    const advanced = platform.simulation?.advance({ to: new Date(time) });
    if (!advanced) throw new Error('The clock cannot be moved.');
    await advanced;
    await server.app.jobs.run();
  };
  await to('2027-01-05T09:00:00Z');
  const account = await TestAccount.create(server, 'FREE', 'year');
  let password = ADMIN_PASSWORD;
  const admin = async (): Promise<ApiCaller> => {
    account.admin.api = (await logIn(server, account.name, 'admin', password)).api;
    return account.admin.api;
  };
  const act = async (verb: string, input: object): Promise<Json> => {
    const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { ${verb}(input: $input) { __typename ... on Error { code message } } }`;
    return (await admin()).succeed(query, { input });
  };
  const row = () => platform.db.account.findUniqueOrThrow({ where: { id: account.id } });
  const slots: Year['slots'] = {};
  const plans: Year['plans'] = {};
  const look = async (time: string) => {
    await to(time);
    const { concurrentConnections, plan } = await row();
    slots[time] = concurrentConnections;
    plans[time] = plan;
  };
  const download = async (path: string): Promise<Buffer> => {
    const { token } = await admin();
    const answer = await fetch(`${server.url}/downloads/${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status, path).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };

  await act('updateAccount', { timeZone: 'Europe/Brussels' });
  await act('updatePasswordPolicy', { expiresAfterDays: 180 });
  await act('changePlan', { plan: 'PRO' });
  expect((await row()).trialEndsAt?.toISOString()).toBe('2027-04-05T00:00:00.000Z');
  const ewon = await account.ewon({ name: 'Boiler' });
  const started = await platform.db.account.findUniqueOrThrow({ where: { id: account.id }, select: { logSeq: true } });

  /** A session of an hour that carried so much: the bytes are written as the gateway writes them. */
  const work = async (bytes: number) => {
    await admin();
    await ewon.device.connect();
    const { session } = await openSession(account.admin, ewon.id);
    const { id: sessionId } = await platform.db.session.findFirstOrThrow({ where: { state: 'OPEN' } });
    await addTraffic(platform, [{ sessionId, bytesIn: bytes / 4, bytesOut: (bytes / 4) * 3 }]);
    const closed = await account.admin.api.mutate(CLOSE_SESSION, { sessionId: session.id });
    expect(closed.session.state).toBe('CLOSED');
    await ewon.device.disconnect();
  };

  // The trial has no fee; five whole gigabytes beyond its allowance are paid like any.
  await to('2027-02-10T12:00:00Z');
  await work(9 * GIGABYTE);
  await act('payCredit', { amount: '1000.00', idempotencyKey: 'first-payment' });
  await look('2027-04-06T00:00:00Z');

  // Paid: six connections from the tenth of April, four are ordered in May and come three months after the six.
  await to('2027-04-10T08:00:00Z');
  await act('setConcurrentConnections', { concurrentConnections: 6, acknowledgeContractChange: true });
  await to('2027-04-20T08:00:00Z');
  await work(6.5 * GIGABYTE);
  await to('2027-05-02T08:00:00Z');
  const early = await download('reports/consumption?month=2027-04&format=csv');
  await to('2027-05-10T08:00:00Z');
  await act('setConcurrentConnections', { concurrentConnections: 4, acknowledgeContractChange: true });
  await look('2027-06-30T12:00:00Z');

  // The password has expired when the year is half over.
  await to('2027-07-05T12:00:00Z');
  const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) { __typename ... on PasswordChangeRequired { token reason } } }`;
  const asked = await new ApiCaller(server.url).mutate(LOGIN, {
    input: { account: account.name, username: 'admin', password },
  });
  expect(asked).toMatchObject({ __typename: 'PasswordChangeRequired', reason: 'EXPIRED' });
  await new ApiCaller(server.url, asked.token).succeed(
    'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename ... on Error { code message } } }',
    { input: { password: NEW_PASSWORD, passwordConfirmation: NEW_PASSWORD } },
  );
  password = NEW_PASSWORD;
  await look('2027-07-10T12:00:00Z');
  await to('2027-08-15T12:00:00Z');
  await act('buySmsPackage', { units: 100, acknowledgedPrice: '12.00', idempotencyKey: 'package' });
  await to('2027-12-15T12:00:00Z');
  // Again before the login that it needs runs out, and before the password does.
  await act('updatePasswordPolicy', { expiresAfterDays: null });
  const late = await download('reports/consumption?month=2027-04&format=csv');
  await look('2028-01-01T12:00:00Z');
  const LEDGER =
    '{ account { credit { amount currency } ledger(first: 100, orderBy: [{ field: AT, direction: ASC }]) { nodes { at kind amount { amount } } } } }';
  const { credit, ledger } = (await (await admin()).run(LEDGER)).account;
  const lines = ledger.nodes.map(({ at, kind, amount }: Json) => `${at.slice(0, 16)} ${kind} ${amount.amount}`);

  // What is older than twelve months is gone from the log, and from nothing else.
  await to('2028-02-20T12:00:00Z');
  const LOG = 'query ($after: String) { logEntries(last: 1, before: $after) { nodes { at } } }';
  const gone = await (await admin()).send(LOG, { after: encodeCursor(account.id, started.logSeq - 1n) });
  expect(gone.errors?.[0]?.extensions?.code).toBe('CURSOR_EXPIRED');
  const oldest = await platform.db.logEntry.findFirstOrThrow({
    where: { accountId: account.id },
    orderBy: { seq: 'asc' },
  });
  expect(oldest.at.getTime()).toBeGreaterThan(Date.parse('2027-02-19T12:00:00Z'));
  expect(await platform.db.monthlyReport.count({ where: { accountId: account.id } })).toBe(13);
  return { ledger: [...lines, `${credit.amount} ${credit.currency}`], april: { early, late }, slots, plans };
}

it('ACC-13 ACC-16 BIL-09 BIL-11 BIL-13 BIL-14 CON-17 PWD-11 LOG-17 CLK-03 a year: trial, credit, fees, overuse, a scheduled decrease, an expired password, reports that never change, retention; twice with the same ledger', {
  timeout: 120_000,
}, async () => {
  const year = await liveThroughAYear();
  expect(year.plans).toEqual({
    '2027-04-06T00:00:00Z': 'PRO',
    '2027-06-30T12:00:00Z': 'PRO',
    '2027-07-10T12:00:00Z': 'PRO',
    '2028-01-01T12:00:00Z': 'PRO',
  });
  expect(year.slots).toEqual({
    '2027-04-06T00:00:00Z': 3,
    '2027-06-30T12:00:00Z': 6,
    '2027-07-10T12:00:00Z': 4,
    '2028-01-01T12:00:00Z': 4,
  });
  const month = (end: string, connections: string | null, traffic: string | null = null) => [
    ...(connections === null ? [] : [`${end} CONNECTIONS ${connections}`]),
    `${end} MONTHLY_FEE -75.00`,
    ...(traffic === null ? [] : [`${end} TRAFFIC ${traffic}`]),
  ];
  const sorted = (lines: string[]) => lines.toSorted();
  expect(sorted(year.ledger.slice(0, -1))).toEqual(
    sorted([
      '2027-02-10T12:00 PAYMENT 1000.00',
      '2027-02-28T23:00 TRAFFIC -25.00',
      // Three connections and 2 whole gigabytes more than the plan includes; of the half one nothing.
      ...month('2027-04-30T22:00', '-150.00', '-10.00'),
      ...month('2027-05-31T22:00', '-150.00'),
      ...month('2027-06-30T22:00', '-150.00'),
      // Four since the tenth: what is in force at the end counts.
      ...month('2027-07-31T22:00', '-50.00'),
      '2027-08-15T12:00 PAYMENT 12.00',
      '2027-08-15T12:00 SMS_PACKAGE -12.00',
      ...month('2027-08-31T22:00', '-50.00'),
      ...month('2027-09-30T22:00', '-50.00'),
      ...month('2027-10-31T23:00', '-50.00'),
      ...month('2027-11-30T23:00', '-50.00'),
      ...month('2027-12-31T23:00', '-50.00'),
    ]),
  );
  expect(year.ledger.at(-1)).toBe('-460.00 EUR');
  expect(year.april.early.length).toBeGreaterThan(100);
  expect(year.april.late.equals(year.april.early), 'the report of a month that is over never changes').toBe(true);
  expect((await liveThroughAYear()).ledger).toEqual(year.ledger);
});
