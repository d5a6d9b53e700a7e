import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Payments } from '../../src/billing/payments.ts';
import { chargeSms } from '../../src/billing/sms.ts';
import { inAccount } from '../../src/log/write.ts';
import { queueMessage } from '../../src/messages/queue.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, type Person, TestAccount } from '../support/world.ts';

const OPERATOR_TOKEN = 'operator-token-0123456789-abcdefghij';
const ENV = {
  OPERATOR_TOKEN,
  SMS_PACKAGES: '100:1200,20:300',
  SMS_INCLUDED_PRO: '2',
  SMS_PRICE_CENTS: '15',
  PLAN_FEE_CENTS_PRO: '7500',
  SLOT_PRICE_CENTS: '5000',
};
const ERROR = '... on Error { code message path } ... on ValidationError { inputViolations { path } }';

let server: TestServer;
let account: TestAccount;
beforeAll(async () => {
  server = await startServer({ env: ENV });
  account = await TestAccount.create(server);
});
afterAll(() => server.close());

const buy = (person: Pick<Person, 'api'>, input: object = {}): Promise<Json> =>
  person.api.mutate(
    `mutation ($input: BuySmsPackageInput!) { buySmsPackage(input: $input) { __typename
      ... on BuySmsPackageSuccess { account { credit { amount currency } contract { smsUnitsLeft } } } ${ERROR} } }`,
    { input: { units: 20, acknowledgedPrice: '3.00', idempotencyKey: randomUUID(), ...input } },
  );
const pay = (person: Pick<Person, 'api'>, amount: string, idempotencyKey: string = randomUUID()): Promise<Json> =>
  person.api.mutate(
    `mutation ($input: PayCreditInput!) { payCredit(input: $input) { __typename
      ... on PayCreditSuccess { account { credit { amount currency } } } ${ERROR} } }`,
    { input: { amount, idempotencyKey } },
  );
const ledgerOf = async ({ admin }: TestAccount, args = ''): Promise<[string, string][]> =>
  (await admin.api.run(`{ account { ledger${args} { nodes { kind amount { amount } } } } }`)).account.ledger.nodes.map(
    ({ kind, amount }: Json) => [kind, amount.amount],
  );
const creditOf = async ({ admin }: TestAccount): Promise<string> =>
  (await admin.api.run('{ account { credit { amount } } }')).account.credit.amount;

/** A text message of the account to a device, as a wake-up is. */
const sendText = (of: TestAccount, parts = 1): Promise<string> =>
  inAccount(server.app.platform, of.id, async (work) => {
    const id = randomUUID();
    const charge = await chargeSms(server.app.platform, work, 'wake-up of DEV1', parts);
    await queueMessage(server.app.platform, work, {
      ...{ id, channel: 'SMS', template: 'WAKE_UP', recipient: '+32470123456', userId: null, charge },
      params: { reference: 'DEV1' },
      expiresAt: new Date(work.now.getTime() + 60_000),
    });
    return id;
  });
const smsOf = async ({ admin }: TestAccount): Promise<{ sms: number; units: number; credit: string }> => {
  const { usage, contract, credit } = (
    await admin.api.run('{ account { usage { sms } contract { smsUnitsLeft } credit { amount } } }')
  ).account;
  return { sms: usage.sms, units: contract.smsUnitsLeft, credit: credit.amount };
};

describe('what an Administrator reads', () => {
  const CONTRACT = `{ account {
    credit { amount currency } smsPackages { units price { amount } } ledger { totalCount }
    contract { plan monthlyFee { amount } trialEndsAt includedTrafficBytes gigabytePrice { amount } includedDataPoints
      millionDataPointsPrice { amount } includedSms smsPrice { amount } smsUnitsLeft mailPrice { amount }
      connectionPrice { amount currency } concurrentConnections { now thisMonth included } }
    usage { month from to trafficBytes includedTrafficBytes sms includedSms mails dataPoints includedDataPoints peakConnections
      charges { kind quantity unitPrice { amount } amount { amount } } } } }`;

  it('BIL-01 BIL-02 BIL-03 BIL-04 BIL-15 BIL-17 credit, contract, prices and what was used so far', async () => {
    const { limits } = server.config;
    const euros = (cents: number) => (cents / 100).toFixed(2);
    const [pro, light] = [account, await TestAccount.create(server, 'LIGHT')];
    const { platform } = server.app;
    const month = server.clock.now().toISOString().slice(0, 7);
    const gigabytes = limits.TRAFFIC_INCLUDED_MB_PRO * 1e6 + 2.5e9;
    await platform.db.usage.create({
      data: { accountId: pro.id, month, bytes: gigabytes, mails: 3, dataPoints: 3_000_000_000n },
    });
    const { contract, usage, ...rest } = (await pro.admin.api.run(CONTRACT)).account;
    expect(rest).toEqual({
      credit: { amount: '0.00', currency: 'EUR' },
      ledger: { totalCount: 0 },
      smsPackages: [
        { units: 20, price: { amount: '3.00' } },
        { units: 100, price: { amount: '12.00' } },
      ],
    });
    expect(contract).toEqual({
      plan: 'PRO',
      monthlyFee: { amount: '75.00' },
      trialEndsAt: null,
      includedTrafficBytes: limits.TRAFFIC_INCLUDED_MB_PRO * 1e6,
      gigabytePrice: { amount: euros(limits.TRAFFIC_GB_PRICE_CENTS) },
      includedDataPoints: limits.DATA_POINTS_INCLUDED_PRO,
      millionDataPointsPrice: { amount: euros(limits.DATA_POINTS_MILLION_PRICE_CENTS) },
      includedSms: 2,
      smsPrice: { amount: '0.15' },
      smsUnitsLeft: 0,
      mailPrice: { amount: euros(limits.MAIL_PRICE_CENTS) },
      connectionPrice: { amount: '50.00', currency: 'EUR' },
      concurrentConnections: { now: 3, thisMonth: 3, included: 3 },
    });
    const created = await platform.db.account.findUniqueOrThrow({ where: { id: pro.id } });
    expect(usage).toMatchObject({
      ...{ month, from: created.createdAt.toISOString(), trafficBytes: gigabytes, sms: 0, mails: 3 },
      ...{ dataPoints: 3_000_000_000, includedSms: 2, peakConnections: 0 },
      includedTrafficBytes: limits.TRAFFIC_INCLUDED_MB_PRO * 1e6,
      includedDataPoints: limits.DATA_POINTS_INCLUDED_PRO,
    });
    expect(usage.to).toMatch(/^\d{4}-\d{2}-01T00:00:00.000Z$/);
    expect(usage.charges).toEqual([
      { kind: 'MONTHLY_FEE', quantity: 1, unitPrice: { amount: '75.00' }, amount: { amount: '75.00' } },
      {
        ...{ kind: 'TRAFFIC', quantity: 2, unitPrice: { amount: euros(limits.TRAFFIC_GB_PRICE_CENTS) } },
        amount: { amount: euros(2 * limits.TRAFFIC_GB_PRICE_CENTS) },
      },
      {
        ...{
          kind: 'DATA_POINTS',
          quantity: 2995,
          unitPrice: { amount: euros(limits.DATA_POINTS_MILLION_PRICE_CENTS) },
        },
        amount: { amount: euros(2995 * limits.DATA_POINTS_MILLION_PRICE_CENTS) },
      },
    ]);
    await pay(light.admin, '12.50');
    const other = (await light.admin.api.run(CONTRACT)).account;
    expect(other).toMatchObject({ credit: { amount: '12.50' }, ledger: { totalCount: 1 } });
    expect(other.contract).toMatchObject({
      plan: 'LIGHT',
      monthlyFee: { amount: euros(limits.PLAN_FEE_CENTS_LIGHT) },
      includedTrafficBytes: limits.TRAFFIC_INCLUDED_MB_LIGHT * 1e6,
      includedDataPoints: limits.DATA_POINTS_INCLUDED_LIGHT,
      includedSms: limits.SMS_INCLUDED_LIGHT,
    });
    expect(other.usage).toMatchObject({ trafficBytes: 0, dataPoints: 0 });
  });

  it('BIL-16 nobody else reads them, and nobody the movements of another account', async () => {
    const mine = await TestAccount.create(server);
    await pay(mine.admin, '1.00');
    const group = await mine.group('Users');
    const user = await mine.user('user', [group], {});
    const fields =
      'credit { amount } contract { plan } usage { month } smsPackages { units } ledger { nodes { id } totalCount }';
    expect((await user.api.run(`{ account { ${fields} } }`)).account).toEqual({
      ...{ credit: null, contract: null, usage: null, smsPackages: null, ledger: null },
    });
    const { ledger } = (await mine.admin.api.run(`{ account { ${fields} } }`)).account;
    expect(ledger).toMatchObject({ nodes: [{ id: expect.any(String) }], totalCount: 1 });
    const node = (by: Person) => by.api.run('query ($id: ID!) { node(id: $id) { id } }', { id: ledger.nodes[0].id });
    expect([(await node(mine.admin)).node, (await node(user)).node, (await node(account.admin)).node]).toEqual([
      ledger.nodes[0],
      null,
      null,
    ]);
    const refused = { code: 'FORBIDDEN' };
    expect([await buy(user), await pay(user, '1.00')]).toMatchObject([refused, refused]);
    expect(
      (await user.api.send('{ slotOffer(concurrentConnections: 4) { included } }')).errors?.[0]?.extensions,
    ).toMatchObject(refused);
    expect(await creditOf(mine)).toBe('1.00');
  });

  it('CON-14 BIL-02 BIL-14 what another number of connections costs; a scheduled decrease counts for the month it comes in', async () => {
    const mine = await TestAccount.create(server);
    const offer = 'slotOffer(concurrentConnections: 5) { monthlyPrice { amount currency } monthlyPriceCents }';
    expect((await mine.admin.api.run(`{ ${offer} }`)).slotOffer).toEqual({
      ...{ monthlyPrice: { amount: '100.00', currency: 'EUR' }, monthlyPriceCents: 10_000 },
    });
    await mine.setSlots(5);
    const read = async () => {
      const { contract, usage } = (
        await mine.admin.api.run(
          '{ account { contract { concurrentConnections { now thisMonth } } usage { to charges { kind amount { amount } } } } }',
        )
      ).account;
      return { ...contract.concurrentConnections, to: usage.to, charges: usage.charges };
    };
    const fee = { kind: 'MONTHLY_FEE', amount: { amount: '75.00' } };
    const two = { kind: 'CONNECTIONS', amount: { amount: '100.00' } };
    await mine.setSlots(3);
    const later = await read();
    expect(later).toMatchObject({ now: 5, thisMonth: 5, charges: [fee, two] });
    const move = (pendingSlotsAt: Date) =>
      server.app.platform.db.account.update({ where: { id: mine.id }, data: { pendingSlotsAt } });
    await move(new Date(Date.parse(later.to) - 1));
    expect(await read()).toMatchObject({ now: 5, thisMonth: 3, charges: [fee] });
    await move(new Date(later.to));
    expect(await read()).toMatchObject({ now: 5, thisMonth: 5, charges: [fee, two] });
  });
});

describe('the ledger', () => {
  it('BIL-15 is every movement, exact, whose sum is the credit; newest first, by kind, in pages', async () => {
    const mine = await TestAccount.create(server);
    for (let index = 0; index < 3; index += 1) await pay(mine.admin, '0.10');
    await buy(mine.admin);
    expect(await ledgerOf(mine)).toEqual([
      ['SMS_PACKAGE', '-3.00'],
      ['PAYMENT', '3.00'],
      ['PAYMENT', '0.10'],
      ['PAYMENT', '0.10'],
      ['PAYMENT', '0.10'],
    ]);
    expect(await creditOf(mine)).toBe('0.30');
    expect(await ledgerOf(mine, '(filter: { kind: [SMS_PACKAGE] })')).toEqual([['SMS_PACKAGE', '-3.00']]);
    expect(await ledgerOf(mine, '(filter: { search: "package" })')).toHaveLength(1);
    const page = (after: string) =>
      mine.admin.api.run(
        `{ account { ledger(first: 3, orderBy: [{ field: AT, direction: ASC }]${after}) { nodes { kind } pageInfo { hasNextPage endCursor } totalCount } } }`,
      );
    const one = (await page('')).account.ledger;
    const two = (await page(`, after: "${one.pageInfo.endCursor}"`)).account.ledger;
    expect([one, two]).toMatchObject([
      { nodes: [{}, {}, {}], pageInfo: { hasNextPage: true }, totalCount: 5 },
      { nodes: [{ kind: 'PAYMENT' }, { kind: 'SMS_PACKAGE' }], pageInfo: { hasNextPage: false } },
    ]);
  });

  it('BIL-15 the operator’s credit has a key with which it is added once', async () => {
    const mine = await TestAccount.create(server);
    const add = async (input: object): Promise<Json> => {
      const response = await fetch(`${server.url}/operator`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
        body: JSON.stringify({
          query: `mutation ($input: AddCreditInput!) { addCredit(input: $input) { __typename ... on AddCreditSuccess { account { creditCents currency } } ${ERROR} } }`,
          variables: { input: { account: mine.name, cents: 500, description: 'Invoice 7', ...input } },
        }),
      });
      return ((await response.json()) as Json).data.addCredit;
    };
    const five = { account: { creditCents: 500, currency: 'EUR' } };
    expect(await Promise.all([add({ key: 'invoice-7' }), add({ key: 'invoice-7' })])).toMatchObject([five, five]);
    for (const other of [{ cents: 501 }, { description: 'Invoice 8' }])
      expect(await add({ key: 'invoice-7', ...other })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await add({ key: '' })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await add({})).toMatchObject({ account: { creditCents: 1000 } });
    expect(await add({})).toMatchObject({ account: { creditCents: 1500 } });
    expect(await ledgerOf(mine)).toHaveLength(3);
  });
});

describe('payments', () => {
  let real: Payments | null;
  beforeAll(() => {
    real = server.app.platform.payments;
  });
  afterEach(() => {
    server.app.platform.payments = real;
  });

  it('BIL-05 BIL-15 a package of text messages is bought at the price that was read: a payment, the package, units and the log', async () => {
    const mine = await TestAccount.create(server);
    for (const [wrong, code] of [
      [{ acknowledgedPrice: '2.99' }, 'ACKNOWLEDGEMENT_REQUIRED'],
      [{ acknowledgedPrice: '-3.00' }, 'ACKNOWLEDGEMENT_REQUIRED'],
      [{ units: 21 }, 'VALIDATION_FAILED'],
      [{ idempotencyKey: '' }, 'VALIDATION_FAILED'],
    ] as const)
      expect(await buy(mine.admin, wrong), JSON.stringify(wrong)).toMatchObject({ code });
    expect(await ledgerOf(mine)).toEqual([]);
    expect(await buy(mine.admin)).toMatchObject({
      account: { credit: { amount: '0.00', currency: 'EUR' }, contract: { smsUnitsLeft: 20 } },
    });
    expect(await ledgerOf(mine)).toEqual([
      ['SMS_PACKAGE', '-3.00'],
      ['PAYMENT', '3.00'],
    ]);
    expect((await mine.log({ categories: ['BILLING'] })).map(({ text, trigger }) => `${trigger}: ${text}`)).toEqual([
      'USER: 20 text messages bought by admin for 3.00 EUR',
      'USER: Payment of 3.00 EUR by admin: 20 text messages',
    ]);
  });

  it('BIL-05 BIL-11 API-01 what is repeated under its key is paid once, also at once; another input is refused', async () => {
    const mine = await TestAccount.create(server);
    const orders: string[] = [];
    server.app.platform.payments = {
      pay: async ({ key }) => {
        orders.push(key);
        return { reference: key };
      },
    };
    const idempotencyKey = 'twice';
    const bought = { __typename: 'BuySmsPackageSuccess', account: { contract: { smsUnitsLeft: 20 } } };
    const both = await Promise.all([buy(mine.admin, { idempotencyKey }), buy(mine.admin, { idempotencyKey })]);
    expect(both).toMatchObject([bought, bought]);
    // The provider knows the key too, so what is asked twice is one payment.
    expect(new Set(orders).size).toBe(1);
    const before = orders.length;
    expect(await buy(mine.admin, { idempotencyKey })).toMatchObject(bought);
    expect(orders).toHaveLength(before);
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED' };
    expect(await buy(mine.admin, { idempotencyKey, units: 100, acknowledgedPrice: '12.00' })).toMatchObject(reused);
    expect(await pay(mine.admin, '3.00', idempotencyKey)).toMatchObject(reused);
    expect(await ledgerOf(mine)).toHaveLength(2);
    expect(await pay(mine.admin, '5.00', 'once')).toMatchObject({ account: { credit: { amount: '5.00' } } });
    expect(await pay(mine.admin, '5.00', 'once')).toMatchObject({ account: { credit: { amount: '5.00' } } });
    expect(await pay(mine.admin, '5.01', 'once')).toMatchObject(reused);
  });

  it('BIL-05 BIL-11 API-01 of two amounts at once under one key only one is paid', async () => {
    const mine = await TestAccount.create(server);
    const paid: number[] = [];
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED' };
    server.app.platform.payments = {
      pay: async ({ key, cents }) => {
        paid.push(cents);
        // While the provider takes its time the other one comes.
        if (paid.length === 1) expect(await pay(mine.admin, '7.00', 'same')).toMatchObject(reused);
        return { reference: key };
      },
    };
    expect(await pay(mine.admin, '5.00', 'same')).toMatchObject({ account: { credit: { amount: '5.00' } } });
    expect([paid, await creditOf(mine)]).toEqual([[500], '5.00']);
  });

  it('BIL-05 BIL-11 API-01 a key is known by the ledger for good: when its answer is forgotten, nothing is booked again', async () => {
    const mine = await TestAccount.create(server);
    const { config } = server;
    const orders: number[] = [];
    server.app.platform.payments = {
      pay: async ({ key, cents }) => {
        orders.push(cents);
        return { reference: key };
      },
    };
    const idempotencyKey = 'package';
    await buy(mine.admin, { idempotencyKey });
    await pay(mine.admin, '5.00', 'credit');
    await server.app.platform.db.storedResult.updateMany({
      data: { createdAt: new Date(server.clock.now().getTime() - config.limits.IDEMPOTENCY_HOURS * 3_600_000) },
    });
    expect(await buy(mine.admin, { idempotencyKey })).toMatchObject({ account: { contract: { smsUnitsLeft: 20 } } });
    expect(await pay(mine.admin, '5.00', 'credit')).toMatchObject({ account: { credit: { amount: '5.00' } } });
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED' };
    expect(await pay(mine.admin, '5.01', 'credit')).toMatchObject(reused);
    expect(await pay(mine.admin, '3.00', idempotencyKey), 'the same amount for something else').toMatchObject(reused);
    expect([orders, (await ledgerOf(mine)).length]).toEqual([[300, 500], 3]);
  });

  it('BIL-05 a package that was begun is given at the price that was read, also when the price has changed meanwhile', async () => {
    const mine = await TestAccount.create(server);
    server.app.platform.payments = { pay: () => Promise.reject(new Error('lost')) };
    const idempotencyKey = 'begun';
    await mine.admin.api.send(
      `mutation { buySmsPackage(input: { units: 20, acknowledgedPrice: "3.00", idempotencyKey: "${idempotencyKey}" }) { __typename } }`,
    );
    server.app.platform.payments = real;
    const { limits } = server.config;
    const before = limits.SMS_PACKAGES;
    limits.SMS_PACKAGES = '20:400';
    try {
      expect(await buy(mine.admin)).toMatchObject({ code: 'ACKNOWLEDGEMENT_REQUIRED' });
      expect(await buy(mine.admin, { idempotencyKey })).toMatchObject({ account: { contract: { smsUnitsLeft: 20 } } });
    } finally {
      limits.SMS_PACKAGES = before;
    }
  });

  it('BIL-05 a payment that fails, or cannot be made, books nothing; repeated it goes through', async () => {
    const mine = await TestAccount.create(server);
    server.app.platform.payments = null;
    const none = { code: 'PAYMENT_NOT_AVAILABLE' };
    expect([await buy(mine.admin), await pay(mine.admin, '1.00')]).toMatchObject([none, none]);
    server.app.platform.payments = { pay: () => Promise.reject(new Error('declined')) };
    const idempotencyKey = 'again';
    const failed = await mine.admin.api.send(
      `mutation { payCredit(input: { amount: "1.00", idempotencyKey: "${idempotencyKey}" }) { __typename } }`,
    );
    expect(failed.errors?.[0]?.extensions.code).toBe('INTERNAL_ERROR');
    expect(await ledgerOf(mine)).toEqual([]);
    server.app.platform.payments = real;
    expect(await pay(mine.admin, '1.00', idempotencyKey)).toMatchObject({ account: { credit: { amount: '1.00' } } });
  });

  it('BIL-05 BIL-16 what was paid is booked, though who paid has lost his rights meanwhile; he pays nothing more', async () => {
    const mine = await TestAccount.create(server);
    const group = await mine.group('Users');
    const { groups } = await mine.admin.api.run('{ groups { nodes { id name } } }');
    const administrators = groups.nodes.find(({ name }: Json) => name === 'Administrators').id;
    const deputy = await mine.user('deputy', [administrators, group]);
    server.app.platform.payments = {
      pay: async () => {
        await mine.admin.api.succeed(
          'mutation ($input: GroupMembersInput!) { removeGroupMembers(input: $input) { __typename ... on Error { code message } } }',
          { input: { groupId: administrators, userIds: [deputy.id] } },
        );
        return { reference: 'late' };
      },
    };
    await pay(deputy, '2.00');
    expect(await creditOf(mine)).toBe('2.00');
    expect(await pay(deputy, '2.00')).toMatchObject({ code: 'FORBIDDEN' });
    expect(await creditOf(mine)).toBe('2.00');
  });

  it('BIL-15 an amount has at most two decimals and is from 0.01 to 100000.00', async () => {
    for (const amount of ['0.00', '0', '-1.00', '100000.01'])
      expect(await pay(account.admin, amount), amount).toMatchObject({ code: 'VALIDATION_FAILED', path: ['amount'] });
    const wrong = await account.admin.api.send(
      'mutation { payCredit(input: { amount: "1.005", idempotencyKey: "x" }) { __typename } }',
    );
    expect(wrong.errors?.[0]?.message).toContain('Decimal');
    expect((await pay(account.admin, '100000.00')).__typename).toBe('PayCreditSuccess');
  });
});

describe('text messages', () => {
  it('BIL-05 WAK-07 take the allowance, then what was bought, then the credit; and are refused without changing anything', async () => {
    const mine = await TestAccount.create(server);
    await buy(mine.admin);
    await sendText(mine);
    expect(await smsOf(mine)).toEqual({ sms: 1, units: 20, credit: '0.00' });
    await sendText(mine, 3);
    expect(await smsOf(mine)).toEqual({ sms: 4, units: 18, credit: '0.00' });
    await pay(mine.admin, '0.31');
    await expect(sendText(mine, 21)).rejects.toMatchObject({ code: 'INSUFFICIENT_CREDIT' });
    expect(await smsOf(mine)).toEqual({ sms: 4, units: 18, credit: '0.31' });
    await sendText(mine, 20);
    expect(await smsOf(mine)).toEqual({ sms: 24, units: 0, credit: '0.01' });
  });

  it('BIL-05 WAK-07 give back what they took when they are given up, once', async () => {
    const mine = await TestAccount.create(server);
    await buy(mine.admin);
    await pay(mine.admin, '1.00');
    // Of the allowance; of allowance, package and credit; of the credit.
    await sendText(mine);
    await sendText(mine, 23);
    await sendText(mine);
    expect(await smsOf(mine)).toEqual({ sms: 25, units: 0, credit: '0.55' });
    server.clock.advance(61_000);
    await server.app.jobs.run();
    await server.app.jobs.run();
    expect(await smsOf(mine)).toEqual({ sms: 0, units: 20, credit: '1.00' });
    expect((await ledgerOf(mine, '(filter: { kind: [SMS] })')).map(([, amount]) => amount).sort()).toEqual([
      '-0.15',
      '-0.30',
      '0.15',
      '0.30',
    ]);
    const texts = (await mine.log({ codes: ['SMS_REFUNDED'] })).map(({ text }) => text).sort();
    expect(texts).toEqual([
      'Text message not sent, given back: 0 bought ones and 0.15 EUR (wake-up of DEV1)',
      'Text message not sent, given back: 20 bought ones and 0.30 EUR (wake-up of DEV1)',
    ]);
    // The allowance is whole again: two go free.
    await sendText(mine, 2);
    expect(await smsOf(mine)).toEqual({ sms: 2, units: 20, credit: '1.00' });
  });

  it('BIL-05 WAK-07 one of the allowance that comes back pays for the next, whatever others took beside it', async () => {
    const mine = await TestAccount.create(server);
    await pay(mine.admin, '0.30');
    await sendText(mine, 2);
    const db = server.app.platform.db;
    await db.message.updateMany({ where: { accountId: mine.id }, data: { expiresAt: server.clock.now() } });
    await sendText(mine);
    expect(await smsOf(mine)).toEqual({ sms: 3, units: 0, credit: '0.15' });
    server.clock.advance(1000);
    await server.app.jobs.run();
    expect(await smsOf(mine)).toEqual({ sms: 1, units: 0, credit: '0.15' });
    await sendText(mine, 2);
    expect(await smsOf(mine)).toEqual({ sms: 3, units: 0, credit: '0.15' });
  });
});

onPostgres('On PostgreSQL', () => {
  it('BIL-05 API-01 of twenty at once under one key, from two instances, one is booked', async () => {
    const one = await startServer({ env: ENV, database: 'postgresql' });
    const two = await startServer({ env: ENV, databaseUrl: one.databaseUrl, clock: one.clock });
    try {
      const mine = await TestAccount.create(one);
      const token = (await logIn(one, mine.name, 'admin', ADMIN_PASSWORD)).api.token;
      const callers = [one, two].map(({ url }) => ({ api: new ApiCaller(url, token) }));
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => buy(callers[index % 2] as Person, { idempotencyKey: 'race' })),
      );
      expect(new Set(answers.map(({ __typename }) => __typename))).toEqual(new Set(['BuySmsPackageSuccess']));
      expect(await ledgerOf(mine)).toHaveLength(2);
      expect((await mine.admin.api.run('{ account { contract { smsUnitsLeft } } }')).account.contract).toEqual({
        smsUnitsLeft: 20,
      });
    } finally {
      await two.close();
      await one.close();
    }
  });
});
