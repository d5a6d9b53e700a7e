import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { leftovers, NOTHING_LEFT, type SlotStage, setSlotStage } from '../support/slots.ts';
import {
  ADMIN_PASSWORD,
  CLOSE_SESSION,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  USER_PASSWORD,
} from '../support/world.ts';

let server: TestServer;
let other: TestAccount;
let stage: SlotStage;
let user: Person;
let ewonId: string;
/** Administrator of another account. */
let stranger: Person;

const SESSION =
  'id reference state client userName userReference ewonName ewonReference userVpnAddress ewonVpnAddress startedAt endedAt closeReason closedBy { username } aliveUntil viewerMayClose slot { reserved group { name } }';
const READ = `query ($id: ID!) { node(id: $id) { ... on Session { ${SESSION} } } }`;
const KEEP = `mutation ($sessionId: ID!) {
  keepSessionAlive(input: { sessionId: $sessionId }) { __typename ... on KeepSessionAliveSuccess { session { state aliveUntil } } ... on Error { code } }
}`;

const read = async (answer: Json, person: Person = stage.account.admin): Promise<Json> =>
  (await person.api.run(READ, { id: answer.session.id })).node;
const close = (person: Person, answer: Json): Promise<Json> =>
  person.api.mutate(CLOSE_SESSION, { sessionId: answer.session.id });
const keepAlive = (person: Person, answer: Json): Promise<Json> =>
  person.api.mutate(KEEP, { sessionId: answer.session.id });

/** Opens a session that must succeed. */
async function open(person: Person, id = ewonId, more: Record<string, unknown> = {}): Promise<Json> {
  const answer = await openSession(person, id, more);
  expect(answer).toMatchObject({ __typename: 'OpenSessionSuccess' });
  return answer;
}

beforeAll(async () => {
  // Logins outlive the time for which an idempotency key is kept.
  ({ server, account: other } = await startWorld({ env: { LOGIN_HOURS: '100', LOGIN_IDLE_MINUTES: '1440' } }));
});
afterAll(() => server?.close());
beforeEach(async () => {
  stranger = await logIn(server, other.name, 'admin', ADMIN_PASSWORD);
  stage = await setSlotStage(await TestAccount.create(server), { ewons: 2 });
  user = await stage.outsider('user', { fullName: 'Ute User' });
  ewonId = stage.ewons[0]?.id ?? '';
});

describe('openSession', () => {
  it('CON-08 CON-28 records user, Ewon, client, both addresses, begin and end, and logs both', async () => {
    const answer = await open(user);
    expect(answer.tunnel).toMatchObject({ url: expect.stringMatching(/^wss:.*\/connect$/), token: expect.any(String) });
    const live = await read(answer);
    expect(live).toMatchObject({
      state: 'OPEN',
      client: 'ECATCHER',
      userName: 'Ute User[user]',
      ewonName: 'Ewon 1',
      endedAt: null,
      closeReason: null,
      closedBy: null,
      slot: { reserved: false, group: null },
    });
    expect(live.ewonVpnAddress).toBe(stage.ewons[0]?.device.vpnAddress);
    expect(live.userVpnAddress).toMatch(/^10\.23[67]\./);

    await close(user, answer);
    const closed = await read(answer);
    expect(closed).toMatchObject({
      ...live,
      state: 'CLOSED',
      closeReason: 'BY_USER',
      closedBy: { username: 'user' },
      endedAt: expect.any(String),
      aliveUntil: expect.any(String),
      viewerMayClose: true,
    });
    const [ended, started] = await stage.account.log({}, 2);
    expect(started).toMatchObject({
      code: 'SESSION_STARTED',
      userName: 'Ute User[user]',
      ewonName: 'Ewon 1',
      trigger: 'USER',
    });
    expect(ended).toMatchObject({
      code: 'SESSION_CLOSED',
      userName: 'Ute User[user]',
      ewonName: 'Ewon 1',
      trigger: 'USER',
    });
    expect(ended.text).toContain('BY_USER Ute User[user]');
    expect(await leftovers(stage.account)).toEqual(NOTHING_LEFT);
  });

  it('CON-02 needs the right to connect with that client; who may not see the Ewon learns nothing of it', async () => {
    const poolId = await stage.account.defaultPool();
    const browser = await stage.account.user('browser', [
      await stage.account.group('M2web', [{ poolId, connectM2web: true }]),
    ]);
    const blind = await stage.account.user('blind', [await stage.account.group('Nothing')]);
    for (const client of ['ECATCHER', 'ECATCHER_MOBILE'])
      expect(await openSession(browser, ewonId, { client })).toMatchObject({ code: 'FORBIDDEN' });
    await open(browser, ewonId, { client: 'M2WEB' });
    expect(await openSession(blind, ewonId)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await openSession(stranger, ewonId)).toMatchObject({ code: 'NOT_FOUND' });
    await open(stage.account.admin);
  });

  it.each(['FREE', 'LIGHT'] as const)('CON-02 CON-18 on %s, without groups, every role may connect', async (plan) => {
    const account = await TestAccount.create(server, plan);
    const ewon = await account.onlineEwon();
    const plain = await account.user('plain', [], { role: 'USER' });
    const people = [plain, account.admin, await account.user('more'), await account.user('most')];
    const answers: Json[] = [];
    for (const person of people) answers.push(await openSession(person, ewon.id));
    const base = plan === 'FREE' ? 1 : 3;
    expect(answers.filter(({ __typename }) => __typename === 'OpenSessionSuccess')).toHaveLength(base);
    expect(answers.at(-1)).toMatchObject({ code: 'CONCURRENT_CONNECTION_LIMIT', usage: { total: base, inUse: base } });
  });

  it('CON-03 refuses an Ewon that is not approved or not online, and logs it', async () => {
    const { account } = stage;
    const waiting = await account.device();
    await waiting.register({ registrationKey: await account.registrationKey() });
    expect(await openSession(account.admin, await account.ewonId(waiting))).toMatchObject({
      code: 'EWON_NOT_APPROVED',
    });
    const offline = await account.ewon({ name: 'Offline' });
    expect(await openSession(user, offline.id)).toMatchObject({ code: 'EWON_OFFLINE' });
    const [entry] = await account.log({}, 1);
    expect(entry).toMatchObject({ code: 'SESSION_REFUSED', ewonName: 'Offline' });
    expect(entry.text).toContain('EWON_OFFLINE');
  });

  it('CON-04 CON-05 lets as many users connect as there are connections, to one Ewon or several, and one more not', async () => {
    const people = await Promise.all(['one', 'two', 'three', 'four'].map((name) => stage.outsider(name)));
    const [one, two, three, four] = people as [Person, Person, Person, Person];
    await open(one);
    await open(two);
    const last = await open(three, stage.ewons[1]?.id);
    expect(await openSession(four, ewonId)).toMatchObject({
      __typename: 'NoFreeSlotError',
      code: 'CONCURRENT_CONNECTION_LIMIT',
    });
    await close(three, last);
    await open(four);
  });

  it('CON-01 CON-06 counts Ecatcher on a desktop only: M2web and Ecatcher mobile are unlimited', async () => {
    for (const name of ['one', 'two', 'three']) await open(await stage.outsider(name));
    for (const client of ['M2WEB', 'ECATCHER_MOBILE']) {
      for (let number = 0; number < 4; number++) {
        const { session } = await open(user, ewonId, { client });
        expect(session.slot).toBeNull();
        expect(session.userVpnAddress === null).toBe(client === 'M2WEB');
      }
    }
    expect(await openSession(user, ewonId)).toMatchObject({ code: 'CONCURRENT_CONNECTION_LIMIT' });
  });

  it('CON-07 CON-09 gives a user one Ecatcher session: a second is refused unless he switches, which closes the first', async () => {
    const first = await open(user);
    const second = await openSession(user, stage.ewons[1]?.id ?? '');
    expect(second).toMatchObject({
      __typename: 'UserAlreadyConnectedError',
      code: 'USER_ALREADY_CONNECTED',
      session: { id: first.session.id },
    });
    // Also from another login.
    const again = await logIn(server, stage.account.name, 'user', USER_PASSWORD);
    expect(await openSession(again, ewonId)).toMatchObject({ code: 'USER_ALREADY_CONNECTED' });

    const switched = await open(user, stage.ewons[1]?.id, { switch: true });
    expect(await read(first)).toMatchObject({
      state: 'CLOSED',
      closeReason: 'SWITCHED',
      closedBy: { username: 'user' },
    });
    expect(await read(switched)).toMatchObject({ state: 'OPEN', ewonName: 'Ewon 2' });
    expect(await leftovers(stage.account)).toMatchObject({ held: 1, open: 1 });
  });

  it('CON-07 CON-03 keeps the present session when the switch is refused', async () => {
    const first = await open(user);
    const offline = await stage.account.ewon();
    expect(await openSession(user, offline.id, { switch: true })).toMatchObject({ code: 'EWON_OFFLINE' });
    expect(await read(first)).toMatchObject({ state: 'OPEN' });
  });

  it('API-01 gives the same session for the same key and input of the same login for 24 hours', async () => {
    const first = await open(user, ewonId, { idempotencyKey: 'key' });
    const again = await open(user, ewonId, { idempotencyKey: 'key' });
    expect(again.session.id).toBe(first.session.id);
    expect(again.tunnel.token).not.toBe(first.tunnel.token);
    for (const input of [{ client: 'M2WEB' }, { switch: true }]) {
      expect(await openSession(user, ewonId, { idempotencyKey: 'key', ...input })).toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
        path: ['idempotencyKey'],
      });
    }
    expect(await openSession(user, stage.ewons[1]?.id ?? '', { idempotencyKey: 'key' })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const another = await stage.outsider('another');
    expect((await open(another, ewonId, { idempotencyKey: 'key' })).session.id).not.toBe(first.session.id);

    await close(user, first);
    server.clock.advance(23.9 * 3600_000);
    const late = await open(user, ewonId, { idempotencyKey: 'key' });
    expect(late.session).toMatchObject({ id: first.session.id, state: 'CLOSED' });
    server.clock.advance(0.2 * 3600_000);
    expect((await open(user, ewonId, { idempotencyKey: 'key' })).session).toMatchObject({ state: 'OPEN' });
  });

  it('API-01 stores no refusal: the same key may open a session later', async () => {
    const offline = await stage.account.ewon();
    expect(await openSession(user, offline.id, { idempotencyKey: 'later' })).toMatchObject({ code: 'EWON_OFFLINE' });
    await offline.device.connect();
    await open(user, offline.id, { idempotencyKey: 'later' });
    expect(await openSession(user, offline.id, { idempotencyKey: 'x'.repeat(101) })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('closeSession', () => {
  it('CON-10 CON-09 is for the session’s user and for Administrators; the record says who', async () => {
    const own = await open(user);
    expect((await read(own, user)).viewerMayClose).toBe(true);
    expect(await close(user, own)).toMatchObject({ session: { state: 'CLOSED', closeReason: 'BY_USER' } });
    const cut = await open(user);
    expect(await close(stage.account.admin, cut)).toMatchObject({ session: { closeReason: 'BY_ADMINISTRATOR' } });
    expect((await read(cut)).closedBy).toEqual({ username: 'admin' });
    // Repeated, by whomever, it changes nothing.
    const before = await read(cut);
    expect(await close(user, cut)).toMatchObject({ session: { closeReason: 'BY_ADMINISTRATOR' } });
    expect(await read(cut)).toEqual(before);
    expect((await stage.account.log({}, 20)).filter(({ code }) => code === 'SESSION_CLOSED')).toHaveLength(2);
  });

  it('CON-10 refuses who only manages the Ewon, and hides the session from others and from other accounts', async () => {
    const poolId = await stage.account.defaultPool();
    const manager = await stage.account.user('manager', [
      await stage.account.group('Managers', [{ poolId, modify: true }]),
    ]);
    const colleague = await stage.outsider('colleague');
    const answer = await open(user);
    expect((await read(answer, manager)).viewerMayClose).toBe(false);
    expect(await close(manager, answer)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await read(answer, colleague)).toBeNull();
    expect(await close(colleague, answer)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await close(stranger, answer)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await read(answer)).toMatchObject({ state: 'OPEN' });
  });
});

describe('sessions that end by themselves', () => {
  it('CON-30 CON-09 closes with TIMEOUT a session whose client sent no keep-alive for 120 seconds', async () => {
    const silent = await open(user);
    const lively = await open(await stage.outsider('lively'));
    const person = await logIn(server, stage.account.name, 'lively', USER_PASSWORD);
    server.clock.advance(119_000);
    await server.app.jobs.run();
    expect(await read(silent)).toMatchObject({ state: 'OPEN' });
    expect(await keepAlive(person, lively)).toMatchObject({ session: { state: 'OPEN' } });
    server.clock.advance(2000);
    await server.app.jobs.run();
    expect(await read(silent)).toMatchObject({ state: 'CLOSED', closeReason: 'TIMEOUT', closedBy: null });
    expect(await read(lively)).toMatchObject({ state: 'OPEN' });
    expect(await keepAlive(user, silent)).toMatchObject({ session: { state: 'CLOSED' } });
    expect((await stage.account.log({}, 1))[0]).toMatchObject({ code: 'SESSION_CLOSED', trigger: 'PLATFORM' });
  });

  it('CON-30 takes keep-alives from nobody but the session’s user', async () => {
    const answer = await open(user);
    for (const person of [stage.account.admin, await stage.outsider('colleague'), stranger])
      expect(await keepAlive(person, answer)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('CON-11 CON-09 closes with EWON_OFFLINE all sessions of an Ewon that goes offline, whatever their client', async () => {
    const answers = [
      await open(user),
      await open(user, ewonId, { client: 'M2WEB' }),
      await open(await stage.outsider('second')),
    ];
    const elsewhere = await open(await stage.outsider('third'), stage.ewons[1]?.id);
    await stage.ewons[0]?.device.disconnect();
    for (const answer of answers) {
      await eventually(
        'the session is closed',
        () => read(answer),
        ({ state }) => state === 'CLOSED',
      );
      expect(await read(answer)).toMatchObject({ closeReason: 'EWON_OFFLINE', closedBy: null });
    }
    expect(await read(elsewhere)).toMatchObject({ state: 'OPEN' });
    expect(await leftovers(stage.account)).toMatchObject({ held: 1, open: 1, addresses: 1 });
  });

  it('CON-09 CON-10 closes the sessions of a login with it, and those of other logins not', async () => {
    const mobile = await logIn(server, stage.account.name, 'user', USER_PASSWORD, 'ECATCHER_MOBILE');
    const [desk, phone] = [await open(user), await open(mobile, ewonId, { client: 'ECATCHER_MOBILE' })];
    await user.api.succeed('mutation { logout { __typename } }');
    expect(await read(desk)).toMatchObject({ state: 'CLOSED', closeReason: 'BY_USER' });
    expect(await read(phone)).toMatchObject({ state: 'OPEN' });
  });
});
