import { expect } from 'vitest';
import type { DatabaseKind } from './server.ts';
import { type Person, startWorld, type TestAccount, type TestEwon } from './world.ts';

/** An account with online Ewons, a group with reservations and one without: what tests of slots are played on. */
export interface SlotStage {
  account: TestAccount;
  ewons: TestEwon[];
  /** The group that connections are reserved for. */
  maintenance: string;
  /** The group of the outsiders. */
  operators: string;
  /** A user of Maintenance. */
  member(username: string, more?: Record<string, unknown>): Promise<Person>;
  /** A user of Operators. */
  outsider(username: string, more?: Record<string, unknown>): Promise<Person>;
  /** Reserves connections for Maintenance. */
  reserve(count: number): Promise<void>;
}

export const SET_RESERVATIONS = `mutation ($reservations: [SlotReservationInput!]!) {
  setReservations(input: { reservations: $reservations }) {
    __typename
    ... on SetReservationsSuccess { slots { total inUse free freeForViewer reservations { count inUse group { name } } } }
    ... on Error { code message path }
  }
}`;

/** @param slots the number of concurrent connections, where it is not the plan's. */
export async function setSlotStage(
  account: TestAccount,
  options: { slots?: number; reserved?: number; ewons?: number } = {},
): Promise<SlotStage> {
  const poolId = await account.defaultPool();
  const rights = [{ poolId, connectEcatcher: true, connectM2web: true }];
  const [maintenance, operators] = [
    await account.group('Maintenance', rights),
    await account.group('Operators', rights),
  ];
  const ewons: TestEwon[] = [];
  for (let number = 1; number <= (options.ewons ?? 1); number++) {
    ewons.push(await account.onlineEwon({ name: `Ewon ${number}` }));
  }
  const reserve = async (count: number) => {
    await account.admin.api.succeed(SET_RESERVATIONS, { reservations: [{ groupId: maintenance, count }] });
  };
  if (options.slots !== undefined) await account.setSlots(options.slots);
  if (options.reserved) await reserve(options.reserved);
  return {
    account,
    ewons,
    maintenance,
    operators,
    member: (username, more) => account.user(username, [maintenance], more),
    outsider: (username, more) => account.user(username, [operators], more),
    reserve,
  };
}

/** {@link setSlotStage} on a server of its own. */
export async function startSlotStage(
  database: DatabaseKind,
  options: Parameters<typeof setSlotStage>[1] & { env?: Record<string, string> } = {},
): Promise<SlotStage> {
  const { account } = await startWorld({ database, ...(options.env && { env: options.env }) });
  return setSlotStage(account, options);
}

/** The slots of an account as the database has them at one moment. */
export interface SlotFactsNow {
  /** Open Ecatcher sessions. */
  open: number;
  /** Those of users outside the group Maintenance. */
  openOutsiders: number;
  /** Slots that are held. */
  held: number;
  /** Slots that are held by an open Ecatcher session. Each session is in one slot at most, by a unique index. */
  heldByOpen: number;
  freeShared: number;
  freeReserved: number;
  waiting: number;
  waitingMembers: number;
}

/** Reads in one statement, hence one snapshot of the database. */
export async function readSlotsNow({ server, id }: TestAccount): Promise<SlotFactsNow> {
  const [row] = await server.app.platform.db.$queryRaw<Record<keyof SlotFactsNow, bigint>[]>`
    WITH member AS (
      SELECT m."userId" FROM "GroupMember" m JOIN "Group" g ON g."id" = m."groupId"
      WHERE g."accountId" = ${id}::uuid AND g."name" = 'Maintenance'
    ), live AS (
      SELECT * FROM "Session" WHERE "accountId" = ${id}::uuid AND "state" = 'OPEN' AND "client" = 'ECATCHER'
    ), slot AS (
      SELECT * FROM "Slot" WHERE "accountId" = ${id}::uuid
    ), waiter AS (
      SELECT * FROM "SlotWaiter" WHERE "accountId" = ${id}::uuid AND "state" = 'WAITING'
    )
    SELECT
      (SELECT count(*) FROM live) AS "open",
      (SELECT count(*) FROM live WHERE "userId" NOT IN (SELECT "userId" FROM member)) AS "openOutsiders",
      (SELECT count(*) FROM slot WHERE "sessionId" IS NOT NULL) AS "held",
      (SELECT count(*) FROM slot WHERE "sessionId" IN (SELECT "id" FROM live)) AS "heldByOpen",
      (SELECT count(*) FROM slot WHERE "sessionId" IS NULL AND "groupId" IS NULL) AS "freeShared",
      (SELECT count(*) FROM slot WHERE "sessionId" IS NULL AND "groupId" IS NOT NULL) AS "freeReserved",
      (SELECT count(*) FROM waiter) AS "waiting",
      (SELECT count(*) FROM waiter WHERE "userId" IN (SELECT "userId" FROM member)) AS "waitingMembers"`;
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)])) as never;
}

/** What holds at every moment, whatever happens at the same time. */
export function expectSlotsKept(now: SlotFactsNow, total: number, reserved: number): void {
  expect(now.open, 'CON-27: open sessions').toBeLessThanOrEqual(total);
  expect([now.held, now.heldByOpen], 'WTL-04: every slot is held by one open session').toEqual([now.open, now.open]);
  expect(now.openOutsiders, 'CON-21: sessions of outsiders').toBeLessThanOrEqual(total - reserved);
  if (now.freeShared > 0) expect(now.waiting, 'WTL-04: waiting beside a free slot').toBe(0);
  if (now.freeReserved > 0) expect(now.waitingMembers, 'WTL-04: members waiting beside a free slot').toBe(0);
}

/** Looks again and again until it is stopped; the first look at which something did not hold is thrown then. */
export function watchSlots(account: TestAccount, total: number, reserved: number): { stop(): Promise<number> } {
  let looks = 0;
  let stopped = false;
  const watch = (async () => {
    while (!stopped) {
      expectSlotsKept(await readSlotsNow(account), total, reserved);
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  })();
  watch.catch(() => undefined);
  return {
    stop: async () => {
      stopped = true;
      await watch;
      return looks;
    },
  };
}

/** Nothing is left of any session: no slot, no open session, no place in the queue, no address in use by a user. */
export async function leftovers(account: TestAccount): Promise<Record<string, number>> {
  const { db } = account.server.app.platform;
  const { held, waiting } = await readSlotsNow(account);
  return {
    held,
    waiting,
    open: await db.session.count({ where: { accountId: account.id, state: 'OPEN' } }),
    addresses: await db.vpnAddress.count({ where: { inUse: true, user: { accountId: account.id } } }),
  };
}

export const NOTHING_LEFT = { held: 0, waiting: 0, open: 0, addresses: 0 };
