import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMonths, DAY_MS } from '../../src/clock.ts';
import { inAccount } from '../../src/log/write.ts';
import type { Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, openSession, type Person, TestAccount } from '../support/world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const INFORMATION = 'name company street postalCode city country language timeZone internalReference';
const read = async (person: Person): Promise<Json> => (await person.api.run(`{ account { ${INFORMATION} } }`)).account;
const UPDATE = `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) {
  __typename ... on UpdateAccountSuccess { account { ${INFORMATION} } }
  ... on Error { code path } ... on ValidationError { inputViolations { path } }
} }`;
const update = (person: Person, input: object): Promise<Json> => person.api.mutate(UPDATE, { input });

const CHANGE = `mutation ($input: ChangePlanInput!) { changePlan(input: $input) {
  __typename ... on ChangePlanSuccess { account { plan trial { startedAt endsAt } } }
  ... on Error { code path } ... on ConfirmationRequiredError { sessions { id } }
} }`;
const changePlan = (person: Person, input: object): Promise<Json> => person.api.mutate(CHANGE, { input });

const advance = async (to: Date): Promise<void> => {
  server.clock.advance(Math.max(0, to.getTime() - server.clock.now().getTime()));
  await server.app.jobs.run();
};
const codes = (entries: Json[]): string[] => entries.map(({ code }) => code);
const row = (account: TestAccount) =>
  server.app.platform.db.account.findUniqueOrThrow({ where: { id: account.id }, include: { slots: true } });

describe('general information', () => {
  it('ACC-02 ACC-24 is read by everybody of the account and modified by its Administrators; absent keeps, null clears, and the log names who changed what', async () => {
    const account = await TestAccount.create(server);
    const user = await account.user('hand', [await account.group('Team')]);
    const before = await read(user);
    expect(before).toEqual({
      ...{ name: account.name, company: 'Acme', language: 'en', timeZone: 'UTC' },
      ...{ street: null, postalCode: null, city: null, country: null, internalReference: null },
    });
    const all = {
      ...{ company: 'Acme Pumps', street: '1 Rue du Test', postalCode: '1400', city: 'Nivelles', country: 'BE' },
      ...{ language: 'fr-be', timeZone: 'Europe/Brussels', internalReference: 'CUST-77' },
    };
    expect((await update(account.admin, all)).account).toEqual({ name: account.name, ...all, language: 'fr-BE' });
    expect((await update(account.admin, { street: null, city: '  ' })).account).toMatchObject({
      ...{ street: null, city: null, company: 'Acme Pumps', country: 'BE' },
    });
    const entries = await account.log({ codes: ['ACCOUNT_CHANGED'] });
    expect(entries.map(({ text, userName }) => [text, userName])).toEqual([
      ['Account setting changed: street, city', 'admin'],
      [
        'Account setting changed: company, street, postal code, city, country, language, time zone, internal reference',
        'admin',
      ],
    ]);
    expect(JSON.stringify(entries), 'values are no business of the log').not.toContain('CUST-77');

    await update(account.admin, { country: 'BE' });
    expect(await account.log({ codes: ['ACCOUNT_CHANGED'] }), 'nothing changed, nothing is told').toHaveLength(2);
    expect(await update(user, { company: 'Mine' })).toMatchObject({ code: 'FORBIDDEN' });
    expect((await read(user)).company).toBe('Acme Pumps');
  });

  it.each([
    ['company', ''],
    ['company', null],
    ['company', 'x'.repeat(101)],
    ['street', 'x'.repeat(201)],
    ['country', 'Belgium'],
    ['country', 'be'],
    ['country', 'QX'],
    ['language', 'xq'],
    ['language', 'not a tag'],
    ['language', null],
    ['timeZone', 'Europe/Atlantis'],
    ['timeZone', '+02:00'],
    ['timeZone', 'AET'],
    ['timeZone', 'VST'],
    ['timeZone', ''],
    ['timeZone', null],
  ])('ACC-02 refuses %s %j, names it, and changes nothing', async (name, value) => {
    const account = await TestAccount.create(server);
    const before = await read(account.admin);
    expect(await update(account.admin, { [name]: value, city: 'Ghent' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: expect.arrayContaining([name]),
    });
    expect(await read(account.admin)).toEqual(before);
  });

  it.each(['UTC', 'America/New_York', 'US/Pacific', 'Asia/Calcutta'])(
    'ACC-02 takes the time zone %s',
    async (timeZone) => {
      const account = await TestAccount.create(server);
      expect((await update(account.admin, { timeZone, city: 'Ghent' })).account).toMatchObject({ timeZone });
    },
  );

  it('ACC-03 the name of an account never changes', async () => {
    const account = await TestAccount.create(server);
    const { errors } = await account.admin.api.send(UPDATE, { input: { name: 'another' } });
    expect(errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await read(account.admin)).name).toBe(account.name);
  });

  it('ACC-02 BIL-09 another time zone moves the end of the month that is counted in', async () => {
    const account = await TestAccount.create(server);
    const due = async () =>
      (
        await server.app.platform.db.dueWork.findFirstOrThrow({ where: { kind: 'MONTH_END', accountId: account.id } })
      ).dueAt.getTime();
    const inUtc = await due();
    await update(account.admin, { timeZone: 'Asia/Tokyo' });
    expect(await due()).toBe(inUtc - 9 * 3_600_000);
  });
});

describe('settings', () => {
  it('ACC-21 all of them are ordinary fields of the account: who may read them depends on rights, and on no view', async () => {
    const account = await TestAccount.create(server);
    const group = await account.group('Team');
    const user = await account.user('hand', [group]);
    const SETTINGS = `{ account {
      userFieldNames ewonFieldNames slots { total reservations { count } } features { importTarget }
      autoRegistration { enabled registrationKey } apiTokens { totalCount } m2uLinks { totalCount }
      geolocationEnabled remoteManagement brandingFiles { name } portalOrigins contacts { totalCount }
    } }`;
    for (const client of ['ECATCHER', 'ECATCHER_MOBILE', 'M2WEB']) {
      const admin = await logIn(server, account.name, 'admin', ADMIN_PASSWORD, client);
      expect((await admin.api.run(SETTINGS)).account, client).toEqual({
        userFieldNames: ['Custom field 1', 'Custom field 2', 'Custom field 3'],
        ewonFieldNames: ['Custom field 1', 'Custom field 2', 'Custom field 3'],
        slots: { total: 3, reservations: [] },
        features: { importTarget: true },
        autoRegistration: { enabled: true, registrationKey: expect.any(String) },
        ...{ apiTokens: { totalCount: 0 }, m2uLinks: { totalCount: 0 }, contacts: { totalCount: 1 } },
        ...{ geolocationEnabled: true, remoteManagement: true, brandingFiles: [], portalOrigins: [] },
      });
    }
    const ADMINISTRATORS =
      '{ account { autoRegistration { enabled } m2uLinks { totalCount } geolocationEnabled remoteManagement brandingFiles { name } portalOrigins contacts { totalCount } } }';
    const { account: seen } = await user.api.run(ADMINISTRATORS);
    expect(Object.entries(seen).filter(([, value]) => value !== null)).toEqual([]);
  });
});

describe('plans', () => {
  it('ACC-04 ACC-10 each is a row of features and allowances that the account reads', async () => {
    const account = await TestAccount.create(server, 'LIGHT');
    const PLANS = `{ plans { plan selfService features { groups pools reservedConnections importTarget multipleConcurrentConnections requireTwoFactorForAll portalBranding reports }
      allowances { trafficBytes sms dataPoints apiCallsPerDay concurrentConnections monthlyFee { amount currency } } }
      account { plan features { reports groups } allowances { sms } } }`;
    const { plans, account: own } = await account.admin.api.run(PLANS);
    expect(plans.map(({ plan }: Json) => plan)).toEqual(['FREE', 'LIGHT', 'PRO']);
    const { limits } = server.config;
    for (const { plan, allowances } of plans as { plan: 'FREE' | 'LIGHT' | 'PRO'; allowances: Json }[])
      expect(allowances).toEqual({
        trafficBytes: limits[`TRAFFIC_INCLUDED_MB_${plan}`] * 1_000_000,
        sms: limits[`SMS_INCLUDED_${plan}`],
        dataPoints: limits[`DATA_POINTS_INCLUDED_${plan}`],
        apiCallsPerDay: limits[`API_CALLS_PER_DAY_${plan}`],
        concurrentConnections: limits[`SLOTS_BASE_${plan}`],
        monthlyFee: {
          amount: ((plan === 'FREE' ? 0 : limits[`PLAN_FEE_CENTS_${plan}`]) / 100).toFixed(2),
          currency: 'EUR',
        },
      });
    const [free, light, pro] = plans;
    expect(Object.values(free.features)).toEqual(Array(8).fill(false));
    expect(Object.values(pro.features)).toEqual(Array(8).fill(true));
    expect(light.selfService).toBe(false);
    expect(own).toEqual({
      plan: 'LIGHT',
      features: { reports: light.features.reports, groups: light.features.groups },
      allowances: { sms: light.allowances.sms },
    });
  });

  it('ACC-13 ACC-15 an Administrator starts PRO: the first time as a trial, which keeps everything; later it is paid and acknowledged', async () => {
    const account = await TestAccount.create(server, 'FREE');
    const user = await account.user('hand');
    const ewon = await account.ewon({ name: 'Machine' });
    const { planOffer } = await account.admin.api.run(
      '{ planOffer(plan: PRO) { from trialUntil downgrade monthlyFee { amount } losses { groups firewallsRaised } } }',
    );
    const now = server.clock.now();
    const end = addMonths(now, 3);
    const endsAt = new Date(end.getTime() - (end.getTime() % DAY_MS)).toISOString();
    expect(planOffer).toEqual({
      ...{ from: 'FREE', trialUntil: endsAt, downgrade: false },
      ...{ monthlyFee: { amount: '75.00' }, losses: { groups: 0, firewallsRaised: 0 } },
    });
    expect(await changePlan(user, { plan: 'PRO' })).toMatchObject({ code: 'FORBIDDEN' });
    expect((await changePlan(account.admin, { plan: 'PRO' })).account).toEqual({
      plan: 'PRO',
      trial: { startedAt: expect.any(String), endsAt },
    });
    expect(codes(await account.log({}, 3))).toEqual(expect.arrayContaining(['TRIAL_STARTED', 'PLAN_CHANGED']));
    const SEES = '{ users { totalCount } ewons { nodes { name viewerCan } } }';
    expect(await account.admin.api.run(SEES)).toMatchObject({
      users: { totalCount: 2 },
      ewons: { nodes: [{ name: 'Machine' }] },
    });
    expect((await user.api.run(SEES)).ewons.nodes[0].viewerCan).toContain('CONNECT_ECATCHER');

    // Given up before its end: there is none a second time.
    expect((await changePlan(account.admin, { plan: 'FREE', confirm: true })).account.trial.endsAt).toBeNull();
    expect(await server.app.platform.db.dueWork.count({ where: { kind: 'TRIAL_END', accountId: account.id } })).toBe(0);
    expect(await changePlan(account.admin, { plan: 'PRO' })).toMatchObject({
      code: 'ACKNOWLEDGEMENT_REQUIRED',
      path: ['acknowledgeContractChange'],
    });
    expect((await row(account)).plan).toBe('FREE');
    expect((await changePlan(account.admin, { plan: 'PRO', acknowledgeContractChange: true })).account).toMatchObject({
      plan: 'PRO',
      trial: { endsAt: null },
    });
    expect(ewon.id).toBeTruthy();
  });

  it('ACC-13 of five who start PRO at once one starts the trial; the rest find it done', async () => {
    const account = await TestAccount.create(server, 'FREE');
    const answers = await Promise.all(Array.from({ length: 5 }, () => changePlan(account.admin, { plan: 'PRO' })));
    expect(answers.map(({ account: after }) => after?.plan)).toEqual(Array(5).fill('PRO'));
    expect(await account.log({ codes: ['TRIAL_STARTED', 'PLAN_CHANGED'] })).toHaveLength(2);
  });

  it('ACC-14 LIGHT is not self-service; whoever has it may leave it', async () => {
    const account = await TestAccount.create(server, 'PRO');
    expect(await changePlan(account.admin, { plan: 'LIGHT', confirm: true })).toMatchObject({
      code: 'PLAN_NOT_SELF_SERVICE',
    });
    expect(
      codes(
        (await account.admin.api.send('{ planOffer(plan: LIGHT) { plan } }')).errors?.map(
          ({ extensions }: Json) => extensions,
        ) ?? [],
      ),
    ).toEqual(['PLAN_NOT_SELF_SERVICE']);
    expect((await row(account)).plan).toBe('PRO');
    const light = await TestAccount.create(server, 'LIGHT');
    expect((await changePlan(light.admin, { plan: 'LIGHT' })).account.plan).toBe('LIGHT');
    expect((await changePlan(light.admin, { plan: 'FREE', confirm: true })).account.plan).toBe('FREE');
  });

  it('ACC-16 a trial without credit falls back to FREE at its end, at 00:00 UTC; one with credit goes on', async () => {
    const [poor, rich, late] = await Promise.all(
      ['FREE', 'FREE', 'FREE'].map(() => TestAccount.create(server, 'FREE')),
    );
    if (!poor || !rich || !late) throw new Error('There are three.');
    // Credit from before the trial is none that was added in it.
    const credit = (account: TestAccount) =>
      inAccount(server.app.platform, account.id, async ({ tx, now, accountId }) => {
        await tx.ledgerEntry.create({
          data: { accountId, at: now, kind: 'CREDIT', amount: '50.00', description: 'Paid' },
        });
      });
    await credit(late);
    server.clock.advance(1000);
    for (const account of [poor, rich, late]) await changePlan(account.admin, { plan: 'PRO' });
    await credit(rich);
    const { trialEndsAt } = await row(poor);
    if (!trialEndsAt) throw new Error('There is a trial.');
    expect(trialEndsAt.getTime() % DAY_MS).toBe(0);
    await advance(new Date(trialEndsAt.getTime() - 1000));
    expect((await row(poor)).plan).toBe('PRO');
    await advance(trialEndsAt);
    expect(await row(poor)).toMatchObject({ plan: 'FREE', trialEndsAt: null, concurrentConnections: 1 });
    expect(await row(late)).toMatchObject({ plan: 'FREE' });
    expect(await row(rich)).toMatchObject({ plan: 'PRO', trialEndsAt: null });
    const admin = await logIn(server, poor.name, 'admin', ADMIN_PASSWORD);
    const { logEntries } = await admin.api.run(
      '{ logEntries(filter: { codes: [TRIAL_ENDED, PLAN_CHANGED] }) { nodes { text trigger } } }',
    );
    expect(logEntries.nodes.slice(0, 2)).toEqual([
      { text: 'Plan changed from PRO to FREE', trigger: 'PLATFORM' },
      { text: 'Free trial of PRO ended: no credit was added, the account is on FREE', trigger: 'PLATFORM' },
    ]);
  });
});

describe('a downgrade', () => {
  it('ACC-17 ACC-18 ACC-19 ACC-20 while sessions are open tells first what it takes, then takes it, cuts no live connection but of those who lose their access, and refunds nothing', async () => {
    const account = await TestAccount.create(server, 'PRO');
    const { admin } = account;
    const pool = await account.pool('North');
    const group = await account.group('Team', [{ poolId: pool, connectEcatcher: true }]);
    const expiresAt = new Date(server.clock.now().getTime() + 30 * DAY_MS).toISOString();
    const temporary = await account.user('guest', [group], { expiresAt });
    const lasting = await account.user('hand', [group]);
    const [one, two] = await Promise.all([
      account.onlineEwon({ name: 'One', poolIds: [pool] }),
      account.onlineEwon({ name: 'Two', poolIds: [pool] }),
    ]);
    await account.setSlots(4);
    await admin.api.succeed(
      'mutation ($groupId: ID!) { setReservations(input: { reservations: [{ groupId: $groupId, count: 2 }] }) { __typename ... on Error { code message } } }',
      { groupId: group },
    );
    await admin.api.succeed(
      'mutation ($poolId: ID!) { createApiToken(input: { name: "app", poolId: $poolId }) { __typename ... on Error { code message } } }',
      { poolId: pool },
    );
    const { db } = server.app.platform;
    await inAccount(server.app.platform, account.id, async ({ tx, now, accountId }) => {
      await tx.ledgerEntry.create({
        data: { accountId, at: now, kind: 'CREDIT', amount: '50.00', description: 'Paid' },
      });
    });
    const cut = (await openSession(temporary, one.id)).session;
    const goesOn = (await openSession(lasting, two.id)).session;

    const { planOffer } = await admin.api.run(
      '{ planOffer(plan: FREE) { downgrade losses { groups pools reservations tokensWidened usersDisabled firewallsRaised connections } } }',
    );
    expect(planOffer).toEqual({
      downgrade: true,
      losses: {
        ...{ groups: 1, pools: 1, reservations: 2, tokensWidened: 1, usersDisabled: 1, firewallsRaised: 2 },
        connections: 3,
      },
    });
    expect(await changePlan(admin, { plan: 'FREE' })).toMatchObject({
      ...{ code: 'CONFIRMATION_REQUIRED', path: ['confirm'], sessions: [{ id: cut.id }] },
    });
    expect(await db.pool.count({ where: { accountId: account.id } }), 'nothing was done').toBe(2);
    expect(await changePlan(lasting, { plan: 'FREE', confirm: true })).toMatchObject({ code: 'FORBIDDEN' });

    expect((await changePlan(admin, { plan: 'FREE', confirm: true })).account.plan).toBe('FREE');
    const { sessions } = await admin.api.run('{ sessions { nodes { id state closeReason } } }');
    expect(sessions.nodes).toEqual(
      expect.arrayContaining([
        { id: goesOn.id, state: 'OPEN', closeReason: null },
        { id: cut.id, state: 'CLOSED', closeReason: 'USER_DISABLED' },
      ]),
    );
    const gone = await account.log({ codes: ['GROUP_DELETED', 'POOL_DELETED'] });
    expect(gone.map(({ text }) => text).toSorted(), 'the log tells what is gone').toEqual([
      'Group Team deleted',
      'Pool North deleted',
    ]);
    expect(await row(account)).toMatchObject({ concurrentConnections: 1 });
    expect(await db.slot.count({ where: { accountId: account.id, groupId: { not: null } } })).toBe(0);
    expect(await db.ewon.count({ where: { accountId: account.id, firewallLevel: 'HIGH' } })).toBe(2);
    expect(await db.apiToken.findFirst({ where: { accountId: account.id } })).toMatchObject({ poolId: null });
    expect((await lasting.api.run('{ ewons { totalCount } }')).ewons.totalCount, 'every user reaches every Ewon').toBe(
      2,
    );
    const ledger = await db.ledgerEntry.findMany({ where: { accountId: account.id }, orderBy: { id: 'asc' } });
    const { PLAN_FEE_CENTS_PRO, SLOT_PRICE_CENTS } = server.config.limits;
    expect(
      ledger.map(({ amount }) => amount.toFixed(2)),
      'nothing is refunded, and what the plan cost this month is taken with it',
    ).toEqual(['50.00', (-PLAN_FEE_CENTS_PRO / 100).toFixed(2), (-SLOT_PRICE_CENTS / 100).toFixed(2)]);
    // Repeated, it changes nothing.
    const entries = await account.log();
    expect((await changePlan(admin, { plan: 'FREE' })).account.plan).toBe('FREE');
    expect(await account.log()).toHaveLength(entries.length);
    await Promise.all([one.device.disconnect(), two.device.disconnect()]);
  });
});
