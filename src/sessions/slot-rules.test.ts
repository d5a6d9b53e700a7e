import { describe, expect, it } from 'vitest';
import {
  dropSurplus,
  type HeldSlot,
  placeReservations,
  redeemReservations,
  type SlotFacts,
  slotFigures,
  slotFor,
} from './slot-rules.ts';

const MAINTENANCE = 'maintenance';

/** `free`, `held`, with `!` for a reservation of Maintenance: as `['free', 'held!']`. */
const slots = (...shapes: string[]): HeldSlot[] =>
  shapes.map((shape, index) => ({
    id: `slot ${index + 1}`,
    number: index + 1,
    groupId: shape.endsWith('!') ? MAINTENANCE : null,
    sessionId: shape.startsWith('held') ? `session ${index + 1}` : null,
    holderGroupIds: shape.startsWith('held by Maintenance') ? [MAINTENANCE] : [],
  }));

const take = (all: SlotFacts[], groupIds: string[]) => {
  const slot = slotFor(all, groupIds);
  if (slot) slot.sessionId = 'taken';
  return slot?.number ?? null;
};

describe('slots', () => {
  it('CON-22 with 3 in total and 1 reserved: two outsiders connect, a third is refused, a member still connects', () => {
    const all = slots('free!', 'free', 'free');
    expect([take(all, []), take(all, []), take(all, []), take(all, [MAINTENANCE])]).toEqual([2, 3, null, 1]);
  });

  it('CON-23 a member takes a reserved slot before a shared one', () => {
    const all = slots('free', 'free!', 'free');
    expect([take(all, [MAINTENANCE]), take(all, [MAINTENANCE])]).toEqual([2, 1]);
  });

  it('CON-21 an outsider never gets more than the total without the reservations of other groups', () => {
    const all = slots('free!', 'free!', 'free');
    expect([take(all, ['sales']), take(all, ['sales'])]).toEqual([3, null]);
  });

  it('CON-12 tells total, in use, free, free for the viewer, and what is reserved', () => {
    expect(slotFigures(slots('held!', 'free!', 'held', 'free'), 4, [])).toEqual({
      total: 4,
      inUse: 2,
      free: 2,
      freeForViewer: 1,
      usableByViewer: 2,
      reservations: [{ groupId: MAINTENANCE, count: 2, inUse: 1 }],
    });
    expect(slotFigures(slots('held!', 'free!', 'held', 'free'), 4, [MAINTENANCE])).toMatchObject({
      freeForViewer: 2,
      usableByViewer: 4,
    });
  });

  it('CON-26 new reservations go to slots that members hold, then to free ones, then to those that others hold', () => {
    const all = slots('held', 'free', 'held by Maintenance', 'held');
    const placed = placeReservations(all, [{ groupId: MAINTENANCE, count: 3 }]);
    expect([...placed]).toEqual([
      ['slot 1', MAINTENANCE],
      ['slot 2', MAINTENANCE],
      ['slot 3', MAINTENANCE],
      ['slot 4', null],
    ]);
    expect(
      [...placeReservations(all, [{ groupId: MAINTENANCE, count: 1 }]).entries()].filter(([, group]) => group),
    ).toEqual([['slot 3', MAINTENANCE]]);
  });

  it('CON-21 a reservation on a slot that an outsider holds passes to the first shared slot that is free', () => {
    expect([...redeemReservations(slots('held!', 'held by Maintenance!', 'free', 'free'))]).toEqual([
      ['slot 3', MAINTENANCE],
      ['slot 1', null],
    ]);
    expect([...redeemReservations(slots('held!', 'held', 'free!'))]).toEqual([]);
  });

  it('CON-19 drops freed slots while more are in use than the total, and keeps the reservation', () => {
    expect(dropSurplus(slots('free!', 'held', 'held'), 2)).toEqual({
      drop: ['slot 1'],
      reserve: new Map([['slot 2', MAINTENANCE]]),
    });
    expect(dropSurplus(slots('free', 'held!', 'held', 'free'), 3)).toEqual({ drop: ['slot 4'], reserve: new Map() });
    expect(dropSurplus(slots('held', 'held', 'held'), 2).drop).toEqual([]);
  });
});
