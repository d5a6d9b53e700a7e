import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addMonths } from '../../src/clock.ts';
import type { Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { leftovers, NOTHING_LEFT, SET_RESERVATIONS, type SlotStage, setSlotStage } from '../support/slots.ts';
import {
  ADMIN_PASSWORD,
  CLOSE_SESSION,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
} from '../support/world.ts';

const DAY = 24 * 3600_000;
const USAGE = 'total inUse free freeForViewer usableByViewer reservations { count inUse group { name } }';
const ACCOUNT = `{ account { slots { ${USAGE} } scheduledDecrease { concurrentConnections at } } }`;
const OFFER =
  'query ($count: Int!) { slotOffer(concurrentConnections: $count) { concurrentConnections included monthlyPriceCents effectiveAt } }';
const SET_SLOTS = `mutation ($count: Int!, $known: Boolean! = true) {
  setConcurrentConnections(input: { concurrentConnections: $count, acknowledgeContractChange: $known }) {
    __typename
    ... on SetConcurrentConnectionsSuccess { slots { total } account { scheduledDecrease { concurrentConnections at } } }
    ... on Error { code path }
  }
}`;
const CANCEL = `mutation { cancelScheduledDecrease {
  __typename ... on CancelScheduledDecreaseSuccess { account { scheduledDecrease { at } } } ... on Error { code }
} }`;

const slotsOf = async (person: Person): Promise<Json> => (await person.api.run(ACCOUNT)).account.slots;
const scheduledOf = async (person: Person): Promise<Json> => (await person.api.run(ACCOUNT)).account.scheduledDecrease;
const setSlots = (person: Person, count: number, known = true): Promise<Json> =>
  person.api.mutate(SET_SLOTS, { count, known });
const reserve = (person: Person, ...reservations: { groupId: string; count: number }[]): Promise<Json> =>
  person.api.mutate(SET_RESERVATIONS, { reservations });
const close = (person: Person, answer: Json): Promise<Json> =>
  person.api.succeed(CLOSE_SESSION, { sessionId: answer.session.id });
const refused = { code: 'CONCURRENT_CONNECTION_LIMIT' };
const opened = { __typename: 'OpenSessionSuccess' };

describe('slots and reservations', () => {
  let server: TestServer;
  let other: TestAccount;
  let stage: SlotStage;
  let ewonId: string;
  let admin: Person;

  // A decrease takes effect at once here; when it is scheduled, see below.
  beforeAll(async () => {
    ({ server, account: other } = await startWorld({ env: { SLOT_DECREASE_MONTHS: '0' } }));
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    stage = await setSlotStage(await TestAccount.create(server));
    ewonId = stage.ewons[0]?.id ?? '';
    admin = stage.account.admin;
  });

  const outsiders = (...names: string[]) =>
    Promise.all(names.map((name) => stage.outsider(name))) as Promise<[Person, Person, Person, Person]>;
  const open = (person: Person) => openSession(person, ewonId);

  it('CON-22 CON-21 CON-20 with 3 in total and 1 reserved: two outsiders connect, a third is refused, a member still connects', async () => {
    await stage.reserve(1);
    const [one, two, three] = await outsiders('one', 'two', 'three');
    const member = await stage.member('member');
    const first = await open(one);
    expect([first, await open(two)]).toMatchObject([opened, opened]);
    expect(await open(three)).toMatchObject({
      ...refused,
      usage: { total: 3, inUse: 2, free: 1, freeForViewer: 0, usableByViewer: 2 },
    });
    expect((await open(member)).session.slot).toEqual({ reserved: true, group: { name: 'Maintenance' } });
    await close(one, first);
    expect(await open(three)).toMatchObject(opened);
  });

  it('CON-23 members take reserved slots first, then shared ones', async () => {
    await stage.reserve(1);
    const members = [await stage.member('a'), await stage.member('b'), await stage.member('c')];
    const slots: Json[] = [];
    for (const person of members) slots.push((await open(person)).session.slot);
    expect(slots.map(({ reserved }) => reserved)).toEqual([true, false, false]);
    expect(await open(await stage.member('d'))).toMatchObject({ ...refused, usage: { usableByViewer: 3 } });
  });

  it('CON-12 CON-26 tells everybody the figures that concern him', async () => {
    await stage.reserve(2);
    const [outsider] = await outsiders('outsider');
    const member = await stage.member('member');
    await open(member);
    const reservations = [{ count: 2, inUse: 1, group: { name: 'Maintenance' } }];
    expect(await slotsOf(admin)).toEqual({
      total: 3,
      inUse: 1,
      free: 2,
      freeForViewer: 1,
      usableByViewer: 1,
      reservations,
    });
    expect(await slotsOf(member)).toMatchObject({ free: 2, freeForViewer: 2, usableByViewer: 3, reservations });
    expect(await slotsOf(outsider)).toMatchObject({
      free: 2,
      freeForViewer: 1,
      usableByViewer: 1,
      reservations: [{ count: 2, inUse: 1 }],
    });
  });

  it('WTL-01 a refusal says why, and names only those whose name the caller may see', async () => {
    await stage.reserve(1);
    const [hidden, asking] = await outsiders('hidden', 'asking');
    const known = await stage.outsider('known', { nameIsPublic: true, fullName: 'Kim Known' });
    await open(hidden);
    const { session } = await open(known);
    const answer = await open(asking);
    expect(answer).toMatchObject({
      __typename: 'NoFreeSlotError',
      ...refused,
      queuePosition: null,
      usage: {
        total: 3,
        inUse: 2,
        free: 1,
        freeForViewer: 0,
        usableByViewer: 2,
        reservations: [{ count: 1, inUse: 0 }],
      },
    });
    expect(answer.message).toContain('2 of 3');
    expect(answer.holders.map(({ userName }: Json) => userName).sort()).toEqual(['Kim Known[known]', null]);
    const { node } = await admin.api.run('query ($id: ID!) { node(id: $id) { ... on Session { startedAt } } }', {
      id: session.id,
    });
    expect(answer.holders.find(({ userName }: Json) => userName)?.since).toBe(node.startedAt);
    // The Administrator reads every name; he is an outsider to the reservation like the others.
    const toAdmin = await open(admin);
    expect(toAdmin.holders.map(({ userName }: Json) => userName).sort()).toEqual(['Kim Known[known]', 'hidden']);
  });

  it('CON-26 CON-20 reservations are set as a whole, by Administrators, and read again', async () => {
    const { maintenance, operators } = stage;
    const wanted = [
      { groupId: maintenance, count: 1 },
      { groupId: operators, count: 2 },
    ];
    expect(await reserve(admin, ...wanted)).toMatchObject({
      slots: {
        total: 3,
        freeForViewer: 0,
        reservations: expect.arrayContaining([
          { count: 1, inUse: 0, group: { name: 'Maintenance' } },
          { count: 2, inUse: 0, group: { name: 'Operators' } },
        ]),
      },
    });
    // Again: the same. A group that is not named, or with 0, loses its own.
    expect((await reserve(admin, ...wanted)).slots.reservations).toHaveLength(2);
    expect(
      (await reserve(admin, { groupId: maintenance, count: 2 }, { groupId: operators, count: 0 })).slots.reservations,
    ).toEqual([{ count: 2, inUse: 0, group: { name: 'Maintenance' } }]);
    expect((await reserve(admin)).slots.reservations).toEqual([]);
    expect((await stage.account.log({}, 4)).map(({ code }) => code)).toEqual(Array(4).fill('RESERVATIONS_CHANGED'));

    const [outsider] = await outsiders('outsider');
    expect(await reserve(outsider, { groupId: operators, count: 3 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await reserve(other.admin, { groupId: operators, count: 1 })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await reserve(admin, { groupId: operators, count: 1 }, { groupId: operators, count: 1 })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await reserve(admin, { groupId: operators, count: -1 })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await slotsOf(admin)).reservations).toEqual([]);
  });

  it('CON-25 the reservations cannot exceed the total, nor the total go below them', async () => {
    const { maintenance, operators } = stage;
    expect(await reserve(admin, { groupId: maintenance, count: 2 }, { groupId: operators, count: 2 })).toMatchObject({
      code: 'RESERVATION_EXCEEDS_TOTAL',
    });
    await setSlots(admin, 5);
    await reserve(admin, { groupId: maintenance, count: 2 }, { groupId: operators, count: 2 });
    expect(await setSlots(admin, 3)).toMatchObject({
      code: 'RESERVATION_EXCEEDS_TOTAL',
      path: ['concurrentConnections'],
    });
    expect(await setSlots(admin, 4)).toMatchObject({ slots: { total: 4 } });
  });

  it('CON-24 CON-18 reservations need PRO, a number of one’s own LIGHT or PRO; none goes below the plan’s', async () => {
    const [free, light] = [await TestAccount.create(server, 'FREE'), await TestAccount.create(server, 'LIGHT')];
    expect((await slotsOf(free.admin)).total).toBe(1);
    expect((await slotsOf(light.admin)).total).toBe(3);
    for (const { admin: person } of [free, light])
      expect(await reserve(person)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    expect(await setSlots(free.admin, 2)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    expect(await setSlots(light.admin, 4)).toMatchObject({ slots: { total: 4 } });
    for (const person of [light.admin, admin]) {
      for (const count of [2, 0, -1, 1001])
        expect(await setSlots(person, count)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('CON-13 CON-14 the number is for Administrators to change, who must say that they know what it means', async () => {
    const [outsider] = await outsiders('outsider');
    expect(await setSlots(outsider, 4)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await setSlots(admin, 4, false)).toMatchObject({ code: 'ACKNOWLEDGEMENT_REQUIRED' });
    const { slotOffer } = await admin.api.run(OFFER, { count: 5 });
    expect(slotOffer).toMatchObject({
      concurrentConnections: 5,
      included: 3,
      monthlyPriceCents: 2 * server.config.limits.SLOT_PRICE_CENTS,
    });
    expect((await slotsOf(admin)).total).toBe(3);
    expect(await setSlots(admin, 4)).toMatchObject({ slots: { total: 4 } });
    expect(await setSlots(admin, 4)).toMatchObject({ slots: { total: 4 } });
    expect((await stage.account.log({}, 20)).filter(({ code }) => code === 'SLOTS_CHANGED')).toHaveLength(1);
  });

  it('CON-19 below the present use live connections go on, and new ones are refused until the use is under the limit', async () => {
    await setSlots(admin, 5);
    await stage.reserve(1);
    const people = await Promise.all(['a', 'b', 'c', 'd'].map((name) => stage.outsider(name)));
    const live: { person: Person; answer: Json }[] = [];
    for (const person of people) live.push({ person, answer: await open(person) });
    const member = await stage.member('member');
    await setSlots(admin, 3);
    expect(await slotsOf(admin)).toMatchObject({ total: 3, inUse: 4, free: 0, reservations: [{ count: 1 }] });

    const newcomer = await stage.outsider('newcomer');
    const closeOne = async () => {
      const { person, answer } = live.shift() ?? {};
      if (person) await close(person, answer);
    };
    await closeOne();
    expect([await open(newcomer), await open(member)]).toMatchObject([refused, refused]);
    await closeOne();
    // Two of three are in use, both by outsiders: the free one is the reserved one.
    expect(await open(newcomer)).toMatchObject(refused);
    expect(await open(member)).toMatchObject(opened);
    await closeOne();
    expect(await open(newcomer)).toMatchObject(opened);
    expect(await slotsOf(admin)).toMatchObject({ total: 3, inUse: 3 });
  });

  it('CON-26 CON-21 a new reservation cuts no live connection, and takes the first slot that becomes free', async () => {
    const [one, two, three, four] = await outsiders('one', 'two', 'three', 'four');
    const answers = [await open(one), await open(two), await open(three)];
    await stage.reserve(1);
    expect(await slotsOf(admin)).toMatchObject({ inUse: 3, reservations: [{ count: 1 }] });
    // Whichever of the three closes, two outsiders remain, as many as there may be.
    await close(three, answers[2]);
    expect(await open(four)).toMatchObject({ ...refused, usage: { free: 1, freeForViewer: 0 } });
    const member = await stage.member('member');
    const ofMember = await open(member);
    expect(ofMember).toMatchObject({ ...opened, session: { slot: { reserved: true } } });
    await close(member, ofMember);
    await close(one, answers[0]);
    expect(await open(four)).toMatchObject(opened);
    expect(await open(three)).toMatchObject(refused);
    await close(two, answers[1]);
    expect(await open(three)).toMatchObject(opened);
    await reserve(admin);
    expect(await open(one)).toMatchObject(opened);
  });

  it('CON-26 a reservation counts the members who are connected already', async () => {
    const member = await stage.member('member');
    const [one, two, three] = await outsiders('one', 'two', 'three');
    const ofMember = await open(member);
    await stage.reserve(1);
    expect(await slotsOf(admin)).toMatchObject({ inUse: 1, reservations: [{ count: 1, inUse: 1 }] });
    expect([await open(one), await open(two)]).toMatchObject([opened, opened]);
    await close(member, ofMember);
    expect(await open(three)).toMatchObject(refused);
    expect(await open(member)).toMatchObject(opened);
  });

  it('CON-12 CON-15 the figures come as a stream: at once, and at each change', async () => {
    const stream = admin.api.subscribe(`subscription { slotUsage { total inUse } }`);
    const latest = (total: number, inUse: number) =>
      stream.waitFor(`${inUse} of ${total}`, () => {
        const { slotUsage } = stream.received.at(-1) ?? {};
        return slotUsage?.total === total && slotUsage.inUse === inUse;
      });
    await latest(3, 0);
    const [one] = await outsiders('one');
    const answer = await open(one);
    await latest(3, 1);
    await setSlots(admin, 4);
    await latest(4, 1);
    await close(one, answer);
    await latest(4, 0);
    await stream.leave();
    expect(await leftovers(stage.account)).toEqual(NOTHING_LEFT);
  });
});

describe('a decrease', () => {
  let server: TestServer;
  let account: TestAccount;
  let admin: Person;

  beforeAll(async () => {
    ({ server } = await startWorld());
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    account = await TestAccount.create(server);
    admin = account.admin;
    await account.setSlots(6);
  });

  /** Moves the clock on to an instant, runs what is due, and logs in again, as the old login has expired. */
  async function advanceTo(time: Date): Promise<void> {
    server.clock.advance(Math.max(0, time.getTime() - server.clock.now().getTime()));
    await server.app.jobs.run();
    admin = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
  }
  const logged = async (code: string): Promise<Json[]> => {
    const entries = await server.app.platform.db.logEntry.findMany({
      where: { accountId: account.id, code },
      orderBy: { seq: 'asc' },
    });
    return entries.map(({ params, trigger }) => ({ ...(params as object), trigger }));
  };

  it('CON-16 CON-17 is scheduled three months after the last change, readable, and applied then, once', async () => {
    const asked = server.clock.now();
    const { account: answer, slots } = await setSlots(admin, 4);
    expect(slots.total).toBe(6);
    const at = new Date(answer.scheduledDecrease.at);
    expect(at.getTime()).toBeLessThanOrEqual(addMonths(asked, 3).getTime());
    expect(at.getTime()).toBeGreaterThan(addMonths(asked, 3).getTime() - 60_000);
    expect(await scheduledOf(admin)).toEqual({ concurrentConnections: 4, at: at.toISOString() });
    expect((await admin.api.run(OFFER, { count: 5 })).slotOffer.effectiveAt).toBe(at.toISOString());

    await advanceTo(new Date(at.getTime() - 60_000));
    expect(await slotsOf(admin)).toMatchObject({ total: 6 });
    await advanceTo(at);
    await server.app.jobs.run();
    expect(await slotsOf(admin)).toMatchObject({ total: 4, free: 4 });
    expect(await scheduledOf(admin)).toBeNull();
    expect(await logged('SLOTS_CHANGED')).toEqual([
      { from: 3, to: 6, trigger: 'USER' },
      { from: 6, to: 4, trigger: 'PLATFORM' },
    ]);
  });

  it('CON-16 CON-17 is applied at once when the number has been in force for three months', async () => {
    await advanceTo(new Date(addMonths(server.clock.now(), 3).getTime() + 1000));
    expect(await setSlots(admin, 5)).toMatchObject({ slots: { total: 5 }, account: { scheduledDecrease: null } });
    // That was a change, from which the next three months count.
    expect(await setSlots(admin, 4)).toMatchObject({
      slots: { total: 5 },
      account: { scheduledDecrease: { concurrentConnections: 4 } },
    });
  });

  it('CON-17 is due at the end of the month where the month is shorter', async () => {
    const year = server.clock.now().getUTCFullYear() + 1;
    await advanceTo(new Date(Date.UTC(year, 10, 30, 12)));
    await setSlots(admin, 7);
    const { scheduledDecrease } = (await setSlots(admin, 6)).account;
    const end = new Date(Date.UTC(year + 1, 2, 0)).toISOString().slice(0, 10);
    expect(scheduledDecrease.at.slice(0, 13)).toBe(`${end}T12`);
  });

  it('CON-17 is replaced by another request, and by an increase, which restarts the three months', async () => {
    await setSlots(admin, 4);
    expect((await setSlots(admin, 5)).account.scheduledDecrease).toMatchObject({ concurrentConnections: 5 });
    await advanceTo(new Date(server.clock.now().getTime() + 30 * DAY));
    expect(await setSlots(admin, 7)).toMatchObject({ slots: { total: 7 }, account: { scheduledDecrease: null } });
    const since = server.clock.now();
    const { scheduledDecrease } = (await setSlots(admin, 3)).account;
    expect(Math.abs(Date.parse(scheduledDecrease.at) - addMonths(since, 3).getTime())).toBeLessThan(60_000);
    // Ordering the present number calls the decrease off.
    expect(await setSlots(admin, 7)).toMatchObject({ slots: { total: 7 }, account: { scheduledDecrease: null } });
    expect(await logged('SLOTS_DECREASE_CANCELLED')).toHaveLength(1);
  });

  it('CON-17 CON-13 can be cancelled by Administrators; again changes nothing', async () => {
    const user = await account.user('user', [await account.group('Users')]);
    await setSlots(admin, 4);
    expect(await user.api.mutate(CANCEL)).toMatchObject({ code: 'FORBIDDEN' });
    const stranger = await TestAccount.create(server);
    expect(await stranger.admin.api.mutate(CANCEL)).toMatchObject({ account: { scheduledDecrease: null } });
    expect(await scheduledOf(admin)).toMatchObject({ concurrentConnections: 4 });
    for (let time = 0; time < 2; time++)
      expect(await admin.api.mutate(CANCEL)).toMatchObject({ account: { scheduledDecrease: null } });
    expect(await logged('SLOTS_DECREASE_CANCELLED')).toEqual([{ reason: 'on request', trigger: 'USER' }]);
    await advanceTo(new Date(server.clock.now().getTime() + 100 * DAY));
    expect((await slotsOf(admin)).total).toBe(6);
  });

  it('CON-25 is cancelled with a log entry when reservations forbid it at its time', async () => {
    const groupId = await account.group('Maintenance');
    await setSlots(admin, 4);
    expect(await reserve(admin, { groupId, count: 5 })).toMatchObject({ slots: { reservations: [{ count: 5 }] } });
    await advanceTo(new Date(server.clock.now().getTime() + 100 * DAY));
    expect((await slotsOf(admin)).total).toBe(6);
    expect(await scheduledOf(admin)).toBeNull();
    expect(await logged('SLOTS_DECREASE_CANCELLED')).toEqual([
      { reason: '5 connections are reserved', trigger: 'PLATFORM' },
    ]);
  });
});
