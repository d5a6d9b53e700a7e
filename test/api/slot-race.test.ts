import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../device-sim/random.ts';
import { eventually, type Json } from '../support/client.ts';
import { eachDatabase, onPostgres, startServer } from '../support/server.ts';
import {
  expectSlotsKept,
  leftovers,
  NOTHING_LEFT,
  readSlotsNow,
  type SlotStage,
  startSlotStage,
  watchSlots,
} from '../support/slots.ts';
import { CLOSE_SESSION, openSession, type Person } from '../support/world.ts';

const TOTAL = 5;
const RESERVED = 2;

const close = (person: Person, answer: Json): Promise<Json> =>
  person.api.succeed(CLOSE_SESSION, { sessionId: answer.session.id });

/** How many sessions the log says were started and closed. */
async function loggedSessions(account: SlotStage['account']): Promise<{ started: number; closed: number }> {
  const count = (code: string) =>
    account.server.app.platform.db.logEntry.count({ where: { accountId: account.id, code } });
  return { started: await count('SESSION_STARTED'), closed: await count('SESSION_CLOSED') };
}

eachDatabase('Many users for 5 slots, 2 of them reserved,', (database) => {
  // The embedded database is one session: it shows the rules of slots, not a race of locks.
  const [PEOPLE, MEMBERS, ROUNDS] = database === 'postgresql' ? [64, 16, 6] : [32, 8, 1];
  let stage: SlotStage;
  const people: { person: Person; isMember: boolean }[] = [];

  beforeAll(async () => {
    stage = await startSlotStage(database, { slots: TOTAL, reserved: RESERVED });
    for (let number = 1; number <= PEOPLE; number += 8) {
      people.push(
        ...(await Promise.all(
          Array.from({ length: 8 }, async (_, index) => {
            const isMember = number + index <= MEMBERS;
            const username = `user-${number + index}`;
            return { person: await (isMember ? stage.member(username) : stage.outsider(username)), isMember };
          }),
        )),
      );
    }
  });
  afterAll(() => stage?.account.server.close());

  it('CON-27 CON-05 CON-20 CON-21 WTL-04 are never more than 5 at a time, keep the reservations, and leave nothing behind', async () => {
    const { account, ewons } = stage;
    const ewonId = ewons[0]?.id ?? '';
    const watch = watchSlots(account, TOTAL, RESERVED);
    const totals = { opened: 0, refused: 0, queued: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const answers = people.map(async ({ person, isMember }, index) => {
        const waits = (index + round) % 8 === 0;
        return { person, isMember, waits, answer: await openSession(person, ewonId, { waitSeconds: waits ? 200 : 0 }) };
      });
      const prompt = (await Promise.all(people.map((_, i) => ((i + round) % 8 === 0 ? null : answers[i])))).flatMap(
        (call) => call ?? [],
      );

      // All who did not ask to wait have their answer: a session, or the refusal. The others have a session, or a place.
      const refused = prompt.filter(({ answer }) => answer.__typename !== 'OpenSessionSuccess');
      expect(new Set(refused.map(({ answer }) => answer.code))).toEqual(new Set(['CONCURRENT_CONNECTION_LIMIT']));
      const now = await eventually(
        'everybody has a session, a refusal or a place in the queue',
        () => readSlotsNow(account),
        ({ open, waiting }) => open + waiting + refused.length === people.length,
      );
      expectSlotsKept(now, TOTAL, RESERVED);
      expect(now.open).toBe(TOTAL);
      expect(now.open - now.openOutsiders).toBeGreaterThanOrEqual(RESERVED);

      // Who has a session closes it; so, one after the other, all who wait get theirs, and close it.
      const ends = await Promise.all(
        answers.map(async (call) => {
          const { person, waits, answer } = await call;
          if (answer.__typename === 'OpenSessionSuccess') await close(person, answer);
          return { waits, opened: answer.__typename === 'OpenSessionSuccess' };
        }),
      );
      expect(ends.filter(({ waits, opened }) => waits && !opened)).toEqual([]);
      expect(await leftovers(account)).toEqual(NOTHING_LEFT);
      totals.opened += ends.filter(({ opened }) => opened).length;
      totals.refused += refused.length;
      totals.queued += now.waiting;
    }
    expect(await watch.stop()).toBeGreaterThan(ROUNDS);
    expect(totals.opened + totals.refused).toBe(ROUNDS * people.length);
    expect(totals.queued).toBeGreaterThan(0);
    expect(await loggedSessions(account)).toEqual({ started: totals.opened, closed: totals.opened });
  }, 240_000);

  it('CON-07 API-01 gives one session to a user who asks for it many times at once', async () => {
    const { account, ewons } = stage;
    const ewonId = ewons[0]?.id ?? '';
    const [first, second] = people.map(({ person }) => person);
    if (!first || !second) throw new Error('There are no people.');

    const plain = await Promise.all(Array.from({ length: 12 }, () => openSession(first, ewonId)));
    const opened = plain.filter(({ __typename }) => __typename === 'OpenSessionSuccess');
    expect(opened).toHaveLength(1);
    expect(plain.filter(({ code }) => code === 'USER_ALREADY_CONNECTED')).toHaveLength(11);

    const keyed = await Promise.all(
      Array.from({ length: 12 }, () => openSession(second, ewonId, { idempotencyKey: 'once' })),
    );
    expect(new Set(keyed.map(({ session }) => session?.id)).size).toBe(1);
    expect((await readSlotsNow(account)).open).toBe(2);

    await close(first, opened[0]);
    await close(second, keyed[0]);
    expect(await leftovers(account)).toEqual(NOTHING_LEFT);
  });

  it('CON-10 CON-28 CON-09 writes one end when its user and the Administrator close a session at once', async () => {
    const { account, ewons } = stage;
    const person = people[0]?.person;
    if (!person) throw new Error('There are no people.');
    for (let round = 0; round < 5; round++) {
      const before = await loggedSessions(account);
      const answer = await openSession(person, ewons[0]?.id ?? '');
      const ends = await Promise.all(
        [person, account.admin, person, account.admin, account.admin].map((closer) => close(closer, answer)),
      );
      expect(new Set(ends.map(({ session }) => session.closeReason)).size).toBe(1);
      expect(['BY_USER', 'BY_ADMINISTRATOR']).toContain(ends[0].session.closeReason);
      expect(await loggedSessions(account)).toEqual({ started: before.started + 1, closed: before.closed + 1 });
    }
    expect(await leftovers(account)).toEqual(NOTHING_LEFT);
  });
});

onPostgres('on PostgreSQL', () => {
  describe('16 users who open, wait, hang up, switch and close as they like', () => {
    let stage: SlotStage;
    const people: Person[] = [];

    beforeAll(async () => {
      stage = await startSlotStage('postgresql', { slots: TOTAL, reserved: RESERVED, ewons: 2 });
      for (let number = 1; number <= 16; number++)
        people.push(await (number <= 5 ? stage.member(`user-${number}`) : stage.outsider(`user-${number}`)));
    });
    afterAll(() => stage?.account.server.close());

    it('WTL-02 WTL-03 WTL-04 CON-07 CON-21 CON-27 never get a slot twice, and no slot stays free that somebody waits for', async () => {
      const { account, ewons } = stage;
      const random = seededRandom('slots');
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
      const calls: Promise<unknown>[] = [];
      const hangUps: { person: Person; hangUp: AbortController }[] = [];
      const wait = (person: Person, more: Record<string, unknown>) => {
        const hangUp = new AbortController();
        hangUps.push({ person, hangUp });
        const call = openSession(person, pick(ewons).id, { waitSeconds: 200, ...more }, { signal: hangUp.signal });
        calls.push(call.catch(() => undefined));
      };
      const closeOwn = async (person: Person) => {
        const { sessions } = await person.api.run(
          'query ($userIds: [ID!]) { sessions(filter: { live: true, userIds: $userIds }) { nodes { id } } }',
          { userIds: [person.id] },
        );
        for (const { id } of sessions.nodes) await person.api.succeed(CLOSE_SESSION, { sessionId: id });
      };

      const watch = watchSlots(account, TOTAL, RESERVED);
      for (let round = 0; round < 25; round++) {
        await Promise.all(
          people.map(async (person) => {
            const act = random();
            if (act < 0.3) wait(person, {});
            else if (act < 0.4) wait(person, { switch: true });
            else if (act < 0.5) await openSession(person, pick(ewons).id);
            else if (act < 0.6)
              for (const own of hangUps.filter((other) => other.person === person)) own.hangUp.abort();
            else if (act < 0.65) await person.api.succeed('mutation { leaveSlotQueue { __typename } }');
            else if (act < 0.9) await closeOwn(person);
          }),
        );
        expectSlotsKept(await readSlotsNow(account), TOTAL, RESERVED);
      }
      expect(await watch.stop()).toBeGreaterThan(25);

      for (const { hangUp } of hangUps) hangUp.abort();
      await Promise.all(calls);
      await eventually(
        'nobody waits',
        () => readSlotsNow(account),
        ({ waiting }) => waiting === 0,
      );
      await Promise.all(people.map(closeOwn));
      await eventually(
        'nothing is left',
        () => leftovers(account),
        (left) => Object.values(left).every((count) => count === 0),
      );
      const { started, closed } = await loggedSessions(account);
      expect(started).toBeGreaterThan(25);
      expect(closed).toBe(started);
    }, 120_000);
  });

  it('CON-17 applies a decrease that has fallen due once, though two instances find it', async () => {
    const stage = await startSlotStage('postgresql', { slots: TOTAL, ewons: 0 });
    const { account } = stage;
    const { server } = account;
    const second = await startServer({ databaseUrl: server.databaseUrl, clock: server.clock });
    try {
      await account.setSlots(4);
      server.clock.advance(100 * 24 * 3600_000);
      await Promise.all([server, second, server, second].map(({ app }) => app.jobs.run()));
      const { db } = server.app.platform;
      const row = await db.account.findUniqueOrThrow({ where: { id: account.id }, include: { slots: true } });
      expect([row.concurrentConnections, row.slots.length, row.pendingSlots]).toEqual([4, 4, null]);
      const changes = await db.logEntry.findMany({ where: { accountId: account.id, code: 'SLOTS_CHANGED' } });
      expect(changes.map(({ params }) => params)).toEqual([
        { from: 3, to: 5 },
        { from: 5, to: 4 },
      ]);
    } finally {
      await second.close();
      await server.close();
    }
  });
});
