import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeDataPoints } from '../../src/data-mailbox/store.ts';
import { applyPresence } from '../../src/ewons/presence.ts';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { type ApiCaller, eventually, type Json } from '../support/client.ts';
import { eachDatabase, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, openSession, type Person, TestAccount, USER_PASSWORD } from '../support/world.ts';

const ITEMS =
  'sourceName state startedAt notListed counts { waiting imported skipped failed } pool { name } ewons(first: 50) { nodes { reference name serialNumber outcome reason newName ewon { id name } } totalCount }';
const PREVIEW = `mutation ($input: PreviewImportInput!) {
  previewImport(input: $input) {
    __typename
    ... on PreviewImportSuccess { ticket import { id ${ITEMS} } }
    ... on Error { code path }
  }
}`;
const IMPORT = `mutation ($input: ImportEwonsInput!) {
  importEwons(input: $input) {
    __typename
    ... on ImportEwonsSuccess { import { id ${ITEMS} } }
    ... on Error { code path }
  }
}`;
const MINUTE = 60_000;

let server: TestServer;
/** The destination of most tests, on PRO. */
let target: TestAccount;
const db = () => server.app.platform.db;
const key = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';
const source = (plan: 'FREE' | 'PRO' = 'FREE') => TestAccount.create(server, plan);
const credentials = (of: TestAccount, more: object = {}) => ({
  ...{ account: of.name, username: 'admin', password: ADMIN_PASSWORD },
  ...more,
});
const preview = (from: TestAccount, api: ApiCaller = target.admin.api, more: object = {}): Promise<Json> =>
  api.mutate(PREVIEW, { input: credentials(from, more) });
const doImport = (ticket: string, more: object = {}, api: ApiCaller = target.admin.api): Promise<Json> =>
  api.mutate(IMPORT, { input: { ticket, pool: { poolId: defaultPool }, confirm: true, ...more } });
let defaultPool: string;

let serials = 0;
/** Ewons of an account as registered devices leave them, active and with a serial number; there is no device behind them. */
async function fleet(of: TestAccount, ...names: string[]): Promise<{ id: string; serialNumber: string }[]> {
  const { db: database } = of.server.app.platform;
  const pool = await database.pool.findFirstOrThrow({ where: { accountId: of.id, isDefault: true } });
  const ewons = [];
  for (const name of names) {
    serials += 1;
    const serialNumber = `7${String(serials).padStart(3, '0')}-0001-25`;
    const { id } = await database.ewon.create({
      data: {
        ...{ accountId: of.id, name, nameKey: name.toLowerCase(), serialNumber, createdAt: of.server.clock.now() },
        ...{ registrationStatus: 'ACTIVE', pools: { create: { poolId: pool.id } } },
      },
    });
    ewons.push({ id: encodeGlobalId('Ewon', id), serialNumber });
  }
  return ewons;
}
const setUser = (person: Person, data: object) => db().user.update({ where: { id: key(person.id) }, data });
const ewonNames = async (of: TestAccount): Promise<string[]> =>
  (await of.admin.api.run('{ ewons { nodes { name } } }')).ewons.nodes.map(({ name }: Json) => name).sort();

beforeAll(async () => {
  server = await startServer();
  target = await TestAccount.create(server);
  defaultPool = await target.defaultPool();
});
afterAll(() => server.close());

describe('the list', () => {
  it('IMP-01 IMP-03 IMP-04 IMP-07 names every Ewon before anything happens, importable or skipped with the reason', async () => {
    const from = await source();
    const [ready] = await fleet(from, 'Ready');
    await from.admin.api.succeed(
      'mutation { createEwon(input: { name: "No device" }) { __typename ... on Error { message } } }',
    );
    const waiting = await from.device();
    await waiting.register({ registrationKey: await from.registrationKey() });
    const [bare] = await fleet(from, 'Bare');
    await db().ewon.update({ where: { id: key(bare?.id ?? '') }, data: { serialNumber: null } });

    const result = await preview(from);
    expect(result).toMatchObject({
      __typename: 'PreviewImportSuccess',
      ticket: expect.stringMatching(/^[\w-]{43}$/),
      import: {
        ...{ sourceName: from.name, state: 'LISTED', startedAt: null, notListed: 0, pool: null },
        counts: { waiting: 1, imported: 0, skipped: 3, failed: 0 },
      },
    });
    const { nodes } = result.import.ewons;
    expect(nodes.map(({ name, outcome, reason }: Json) => [name, outcome, reason])).toEqual([
      ['Ready', 'WAITING', null],
      ['No device', 'SKIPPED', 'NOT_ACTIVE'],
      [`Ewon ${waiting.serialNumber}`, 'SKIPPED', 'NOT_ACTIVE'],
      ['Bare', 'SKIPPED', 'NO_SERIAL_NUMBER'],
    ]);
    expect(nodes[0]).toMatchObject({ serialNumber: ready?.serialNumber, newName: null, ewon: null });
    expect(await ewonNames(from)).toHaveLength(4);
    expect((await from.log())[0]).toMatchObject({
      ...{ code: 'IMPORT_LISTED', category: 'SECURITY', userName: 'admin' },
      text: `Ewons listed for import into account [${target.name}] under the login of admin`,
    });

    const done = await doImport(result.ticket);
    expect(done.import.counts).toEqual({ waiting: 0, imported: 1, skipped: 3, failed: 0 });
    expect(await ewonNames(from)).toEqual(['Bare', `Ewon ${waiting.serialNumber}`, 'No device'].sort());
  });

  it('IMP-16 IMP-01 is for Administrators of a destination on PRO, and of another account', async () => {
    const from = await source();
    const user = await target.user('importer', [await target.group('Importers')]);
    expect(await preview(from, user.api)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await preview(from, (await source()).admin.api)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    expect(await preview(target)).toMatchObject({ code: 'ACCOUNT_IS_SOURCE', path: ['account'] });
    expect(await preview(target, undefined, { account: target.name.toUpperCase() })).toMatchObject({
      code: 'ACCOUNT_IS_SOURCE',
    });
    expect(await preview(await source('PRO'))).toMatchObject({ __typename: 'PreviewImportSuccess' });
  });

  it('IMP-02 AUTH-04 AUTH-07 checks the credentials as a login does: one answer, one slow hash, and the lock', async () => {
    const from = await source();
    const verify = vi.spyOn(server.app.platform.passwords, 'verify');
    const wrong = [{ account: 'nobody-has-it' }, { username: 'nobody' }, { password: 'wrong' }];
    for (const more of wrong) {
      verify.mockClear();
      expect(await preview(from, undefined, more)).toEqual({
        __typename: 'InvalidCredentialsError',
        ...{ code: 'INVALID_CREDENTIALS', path: null },
      });
      expect(verify).toHaveBeenCalledTimes(1);
    }
    verify.mockRestore();
    for (let attempt = 0; attempt < 9; attempt++) await preview(from, undefined, { password: 'wrong' });
    expect((await preview(from)).code).toBe('INVALID_CREDENTIALS');
    expect((await from.log()).map(({ code }) => code)).toContain('LOGIN_LOCKED');
    server.clock.advance(15 * MINUTE);
    await server.app.jobs.run();
    target = await again(target);
    expect((await preview(from)).__typename).toBe('PreviewImportSuccess');
  });

  it('IMP-02 refuses the right credentials of somebody who is no Administrator', async () => {
    const from = await source('PRO');
    await from.user('worker', [await from.group('Workers')]);
    expect(await preview(from, undefined, { username: 'worker', password: USER_PASSWORD })).toMatchObject({
      code: 'FORBIDDEN',
    });
    // Nor does he learn whether the account enforces two-factor.
    await db().account.update({ where: { id: from.id }, data: { twoFactorRequired: true } });
    expect(await preview(from, undefined, { username: 'worker', password: USER_PASSWORD })).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('IMP-12 refuses a source that requires two-factor, or whose Administrator has it, until it is ended there', async () => {
    const from = await source('PRO');
    const set = (data: object) => db().account.update({ where: { id: from.id }, data });
    await set({ twoFactorRequired: true });
    expect(await preview(from)).toMatchObject({ code: 'SOURCE_REQUIRES_TWO_FACTOR' });
    await set({ twoFactorRequired: false });
    for (const state of ['ENABLED', 'PENDING_ENROLMENT']) {
      await setUser(from.admin, { secondFactorState: state, secondFactorMethod: 'EMAIL' });
      expect(await preview(from), state).toMatchObject({ code: 'SOURCE_REQUIRES_TWO_FACTOR' });
    }
    await setUser(from.admin, { secondFactorState: 'DISABLED', secondFactorMethod: null });
    expect(await preview(from)).toMatchObject({ __typename: 'PreviewImportSuccess' });
    await setUser(from.admin, { mustChangePassword: true });
    expect(await preview(from)).toMatchObject({ code: 'PASSWORD_CHANGE_REQUIRED' });
  });
});

/** The same account with a login that is in force after the clock was moved on. */
async function again(of: TestAccount): Promise<TestAccount> {
  const admin = await logIn(server, of.name, 'admin', ADMIN_PASSWORD);
  return Object.assign(Object.create(Object.getPrototypeOf(of)), of, { admin });
}

describe('an import', () => {
  it('IMP-05 IMP-11 POOL-05 LAN-03 CF-07 brings what belongs to the device, and nothing that the source has set', async () => {
    const from = await source('PRO');
    const pool = await from.pool('Hall');
    const ewon = await from.ewon({
      ...{ name: 'Press', description: 'Left one', customFields: ['a', 'b', 'c'], poolIds: [pool] },
      ...{ connectionMode: 'ON_DEMAND', wakeUpNumber: '+3225551234' },
    });
    const { api } = from.admin;
    const device = { ewonId: ewon.id, name: 'PLC', address: '10.0.0.20', ports: [{ port: 80, protocol: 'HTTP' }] };
    for (const [verb, input] of [
      ['createLanDevice', device],
      ['createEwonService', { ewonId: ewon.id, name: 'Web', port: 80, protocol: 'HTTP' }],
      ['setFirewallLevel', { ewonId: ewon.id, level: 'ULTRA' }],
    ] as const)
      await api.succeed(
        `mutation ($input: ${verb[0]?.toUpperCase()}${verb.slice(1)}Input!) { ${verb}(input: $input) { __typename ... on Error { code message path } } }`,
        { input },
      );
    const before = await db().ewon.findUniqueOrThrow({ where: { id: key(ewon.id) } });
    const point = { accountId: from.id, ewonId: key(ewon.id), tag: 'level', at: new Date(), value: 1 };
    await db().dataPoint.create({ data: { ...point, receivedAt: new Date() } });

    const { ticket } = await preview(from);
    const done = await doImport(ticket, { pool: { newPoolName: 'Taken over' } });
    expect(done.import).toMatchObject({ state: 'DONE', pool: { name: 'Taken over' } });
    const read = await target.admin.api.run(
      'query ($id: ID!) { ewon(by: { id: $id }) { reference name description serialNumber firmwareVersion registrationStatus status pools { name } customFields { value } lanDevices { name } services { name } firewallLevel connectionMode wakeUpNumber } dataPoints(filter: { ewonId: $id }) { nodes { tag } } }',
      { id: ewon.id },
    );
    expect(read.ewon).toEqual({
      ...{ reference: `DEV${before.number}`, name: 'Press', description: 'Left one' },
      ...{ serialNumber: before.serialNumber, firmwareVersion: before.firmwareVersion },
      ...{ registrationStatus: 'ACTIVE', status: 'OFFLINE', pools: [{ name: 'Taken over' }] },
      ...{ customFields: [{ value: null }, { value: null }, { value: null }], lanDevices: [], services: [] },
      ...{ firewallLevel: 'STANDARD', connectionMode: 'PERMANENT', wakeUpNumber: null },
    });
    expect(read.dataPoints.nodes).toEqual([]);
    // Nor is it there unseen.
    expect(await db().dataPoint.count({ where: { ewonId: key(ewon.id) } })).toBe(0);
    expect(await db().ewonPool.count({ where: { ewonId: key(ewon.id) } })).toBe(1);
    expect(await ewonNames(from)).toEqual([]);
    expect((await from.admin.api.run('{ pools { nodes { name } } }')).pools.nodes).toHaveLength(2);
    // IMP-11: and now it is configured like any other.
    await target.admin.api.succeed(
      'mutation ($input: CreateLanDeviceInput!) { createLanDevice(input: $input) { __typename ... on Error { code message } } }',
      { input: device },
    );
  });

  it('IMP-13 IMP-14 LOG-15 is told in both accounts, in these words', async () => {
    const from = await source();
    await fleet(from, 'Pump');
    const { ticket } = await preview(from);
    await doImport(ticket);
    expect((await target.log({ codes: ['EWON_MOVED_IN'] }, 1))[0]).toMatchObject({
      text: `Ewon [Pump] has been moved from account [${from.name}].`,
      ...{ userName: 'admin', ewonName: 'Pump' },
    });
    expect((await from.log({}, 1))[0]).toMatchObject({
      ...{ code: 'EWON_MOVED_OUT', text: `Ewon [Pump] moved to account [${target.name}].`, ewonName: 'Pump' },
    });
  });

  it('IMP-15 IMP-10 gives a name that is in use a number, and says so', async () => {
    const from = await source();
    const long = `${'x'.repeat(63)}y`;
    await fleet(target, 'Mixer', 'mixer (2)', long);
    const ewons = await fleet(from, 'MIXER', long, 'Lonely mixer');
    const { ticket } = await preview(from);
    const { nodes } = (await doImport(ticket)).import.ewons;
    expect(nodes.map(({ name, newName, outcome, ewon }: Json) => [name, newName, outcome, ewon])).toEqual([
      ['MIXER', 'MIXER (3)', 'IMPORTED', { id: ewons[0]?.id, name: 'MIXER (3)' }],
      [long, `${'x'.repeat(60)} (2)`, 'IMPORTED', { id: ewons[1]?.id, name: `${'x'.repeat(60)} (2)` }],
      ['Lonely mixer', 'Lonely mixer', 'IMPORTED', { id: ewons[2]?.id, name: 'Lonely mixer' }],
    ]);
  });

  it('IMP-09 the device loses its tunnel and sessions, and is online again in the destination without enrolling anew', async () => {
    const from = await source('PRO');
    const ewon = await from.onlineEwon({ name: 'Traveller' }, {}, { reconnect: { baseMs: 20 } });
    const opened = await openSession(from.admin, ewon.id);
    const address = (await db().vpnAddress.findUniqueOrThrow({ where: { ewonId: key(ewon.id) } })).address;
    const { ticket } = await preview(from);
    expect((await doImport(ticket)).import.counts.imported).toBe(1);

    const session = await db().session.findUniqueOrThrow({ where: { id: key(opened.session.id) } });
    // What is history of the source is not reached from the Ewon any more.
    expect(session).toMatchObject({ state: 'CLOSED', closeReason: 'IMPORTED', ewonName: 'Traveller', ewonId: null });
    expect((await from.admin.api.run('{ account { slots { inUse } } }')).account.slots.inUse).toBe(0);
    const STATUS = 'query ($id: ID!) { ewon(by: { id: $id }) { status vpnAddress } }';
    await eventually(
      'online again',
      async () => (await target.admin.api.run(STATUS, { id: ewon.id })).ewon.status,
      (status) => status === 'ONLINE',
    );
    expect((await db().vpnAddress.findUniqueOrThrow({ where: { ewonId: key(ewon.id) } })).address).toBe(address);
    const codes = (entries: Json[]) =>
      entries.filter(({ ewonName }) => ewonName === 'Traveller').map(({ code }) => code);
    expect(codes(await from.log()).slice(0, 3)).toEqual(['EWON_MOVED_OUT', 'EWON_OFFLINE', 'SESSION_CLOSED']);
    expect(codes(await target.log()).slice(0, 2)).toEqual(['EWON_ONLINE', 'EWON_MOVED_IN']);
    expect((await from.admin.api.run('{ sessions { nodes { ewonName ewon { id } } } }')).sessions.nodes).toEqual([
      { ewonName: 'Traveller', ewon: null },
    ]);
    await openSession(target.admin, ewon.id);
    await ewon.device.disconnect();
  });

  it('GW-14 IMP-05 what a device pushes while it moves is stored in no wrong account', async () => {
    const from = await source();
    const ewon = await from.onlineEwon({ name: 'Pusher' }, {}, { reconnect: false });
    const { tunnelId } = await db().ewon.findUniqueOrThrow({ where: { id: key(ewon.id) } });
    const { ticket } = await preview(from);
    // Between the look at the Ewon and the lock of the account it moves.
    const take = vi.spyOn(server.app.platform.rateLimits.dataPoints, 'take').mockImplementationOnce(async () => {
      await doImport(ticket);
    });
    const at = server.clock.now().toISOString();
    await expect(
      storeDataPoints(server.app.platform, { ewonId: key(ewon.id), tunnelId: tunnelId ?? '' }, [
        { tag: 'level', at, value: 1, good: true } as never,
      ]),
    ).rejects.toMatchObject({ code: 'EWON_OFFLINE' });
    take.mockRestore();
    expect(await db().dataPoint.count({ where: { ewonId: key(ewon.id) } })).toBe(0);
    await ewon.device.disconnect();
  });

  it('IMP-09 GW-12 a tunnel that opened in the old account just before claims nothing there', async () => {
    const from = await source();
    const ewon = await from.ewon({ name: 'Late' });
    const id = key(ewon.id);
    const { fingerprint } = await db().certificate.findFirstOrThrow({ where: { ewonId: id } });
    const lease = await db().gatewayLease.findFirstOrThrow();
    await doImport((await preview(from)).ticket);
    const tunnelId = crypto.randomUUID();
    const claim = { ewonId: id, tunnelId, fingerprint, facts: {} };
    const results = await applyPresence(server.app.platform, lease.id, from.id, {
      ...{ claims: [claim], reports: [], releases: [] },
    });
    expect(results.get(tunnelId)).toEqual({ refused: 'SERVICE_RESTART' });
    expect(await db().ewon.findUniqueOrThrow({ where: { id } })).toMatchObject({ tunnelId: null, gatewayId: null });
  });

  it('IMP-08 needs the final confirmation; without it nothing happens and the ticket stays good', async () => {
    const from = await source();
    await fleet(from, 'One');
    const { ticket } = await preview(from);
    expect(await doImport(ticket, { confirm: false })).toMatchObject({
      __typename: 'ConfirmationRequiredError',
      code: 'CONFIRMATION_REQUIRED',
    });
    expect(await ewonNames(from)).toEqual(['One']);
    expect((await doImport(ticket)).import.counts.imported).toBe(1);
  });

  it('IMP-06 POOL-05 names a pool of the destination or a new one; a wrong one leaves everything as it was', async () => {
    const from = await source();
    await fleet(from, 'One');
    const foreign = await (await source('PRO')).pool('Foreign');
    const taken = await target.pool('Taken');
    const { ticket } = await preview(from);
    expect(await doImport(ticket, { pool: { poolId: foreign } })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await doImport(ticket, { pool: { newPoolName: 'TAKEN' } })).toMatchObject({ code: 'POOL_NAME_IN_USE' });
    expect(await ewonNames(from)).toEqual(['One']);
    const done = await doImport(ticket, { pool: { poolId: taken } });
    expect(done.import).toMatchObject({ pool: { name: 'Taken' }, counts: { imported: 1 } });
    // With nothing to move no pool is made.
    const empty = await preview(from);
    expect((await doImport(empty.ticket, { pool: { newPoolName: 'For nothing' } })).import).toMatchObject({
      ...{ state: 'DONE', pool: null, counts: { imported: 0 } },
    });
  });

  it('IMP-07 the ticket is good for 15 minutes, for whoever asked, and the newest list counts', async () => {
    const from = await source();
    await fleet(from, 'One');
    const first = await preview(from);
    const { ticket, import: listed } = await preview(from);
    expect(await doImport(first.ticket)).toMatchObject({ code: 'IMPORT_TICKET_INVALID' });
    const group = (await db().group.findFirstOrThrow({ where: { accountId: target.id, administrators: true } })).id;
    const second = await target.user('second', [encodeGlobalId('Group', group)]);
    const other = await source('PRO');
    for (const api of [second.api, other.admin.api]) {
      expect(await doImport(ticket, {}, api)).toMatchObject({ code: 'IMPORT_TICKET_INVALID' });
      expect((await api.run('query ($id: ID!) { node(id: $id) { id } }', { id: listed.id })).node).toBeNull();
    }
    expect(await doImport('x')).toMatchObject({ code: 'IMPORT_TICKET_INVALID', path: ['ticket'] });
    server.clock.advance(15 * MINUTE - 1000);
    target = await again(target);
    expect(await doImport(ticket, { confirm: false })).toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
    server.clock.advance(1000);
    expect(await doImport(ticket)).toMatchObject({ code: 'IMPORT_TICKET_INVALID' });
    await server.app.jobs.run();
    expect(await db().importPreview.count({ where: { id: key(listed.id) } })).toBe(0);
    expect(await ewonNames(from)).toEqual(['One']);
  });

  it('IMP-10 a ticket that was used gives the stored results again, to its owner, for a day', async () => {
    const from = await source();
    await fleet(from, 'One');
    const { ticket, import: listed } = await preview(from);
    const done = await doImport(ticket);
    server.clock.advance(20 * MINUTE);
    await server.app.jobs.run();
    expect(await doImport(ticket)).toEqual(done);
    expect(await doImport(ticket, { pool: { newPoolName: 'Other' } })).toMatchObject({ code: 'IMPORT_TICKET_INVALID' });
    const { node } = await target.admin.api.run(
      `query ($id: ID!) { node(id: $id) { ... on EwonImport { id ${ITEMS} } } }`,
      { id: listed.id },
    );
    expect(node).toEqual(done.import);
    expect(
      (await target.log({ codes: ['EWON_MOVED_IN'] }, 100)).filter(({ text }) => text.includes(from.name)),
    ).toHaveLength(1);
    server.clock.advance(24 * 60 * MINUTE);
    await server.app.jobs.run();
    expect(await db().importPreview.count({ where: { id: key(listed.id) } })).toBe(0);
    target = await again(target);
  });

  it('IMP-07 IMP-10 what changed since the list is skipped with the reason, and the rest goes on', async () => {
    const from = await source();
    const [removed, renamed, replaced, moved] = await fleet(from, 'A', 'B', 'C', 'D', 'E');
    const elsewhere = await source('PRO');
    const { ticket } = await preview(from);
    await from.admin.api.succeed(
      'mutation ($id: ID!) { removeEwon(input: { ewonId: $id, confirm: true }) { __typename ... on Error { message } } }',
      { id: removed?.id },
    );
    await from.admin.api.succeed(
      'mutation ($id: ID!) { updateEwon(input: { ewonId: $id, properties: { name: "B2" } }) { __typename ... on Error { message } } }',
      { id: renamed?.id },
    );
    await db().ewon.update({ where: { id: key(replaced?.id ?? '') }, data: { serialNumber: '9999-0001-25' } });
    await db().ewon.update({ where: { id: key(moved?.id ?? '') }, data: { accountId: elsewhere.id } });
    const { nodes } = (await doImport(ticket)).import.ewons;
    expect(nodes.map(({ name, outcome, reason }: Json) => [name, outcome, reason])).toEqual([
      ['A', 'SKIPPED', 'GONE'],
      ['B', 'SKIPPED', 'CHANGED'],
      ['C', 'SKIPPED', 'CHANGED'],
      ['D', 'SKIPPED', 'GONE'],
      ['E', 'IMPORTED', null],
    ]);
    expect(await ewonNames(from)).toEqual(['B2', 'C']);
  });

  it('IMP-02 IMP-12 when the credentials no longer give the right, nothing is done', async () => {
    const cases: [string, (from: TestAccount) => Promise<unknown>][] = [
      ['password changed', (from) => setUser(from.admin, { passwordHash: 'another' })],
      ['disabled', (from) => setUser(from.admin, { disabledAt: server.clock.now() })],
      ['no Administrator', (from) => setUser(from.admin, { role: 'USER' })],
      ['two-factor', (from) => setUser(from.admin, { secondFactorState: 'ENABLED', secondFactorMethod: 'EMAIL' })],
      ['enforced', (from) => db().account.update({ where: { id: from.id }, data: { twoFactorRequired: true } })],
    ];
    for (const [what, change] of cases) {
      const from = await source();
      await fleet(from, 'One');
      const { ticket } = await preview(from);
      await change(from);
      expect(await doImport(ticket, { pool: { newPoolName: 'Not made' } }), what).toMatchObject({
        code: 'IMPORT_CHANGED',
      });
      expect(await db().ewon.count({ where: { accountId: from.id } }), what).toBe(1);
    }
    expect(await db().pool.count({ where: { accountId: target.id, name: 'Not made' } })).toBe(0);
  });
});

describe('an import that is interrupted', () => {
  it('IMP-10 moves some at a time; whoever calls again goes on', async () => {
    const small = await startServer({ env: { IMPORT_BATCH: '2' } });
    try {
      const [to, from] = [await TestAccount.create(small), await TestAccount.create(small, 'FREE')];
      await fleet(from, 'A', 'B', 'C', 'D', 'E');
      const { ticket } = await to.admin.api.mutate(PREVIEW, { input: credentials(from) });
      const go = async (): Promise<Json> =>
        (await to.admin.api.mutate(IMPORT, { input: { ticket, pool: { newPoolName: 'In' }, confirm: true } })).import;
      expect(await go()).toMatchObject({ state: 'STARTED', counts: { imported: 2, waiting: 3 } });

      // The process dies on the way: what has moved has moved, and the rest is in the source.
      const { importItem, importPreview } = small.app.platform.db;
      const preview = await importPreview.findFirstOrThrow();
      await importPreview.update({
        where: { id: preview.id },
        data: { runningUntil: new Date(small.clock.now().getTime() + MINUTE) },
      });
      expect(
        await to.admin.api.mutate(IMPORT, { input: { ticket, pool: { newPoolName: 'In' }, confirm: true } }),
      ).toMatchObject({
        code: 'IMPORT_RUNNING',
      });
      small.clock.advance(MINUTE);
      expect(await go()).toMatchObject({ state: 'STARTED', counts: { imported: 4, waiting: 1 } });

      // The right goes on the way: what is left fails, and stays.
      await small.app.platform.db.user.updateMany({ where: { accountId: from.id }, data: { role: 'USER' } });
      expect(
        await to.admin.api.mutate(IMPORT, { input: { ticket, pool: { newPoolName: 'In' }, confirm: true } }),
      ).toMatchObject({
        code: 'IMPORT_CHANGED',
      });
      expect(await importItem.count({ where: { outcome: null } })).toBe(1);
      await small.app.platform.db.user.updateMany({ where: { accountId: from.id }, data: { role: 'ADMINISTRATOR' } });
      expect(await go()).toMatchObject({ state: 'DONE', counts: { imported: 5, waiting: 0 }, pool: { name: 'In' } });
      expect(await small.app.platform.db.pool.count({ where: { accountId: to.id, name: 'In' } })).toBe(1);
    } finally {
      await small.close();
    }
  });

  it('IMP-10 one that fails leaves the others alone, and says why', async () => {
    const from = await source();
    await fleet(from, 'One', 'Two', 'Three');
    const { ticket } = await preview(from);
    const locate = vi.spyOn(server.app.platform.geolocator, 'locate').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    await db().ewon.updateMany({
      where: { accountId: from.id },
      data: { geolocationEnabled: true, wanAddress: '192.0.2.1/24' },
    });
    const result = (await doImport(ticket)).import;
    locate.mockRestore();
    expect(result.ewons.nodes.map(({ outcome, reason }: Json) => [outcome, reason])).toEqual([
      ['FAILED', 'INTERNAL_ERROR'],
      ['IMPORTED', null],
      ['IMPORTED', null],
    ]);
    expect(await ewonNames(from)).toEqual(['One']);
  });
});

const five = (name: string) => Array.from({ length: 5 }, (_, index) => `${name} ${index}`);

eachDatabase('races', (database) => {
  let own: TestServer;
  beforeAll(async () => {
    own = await startServer({ database });
  });
  afterAll(() => own.close());

  it('IMP-10 two at once with one ticket: each Ewon moves once, and the second is told', async () => {
    const [to, from] = [await TestAccount.create(own), await TestAccount.create(own, 'FREE')];
    await fleet(from, ...five('Ewon'));
    const { ticket } = await to.admin.api.mutate(PREVIEW, { input: credentials(from) });
    const input = { ticket, pool: { newPoolName: 'In' }, confirm: true };
    const results = await Promise.all([1, 2].map(() => to.admin.api.mutate(IMPORT, { input })));
    expect(results.map(({ code, import: done }) => code ?? done.counts.imported).sort()).toEqual([5, 'IMPORT_RUNNING']);
    expect(await to.log({ codes: ['EWON_MOVED_IN'] })).toHaveLength(5);
    expect(await from.log({ codes: ['EWON_MOVED_OUT'] })).toHaveLength(5);
  });

  it('IMP-10 two accounts that import from each other do not wait for each other forever', async () => {
    const [left, right] = [await TestAccount.create(own), await TestAccount.create(own)];
    await fleet(left, ...five('Left'));
    await fleet(right, ...five('Right'));
    const tickets = await Promise.all([
      left.admin.api.mutate(PREVIEW, { input: credentials(right) }),
      right.admin.api.mutate(PREVIEW, { input: credentials(left) }),
    ]);
    const results = await Promise.all(
      [left, right].map((to, index) =>
        to.admin.api.mutate(IMPORT, {
          input: { ticket: tickets[index].ticket, pool: { newPoolName: 'In' }, confirm: true },
        }),
      ),
    );
    expect(results.map((result) => result.import.counts)).toEqual(
      Array(2).fill({ waiting: 0, imported: 5, skipped: 0, failed: 0 }),
    );
    for (const [of, name] of [
      [left, 'Right'],
      [right, 'Left'],
    ] as const)
      expect(await ewonNames(of)).toEqual(five(name));
  });

  it.runIf(database === 'postgresql')(
    'IMP-10 takes two accounts in the order of their ids: who waits for the first does not hold the second',
    async () => {
      const made = [await TestAccount.create(own), await TestAccount.create(own)] as const;
      const [first, second] = made[0].id < made[1].id ? made : [made[1], made[0]];
      await fleet(first, 'One');
      const { ticket } = await second.admin.api.mutate(PREVIEW, { input: credentials(first) });
      const { db: database } = own.app.platform;
      const { importing } = await database.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT 1 FROM "Account" WHERE "id" = ${first.id}::uuid FOR NO KEY UPDATE`;
          const input = { ticket, pool: { newPoolName: 'In' }, confirm: true };
          const importing = second.admin.api.mutate(IMPORT, { input });
          await eventually(
            'the import waits',
            () =>
              database.$queryRaw<unknown[]>`
                SELECT 1 FROM pg_stat_activity WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`,
            ({ length }) => length > 0,
          );
          const free = await tx.$queryRaw`
            SELECT 1 FROM "Account" WHERE "id" = ${second.id}::uuid FOR NO KEY UPDATE SKIP LOCKED`;
          expect(free, 'what nobody holds').toHaveLength(1);
          return { importing };
        },
        { timeout: 20_000 },
      );
      expect((await importing).import.counts).toMatchObject({ imported: 1 });
    },
  );
});
