/*
 * Who gets which concurrent connection (CON-20 to CON-23), over plain values. An account has a number of slots; a slot may
 * be reserved for a group and may be held by a session. The database keeps them as rows; these functions decide.
 */

/** A slot as the rules see it. */
export interface SlotFacts {
  id: string;
  number: number;
  /** The group that it is reserved for. */
  groupId: string | null;
  sessionId: string | null;
}

/**
 * The slot that somebody of these groups takes: a free one reserved for one of his groups first, then a free shared one
 * (CON-23); undefined when there is none for him, whatever is free for others (CON-21).
 */
export function slotFor(slots: readonly SlotFacts[], groupIds: readonly string[]): SlotFacts | undefined {
  const free = slots.filter((slot) => slot.sessionId === null && mayTake(slot, groupIds));
  return free.sort((a, b) => Number(a.groupId === null) - Number(b.groupId === null) || a.number - b.number)[0];
}

const mayTake = (slot: SlotFacts, groupIds: readonly string[]): boolean =>
  slot.groupId === null || groupIds.includes(slot.groupId);

/** The account's slots in figures (CON-12). */
export interface SlotFigures {
  /** The number of concurrent connections in force. */
  total: number;
  /** Held now; may exceed the total after a decrease (CON-19). */
  inUse: number;
  /** Not held by anybody, reserved ones included. */
  free: number;
  /** Free for the asking user: shared ones and those reserved for his groups. */
  freeForViewer: number;
  /** The most that the asking user and his like could ever hold: the total without the reservations of other groups (WTL-01). */
  usableByViewer: number;
  reservations: { groupId: string; count: number; inUse: number }[];
}

export function slotFigures(slots: readonly SlotFacts[], total: number, groupIds: readonly string[]): SlotFigures {
  const free = slots.filter((slot) => slot.sessionId === null);
  const reserved = new Map<string, { groupId: string; count: number; inUse: number }>();
  for (const { groupId, sessionId } of slots) {
    if (groupId === null) continue;
    const sum = reserved.get(groupId) ?? { groupId, count: 0, inUse: 0 };
    reserved.set(groupId, { groupId, count: sum.count + 1, inUse: sum.inUse + Number(sessionId !== null) });
  }
  const reservations = [...reserved.values()];
  const forOthers = reservations.filter(({ groupId }) => !groupIds.includes(groupId));
  return {
    total,
    inUse: slots.length - free.length,
    free: free.length,
    freeForViewer: free.filter((slot) => mayTake(slot, groupIds)).length,
    usableByViewer: total - forOthers.reduce((sum, { count }) => sum + count, 0),
    reservations,
  };
}

/** A slot with the groups of the user who holds it: none while it is free. */
export interface HeldSlot extends SlotFacts {
  holderGroupIds: readonly string[];
}

/**
 * Which slots carry which reservation after a change (CON-26). Live sessions stay: a group's reservations go first to the
 * slots that its own members hold, then to free ones, and what is left to slots that others hold, which become the
 * group's when they are freed. Returns the group of each slot id.
 */
export function placeReservations(
  slots: readonly HeldSlot[],
  wanted: readonly { groupId: string; count: number }[],
): Map<string, string | null> {
  const placed = new Map<string, string | null>(slots.map((slot) => [slot.id, null]));
  const left = new Map(wanted.map(({ groupId, count }) => [groupId, count]));
  const passes: ((slot: HeldSlot, groupId: string) => boolean)[] = [
    (slot, groupId) => slot.sessionId !== null && slot.holderGroupIds.includes(groupId),
    (slot) => slot.sessionId === null,
    () => true,
  ];
  for (const fits of passes) {
    for (const { groupId } of wanted) {
      for (const slot of slots) {
        const count = left.get(groupId) ?? 0;
        if (count > 0 && placed.get(slot.id) === null && fits(slot, groupId)) {
          placed.set(slot.id, groupId);
          left.set(groupId, count - 1);
        }
      }
    }
  }
  return placed;
}

/**
 * A reservation that lies on a slot which somebody from outside the group holds passes to a free shared slot as soon as
 * there is one: else one more outsider could take that, and they would hold more than CON-21 gives them. Returns the new
 * group of each slot that changes.
 */
export function redeemReservations(slots: readonly HeldSlot[]): Map<string, string | null> {
  const owed = slots.filter(
    ({ sessionId, groupId, holderGroupIds }) =>
      sessionId !== null && groupId !== null && !holderGroupIds.includes(groupId),
  );
  const changed = new Map<string, string | null>();
  for (const slot of slots.filter(({ sessionId, groupId }) => sessionId === null && groupId === null)) {
    const debt = owed.shift();
    if (debt) changed.set(slot.id, debt.groupId).set(debt.id, null);
  }
  return changed;
}

/**
 * What becomes of slots that have just been freed while there are more rows than the total (CON-19): the surplus is
 * dropped. A reservation on a dropped row passes to a shared row that is still held, so that it is kept.
 */
export function dropSurplus(
  slots: readonly SlotFacts[],
  total: number,
): { drop: string[]; reserve: Map<string, string> } {
  const surplus = Math.max(0, slots.length - total);
  const free = slots
    .filter((slot) => slot.sessionId === null)
    .sort((a, b) => Number(a.groupId !== null) - Number(b.groupId !== null) || b.number - a.number);
  const dropped = free.slice(0, surplus);
  const heldShared = slots.filter((slot) => slot.sessionId !== null && slot.groupId === null);
  const reserve = new Map<string, string>();
  for (const { groupId } of dropped) {
    const heir = groupId === null ? undefined : heldShared.shift();
    if (heir && groupId !== null) reserve.set(heir.id, groupId);
  }
  return { drop: dropped.map(({ id }) => id), reserve };
}
