import { aliveAfter } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { DigitalInputPolicy, EwonModel, WanType } from '../generated/prisma/client.ts';
import { writePositions } from '../geolocation/positions.ts';
import { type AccountTx, inAccount, type LogDraft, type Subject } from '../log/write.ts';
import { settlePatches } from '../patches/settle.ts';
import { endSessions } from '../sessions/close.ts';
import { assignAddresses, restAddresses } from '../vpn/addresses.ts';
import { overlaps, subnetOf } from '../vpn/ipv4.ts';
import { forbidsRemoteAccess } from './rules.ts';

/** What a device reports of itself (GW-06). Absent keeps what is known. */
export interface ReportedFacts {
  model?: EwonModel | undefined;
  firmwareVersion?: string | undefined;
  lanAddress?: string | undefined;
  wanType?: WanType | undefined;
  wanAddress?: string | undefined;
  geolocationEnabled?: boolean | undefined;
  digitalInput?: boolean | undefined;
  digitalInputPolicy?: DigitalInputPolicy | undefined;
}

/** A tunnel that has opened. */
export interface PresenceClaim {
  ewonId: string;
  tunnelId: string;
  /** Of the certificate that opened it: it must still be the current one when the claim is written (GW-12). */
  fingerprint: string;
  facts: ReportedFacts;
}

/** What changed at a device since its tunnel opened. Counts only for the tunnel that stands. */
export interface PresenceReport {
  ewonId: string;
  tunnelId: string;
  facts: ReportedFacts;
}

/** A tunnel that has ended. */
export interface PresenceRelease {
  ewonId: string;
  tunnelId: string;
  /** For the log: `closed by the device`, `no keep-alive`, … */
  reason: string;
}

/** What became of a claim. */
export type ClaimResult =
  | { vpnAddress: string; ewonName: string }
  | { refused: 'VPN_ADDRESS_EXHAUSTED' | 'CERTIFICATE_REVOKED' | 'REMOTE_ACCESS_DISABLED' | 'SERVICE_RESTART' };

/** Changes of presence of one account's Ewons that happened since the last write, whatever their number, in one transaction. */
export interface PresenceChanges {
  claims: PresenceClaim[];
  reports: PresenceReport[];
  releases: PresenceRelease[];
}

/**
 * Writes who came online and who left: address, tunnel and log entry together (VPN-09, EVT-01). A claim while another tunnel
 * of the Ewon stands replaces that one (GW-05); a release counts only for the tunnel that stands, so the end of a replaced
 * one changes nothing. Ewons that left lose their sessions (CON-11). A claim of a device that forbids remote access is refused,
 * what it told is written, and a tunnel of it that stands is over (GW-07); one that a report forbids is for the gateway to close.
 */
export function applyPresence(
  ctx: Platform,
  gatewayId: string,
  accountId: string,
  changes: PresenceChanges,
): Promise<Map<string, ClaimResult>> {
  const { claims, reports, releases } = changes;
  const claimed = new Set(claims.map(({ tunnelId }) => tunnelId));
  return inAccount(ctx, accountId, async (account) => {
    // A device that came back within the batch left first; one that left after it came, leaves last.
    await release(
      ctx,
      account,
      releases.filter(({ tunnelId }) => !claimed.has(tunnelId)),
    );
    const results = await claim(ctx, account, gatewayId, claims);
    await takeReports(ctx, account, reports);
    await release(
      ctx,
      account,
      releases.filter(({ tunnelId }) => claimed.has(tunnelId)),
    );
    return results;
  });
}

async function claim(
  ctx: Platform,
  account: AccountTx,
  gatewayId: string,
  claims: PresenceClaim[],
): Promise<Map<string, ClaimResult>> {
  const { tx, now, accountId, log, afterCommit } = account;
  const results = new Map<string, ClaimResult>();
  if (claims.length === 0) return results;
  const found = await tx.ewon.findMany({
    where: { id: { in: claims.map(({ ewonId }) => ewonId) }, registrationStatus: 'ACTIVE' },
    select: {
      id: true,
      accountId: true,
      number: true,
      name: true,
      tunnelId: true,
      wakingUntil: true,
      digitalInput: true,
      digitalInputPolicy: true,
      certificates: { where: { revokedAt: null }, select: { fingerprint: true } },
    },
  });
  const ewons = found.filter((ewon) => ewon.accountId === accountId);
  const byId = new Map(ewons.map((ewon) => [ewon.id, ewon]));
  const current = claims.filter(({ ewonId, fingerprint }) =>
    byId.get(ewonId)?.certificates.some((certificate) => certificate.fingerprint === fingerprint),
  );
  // One that has moved to another account since its tunnel opened comes again, and is known there (IMP-09).
  const moved = new Set(found.flatMap((ewon) => (byId.has(ewon.id) ? [] : [ewon.id])));
  for (const { tunnelId, ewonId } of claims)
    results.set(tunnelId, { refused: moved.has(ewonId) ? 'SERVICE_RESTART' : 'CERTIFICATE_REVOKED' });
  const forbidden = new Set(
    current.filter(({ ewonId, facts }) => {
      const ewon = byId.get(ewonId);
      return ewon && forbidsRemoteAccess(inputAfter(ewon, facts));
    }),
  );
  const addresses = await assignAddresses(
    tx,
    ctx.config,
    'EWON',
    [...new Set(current.filter((each) => !forbidden.has(each)).map(({ ewonId }) => ewonId))],
    now,
  );
  // One a device: of two tunnels that opened within the batch the later stands (GW-05).
  const standing = new Map<string, PresenceClaim>();
  const told = new Map<string, PresenceClaim>();
  const over: PresenceRelease[] = [];
  for (const taken of current) {
    const { ewonId, tunnelId, facts } = taken;
    const ewon = byId.get(ewonId);
    if (!ewon) continue;
    const subject = { id: ewon.id, number: ewon.number, name: ewon.name };
    if (forbidden.has(taken)) {
      results.set(tunnelId, { refused: 'REMOTE_ACCESS_DISABLED' });
      if (ewon.tunnelId) over.push({ ewonId, tunnelId: ewon.tunnelId, reason: 'REMOTE_ACCESS_DISABLED' });
      log(...takeInput(ewon, subject, facts));
      told.set(ewonId, taken);
      continue;
    }
    const vpnAddress = addresses.get(ewonId);
    if (!vpnAddress) {
      results.set(tunnelId, { refused: 'VPN_ADDRESS_EXHAUSTED' });
      log({ code: 'EWON_TUNNEL_REFUSED', ewon: subject, params: { reason: 'VPN_ADDRESS_EXHAUSTED' } });
      continue;
    }
    results.set(tunnelId, { vpnAddress, ewonName: ewon.name });
    log(...takeInput(ewon, subject, facts));
    if (ewon.tunnelId === null) log({ code: 'EWON_ONLINE', ewon: subject, params: { vpnAddress } });
    else {
      log({ code: 'EWON_TUNNEL_REPLACED', ewon: subject });
      // The first may be held by another instance.
      afterCommit(() => ctx.bell.ring('ewons'));
    }
    ewon.tunnelId = tunnelId;
    standing.set(ewonId, taken);
    told.set(ewonId, taken);
    log(...configurationErrors(subject, facts.lanAddress, facts.wanAddress));
  }
  const written = [...standing.values()].map(({ ewonId, tunnelId }) => ({ id: ewonId, tunnelId }));
  await tx.$executeRaw`
    UPDATE "Ewon" e SET "gatewayId" = ${gatewayId}::uuid, "tunnelId" = c."tunnelId", "lastSeenAt" = ${now}::timestamp,
      "wakingUntil" = NULL,
      "onlineSince" = CASE WHEN e."tunnelId" IS NULL THEN ${now}::timestamp ELSE e."onlineSince" END
    FROM jsonb_to_recordset(${JSON.stringify(written)}::jsonb) AS c("id" uuid, "tunnelId" uuid) WHERE e."id" = c."id"`;
  // Who was woken has come (WAK-06).
  const woken = [...standing.keys()].filter((id) => byId.get(id)?.wakingUntil);
  if (woken.length > 0) await tx.dueWork.deleteMany({ where: { kind: 'WAKE_UP_END', subjectId: { in: woken } } });
  await writeFacts(tx, [...told.values()]);
  await writePositions(ctx, account, [...told.values()]);
  await settlePatches(account, [...told.values()]);
  await release(ctx, account, over);
  // Another instance may hold the tunnel that is over.
  if (over.length > 0) afterCommit(() => ctx.bell.ring('ewons'));
  return results;
}

type DigitalInput = Parameters<typeof forbidsRemoteAccess>[0];

/** The digital input as it is with what the device tells now. */
const inputAfter = (ewon: DigitalInput, facts: ReportedFacts): DigitalInput => ({
  digitalInput: facts.digitalInput ?? ewon.digitalInput,
  digitalInputPolicy: facts.digitalInputPolicy ?? ewon.digitalInputPolicy,
});

/** Notes what a device tells of its digital input in the row at hand; the entry for the log when that changes what it allows (GW-07). */
function takeInput(row: DigitalInput, ewon: Subject, facts: ReportedFacts): LogDraft[] {
  const before = forbidsRemoteAccess(row);
  Object.assign(row, inputAfter(row, facts));
  const after = forbidsRemoteAccess(row);
  if (before === after) return [];
  return [{ code: after ? 'EWON_REMOTE_ACCESS_DISABLED' : 'EWON_REMOTE_ACCESS_ENABLED', ewon }];
}

async function takeReports(ctx: Platform, account: AccountTx, reports: PresenceReport[]): Promise<void> {
  const { tx, log } = account;
  if (reports.length === 0) return;
  const ewons = await tx.ewon.findMany({
    where: { id: { in: reports.map(({ ewonId }) => ewonId) } },
    select: {
      id: true,
      number: true,
      name: true,
      tunnelId: true,
      lanAddress: true,
      wanAddress: true,
      digitalInput: true,
      digitalInputPolicy: true,
    },
  });
  const written = new Map<string, PresenceReport>();
  for (const ewon of ewons) {
    for (const { ewonId, tunnelId, facts } of reports) {
      if (ewonId !== ewon.id || tunnelId !== ewon.tunnelId) continue;
      const { id, number, name } = ewon;
      written.set(id, { ewonId, tunnelId, facts: { ...written.get(id)?.facts, ...facts } });
      log(...takeInput(ewon, { id, number, name }, facts));
      if (facts.lanAddress === undefined && facts.wanAddress === undefined) continue;
      ewon.lanAddress = facts.lanAddress ?? ewon.lanAddress;
      ewon.wanAddress = facts.wanAddress ?? ewon.wanAddress;
      log(...configurationErrors({ id, number, name }, ewon.lanAddress, ewon.wanAddress));
    }
  }
  await writeFacts(tx, [...written.values()]);
  await writePositions(ctx, account, [...written.values()]);
  await settlePatches(account, [...written.values()]);
}

/** VPN-12: a LAN inside which the WAN address lies cannot be routed; the device works, but its owner must know. */
function configurationErrors(
  ewon: { id: string; number: number; name: string },
  lanAddress: string | null | undefined,
  wanAddress: string | null | undefined,
): LogDraft[] {
  if (!lanAddress || !wanAddress || !overlaps(subnetOf(lanAddress), subnetOf(wanAddress))) return [];
  return [
    {
      code: 'EWON_CONFIGURATION_ERROR',
      ewon,
      params: { reason: `the LAN ${lanAddress} and the WAN ${wanAddress} overlap` },
    },
  ];
}

async function release(ctx: Platform, account: AccountTx, releases: PresenceRelease[]): Promise<void> {
  if (releases.length === 0) return;
  const { tx, now, log } = account;
  const reasons = new Map(releases.map(({ tunnelId, reason }) => [tunnelId, reason]));
  const left = await tx.ewon.findMany({
    where: { id: { in: releases.map(({ ewonId }) => ewonId) }, tunnelId: { in: [...reasons.keys()] } },
    select: { id: true, number: true, name: true, tunnelId: true },
  });
  if (left.length === 0) return;
  const ids = left.map(({ id }) => id);
  await tx.ewon.updateMany({
    where: { id: { in: ids } },
    data: { gatewayId: null, tunnelId: null, onlineSince: null, lastSeenAt: now },
  });
  await restAddresses(tx, 'EWON', ids, now);
  for (const { tunnelId, ...ewon } of left)
    log({ code: 'EWON_OFFLINE', ewon, params: { reason: reasons.get(tunnelId ?? '') ?? 'unknown' } });
  await endSessions(
    ctx,
    account,
    await tx.session.findMany({ where: { ewonId: { in: ids }, state: 'OPEN' }, select: { id: true } }),
    'EWON_OFFLINE',
    null,
  );
}

/** Writes what devices report, in one statement. At most one report an Ewon. */
async function writeFacts(
  tx: Pick<Platform['db'], '$executeRaw'>,
  reports: { ewonId: string; facts: ReportedFacts }[],
): Promise<void> {
  if (reports.length === 0) return;
  const rows = reports.map(({ ewonId, facts }) => ({ ...facts, id: ewonId }));
  await tx.$executeRaw`
    UPDATE "Ewon" e SET
      "model" = COALESCE(f."model", e."model"), "firmwareVersion" = COALESCE(f."firmwareVersion", e."firmwareVersion"),
      "lanAddress" = COALESCE(f."lanAddress", e."lanAddress"), "wanType" = COALESCE(f."wanType", e."wanType"),
      "wanAddress" = COALESCE(f."wanAddress", e."wanAddress"),
      "geolocationEnabled" = COALESCE(f."geolocationEnabled", e."geolocationEnabled"),
      "digitalInput" = COALESCE(f."digitalInput", e."digitalInput"),
      "digitalInputPolicy" = COALESCE(f."digitalInputPolicy", e."digitalInputPolicy")
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS f("id" uuid, "model" "EwonModel", "firmwareVersion" text,
      "lanAddress" text, "wanType" "WanType", "wanAddress" text, "geolocationEnabled" boolean, "digitalInput" boolean,
      "digitalInputPolicy" "DigitalInputPolicy")
    WHERE e."id" = f."id"`;
}

/** Notes until when devices were heard, in one statement: keep-alives themselves are not written (decision 6). */
export async function writeLastSeen(ctx: Platform, seen: { ewonId: string; at: Date }[]): Promise<void> {
  if (seen.length === 0) return;
  await ctx.db.$executeRaw`
    UPDATE "Ewon" e SET "lastSeenAt" = s."at"
    FROM unnest(${seen.map(({ ewonId }) => ewonId)}::uuid[], ${seen.map(({ at }) => at)}::timestamp[]) AS s("id", "at") WHERE e."id" = s."id"`;
}

/** Renews the lease of a gateway instance, making it at first; false when it was found dead and taken away (CLU-03). */
export async function renewLease(
  ctx: Platform,
  lease: { id: string; url: string; portalUrl: string; startedAt: Date },
  expiresAt: Date,
  first: boolean,
): Promise<boolean> {
  if (first) {
    await ctx.db.gatewayLease.create({ data: { ...lease, expiresAt } });
    return true;
  }
  // Never earlier than it was: another instance may have moved the clock on, and the lease with it.
  const count = await ctx.db.$executeRaw`
    UPDATE "GatewayLease" SET "expiresAt" = GREATEST("expiresAt", ${expiresAt}::timestamp) WHERE "id" = ${lease.id}::uuid`;
  return count > 0;
}

/**
 * Takes the Ewons of dead gateway instances offline (decision 6, CLU-03). Safe to run in several instances at once and to
 * interrupt: it works under each account's lock on what still points to the dead lease, which goes last.
 * @param dueAt the beginning of the round of jobs, before this instance renewed its own lease: a clock that is moved on
 *   meanwhile must not make that one look dead
 */
export async function reapLeases(ctx: Platform, dueAt: Date): Promise<void> {
  const dead = await ctx.db.gatewayLease.findMany({
    where: { expiresAt: { lte: dueAt } },
    select: { id: true },
  });
  for (const { id } of dead) await endLease(ctx, id, 'gateway lost');
}

/** When the next lease runs out that nobody renews. */
export async function nextLeaseEnd({ db, clock, config }: Platform): Promise<Date | null> {
  const abandoned = { expiresAt: { lte: aliveAfter(clock.now(), config.limits.GATEWAY_LEASE_SECONDS) } };
  return (await db.gatewayLease.aggregate({ where: abandoned, _min: { expiresAt: true } }))._min.expiresAt;
}

/** Takes every Ewon of a gateway instance offline and ends its lease. */
export async function endLease(ctx: Platform, gatewayId: string, reason: string): Promise<void> {
  const accounts = await ctx.db.ewon.findMany({
    where: { gatewayId },
    distinct: ['accountId'],
    select: { accountId: true },
  });
  for (const { accountId } of accounts) {
    await inAccount(ctx, accountId, async (account) => {
      const ewons = await account.tx.ewon.findMany({
        where: { gatewayId, accountId, tunnelId: { not: null } },
        select: { id: true, tunnelId: true },
      });
      await release(
        ctx,
        account,
        ewons.flatMap(({ id, tunnelId }) => (tunnelId === null ? [] : [{ ewonId: id, tunnelId, reason }])),
      );
    });
  }
  await ctx.db.gatewayLease.deleteMany({ where: { id: gatewayId, ewons: { none: {} } } });
}
