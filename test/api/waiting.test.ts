import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, type Json, type Subscription } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { leftovers, NOTHING_LEFT, readSlotsNow, type SlotStage, setSlotStage } from '../support/slots.ts';
import { CLOSE_SESSION, OPEN_SESSION, openSession, type Person, startWorld, TestAccount } from '../support/world.ts';

let server: TestServer;
let stage: SlotStage;
let holder: Person;
let held: Json;

const PLACE = '{ viewer { slotWait { position arrivedAt expiresAt ewon { name } } } }';
const LEAVE = 'mutation { leaveSlotQueue { __typename ... on LeaveSlotQueueSuccess { left } } }';

const placeOf = async (person: Person): Promise<Json> => (await person.api.run(PLACE)).viewer.slotWait;
const atPlace = (person: Person, position: number): Promise<Json> =>
  eventually(
    `${person.username} at place ${position}`,
    () => placeOf(person),
    (wait) => wait?.position === position,
  );
const gone = (count = 0) =>
  eventually(
    `${count} in the queue`,
    () => readSlotsNow(stage.account),
    ({ waiting }) => waiting === count,
  );
const close = (person: Person, answer: Json) => person.api.succeed(CLOSE_SESSION, { sessionId: answer.session.id });

/** Asks for a session and stands in the queue at that place. */
async function wait(
  person: Person,
  position: number,
  more: Record<string, unknown> = {},
  ewon = 0,
): Promise<{ answer: Promise<Json>; hangUp(): void }> {
  const controller = new AbortController();
  const answer = openSession(
    person,
    stage.ewons[ewon]?.id ?? '',
    { waitSeconds: 200, ...more },
    { signal: controller.signal },
  );
  answer.catch(() => undefined);
  await atPlace(person, position);
  return { answer, hangUp: () => controller.abort() };
}

// One connection, so that a single session makes everybody else wait.
beforeAll(async () => {
  ({ server } = await startWorld({ env: { SLOTS_BASE_PRO: '1', SLOT_DECREASE_MONTHS: '0' } }));
});
afterAll(() => server?.close());
beforeEach(async () => {
  stage = await setSlotStage(await TestAccount.create(server), { ewons: 2 });
  holder = await stage.outsider('holder');
  held = await openSession(holder, stage.ewons[0]?.id ?? '');
  expect(held.__typename).toBe('OpenSessionSuccess');
});

it('WTL-02 WTL-03 serves those who wait in order of arrival, each of whom sees his place', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const [waitFirst, waitSecond] = [await wait(first, 1), await wait(second, 2, {}, 1)];
  const place = await placeOf(second);
  expect(place).toMatchObject({ position: 2, ewon: { name: 'Ewon 2' } });
  expect(Date.parse(place.expiresAt) - Date.parse(place.arrivedAt)).toBe(200_000);

  await close(holder, held);
  const one = await waitFirst.answer;
  expect(one).toMatchObject({ __typename: 'OpenSessionSuccess', session: { state: 'OPEN' } });
  await atPlace(second, 1);
  await close(first, one);
  expect((await waitSecond.answer).__typename).toBe('OpenSessionSuccess');
  expect(await placeOf(second)).toBeNull();
});

it('WTL-04 gives a freed slot to the waiter in the same moment, so that no newcomer overtakes him', async () => {
  const waiter = await stage.outsider('waiter');
  const newcomers = [await stage.outsider('newcomer-1'), await stage.outsider('newcomer-2')];
  const { answer } = await wait(waiter, 1);
  const [, ...late] = await Promise.all([
    close(holder, held),
    ...newcomers.flatMap((person) => [1, 2, 3].map(() => openSession(person, stage.ewons[0]?.id ?? ''))),
  ]);
  expect(new Set(late.map(({ code }) => code))).toEqual(new Set(['CONCURRENT_CONNECTION_LIMIT']));
  // Not a moment is between: what was free at the commit of the one was held at the commit of the other.
  expect(await readSlotsNow(stage.account)).toMatchObject({ open: 1, held: 1, waiting: 0 });
  expect((await answer).__typename).toBe('OpenSessionSuccess');
});

it('WTL-02 CON-23 lets no outsider who came before block a member when a reserved slot becomes free', async () => {
  await stage.account.setSlots(2);
  await stage.reserve(1);
  const [member, other, outsider] = [
    await stage.member('member'),
    await stage.member('other'),
    await stage.outsider('outsider'),
  ];
  const reserved = await openSession(member, stage.ewons[0]?.id ?? '');
  expect(reserved.session.slot).toMatchObject({ reserved: true });
  const [waitOutsider, waitOther] = [await wait(outsider, 1), await wait(other, 2)];

  await close(member, reserved);
  expect(await waitOther.answer).toMatchObject({ session: { slot: { reserved: true } } });
  await atPlace(outsider, 1);
  await close(holder, held);
  expect(await waitOutsider.answer).toMatchObject({ session: { slot: { reserved: false } } });
});

it('WTL-03 is left by leaveSlotQueue, upon which the waiting call is refused; again changes nothing', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const [{ answer }] = [await wait(first, 1), await wait(second, 2)];
  expect((await first.api.succeed(LEAVE)).left).toBe(true);
  expect(await answer).toMatchObject({ code: 'CONCURRENT_CONNECTION_LIMIT', queuePosition: null });
  expect((await first.api.succeed(LEAVE)).left).toBe(false);
  await atPlace(second, 1);
  expect((await holder.api.succeed(LEAVE)).left).toBe(false);
  await atPlace(second, 1);
});

it('WTL-03 takes out a caller who hangs up his request', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const [waitFirst, waitSecond] = [await wait(first, 1), await wait(second, 2)];
  waitFirst.hangUp();
  await atPlace(second, 1);
  await close(holder, held);
  await close(second, await waitSecond.answer);
  expect(await leftovers(stage.account)).toEqual(NOTHING_LEFT);
});

it('WTL-03 takes out a caller who closes his WebSocket', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const socket: Subscription = first.api.subscribe(OPEN_SESSION, {
    input: { ewonId: stage.ewons[0]?.id, waitSeconds: 200 },
  });
  await atPlace(first, 1);
  const { answer } = await wait(second, 2);
  await socket.leave();
  await atPlace(second, 1);
  await close(holder, held);
  await close(second, await answer);
  expect(await leftovers(stage.account)).toEqual(NOTHING_LEFT);
});

it('WTL-03 keeps the place for another request of the same user when one of them hangs up', async () => {
  const waiter = await stage.outsider('waiter');
  const [first, again] = [await wait(waiter, 1), await wait(waiter, 1)];
  expect((await readSlotsNow(stage.account)).waiting).toBe(1);
  first.hangUp();
  await expect(first.answer).rejects.toThrow();
  await gone(1);
  await close(holder, held);
  expect((await again.answer).session.state).toBe('OPEN');
});

it('WTL-02 WTL-03 refuses a caller whose time is over, and says why', async () => {
  const waiter = await stage.outsider('waiter');
  const { answer } = await wait(waiter, 1, { waitSeconds: 30 });
  server.clock.advance(31_000);
  expect(await answer).toMatchObject({
    __typename: 'NoFreeSlotError',
    code: 'CONCURRENT_CONNECTION_LIMIT',
    queuePosition: null,
    usage: { total: 1, inUse: 1 },
  });
  await gone();
  const refused = await waiter.api.mutate(OPEN_SESSION, {
    input: { ewonId: stage.ewons[0]?.id, waitSeconds: 3601 },
  });
  expect(refused).toMatchObject({ code: 'VALIDATION_FAILED' });
  await wait(waiter, 1, { waitSeconds: 3600 });
  const { arrivedAt, expiresAt } = await placeOf(waiter);
  expect(Date.parse(expiresAt) - Date.parse(arrivedAt)).toBe(server.config.limits.SLOT_WAIT_MAX_SECONDS * 1000);
});

it('WTL-02 WTL-03 gives callers who are there their places again, in their order, when their lease ran out', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const [waitFirst, waitSecond] = [await wait(first, 1), await wait(second, 2)];
  server.clock.advance(30_000);
  await server.app.jobs.run();
  await Promise.all([atPlace(first, 1), atPlace(second, 2)]);
  await close(holder, held);
  const one = await waitFirst.answer;
  await close(first, one);
  expect((await waitSecond.answer).__typename).toBe('OpenSessionSuccess');
});

it('WTL-03 takes out who logs out or is disabled, and tells his call so', async () => {
  const [leaver, disabled, last] = [
    await stage.outsider('leaver'),
    await stage.outsider('disabled'),
    await stage.outsider('last'),
  ];
  const [waitLeaver, waitDisabled, waitLast] = [await wait(leaver, 1), await wait(disabled, 2), await wait(last, 3)];
  await leaver.api.succeed('mutation { logout { __typename } }');
  await atPlace(last, 2);
  expect(await waitLeaver.answer).toMatchObject({ code: 'LOGIN_EXPIRED' });

  // No operation disables a user yet.
  const { db, clock } = server.app.platform;
  await db.user.updateMany({
    where: { accountId: stage.account.id, username: 'disabled' },
    data: { disabledAt: clock.now() },
  });
  await server.app.jobs.run();
  await atPlace(last, 1);
  expect(await waitDisabled.answer).toMatchObject({ code: 'LOGIN_EXPIRED' });
  await close(holder, held);
  expect((await waitLast.answer).__typename).toBe('OpenSessionSuccess');
});

it('CON-07 WTL-04 lets who switches keep his slot before those who wait', async () => {
  const waiter = await stage.outsider('waiter');
  const { answer } = await wait(waiter, 1);
  const switched = await openSession(holder, stage.ewons[1]?.id ?? '', { switch: true });
  expect(switched.__typename).toBe('OpenSessionSuccess');
  await atPlace(waiter, 1);
  await close(holder, switched);
  expect((await answer).__typename).toBe('OpenSessionSuccess');
});

it('CON-07 CON-23 WTL-04 gives the shared slot of a member who switches to his reserved one to who waits', async () => {
  await stage.account.setSlots(2);
  await stage.reserve(1);
  await close(holder, held);
  const [one, two, outsider] = [await stage.member('one'), await stage.member('two'), await stage.outsider('outsider')];
  const reserved = await openSession(one, stage.ewons[0]?.id ?? '');
  expect((await openSession(two, stage.ewons[0]?.id ?? '')).session.slot.reserved).toBe(false);
  const { answer } = await wait(outsider, 1);
  await close(one, reserved);
  await atPlace(outsider, 1);
  const switched = await openSession(two, stage.ewons[1]?.id ?? '', { switch: true });
  expect(switched.session.slot.reserved).toBe(true);
  expect((await answer).session.slot.reserved).toBe(false);
});

it('CON-07 CON-26 lets who switches keep a slot that was reserved for others meanwhile', async () => {
  await stage.reserve(1);
  const switched = await openSession(holder, stage.ewons[1]?.id ?? '', { switch: true });
  expect(switched).toMatchObject({ __typename: 'OpenSessionSuccess' });
  expect(await readSlotsNow(stage.account)).toMatchObject({ open: 1, held: 1 });
});

it('CON-15 WTL-04 serves who waits at once when the number is raised', async () => {
  const [first, second] = [await stage.outsider('first'), await stage.outsider('second')];
  const [waitFirst, waitSecond] = [await wait(first, 1), await wait(second, 2)];
  await stage.account.setSlots(3);
  expect(await readSlotsNow(stage.account)).toMatchObject({ open: 3, waiting: 0 });
  const answers = await Promise.all([waitFirst.answer, waitSecond.answer]);
  expect(answers.map(({ __typename }) => __typename)).toEqual(['OpenSessionSuccess', 'OpenSessionSuccess']);
});

it('CON-11 WTL-04 frees the slots of an Ewon that goes offline for those who wait for another', async () => {
  const [same, other] = [await stage.outsider('same'), await stage.outsider('other')];
  const [waitSame, waitOther] = [await wait(same, 1), await wait(other, 2, {}, 1)];
  await stage.ewons[0]?.device.disconnect();
  expect((await waitOther.answer).__typename).toBe('OpenSessionSuccess');
  expect(await waitSame.answer).toMatchObject({ code: 'EWON_OFFLINE' });
  expect(await readSlotsNow(stage.account)).toMatchObject({ open: 1, held: 1, waiting: 0 });
});

it('WTL-03 WTL-04 leaves nothing of who waits for an Ewon that is removed, and serves the next', async () => {
  const [same, other] = [await stage.outsider('same'), await stage.outsider('other')];
  const [waitSame, waitOther] = [await wait(same, 1), await wait(other, 2, {}, 1)];
  await stage.account.admin.api.succeed(
    'mutation ($ewonId: ID!) { removeEwon(input: { ewonId: $ewonId, confirm: true }) { __typename ... on Error { code } } }',
    { ewonId: stage.ewons[0]?.id },
  );
  const served = await waitOther.answer;
  expect(served.__typename).toBe('OpenSessionSuccess');
  expect(await waitSame.answer).toMatchObject({ code: 'NOT_FOUND' });
  expect(await readSlotsNow(stage.account)).toMatchObject({ open: 1, held: 1, waiting: 0 });
  await close(other, served);
  expect(await leftovers(stage.account)).toEqual(NOTHING_LEFT);
});

it('CON-30 WTL-04 gives the slot of a silent client to who waits', async () => {
  const waiter = await stage.outsider('waiter');
  const { answer } = await wait(waiter, 1);
  server.clock.advance(121_000);
  await server.app.jobs.run();
  expect((await answer).__typename).toBe('OpenSessionSuccess');
});
