import { randomUUID } from 'node:crypto';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import {
  applyPresence,
  endLease,
  type PresenceClaim,
  type PresenceRelease,
  type PresenceReport,
  type ReportedFacts,
  renewLease,
  writeLastSeen,
} from '../ewons/presence.ts';
import { checkSubnet } from '../ewons/registration.ts';
import { renewCertificate } from '../ewons/renewal.ts';
import { forbidsRemoteAccess } from '../ewons/rules.ts';
import { inAccount } from '../log/write.ts';
import { readPatchRequests, refusePatch } from '../patches/requests.ts';
import { DeviceRequests } from './device-requests.ts';
import type { DeviceIdentity } from './identity.ts';
import type { CloseReason, HelloMessage } from './protocol.ts';
import type { Streams } from './streams.ts';
import { Tunnel, type TunnelSocket } from './tunnel.ts';

const MAX_BUFFERED_BYTES = 256 * 1024;
const RECONCILE_MS = 5000;
const SWEEP_MS = 1000;
const LAST_SEEN_MS = 30_000;
const CERTIFICATES_A_QUERY = 1000;

interface AccountQueue {
  claims: { tunnel: Tunnel; claim: PresenceClaim }[];
  reports: PresenceReport[];
  releases: PresenceRelease[];
  running: Promise<void> | null;
}

/**
 * The tunnels of this gateway instance, and their agreement with the database.
 *
 * What a reader may rely on: an Ewon whose `gatewayId` is this instance's lease has its tunnel here, or is being released;
 * a tunnel that is `established` has been written as online. Changes of presence of one account are written in the order
 * they happened, as many as have gathered at a time; accounts do not wait for each other. The wanted state (removed,
 * replaced, approved) is read at each ring and every five seconds, and acted upon: nothing is sent to a gateway that could
 * be lost (decision 7).
 */
export class Tunnels {
  private readonly tunnels = new Set<Tunnel>();
  private readonly byEwon = new Map<string, Tunnel>();
  private readonly queues = new Map<string, AccountQueue>();
  private readonly heard = new Map<string, number>();
  /** Ends of tunnels that could not be written: tried again, for nothing else would take these Ewons offline. */
  private readonly unwritten: { accountId: string; release: PresenceRelease }[] = [];
  /** Tunnels whose certificate is being renewed. */
  private readonly renewals = new Map<Tunnel, Promise<void>>();
  private readonly requests: DeviceRequests;
  /** Those that wait for a server of a third party, which must not keep back the others. */
  private readonly relays: DeviceRequests;
  private readonly timers: NodeJS.Timeout[] = [];
  private stopListening = () => {};
  private leaseId = randomUUID();
  private leaseUntilMs = 0;
  private reconciling: Promise<void> | null = null;
  private reconcileAgain = false;
  private asking: Promise<void> = Promise.resolve();
  private closing = false;
  /** Told when a device could not dial; set by who asks devices to. */
  onDialFailed: Streams['dialFailed'] = () => undefined;

  constructor(
    private readonly ctx: Platform,
    private readonly url: string,
  ) {
    this.requests = new DeviceRequests(ctx);
    this.relays = new DeviceRequests(ctx);
  }

  /** The number of tunnels, waiting ones included. */
  get size(): number {
    return this.tunnels.size;
  }

  /** The established tunnel of an Ewon on this instance. */
  of(ewonId: string): Tunnel | undefined {
    return this.byEwon.get(ewonId);
  }

  /** Takes the lease and begins to keep it, to sweep silent tunnels and to follow the wanted state. */
  async start(): Promise<void> {
    await this.takeLease();
    const listening = [
      this.ctx.bell.onRing('ewons', () => void this.reconcile()),
      this.ctx.bell.onRing('patches', () => void this.askToUpdate()),
    ];
    this.stopListening = () => {
      for (const stop of listening) stop();
    };
    this.every(RECONCILE_MS, async () => {
      this.releaseAgain();
      await this.reconcile();
      await this.askToUpdate();
    });
    this.every(SWEEP_MS, async () => this.sweep());
    this.every(LAST_SEEN_MS, () => this.flushHeard());
  }

  /** Adds the tunnel of a device whose certificate was accepted; its `hello` is due within the handshake time. */
  add(identity: DeviceIdentity, socket: TunnelSocket): Tunnel {
    const { TUNNEL_MESSAGES_PER_MINUTE, HANDSHAKE_SECONDS } = this.ctx.config.limits;
    const tunnel = new Tunnel(
      identity,
      socket,
      { messagesPerMinute: TUNNEL_MESSAGES_PER_MINUTE, maxBufferedBytes: MAX_BUFFERED_BYTES },
      {
        hello: (_, hello) => this.onHello(tunnel, hello),
        report: (_, facts) => this.onReport(tunnel, facts),
        renewCertificate: (_, signingRequest) => this.onRenewal(tunnel, signingRequest),
        dialFailed: (_, streamId, code, message) => this.onDialFailed(tunnel.identity.ewon.id, streamId, code, message),
        updateRefused: (_, campaignId, message) => this.onUpdateRefused(tunnel, campaignId, message),
        request: (_, request) => (request.type === 'm2u' ? this.relays : this.requests).take(tunnel, request),
        closed: (_, reason) => this.onClosed(tunnel, reason),
      },
      () => performance.now(),
    );
    this.tunnels.add(tunnel);
    setTimeout(
      () => tunnel.phase === 'connecting' && tunnel.close('KEEP_ALIVE_TIMEOUT'),
      HANDSHAKE_SECONDS * 1000,
    ).unref();
    if (this.closing) tunnel.close('SERVICE_RESTART');
    return tunnel;
  }

  /** Ends all tunnels with "come again", takes their Ewons offline and gives the lease back (API-09). */
  async close(): Promise<void> {
    this.closing = true;
    this.stopListening();
    for (const timer of this.timers) clearInterval(timer);
    for (const tunnel of [...this.tunnels]) tunnel.close('SERVICE_RESTART');
    await this.reconciling;
    this.ctx.relay.stop();
    await this.asking;
    await Promise.all([this.requests.settled(), this.relays.settled()]);
    await Promise.all([...this.queues.values()].map((queue) => queue.running));
    await endLease(this.ctx, this.leaseId, 'gateway stopped');
  }

  private onHello(tunnel: Tunnel, hello: HelloMessage): void {
    const { identity } = tunnel;
    if (hello.serialNumber !== identity.serialNumber) {
      this.logRefusal(tunnel, 'SERIAL_NUMBER_MISMATCH');
      return tunnel.close('SERIAL_NUMBER_MISMATCH');
    }
    if (this.refusesLan(tunnel, hello.lanAddress)) return;
    if (identity.ewon.registrationStatus === 'ACTIVE') return this.claim(tunnel);
    tunnel.phase = 'waiting';
    tunnel.send({ type: 'waiting', ewonName: identity.ewon.name, ...this.timing() });
    // It may have been approved since its certificate was looked up.
    void this.reconcile();
  }

  /** VPN-11 */
  private refusesLan(tunnel: Tunnel, lanAddress: string | undefined): boolean {
    try {
      checkSubnet(this.ctx, lanAddress);
      return false;
    } catch {
      this.logRefusal(tunnel, 'SUBNET_CONFLICT');
      tunnel.close('SUBNET_CONFLICT');
      return true;
    }
  }

  /** Those of a device that waits for approval are written with its claim. */
  private onReport(tunnel: Tunnel, facts: ReportedFacts): void {
    if (this.refusesLan(tunnel, facts.lanAddress) || tunnel.phase === 'waiting') return;
    const { id, accountId } = tunnel.identity.ewon;
    this.queueOf(accountId).reports.push({ ewonId: id, tunnelId: tunnel.id, facts });
    this.run(accountId);
  }

  private claim(tunnel: Tunnel): void {
    tunnel.phase = 'claiming';
    const { fingerprint, ewon } = tunnel.identity;
    const claim = { ewonId: ewon.id, tunnelId: tunnel.id, fingerprint, facts: tunnel.facts };
    this.queueOf(ewon.accountId).claims.push({ tunnel, claim });
    this.run(ewon.accountId);
  }

  private onClosed(tunnel: Tunnel, reason: string): void {
    this.tunnels.delete(tunnel);
    const { id, accountId } = tunnel.identity.ewon;
    if (this.byEwon.get(id) === tunnel) this.byEwon.delete(id);
    this.heard.delete(id);
    if (!tunnel.hello) return;
    this.queueOf(accountId).releases.push({ ewonId: id, tunnelId: tunnel.id, reason });
    this.run(accountId);
  }

  private queueOf(accountId: string): AccountQueue {
    const queue = this.queues.get(accountId) ?? { claims: [], reports: [], releases: [], running: null };
    this.queues.set(accountId, queue);
    return queue;
  }

  /** Writes what has gathered for an account; what gathers meanwhile is the next batch. */
  private run(accountId: string): void {
    const queue = this.queueOf(accountId);
    queue.running ??= this.drain(accountId, queue).finally(() => {
      queue.running = null;
      if (isEmpty(queue)) this.queues.delete(accountId);
      else this.run(accountId);
    });
  }

  private async drain(accountId: string, queue: AccountQueue): Promise<void> {
    while (!isEmpty(queue)) {
      const claims = queue.claims.splice(0);
      const reports = queue.reports.splice(0);
      const releases = queue.releases.splice(0);
      try {
        const results = await applyPresence(this.ctx, this.leaseId, accountId, {
          claims: claims.map(({ claim }) => claim),
          reports,
          releases,
        });
        for (const { tunnel } of claims) this.established(tunnel, results.get(tunnel.id));
      } catch (error) {
        this.ctx.log.error({ err: error, accountId }, 'Presence could not be written');
        // These devices come again; a report that is lost comes with the next `hello`.
        for (const { tunnel } of claims) tunnel.close('INTERNAL_ERROR');
        this.unwritten.push(...releases.map((release) => ({ accountId, release })));
      }
      for (const { ewonId, tunnelId } of reports) this.closeForbidden(ewonId, tunnelId);
    }
  }

  /** GW-07: once what the device told is written, or could not be. */
  private closeForbidden(ewonId: string, tunnelId: string): void {
    const tunnel = this.byEwon.get(ewonId);
    if (tunnel?.id !== tunnelId) return;
    const { digitalInput = null, digitalInputPolicy = null } = tunnel.facts;
    if (forbidsRemoteAccess({ digitalInput, digitalInputPolicy })) tunnel.close('REMOTE_ACCESS_DISABLED');
  }

  private releaseAgain(): void {
    for (const { accountId, release } of this.unwritten.splice(0)) {
      this.queueOf(accountId).releases.push(release);
      this.run(accountId);
    }
  }

  private established(
    tunnel: Tunnel,
    result: Awaited<ReturnType<typeof applyPresence>> extends Map<string, infer R> ? R | undefined : never,
  ): void {
    const { id } = tunnel.identity.ewon;
    if (!result || 'refused' in result) {
      // The switch is of the device, whichever of its tunnels tells of it (GW-07).
      if (result?.refused === 'REMOTE_ACCESS_DISABLED') this.byEwon.get(id)?.close(result.refused);
      return tunnel.close(result?.refused ?? 'INTERNAL_ERROR');
    }
    const before = this.byEwon.get(id);
    if (before && before !== tunnel) before.close('REPLACED');
    if (tunnel.phase !== 'claiming') return;
    this.byEwon.set(id, tunnel);
    tunnel.phase = 'established';
    tunnel.send({
      type: 'welcome',
      tunnelId: tunnel.id,
      ewonName: result.ewonName,
      vpnAddress: result.vpnAddress,
      certificateNotAfter: tunnel.identity.notAfter.toISOString(),
      ...this.timing(),
    });
  }

  private timing() {
    const { KEEP_ALIVE_SECONDS, OFFLINE_AFTER_SECONDS } = this.ctx.config.limits;
    return { keepAliveSeconds: KEEP_ALIVE_SECONDS, offlineAfterSeconds: OFFLINE_AFTER_SECONDS };
  }

  /** One after the other, so that the last answer carries the certificate that counts. */
  private onRenewal(tunnel: Tunnel, signingRequest: string): void {
    const before = this.renewals.get(tunnel) ?? Promise.resolve();
    const renewal = before
      .then(() => this.renew(tunnel, signingRequest))
      .catch((error: unknown) => {
        this.ctx.log.error({ err: error, ewonId: tunnel.identity.ewon.id }, 'A certificate could not be renewed');
        tunnel.close('INTERNAL_ERROR');
      })
      .finally(() => {
        if (this.renewals.get(tunnel) !== renewal) return;
        this.renewals.delete(tunnel);
        void this.reconcile();
      });
    this.renewals.set(tunnel, renewal);
  }

  /** GW-03, GW-04: a new certificate for the serial number that the tunnel proves; the old one is void for the next opening. */
  private async renew(tunnel: Tunnel, signingRequest: string): Promise<void> {
    try {
      const certificate = await renewCertificate(
        this.ctx,
        tunnel.identity.ewon,
        tunnel.identity.serialNumber,
        signingRequest,
      );
      tunnel.identity = { ...tunnel.identity, fingerprint: certificate.fingerprint, notAfter: certificate.notAfter };
      tunnel.send({
        type: 'certificate',
        certificate: certificate.pem,
        certificateNotAfter: certificate.notAfter.toISOString(),
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      tunnel.send({ type: 'refused', of: 'renewCertificate', code: error.code, message: error.message });
    }
  }

  private logRefusal(tunnel: Tunnel, reason: CloseReason): void {
    const { accountId, id, number, name } = tunnel.identity.ewon;
    inAccount(this.ctx, accountId, async ({ log }) =>
      log({ code: 'EWON_TUNNEL_REFUSED', ewon: { id, number, name }, params: { reason } }),
    ).catch((error: unknown) => this.ctx.log.error({ err: error }, 'A refused tunnel could not be logged'));
  }

  /** GW-08: cuts tunnels that have been silent too long; notes when the others were heard. */
  private sweep(): void {
    const limitMs = this.ctx.config.limits.OFFLINE_AFTER_SECONDS * 1000;
    for (const tunnel of [...this.tunnels]) {
      if (tunnel.phase === 'connecting') continue;
      const silentMs = performance.now() - tunnel.lastHeardMs;
      if (silentMs > limitMs) tunnel.lost('no keep-alive');
      else if (tunnel.phase === 'established') this.heard.set(tunnel.identity.ewon.id, silentMs);
    }
  }

  private async flushHeard(): Promise<void> {
    const now = this.ctx.clock.now().getTime();
    const seen = [...this.heard].map(([ewonId, agoMs]) => ({ ewonId, at: new Date(now - agoMs) }));
    this.heard.clear();
    await writeLastSeen(this.ctx, seen);
  }

  /** Compares every tunnel with the wanted state. One run at a time; a ring during a run causes one more. */
  private reconcile(): Promise<void> {
    this.reconcileAgain = true;
    this.reconciling ??= (async () => {
      while (this.reconcileAgain && !this.closing) {
        this.reconcileAgain = false;
        const tunnels = [...this.tunnels];
        for (let at = 0; at < tunnels.length; at += CERTIFICATES_A_QUERY)
          await this.compare(tunnels.slice(at, at + CERTIFICATES_A_QUERY));
      }
    })()
      .catch((error: unknown) => this.ctx.log.error({ err: error }, 'The wanted state of the Ewons could not be read'))
      .finally(() => {
        this.reconciling = null;
      });
    return this.reconciling;
  }

  private async compare(tunnels: Tunnel[]): Promise<void> {
    // One that comes online while the query runs is on record only after what the query has read.
    const established = new Set(tunnels.filter(({ phase }) => phase === 'established'));
    const certificates = await this.ctx.db.certificate.findMany({
      where: { fingerprint: { in: tunnels.map((tunnel) => tunnel.identity.fingerprint) } },
      select: {
        fingerprint: true,
        revokedAt: true,
        ewon: {
          select: {
            ...{ id: true, number: true, name: true, accountId: true, registrationStatus: true },
            ...{ tunnelId: true, offlineTunnelId: true },
          },
        },
      },
    });
    const wanted = new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
    for (const tunnel of tunnels) {
      const certificate = wanted.get(tunnel.identity.fingerprint);
      // Its old certificate is void before the tunnel knows the new one: compared when that is done, or was done meanwhile.
      if (!certificate || this.renewals.has(tunnel)) continue;
      const { ewon, revokedAt } = certificate;
      if (!ewon || revokedAt) tunnel.close('CERTIFICATE_REVOKED');
      else if (tunnel.phase === 'waiting' && ewon.registrationStatus === 'ACTIVE') {
        // Approved as a replacement, the device now belongs to another record (GRK-19).
        tunnel.identity = { ...tunnel.identity, ewon };
        this.claim(tunnel);
      } else if (established.has(tunnel)) {
        if (ewon.tunnelId === null) tunnel.close('SERVICE_RESTART');
        else if (ewon.tunnelId !== tunnel.id) tunnel.close('REPLACED');
        else if (ewon.offlineTunnelId === tunnel.id) tunnel.close('SENT_OFFLINE');
      }
    }
  }

  /** PRV-08: asks the Ewons that a campaign wants to update, once a tunnel; one that comes back without the firmware is asked again. */
  private askToUpdate(): Promise<void> {
    this.asking = this.asking
      .then(async () => {
        if (this.closing) return;
        const { PATCH_SECONDS: withinSeconds } = this.ctx.config.limits;
        for (const { campaignId, ewonId, tunnelId, firmwareVersion } of await readPatchRequests(
          this.ctx,
          this.leaseId,
        )) {
          const tunnel = this.byEwon.get(ewonId);
          if (tunnel?.id !== tunnelId || tunnel.askedToUpdate.has(campaignId)) continue;
          tunnel.askedToUpdate.set(campaignId, 'ASKED');
          tunnel.send({ type: 'updateFirmware', campaignId, firmwareVersion, withinSeconds });
        }
      })
      .catch((error: unknown) => this.ctx.log.error({ err: error }, 'What campaigns want could not be read'));
    return this.asking;
  }

  private onUpdateRefused(tunnel: Tunnel, campaignId: string, message: string): void {
    const { id: ewonId, accountId } = tunnel.identity.ewon;
    // Whoever was not asked has nothing to refuse, and costs no transaction.
    if (tunnel.askedToUpdate.get(campaignId) !== 'ASKED') return;
    tunnel.askedToUpdate.set(campaignId, 'REFUSED');
    refusePatch(this.ctx, { ewonId, accountId }, campaignId, message).catch((error: unknown) =>
      this.ctx.log.error({ err: error, ewonId }, 'A refused update could not be written'),
    );
  }

  private async takeLease(): Promise<void> {
    this.leaseId = randomUUID();
    const startedAt = this.ctx.clock.now();
    await renewLease(
      this.ctx,
      { id: this.leaseId, url: this.url, portalUrl: this.ctx.gatewayUrls.portal, startedAt },
      this.leaseEnd(),
      true,
    );
    this.noteLease();
  }

  /** Renews the lease; called every second. An instance that could not renew in time no longer speaks for its devices: it sends them away. */
  async keepLease(): Promise<void> {
    const kept = await renewLease(
      this.ctx,
      { id: this.leaseId, url: this.url, portalUrl: this.ctx.gatewayUrls.portal, startedAt: this.ctx.clock.now() },
      this.leaseEnd(),
      false,
    ).catch(() => null);
    if (kept) return this.noteLease();
    if (kept === null && performance.now() < this.leaseUntilMs) return;
    this.ctx.log.warn({ leaseId: this.leaseId }, 'The gateway lost its lease');
    for (const tunnel of [...this.tunnels]) tunnel.close('SERVICE_RESTART');
    if (kept === false) await this.takeLease();
  }

  private leaseEnd = (): Date => addSeconds(this.ctx.clock.now(), this.ctx.config.limits.GATEWAY_LEASE_SECONDS);
  private noteLease(): void {
    this.leaseUntilMs = performance.now() + this.ctx.config.limits.GATEWAY_LEASE_SECONDS * 1000;
  }

  private every(ms: number, work: () => Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      work()
        .catch((error: unknown) => this.ctx.log.error({ err: error }, 'Regular work of the gateway failed'))
        .finally(() => {
          running = false;
        });
    }, ms);
    this.timers.push(timer);
  }
}

const isEmpty = ({ claims, reports, releases }: AccountQueue): boolean =>
  claims.length + reports.length + releases.length === 0;
