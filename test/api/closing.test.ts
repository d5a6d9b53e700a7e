import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monthBounds, monthIn, scheduleMonthEnd } from '../../src/billing/months.ts';
import { schedule } from '../../src/due-work.ts';
import { inAccount } from '../../src/log/write.ts';
import { collectFacts, listMonths, readReport } from '../../src/reports/collect.ts';
import type { ReportLine } from '../../src/reports/facts.ts';
import { addTraffic } from '../../src/sessions/traffic.ts';
import { eventually, type Json } from '../support/client.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, TestAccount } from '../support/world.ts';

const ENV = {
  PLAN_FEE_CENTS_PRO: '7500',
  PLAN_FEE_CENTS_LIGHT: '2000',
  SLOT_PRICE_CENTS: '5000',
  TRAFFIC_INCLUDED_MB_PRO: '4000',
  TRAFFIC_GB_PRICE_CENTS: '500',
  DATA_POINTS_INCLUDED_PRO: '5000000',
  DATA_POINTS_MILLION_PRICE_CENTS: '1000',
  MAIL_PRICE_CENTS: '2',
  LOG_RETENTION_MONTHS: '1200',
};
const DAY = 86_400_000;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: ENV });
});
afterAll(() => server.close());

const platform = () => server.app.platform;
const db = () => platform().db;
const now = () => server.clock.now();
const rowOf = ({ id }: TestAccount) => db().account.findUniqueOrThrow({ where: { id } });

/** Until nothing is due any more: each month is closed by work of its own. */
async function settle(at = server): Promise<void> {
  for (;;) {
    await at.app.jobs.run();
    const due = await at.app.platform.db.dueWork.count({ where: { dueAt: { lte: at.clock.now() }, retryAt: null } });
    if (due === 0) return;
  }
}

/** Moves the clock to an instant, and does what is due then. */
async function advanceTo(instant: Date): Promise<void> {
  server.clock.advance(Math.max(0, instant.getTime() - now().getTime()));
  await settle();
}

/** Lets the open month of an account end; answers with the month. */
async function endMonth(account: TestAccount): Promise<string> {
  const { openMonth, timeZone } = await rowOf(account);
  await advanceTo(monthBounds(openMonth, timeZone).to);
  return openMonth;
}

async function use(account: TestAccount, used: { bytes?: number; dataPoints?: number; mails?: number }): Promise<void> {
  const { id: accountId, openMonth: month } = await rowOf(account);
  await db().usage.upsert({
    where: { accountId_month: { accountId, month } },
    create: { accountId, month, ...used },
    update: used,
  });
}

/** A session as the account had it. */
async function session(
  account: TestAccount,
  startedAt: Date,
  endedAt: Date | null,
  more: { takesSlot?: boolean; bytesIn?: bigint; bytesOut?: bigint } = {},
): Promise<string> {
  const { id } = await db().session.create({
    data: {
      ...{
        accountId: account.id,
        userName: 'Somebody',
        userNumber: 7,
        ewonName: 'Press',
        ewonNumber: 12,
        takesSlot: true,
      },
      ...{ client: 'ECATCHER', state: endedAt ? 'CLOSED' : 'OPEN', startedAt, endedAt, ...more },
      aliveUntil: new Date(now().getTime() + 3600 * DAY),
    },
  });
  return id;
}

const ledgerOf = async ({ id: accountId }: TestAccount): Promise<[string, string, string][]> =>
  (await db().ledgerEntry.findMany({ where: { accountId }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })).map(
    ({ kind, amount, key }) => [kind, amount.toFixed(2), key ?? ''],
  );
const closedIn = async (account: TestAccount): Promise<string[]> =>
  (await closingsOf(account)).map(({ text }) => text).reverse();
const closingsOf = async ({ id }: TestAccount): Promise<{ code: string; text: string }[]> => {
  const entries = await db().logEntry.findMany({
    where: { accountId: id, code: { in: ['MONTH_CLOSED', 'CREDIT_EXHAUSTED'] } },
    orderBy: { seq: 'desc' },
  });
  return entries.map(({ code, params }) => ({ code, text: `${code} ${Object.values(params as Json).join(' ')}` }));
};
async function linesOf(account: TestAccount, month: string): Promise<ReportLine[]> {
  const { lines } = await readReport(platform(), account.id, month);
  const all: ReportLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
const addTo = (time: Date, ms: number): Date => new Date(time.getTime() + ms);

describe('the end of a month', () => {
  it('BIL-11 BIL-12 BIL-13 BIL-14 BIL-15 takes fee, additional connections, whole overuse and mails, and begins anew with nothing used', async () => {
    const account = await TestAccount.create(server);
    await account.setSlots(5);
    await use(account, { bytes: 6_999_999_999, dataPoints: 6_000_000, mails: 3 });
    const month = await endMonth(account);
    expect(await ledgerOf(account)).toEqual([
      ['MONTHLY_FEE', '-75.00', `${month} MONTHLY_FEE`],
      ['CONNECTIONS', '-100.00', `${month} CONNECTIONS`],
      ['TRAFFIC', '-10.00', `${month} TRAFFIC`],
      ['DATA_POINTS', '-10.00', `${month} DATA_POINTS`],
      ['MAIL', '-0.06', `${month} MAIL`],
    ]);
    expect(await closedIn(account)).toEqual([`MONTH_CLOSED ${month} 195.06 EUR`, 'CREDIT_EXHAUSTED -195.06 EUR']);
    const { openMonth, timeZone } = await rowOf(account);
    const [{ at } = { at: null }] = await db().ledgerEntry.findMany({ where: { accountId: account.id } });
    expect(at).toEqual(monthBounds(openMonth, timeZone).from);

    // 4 GB were included and not used in the next month; they do not add to those of the one after.
    await endMonth(account);
    await use(account, { bytes: 5_500_000_000 });
    await endMonth(account);
    expect((await ledgerOf(account)).slice(5).map(([kind, amount]) => [kind, amount])).toEqual([
      ['MONTHLY_FEE', '-75.00'],
      ['CONNECTIONS', '-100.00'],
      ['MONTHLY_FEE', '-75.00'],
      ['CONNECTIONS', '-100.00'],
      ['TRAFFIC', '-5.00'],
    ]);
  });

  it('BIL-11 ACC-13 takes the fee of the plan that is in force then: nothing on FREE, nothing while the trial runs', async () => {
    const [free, light, trial] = [
      await TestAccount.create(server, 'FREE'),
      await TestAccount.create(server, 'LIGHT'),
      await TestAccount.create(server, 'FREE'),
    ];
    await trial.admin.api.succeed('mutation { changePlan(input: { plan: PRO }) { __typename ... on Error { code } } }');
    await db().ledgerEntry.create({
      data: { accountId: light.id, at: now(), kind: 'CREDIT', amount: '20.00', description: 'Invoice' },
    });
    await endMonth(free);
    expect(await Promise.all([ledgerOf(free), ledgerOf(trial)])).toEqual([[], []]);
    expect((await ledgerOf(light)).map(([kind]) => kind)).toEqual(['CREDIT', 'MONTHLY_FEE']);
    // 20.00 cover it, so nothing is exhausted; nor where nothing is taken.
    for (const account of [free, light, trial])
      expect((await closingsOf(account)).map(({ code }) => code)).toEqual(['MONTH_CLOSED']);

    // Without credit the trial falls back to FREE, so that there never is a fee; with credit it is paid from then on.
    const { trialEndsAt } = await rowOf(trial);
    await db().ledgerEntry.create({
      data: { accountId: trial.id, at: now(), kind: 'CREDIT', amount: '1000.00', description: 'Invoice' },
    });
    await advanceTo(addTo(trialEndsAt ?? now(), -60_000));
    expect((await ledgerOf(trial)).map(([kind]) => kind)).toEqual(['CREDIT']);
    await advanceTo(trialEndsAt ?? now());
    const before = (await ledgerOf(trial)).length;
    await endMonth(trial);
    expect((await ledgerOf(trial)).slice(before).map(([kind, amount]) => [kind, amount])).toEqual([
      ['MONTHLY_FEE', '-75.00'],
    ]);
  });

  it('BIL-11 BIL-14 ACC-20 who leaves a paid plan before the end of the month has paid for the month, once', async () => {
    const account = await TestAccount.create(server);
    await account.setSlots(5);
    const { openMonth, timeZone } = await rowOf(account);
    await advanceTo(addTo(monthBounds(openMonth, timeZone).to, -3_600_000));
    const change = (input: string) =>
      account.admin.api.succeed(
        `mutation { changePlan(input: { ${input} }) { __typename ... on Error { code message } } }`,
      );
    account.admin.api = (await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).api;
    await change('plan: FREE, confirm: true');
    const taken = [
      ['MONTHLY_FEE', '-75.00', `${openMonth} MONTHLY_FEE`],
      ['CONNECTIONS', '-100.00', `${openMonth} CONNECTIONS`],
    ];
    expect(await ledgerOf(account)).toEqual(taken);
    const { usage } = (await account.admin.api.run('{ account { usage { charges { kind } } } }')).account;
    expect(usage.charges, 'the end of the month takes nothing more').toEqual([]);

    // The trial is had: it is paid again, and left again.
    await db().account.update({ where: { id: account.id }, data: { trialStartedAt: now() } });
    await change('plan: PRO, acknowledgeContractChange: true');
    expect((await account.admin.api.run('{ account { usage { charges { kind } } } }')).account.usage.charges).toEqual(
      [],
    );
    await change('plan: FREE, confirm: true');
    await use(account, { mails: 3 });
    await endMonth(account);
    expect(await ledgerOf(account)).toEqual([...taken, ['MAIL', '-0.06', `${openMonth} MAIL`]]);
    expect(await closedIn(account)).toEqual([`MONTH_CLOSED ${openMonth} 0.06 EUR`, 'CREDIT_EXHAUSTED -175.06 EUR']);
    expect((await readReport(platform(), account.id, openMonth)).facts).toMatchObject({
      plan: 'FREE',
      charges: [
        { name: 'Monthly fee of plan PRO', quantity: 1, unitCents: 7500, cents: 7500 },
        { name: 'Additional concurrent connections', quantity: 2, unitCents: 5000, cents: 10_000 },
        { name: 'Mails', quantity: 3, unitCents: 2, cents: 6 },
      ],
    });
    await endMonth(account);
    expect(await ledgerOf(account), 'FREE costs nothing').toHaveLength(3);
  });

  it('BIL-11 ACC-13 ACC-16 who leaves the trial, or whose trial ends without credit, pays nothing', async () => {
    const [leaves, stays] = [await TestAccount.create(server, 'FREE'), await TestAccount.create(server, 'FREE')];
    for (const { admin } of [leaves, stays])
      await admin.api.succeed('mutation { changePlan(input: { plan: PRO }) { __typename ... on Error { code } } }');
    await leaves.setSlots(5);
    await leaves.admin.api.succeed(
      'mutation { changePlan(input: { plan: FREE, confirm: true }) { __typename ... on Error { code } } }',
    );
    const { trialEndsAt } = await rowOf(stays);
    await advanceTo(addTo(trialEndsAt ?? now(), 35 * DAY));
    expect((await rowOf(stays)).plan).toBe('FREE');
    expect(await Promise.all([ledgerOf(leaves), ledgerOf(stays)])).toEqual([[], []]);
  });

  it('BIL-11 ACC-16 a month that ends with the trial has no fee', async () => {
    const account = await TestAccount.create(server, 'FREE');
    await account.admin.api.succeed(
      'mutation { changePlan(input: { plan: PRO }) { __typename ... on Error { code } } }',
    );
    const { openMonth, timeZone } = await rowOf(account);
    const { to } = monthBounds(openMonth, timeZone);
    await db().account.update({ where: { id: account.id }, data: { trialEndsAt: to } });
    await inAccount(platform(), account.id, async (work) => {
      await schedule(work, 'TRIAL_END', account.id, to);
    });
    await db().ledgerEntry.create({
      data: { accountId: account.id, at: now(), kind: 'CREDIT', amount: '1.00', description: 'Invoice' },
    });
    // Whichever of the two was scheduled first.
    await db().dueWork.updateMany({
      where: { subjectId: account.id, kind: 'TRIAL_END' },
      data: { id: '00000000-0000-7000-8000-000000000000' },
    });
    await advanceTo(to);
    expect((await rowOf(account)).trialEndsAt).toBeNull();
    expect((await ledgerOf(account)).map(([kind]) => kind)).toEqual(['CREDIT']);
    expect((await readReport(platform(), account.id, openMonth)).facts.plan).toBe('PRO');
  });

  it('BIL-11 ACC-16 CLU-05 a jump over months and the end of a trial does all in the order of its time', async () => {
    const account = await TestAccount.create(server, 'FREE');
    await account.admin.api.succeed(
      'mutation { changePlan(input: { plan: PRO }) { __typename ... on Error { code } } }',
    );
    await db().ledgerEntry.create({
      data: { accountId: account.id, at: now(), kind: 'CREDIT', amount: '1000.00', description: 'Invoice' },
    });
    const { trialEndsAt } = await rowOf(account);
    await advanceTo(addTo(trialEndsAt ?? now(), 40 * DAY));
    const months = (await listMonths(platform(), account.id))
      .filter(({ complete }) => complete)
      .map(({ month }) => month);
    const paid = months.filter((month) => monthBounds(month, 'UTC').to > (trialEndsAt ?? now())).reverse();
    expect([months.length > paid.length + 1, paid.length > 0]).toEqual([true, true]);
    expect((await ledgerOf(account)).slice(1).map(([, , key]) => key)).toEqual(
      paid.map((month) => `${month} MONTHLY_FEE`),
    );
  });

  it('BIL-14 CON-16 charges the number in force at the end, also when a decrease fell due on the way and the clock jumped', async () => {
    const account = await TestAccount.create(server);
    await account.setSlots(5);
    await account.setSlots(3);
    const { pendingSlotsAt } = await rowOf(account);
    const until = addTo(pendingSlotsAt ?? now(), 35 * DAY);
    server.clock.advance(until.getTime() - now().getTime());
    await settle();
    const connections = (await ledgerOf(account)).filter(([kind]) => kind === 'CONNECTIONS').map(([, , key]) => key);
    const months = (await listMonths(platform(), account.id))
      .filter(({ complete }) => complete)
      .map(({ month }) => month);
    const after = months.filter((month) => monthBounds(month, 'UTC').to > (pendingSlotsAt ?? now()));
    expect(after.length).toBeGreaterThan(0);
    expect(connections).toHaveLength(months.length - after.length);
    for (const month of after)
      expect((await readReport(platform(), account.id, month)).facts.peakConnections.included).toBe(3);
  });

  it('BIL-09 BIL-11 CLU-05 several months that are over are closed one after the other, each at its own end, and once', async () => {
    const account = await TestAccount.create(server);
    const { openMonth } = await rowOf(account);
    server.clock.advance(100 * DAY);
    await settle();
    await settle();
    const ledger = await db().ledgerEntry.findMany({ where: { accountId: account.id }, orderBy: { at: 'asc' } });
    const months = (await listMonths(platform(), account.id)).filter(({ complete }) => complete).reverse();
    expect(months.length).toBeGreaterThanOrEqual(3);
    expect(months[0]?.month).toBe(openMonth);
    expect(ledger.map(({ key, at }) => [key, at])).toEqual(
      months.map(({ month }) => [`${month} MONTHLY_FEE`, monthBounds(month, 'UTC').to]),
    );
    const reports = await db().monthlyReport.findMany({ where: { accountId: account.id }, orderBy: { month: 'asc' } });
    // One ends where the next begins; the first begins with the account.
    expect(reports[0]?.from).toEqual((await rowOf(account)).createdAt);
    expect(reports.slice(1).map(({ from }) => from)).toEqual(reports.slice(0, -1).map(({ to }) => to));
    // What is begun again changes nothing.
    await inAccount(platform(), account.id, (work) => schedule(work, 'MONTH_END', account.id, now()));
    await settle();
    expect(await ledgerOf(account)).toHaveLength(months.length);
  });

  it('BIL-09 goes by the time zone of the account, and never counts a time twice when that changes', async () => {
    const account = await TestAccount.create(server);
    const move = (timeZone: string) =>
      inAccount(platform(), account.id, async (work) => {
        const { openMonth } = await work.tx.account.update({ where: { id: account.id }, data: { timeZone } });
        await scheduleMonthEnd(work, { timeZone, openMonth });
      });
    await move('Pacific/Auckland');
    const first = await endMonth(account);
    const { to } = monthBounds(first, 'Pacific/Auckland');
    expect(await db().monthlyReport.findFirst({ where: { accountId: account.id } })).toMatchObject({
      month: first,
      to,
    });
    // In Los Angeles the month before is not over yet.
    await move('America/Los_Angeles');
    const ended = await session(account, addTo(to, -60_000), addTo(to, 60_000));
    await addTraffic(platform(), [{ sessionId: ended, bytesIn: 1, bytesOut: 2 }]);
    await advanceTo(monthBounds(first, 'America/Los_Angeles').to);
    const { openMonth } = await rowOf(account);
    expect(openMonth > first).toBe(true);
    expect(await db().monthlyReport.count({ where: { accountId: account.id } })).toBe(1);
    const second = await endMonth(account);
    const { facts } = await readReport(platform(), account.id, second);
    expect(facts).toMatchObject({
      ...{ from: to.toISOString(), to: monthBounds(second, 'America/Los_Angeles').to.toISOString() },
      ...{ timeZone: 'America/Los_Angeles', sessions: { count: 1 }, traffic: { used: 3 } },
    });
    expect(facts.peaks[0]?.peak).toBe(1);
    expect((await ledgerOf(account)).map(([, , key]) => key)).toEqual([
      `${first} MONTHLY_FEE`,
      `${second} MONTHLY_FEE`,
    ]);
  });

  it('BIL-10 CON-29 traffic is counted in the month of each account, whatever its time zone is called', async () => {
    const accounts = [await TestAccount.create(server), await TestAccount.create(server)] as const;
    const [plain, odd] = accounts;
    // Names that only some programs know.
    await db().account.update({ where: { id: odd.id }, data: { timeZone: 'AET' } });
    const sessions = await Promise.all(accounts.map((account) => session(account, now(), addTo(now(), 1000))));
    await addTraffic(
      platform(),
      sessions.map((sessionId, index) => ({ sessionId, bytesIn: 10 * (index + 1), bytesOut: 5 })),
    );
    const used = await Promise.all(
      accounts.map(({ id: accountId }) =>
        db().usage.findMany({ where: { accountId }, select: { month: true, bytes: true } }),
      ),
    );
    const month = (timeZone: string) => monthIn(timeZone, now());
    expect(used).toEqual([[{ month: month('UTC'), bytes: 15n }], [{ month: month('Australia/Sydney'), bytes: 25n }]]);
    await db().account.updateMany({ where: { id: { in: [plain.id, odd.id] } }, data: { timeZone: 'UTC' } });
  });

  it('BIL-11 an account that began only after its month had ended in its new time zone has no fee for it', async () => {
    const account = await TestAccount.create(server);
    const { openMonth } = await rowOf(account);
    await inAccount(platform(), account.id, async (work) => {
      const createdAt = addTo(monthBounds(openMonth, 'Pacific/Auckland').to, 1000);
      await work.tx.account.update({ where: { id: account.id }, data: { timeZone: 'Pacific/Auckland', createdAt } });
      await scheduleMonthEnd(work, { timeZone: 'Pacific/Auckland', openMonth });
    });
    await endMonth(account);
    expect(await ledgerOf(account)).toEqual([]);
    expect((await readReport(platform(), account.id, openMonth)).facts).toMatchObject({ peaks: [], charges: [] });
  });
});

describe('reports', () => {
  it('BIL-07 BIL-10 of the month so far tell everything as it is now, open sessions included', async () => {
    const account = await TestAccount.create(server);
    const start = now();
    await use(account, { bytes: 4_500_000_000, dataPoints: 7, mails: 2 });
    const hour = 3_600_000;
    server.clock.advance(10 * hour);
    await session(account, addTo(start, 2 * hour), addTo(start, 3 * hour), { bytesIn: 5n, bytesOut: 7n });
    await session(account, addTo(start, hour), addTo(start, 2 * hour + 1500), { bytesIn: 1n });
    const open = await session(account, addTo(start, 9 * hour), null, { bytesOut: 9n });
    const { openMonth } = await rowOf(account);
    const { facts } = await readReport(platform(), account.id, openMonth);
    expect(facts).toMatchObject({
      ...{
        month: openMonth,
        complete: false,
        accountName: account.name,
        company: 'Acme',
        currency: 'EUR',
        plan: 'PRO',
      },
      traffic: { used: 4_500_000_000, included: 4_000_000_000 },
      mails: { used: 2, included: 0 },
      dataPoints: { used: 7, included: 5_000_000 },
      peakConnections: { used: 2, included: 3 },
      sessions: { count: 2, seconds: 3600 + 3601, bytesIn: 6, bytesOut: 7 },
      charges: [
        { name: expect.stringContaining('PRO'), quantity: 1, unitCents: 7500, cents: 7500 },
        { name: 'Mails', quantity: 2, unitCents: 2, cents: 4 },
      ],
    });
    expect((await collectFacts(platform(), account.id)).sessions).toEqual(facts.sessions);
    const subject = { userName: 'Somebody', userReference: 'USR7', ewonName: 'Press', ewonReference: 'DEV12' };
    const lines = await linesOf(account, openMonth);
    expect(lines).toEqual([
      {
        ...{ ...subject, client: 'ECATCHER', startedAt: addTo(start, hour), endedAt: addTo(start, 2 * hour + 1500) },
        ...{ seconds: 3601, bytesIn: 1, bytesOut: 0 },
      },
      {
        ...{ ...subject, client: 'ECATCHER', startedAt: addTo(start, 2 * hour), endedAt: addTo(start, 3 * hour) },
        ...{ seconds: 3600, bytesIn: 5, bytesOut: 7 },
      },
      {
        ...{ ...subject, client: 'ECATCHER', startedAt: addTo(start, 9 * hour), endedAt: null },
        ...{ seconds: expect.any(Number), bytesIn: 0, bytesOut: 9 },
      },
    ]);
    expect(lines[2]?.seconds).toBeGreaterThanOrEqual(3600);
    await db().session.update({ where: { id: open }, data: { state: 'CLOSED', endedAt: now() } });
  });

  it('BIL-09 BIL-10 are frozen at the end of the month: a session belongs to the month it ends in, and nothing changes them', async () => {
    const account = await TestAccount.create(server);
    const { openMonth } = await rowOf(account);
    const { to } = monthBounds(openMonth, 'UTC');
    const inside = await session(account, addTo(to, -7_200_000), addTo(to, -1), { bytesIn: 10n });
    await session(account, addTo(to, -7_200_000), addTo(to, -3_600_000), { takesSlot: false });
    const across = await session(account, addTo(to, -3_600_000), null, { bytesOut: 20n });
    await addTraffic(platform(), [{ sessionId: inside, bytesIn: 1, bytesOut: 0 }]);
    await endMonth(account);
    const frozen = await readReport(platform(), account.id, openMonth);
    expect(frozen.facts).toMatchObject({
      ...{
        month: openMonth,
        complete: true,
        to: to.toISOString(),
        plan: 'PRO',
        peakConnections: { used: 2, included: 3 },
      },
      ...{ sessions: { count: 2, bytesIn: 11, bytesOut: 0 }, traffic: { used: 1 } },
    });
    const lines = await linesOf(account, openMonth);
    expect(lines.map(({ bytesIn, endedAt }) => [bytesIn, endedAt])).toEqual([
      [11, addTo(to, -1)],
      [0, addTo(to, -3_600_000)],
    ]);

    // Names, plan, prices and bytes change; the report does not.
    await db().session.update({ where: { id: across }, data: { state: 'CLOSED', endedAt: addTo(to, 5000) } });
    await addTraffic(platform(), [{ sessionId: inside, bytesIn: 100, bytesOut: 0 }]);
    await db().account.update({ where: { id: account.id }, data: { company: 'Other', plan: 'LIGHT' } });
    await db().session.updateMany({ where: { accountId: account.id }, data: { userName: 'Else' } });
    expect((await readReport(platform(), account.id, openMonth)).facts).toEqual(frozen.facts);
    expect(await linesOf(account, openMonth)).toEqual(lines);
    const next = await endMonth(account);
    expect((await linesOf(account, next)).map(({ bytesOut, userName }) => [bytesOut, userName])).toEqual([
      [20, 'Else'],
    ]);
    expect((await readReport(platform(), account.id, next)).facts).toMatchObject({
      ...{ company: 'Other', sessions: { count: 1 }, traffic: { used: 100 } },
    });
  });

  it('BIL-06 BIL-09 there is one of each month since the account began; any other month is NOT_FOUND', async () => {
    const account = await TestAccount.create(server);
    const { openMonth: first } = await rowOf(account);
    await endMonth(account);
    const { openMonth } = await rowOf(account);
    expect(await listMonths(platform(), account.id)).toEqual([
      { month: openMonth, complete: false },
      { month: first, complete: true },
    ]);
    const beyond = [monthBefore(first), monthAfter(openMonth), '2026-13', 'x', '', `${openMonth}-01`];
    for (const month of beyond)
      await expect(readReport(platform(), account.id, month), month).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const other = await TestAccount.create(server);
    await expect(readReport(platform(), other.id, first)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('BIL-10 the peak of a day counts what is open at once, also since the month before, in the time zone of the account', async () => {
    const account = await TestAccount.create(server);
    await inAccount(platform(), account.id, (work) =>
      work.tx.account
        .update({ where: { id: account.id }, data: { timeZone: 'Asia/Tokyo' } })
        .then(async ({ openMonth }) => {
          await scheduleMonthEnd(work, { timeZone: 'Asia/Tokyo', openMonth });
        }),
    );
    await settle();
    await endMonth(account);
    const { openMonth } = await rowOf(account);
    const { from } = monthBounds(openMonth, 'Asia/Tokyo');
    const at = (day: number, hour: number) => addTo(from, (day - 1) * DAY + hour * 3_600_000);
    // Since the month before until noon of the 2nd.
    await session(account, addTo(from, -DAY), at(2, 12));
    // One ends as the other begins: two at once with the first, never three.
    await session(account, at(1, 1), at(1, 5));
    await session(account, at(1, 5), at(1, 9));
    // Three on the 4th, from 23:00 of the 3rd; one takes no slot.
    await session(account, at(3, 23), at(4, 2));
    await session(account, at(4, 0), at(4, 1));
    await session(account, at(4, 0), at(4, 1));
    await session(account, at(4, 0), at(4, 1), { takesSlot: false });
    // Open until now, the 6th.
    await session(account, at(5, 10), null);
    server.clock.advance(at(6, 6).getTime() - now().getTime());
    const { facts } = await readReport(platform(), account.id, openMonth);
    expect(facts.peaks).toEqual([2, 1, 1, 3, 1, 1].map((peak, index) => ({ day: `${openMonth}-0${index + 1}`, peak })));
    expect(facts.peakConnections.used).toBe(3);
    await db().session.updateMany({
      where: { accountId: account.id, endedAt: null },
      data: { state: 'CLOSED', endedAt: now() },
    });
  });
});

onPostgres('On PostgreSQL, with two instances,', () => {
  it('BIL-10 CON-29 traffic waits for the account before it takes a session, as all work on an account does', async () => {
    const one = await startServer({ env: ENV, database: 'postgresql' });
    try {
      const account = await TestAccount.create(one);
      const { db, clock } = one.app.platform;
      const at = clock.now();
      const { id: sessionId } = await db.session.create({
        data: {
          ...{ accountId: account.id, userName: 'A', userNumber: 1, ewonName: 'B', ewonNumber: 1, takesSlot: false },
          ...{ client: 'ECATCHER', state: 'CLOSED', startedAt: at, endedAt: at, aliveUntil: at },
        },
      });
      let traffic: Promise<void> | undefined;
      await inAccount(one.app.platform, account.id, async ({ tx }) => {
        traffic = addTraffic(one.app.platform, [{ sessionId, bytesIn: 1, bytesOut: 2 }]);
        await eventually(
          'traffic that waits',
          () => db.$queryRaw<unknown[]>`
            SELECT 1 FROM pg_stat_activity WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`,
          (rows) => rows.length > 0,
        );
        // Fails at once where somebody else holds it.
        await tx.$queryRaw`SELECT 1 FROM "Session" WHERE "id" = ${sessionId}::uuid FOR UPDATE NOWAIT`;
      });
      await traffic;
      expect(await db.session.findUnique({ where: { id: sessionId } })).toMatchObject({ bytesIn: 1n, bytesOut: 2n });
    } finally {
      await one.close();
    }
  });

  it('BIL-09 BIL-11 CLU-05 each month is closed once, whichever comes first', async () => {
    const one = await startServer({ env: ENV, database: 'postgresql' });
    const two = await startServer({ env: ENV, databaseUrl: one.databaseUrl, clock: one.clock });
    try {
      const accounts: TestAccount[] = [];
      for (let index = 0; index < 5; index += 1) accounts.push(await TestAccount.create(one));
      one.clock.advance(70 * DAY);
      for (let round = 0; round < 5; round += 1) await Promise.all([one.app.jobs.run(), two.app.jobs.run()]);
      const { db } = one.app.platform;
      expect(await db.dueWork.count({ where: { dueAt: { lte: one.clock.now() } } })).toBe(0);
      const counts = await Promise.all(
        accounts.map(async ({ id: accountId }) => [
          await db.monthlyReport.count({ where: { accountId } }),
          await db.ledgerEntry.count({ where: { accountId, kind: 'MONTHLY_FEE' } }),
          await db.logEntry.count({ where: { accountId, code: 'MONTH_CLOSED' } }),
        ]),
      );
      for (const [reports, fees, entries] of counts) expect([fees, entries]).toEqual([reports, reports]);
      expect(counts[0]?.[0]).toBeGreaterThanOrEqual(2);
      expect(await db.dueWork.count({ where: { kind: 'MONTH_END', attempts: { gt: 0 } } })).toBe(0);
    } finally {
      await two.close();
      await one.close();
    }
  });

  it('BIL-11 what is taken and what is frozen is one transaction: a failure in it leaves the month open, and it is closed later', async () => {
    const one = await startServer({ env: ENV, database: 'postgresql' });
    try {
      const account = await TestAccount.create(one);
      const { db } = one.app.platform;
      const { openMonth } = await db.account.findUniqueOrThrow({ where: { id: account.id } });
      // The key is taken: the movement cannot be written.
      const key = `${openMonth} MONTHLY_FEE`;
      const blocked = await db.ledgerEntry.create({
        data: { accountId: account.id, at: one.clock.now(), kind: 'CREDIT', amount: '0.00', description: 'x', key },
      });
      one.clock.advance(monthBounds(openMonth, 'UTC').to.getTime() - one.clock.now().getTime());
      await one.app.jobs.run();
      expect(await db.monthlyReport.count()).toBe(0);
      expect((await db.account.findUniqueOrThrow({ where: { id: account.id } })).openMonth).toBe(openMonth);
      expect(await db.dueWork.findFirst({ where: { kind: 'MONTH_END' } })).toMatchObject({ attempts: 1 });
      await db.ledgerEntry.delete({ where: { id: blocked.id } });
      one.clock.advance(61_000);
      await one.app.jobs.run();
      expect(await db.monthlyReport.count()).toBe(1);
      expect(await db.ledgerEntry.count()).toBe(1);
    } finally {
      await one.close();
    }
  });
});

const monthAfter = (month: string): string => new Date(Date.parse(`${month}-01`) + 32 * DAY).toISOString().slice(0, 7);
const monthBefore = (month: string): string => new Date(Date.parse(`${month}-01`) - DAY).toISOString().slice(0, 7);
