import { AppError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { ClientKind, DigitalInputPolicy, RegistrationStatus } from '../generated/prisma/enums.ts';
import { poolsVisibleTo, poolsWithRight, rightsOnPools } from '../pools/rules.ts';
import type { TokenAccess } from '../tokens/access.ts';
import type { Actor } from '../users/actor.ts';

/** What somebody may do with an Ewon; the API shows it as `viewerCan`, and the verbs ask the same function. */
export const EWON_ACTIONS = ['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER', 'REMOVE', 'APPROVE'] as const;
export type EwonAction = (typeof EWON_ACTIONS)[number];

/** An Ewon as the rules see it. */
export interface EwonFacts {
  registrationStatus: RegistrationStatus;
  poolIds: readonly string[];
}

/** EWN-12, EWN-13, CON-02, M2W-02, GRK-23 */
export function ewonActions(actor: Actor, ewon: EwonFacts): EwonAction[] {
  const rights = rightsOnPools(actor, ewon.poolIds);
  const active = ewon.registrationStatus === 'ACTIVE';
  return EWON_ACTIONS.filter(
    (action) =>
      ({
        CONNECT_ECATCHER: active && rights.connectEcatcher,
        CONNECT_M2WEB: active && rights.connectM2web,
        MODIFY: rights.modify,
        ADMINISTER: rights.administer,
        REMOVE: ewon.poolIds.every((poolId) => rightsOnPools(actor, [poolId]).administer),
        APPROVE: ewon.registrationStatus === 'PENDING_APPROVAL' && rights.administer,
      })[action],
  );
}

/** The right that a session by this kind of client needs (CON-02, M2W-02). */
const connectRight = (client: ClientKind) => (client === 'M2WEB' ? 'connectM2web' : 'connectEcatcher');

/** CON-02: may this actor open a session to an Ewon of these pools? */
export const mayConnect = (actor: Actor, poolIds: readonly string[], client: ClientKind): boolean =>
  rightsOnPools(actor, poolIds)[connectRight(client)];

/** EWN-02: any right on one of its pools shows an Ewon; one that waits for approval only to those who may approve (GRK-17). */
export function ewonsVisibleTo(actor: Actor): Prisma.EwonWhereInput {
  const { accountId } = actor;
  if (actor.administrator) return { accountId };
  if (!actor.features.groups) return { accountId, registrationStatus: { not: 'PENDING_APPROVAL' } };
  return {
    accountId,
    OR: [
      {
        registrationStatus: { not: 'PENDING_APPROVAL' },
        pools: { some: { poolId: { in: poolsWithRight(actor, 'any') } } },
      },
      { pools: { some: { poolId: { in: poolsWithRight(actor, 'administer') } } } },
    ],
  };
}

/** What a user, or an application with an API token, may read of the Ewons: a token those of its pool, or all (TOK-08). */
export function ewonsReadableBy(reader: Actor | TokenAccess): Prisma.EwonWhereInput {
  if (!('tokenId' in reader)) return ewonsVisibleTo(reader);
  const { accountId, poolId } = reader;
  return {
    accountId,
    registrationStatus: { not: 'PENDING_APPROVAL' },
    ...(poolId !== null && { pools: { some: { poolId } } }),
  };
}

/** The pools by which he may ask for Ewons: those that he sees (POOL-09), of a token its own, or all. */
export function poolsReadableBy(reader: Actor | TokenAccess): Prisma.PoolWhereInput {
  if (!('tokenId' in reader)) return poolsVisibleTo(reader);
  const { accountId, poolId } = reader;
  return { accountId, ...(poolId !== null && { id: poolId }) };
}

/** {@link ewonsVisibleTo} for an Ewon at hand. */
export function seesEwon(actor: Actor, ewon: EwonFacts): boolean {
  const rights = rightsOnPools(actor, ewon.poolIds);
  return ewon.registrationStatus === 'PENDING_APPROVAL' ? rights.administer : Object.values(rights).some(Boolean);
}

export const ewonReference = (number: number): string => `DEV${number}`;

/** EWN-24: the URL-safe form of a name, in which spaces become `+`. */
export const encodedName = (name: string): string => encodeURIComponent(name).replaceAll('%20', '+');

/** EWN-17: four digits, four digits, two digits, with an optional leading letter. */
export const SERIAL_NUMBER = /^[A-Z]?\d{4}-\d{4}-\d{2}$/;

/** EWN-18: major.minor`s`service, as `11.1s0`. */
export const FIRMWARE_VERSION = /^\d{1,3}\.\d{1,3}s\d{1,3}$/;

/** EWN-18: compares number by number; negative when `a` is older. Both must match {@link FIRMWARE_VERSION}. */
export function compareFirmware(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.s]/).map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

/** EWN-03: names are compared without regard to case. */
export const nameKey = (name: string): string => name.normalize('NFC').toLowerCase();

/** GRK-21: only an Ewon that is offline and without open sessions can be replaced. */
export function requireNotInUse(ewon: { gatewayId: string | null }, openSessions: number): void {
  if (ewon.gatewayId !== null)
    throw new AppError('EWON_IN_USE', 'The Ewon is online; it can be replaced only while it is offline.');
  if (openSessions > 0) throw new AppError('EWON_IN_USE', 'The Ewon has open sessions; close them first.');
}

/**
 * GW-07: whether the switch on the digital input of an Ewon forbids remote access, as far as its device has reported it. While
 * it does, the Ewon has no tunnel and is not woken. The device asks the same of itself (`remoteAccessForbidden` of the protocol).
 */
export const forbidsRemoteAccess = ({
  digitalInput,
  digitalInputPolicy,
}: {
  digitalInput: boolean | null;
  digitalInputPolicy: DigitalInputPolicy | null;
}): boolean =>
  (digitalInputPolicy === 'ON_ENABLES' && digitalInput !== true) ||
  (digitalInputPolicy === 'ON_DISABLES' && digitalInput === true);

/** EWN-09: the connection status of an Ewon. */
export type EwonStatus = 'OFFLINE' | 'WAKING_UP' | 'ONLINE' | 'CONNECTED';
export function ewonStatus(
  ewon: { gatewayId: string | null; wakingUntil: Date | null },
  openSessions: number,
  now: Date,
): EwonStatus {
  if (ewon.gatewayId !== null) return openSessions > 0 ? 'CONNECTED' : 'ONLINE';
  return ewon.wakingUntil && ewon.wakingUntil > now ? 'WAKING_UP' : 'OFFLINE';
}

/** {@link ewonStatus} as a condition. */
export const whereStatus = (status: EwonStatus, now: Date): Prisma.EwonWhereInput =>
  ({
    OFFLINE: { gatewayId: null, OR: [{ wakingUntil: null }, { wakingUntil: { lte: now } }] },
    WAKING_UP: { gatewayId: null, wakingUntil: { not: null, gt: now } },
    ONLINE: { gatewayId: { not: null }, sessions: { none: { state: 'OPEN' as const } } },
    CONNECTED: { gatewayId: { not: null }, sessions: { some: { state: 'OPEN' as const } } },
  })[status];
