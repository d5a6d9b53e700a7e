import type { Platform } from '../context.ts';
import type { EwonModel, WanType } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount, type LogDraft } from '../log/write.ts';
import { endSessions } from '../sessions/close.ts';
import { assignAddresses, restAddresses } from '../vpn/addresses.ts';
import { overlaps, subnetOf } from '../vpn/ipv4.ts';

/** What a device reports of itself (GW-06). Absent keeps what is known. */
export interface ReportedFacts {
  model?: EwonModel | undefined;
  firmwareVersion?: string | undefined;
  lanAddress?: string | undefined;
  wanType?: WanType | undefined;
  wanAddress?: string | undefined;
  geolocationEnabled?: boolean | undefined;
  digitalInput?: boolean | undefined;
}

/** A tunnel that has opened. */
export interface PresenceClaim {
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
  | { refused: 'VPN_ADDRESS_EXHAUSTED' | 'EWON_NOT_APPROVED' };

/** Changes of presence of one account's Ewons that happened since the last write, whatever their number, in one transaction. */
export interface PresenceChanges {
  claims: PresenceClaim[];
  releases: PresenceRelease[];
}

/**
 * Writes who came online and who left: address, tunnel and log entry together (VPN-09, EVT-01). A claim while another tunnel
 * of the Ewon stands replaces that one (GW-05); a release counts only for the tunnel that stands, so the end of a replaced
 * one changes nothing. Ewons that left lose their sessions (CON-11).
 */
export function applyPresence(
  ctx: Platform,
  gatewayId: string,
  accountId: string,
  changes: PresenceChanges,
): Promise<Map<string, ClaimResult>> {
  const { claims, releases } = changes;
  const claimed = new Set(claims.map(({ tunnelId }) => tunnelId));
  return inAccount(ctx, accountId, async (account) => {
    // A device that came back within the batch left first; one that left after it came, leaves last.
    await release(
      ctx,
      account,
      releases.filter(({ tunnelId }) => !claimed.has(tunnelId)),
    );
    const results = await claim(ctx, account, gatewayId, claims);
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
  { tx, now, log }: AccountTx,
  gatewayId: string,
  claims: PresenceClaim[],
): Promise<Map<string, ClaimResult>> {
  const results = new Map<string, ClaimResult>();
  if (claims.length === 0) return results;
  const ewons = await tx.ewon.findMany({
    where: { id: { in: claims.map(({ ewonId }) => ewonId) }, registrationStatus: 'ACTIVE' },
    select: { id: true, number: true, name: true, tunnelId: true },
  });
  const addresses = await assignAddresses(
    tx,
    ctx.config,
    'EWON',
    ewons.map(({ id }) => id),
    now,
  );
  const written: { id: string; tunnelId: string }[] = [];
  for (const { ewonId, tunnelId, facts } of claims) {
    const ewon = ewons.find(({ id }) => id === ewonId);
    const vpnAddress = addresses.get(ewonId);
    if (!ewon || !vpnAddress) {
      results.set(tunnelId, { refused: ewon ? 'VPN_ADDRESS_EXHAUSTED' : 'EWON_NOT_APPROVED' });
      const subject = ewon && { id: ewon.id, number: ewon.number, name: ewon.name };
      if (subject) log({ code: 'EWON_TUNNEL_REFUSED', ewon: subject, params: { reason: 'VPN_ADDRESS_EXHAUSTED' } });
      continue;
    }
    results.set(tunnelId, { vpnAddress, ewonName: ewon.name });
    written.push({ id: ewonId, tunnelId });
    const subject = { id: ewon.id, number: ewon.number, name: ewon.name };
    log(
      ewon.tunnelId === null
        ? { code: 'EWON_ONLINE', ewon: subject, params: { vpnAddress } }
        : { code: 'EWON_TUNNEL_REPLACED', ewon: subject },
    );
    ewon.tunnelId = tunnelId;
    const { lanAddress, wanAddress } = facts;
    log(...configurationErrors(subject, lanAddress, wanAddress));
  }
  await tx.$executeRaw`
    UPDATE "Ewon" e SET "gatewayId" = ${gatewayId}::uuid, "tunnelId" = c."tunnelId", "lastSeenAt" = ${now}::timestamp,
      "onlineSince" = CASE WHEN e."tunnelId" IS NULL THEN ${now}::timestamp ELSE e."onlineSince" END
    FROM jsonb_to_recordset(${JSON.stringify(written)}::jsonb) AS c("id" uuid, "tunnelId" uuid) WHERE e."id" = c."id"`;
  await writeFacts(tx, claims);
  return results;
}

/** VPN-12: a LAN inside which the WAN address lies cannot be routed; the device works, but its owner must know. */
function configurationErrors(
  ewon: { id: string; number: number; name: string },
  lanAddress: string | undefined,
  wanAddress: string | undefined,
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

/** Writes what devices report, in one statement. */
export async function writeFacts(
  tx: Pick<Platform['db'], '$executeRaw'>,
  reports: { ewonId: string; facts: ReportedFacts }[],
): Promise<void> {
  const rows = reports.map(({ ewonId, facts }) => ({ ...facts, id: ewonId }));
  await tx.$executeRaw`
    UPDATE "Ewon" e SET
      "model" = COALESCE(f."model", e."model"), "firmwareVersion" = COALESCE(f."firmwareVersion", e."firmwareVersion"),
      "lanAddress" = COALESCE(f."lanAddress", e."lanAddress"), "wanType" = COALESCE(f."wanType", e."wanType"),
      "wanAddress" = COALESCE(f."wanAddress", e."wanAddress"),
      "geolocationEnabled" = COALESCE(f."geolocationEnabled", e."geolocationEnabled"),
      "digitalInput" = COALESCE(f."digitalInput", e."digitalInput")
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS f("id" uuid, "model" "EwonModel", "firmwareVersion" text,
      "lanAddress" text, "wanType" "WanType", "wanAddress" text, "geolocationEnabled" boolean, "digitalInput" boolean)
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
  lease: { id: string; url: string; startedAt: Date },
  expiresAt: Date,
  first: boolean,
): Promise<boolean> {
  if (first) {
    await ctx.db.gatewayLease.create({ data: { ...lease, expiresAt } });
    return true;
  }
  const { count } = await ctx.db.gatewayLease.updateMany({ where: { id: lease.id }, data: { expiresAt } });
  return count > 0;
}

/**
 * Takes the Ewons of dead gateway instances offline (decision 6, CLU-03). Safe to run in several instances at once and to
 * interrupt: it works under each account's lock on what still points to the dead lease, which goes last.
 */
export async function reapLeases(ctx: Platform): Promise<void> {
  const dead = await ctx.db.gatewayLease.findMany({
    where: { expiresAt: { lte: ctx.clock.now() } },
    select: { id: true },
  });
  for (const { id } of dead) await endLease(ctx, id, 'gateway lost');
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
