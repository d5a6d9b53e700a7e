import { timingSafeEqual } from 'node:crypto';
import type { DeviceCertificate } from '../certificates/authority.ts';
import { parseSigningRequest, type SigningRequest, SigningRequestError } from '../certificates/signing-request.ts';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import type { Ewon, EwonModel, Prisma, RegistrationStatus } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { checkCredentials, InvalidCredentialsError } from '../logins/credentials.ts';
import { rightsOnPools } from '../pools/rules.ts';
import { type Actor, loadUserAsActor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { vpnRange } from '../vpn/addresses.ts';
import { overlaps, subnetOf } from '../vpn/ipv4.ts';
import { ewonSubject } from './find.ts';
import { nameKey } from './rules.ts';

/** How a device proves that an account wants it (GW-01). */
type RegistrationProof =
  | { registrationKey: string }
  | { activationKey: string }
  | { account: string; username: string; password: string; ewonName: string };

export interface RegistrationRequest {
  serialNumber: string;
  model: EwonModel;
  firmwareVersion: string;
  signingRequest: string;
  proof: RegistrationProof;
  description?: string | undefined;
  lanAddress?: string | undefined;
}

export interface Registration {
  registrationStatus: RegistrationStatus;
  ewonName: string;
  certificate: Pick<DeviceCertificate, 'pem' | 'notAfter'>;
}

export const REGISTRATION_KEY_PREFIX = 'GRK-';

/** What the proof was found to stand for. Keys are looked up before the account is locked, and compared again under the lock. */
type Sponsor = { accountId: string } & (
  | { way: 'GRK'; keyHash: string }
  | { way: 'activation key'; keyHash: string; recordId: string }
  | { way: 'name'; actor: Actor; name: string }
);

/**
 * Registers a device (GRK, EWN-14 to EWN-17): checks its proof and its signing request, links its serial number to one Ewon
 * record of one account, and signs its certificate. A device that repeats its registration with the same key pair, because
 * the answer got lost, gets its certificate again.
 * @throws AppError GRK_UNKNOWN, GRK_REVOKED, ACTIVATION_KEY_INVALID, INVALID_CREDENTIALS, FORBIDDEN, AUTO_REGISTRATION_DISABLED,
 *   DEVICE_ALREADY_REGISTERED, EWON_NAME_IN_USE, SERIAL_NUMBER_MISMATCH, SIGNING_REQUEST_INVALID, SUBNET_CONFLICT
 */
export async function registerDevice(
  ctx: Platform,
  request: RegistrationRequest,
  remoteAddress: string,
): Promise<Registration> {
  const signing = readSigningRequest(request.signingRequest, request.serialNumber);
  checkSubnet(ctx, request.lanAddress);
  const sponsor = await findSponsor(ctx, request.proof, remoteAddress);
  const attempt = () =>
    inAccount(ctx, sponsor.accountId, (account) => register(ctx, account, sponsor, request, signing));
  const outcome = await attempt().catch((error: unknown) => {
    // Another account, whose lock is another, has just linked the serial number: the second time it is found and logged.
    if (isUniqueViolation(error)) return attempt();
    throw error;
  });
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** GW-04: the common name of the request must be the serial number that the device claims, or proves by its certificate. */
export function readSigningRequest(pem: string, serialNumber: string): SigningRequest {
  try {
    const signing = parseSigningRequest(pem);
    if (signing.commonName !== serialNumber)
      throw new AppError('SERIAL_NUMBER_MISMATCH', 'The signing request names another serial number.', [
        'signingRequest',
      ]);
    return signing;
  } catch (error) {
    if (error instanceof SigningRequestError)
      throw new AppError('SIGNING_REQUEST_INVALID', error.message, ['signingRequest']);
    throw error;
  }
}

/** VPN-11: a LAN that overlaps a VPN range could not be routed. @throws AppError SUBNET_CONFLICT */
export function checkSubnet(ctx: Platform, lanAddress: string | undefined): void {
  if (lanAddress === undefined) return;
  const lan = subnetOf(lanAddress);
  if (overlaps(lan, vpnRange(ctx.config, 'USER')) || overlaps(lan, vpnRange(ctx.config, 'EWON'))) {
    throw new AppError('SUBNET_CONFLICT', 'The LAN overlaps a VPN range of the platform.', ['lanAddress']);
  }
}

async function findSponsor(ctx: Platform, proof: RegistrationProof, remoteAddress: string): Promise<Sponsor> {
  if ('registrationKey' in proof) return sponsorByKey(ctx, proof.registrationKey);
  if ('activationKey' in proof) return sponsorByActivation(ctx, proof.activationKey);
  const { userId, accountId } = await checkCredentials(ctx, proof, remoteAddress);
  const actor = await loadUserAsActor(ctx.db, userId);
  if (!actor) throw new InvalidCredentialsError();
  return { way: 'name', accountId, actor, name: proof.ewonName };
}

/** Found by an index over keyed hashes: what timing tells of a hash tells nothing about keys. */
async function sponsorByKey(ctx: Platform, key: string): Promise<Sponsor> {
  const keyHash = ctx.secrets.hash('registration key', key);
  const account = await ctx.db.account.findUnique({ where: { registrationKeyHash: keyHash }, select: { id: true } });
  const accountId =
    account?.id ??
    (await ctx.db.revokedRegistrationKey.findUnique({ where: { keyHash }, select: { accountId: true } }))?.accountId;
  if (accountId === undefined)
    throw new AppError('GRK_UNKNOWN', 'No account has this registration key.', ['proof', 'registrationKey']);
  return { way: 'GRK', accountId, keyHash };
}

async function sponsorByActivation(ctx: Platform, key: string): Promise<Sponsor> {
  const keyHash = ctx.secrets.hash('activation key', key);
  const record = await ctx.db.ewon.findUnique({
    where: { activationKeyHash: keyHash },
    select: { id: true, accountId: true },
  });
  if (!record) throw activationKeyInvalid();
  return { way: 'activation key', accountId: record.accountId, keyHash, recordId: record.id };
}

const sameHash = (a: string | null, b: string): boolean =>
  a !== null && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const activationKeyInvalid = () =>
  new AppError('ACTIVATION_KEY_INVALID', 'The activation key is unknown, used or renewed.', ['proof', 'activationKey']);
const nameTaken = () =>
  new AppError('EWON_NAME_IN_USE', 'Another Ewon of the account has this name.', ['proof', 'ewonName']);
const alreadyRegistered = () =>
  new AppError('DEVICE_ALREADY_REGISTERED', 'A device with this serial number is linked to an account already.', [
    'serialNumber',
  ]);

/** Refusals that the log tells are returned, so that their entry is committed; the others are thrown. */
async function register(
  ctx: Platform,
  account: AccountTx,
  sponsor: Sponsor,
  request: RegistrationRequest,
  signing: SigningRequest,
): Promise<Registration | AppError> {
  const { tx, accountId, log } = account;
  const settings = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: {
      registrationKeyHash: true,
      autoRegistrationEnabled: true,
      autoRegistrationPoolId: true,
      pools: { where: { isDefault: true }, select: { id: true } },
    },
  });
  const user = sponsor.way === 'name' ? actorSubject(sponsor.actor) : null;
  const refuse = (error: AppError): AppError => {
    log({
      code: 'EWON_REGISTRATION_REFUSED',
      user,
      trigger: 'EWON',
      params: { serialNumber: request.serialNumber, reason: error.code, way: sponsor.way },
    });
    return error;
  };
  if (sponsor.way === 'GRK' && !sameHash(settings.registrationKeyHash, sponsor.keyHash)) {
    return refuse(
      new AppError('GRK_REVOKED', 'The registration key was renewed; export the new one.', [
        'proof',
        'registrationKey',
      ]),
    );
  }
  const linked = await tx.ewon.findUnique({
    where: { serialNumber: request.serialNumber },
    include: { certificates: { where: { revokedAt: null, publicKeyHash: signing.publicKeyHash } } },
  });
  if (linked) {
    const [certificate] = linked.certificates;
    if (!certificate || linked.accountId !== accountId) {
      // A void key must not tell which serial numbers are linked.
      const keyIsVoid = sponsor.way === 'activation key' && !(await findPendingRecord(tx, sponsor));
      return refuse(keyIsVoid ? activationKeyInvalid() : alreadyRegistered());
    }
    const { registrationStatus, name: ewonName } = linked;
    if (certificate.notAfter > account.now) return { registrationStatus, ewonName, certificate };
    // It was away too long to renew over its tunnel: key and proof together are as good as a first registration.
    log({ code: 'EWON_CERTIFICATE_RENEWED', ewon: ewonSubject(linked) });
    const renewed = await issueCertificate(ctx, tx, account.now, linked.id, request.serialNumber, signing);
    return { registrationStatus, ewonName, certificate: renewed };
  }
  if (sponsor.way !== 'activation key' && !settings.autoRegistrationEnabled) {
    return refuse(
      new AppError('AUTO_REGISTRATION_DISABLED', 'The account does not let devices register by themselves.'),
    );
  }
  const facts = {
    serialNumber: request.serialNumber,
    model: request.model,
    firmwareVersion: request.firmwareVersion,
    lanAddress: request.lanAddress ?? null,
    registeredAt: account.now,
  };
  const poolId = settings.autoRegistrationPoolId ?? settings.pools[0]?.id;
  const ewon = await link(account, sponsor, facts, request, poolId);
  if (ewon instanceof AppError) return refuse(ewon);
  const certificate = await issueCertificate(ctx, tx, account.now, ewon.id, request.serialNumber, signing);
  log({
    code: 'EWON_REGISTERED',
    user,
    ewon: ewonSubject(ewon),
    trigger: 'EWON',
    params: { serialNumber: request.serialNumber, way: sponsor.way },
  });
  account.afterCommit(() => ctx.bell.ring('ewons'));
  return { registrationStatus: ewon.registrationStatus, ewonName: ewon.name, certificate };
}

/** Finds or makes the Ewon record that the device becomes the device of. */
async function link(
  account: AccountTx,
  sponsor: Sponsor,
  facts: Pick<Ewon, 'serialNumber' | 'model' | 'firmwareVersion' | 'lanAddress' | 'registeredAt'>,
  request: RegistrationRequest,
  poolId: string | undefined,
): Promise<Ewon | AppError> {
  const { tx, accountId, now } = account;
  const join = (id: string, data: Prisma.EwonUpdateInput = {}) =>
    tx.ewon.update({ where: { id }, data: { ...facts, ...data, registrationStatus: 'ACTIVE' } });
  if (sponsor.way === 'activation key') {
    const record = await findPendingRecord(tx, sponsor);
    // The used key stays with its record, where it only serves its device to ask again for an answer that got lost.
    return record ? join(record.id) : activationKeyInvalid();
  }
  if (sponsor.way === 'name') {
    const named = await tx.ewon.findUnique({
      where: { accountId_nameKey: { accountId, nameKey: nameKey(sponsor.name) } },
      include: { pools: true },
    });
    if (named && named.registrationStatus !== 'PENDING') return nameTaken();
    // GRK-07: the target is where the device will be, which for a record made beforehand are the pools of that record.
    const targets = named ? named.pools.map((pool) => pool.poolId) : poolId ? [poolId] : [];
    if (!rightsOnPools(sponsor.actor, targets).administer)
      return new AppError('FORBIDDEN', 'The user may not add Ewons to this pool.');
    if (named) return join(named.id, { activationKeyHash: null });
  }
  const name = sponsor.way === 'name' ? sponsor.name : await freeName(tx, accountId, `Ewon ${request.serialNumber}`);
  return tx.ewon.create({
    data: {
      ...facts,
      accountId,
      name,
      nameKey: nameKey(name),
      description: request.description ?? null,
      registrationStatus: sponsor.way === 'GRK' ? 'PENDING_APPROVAL' : 'ACTIVE',
      createdAt: now,
      ...(poolId && { pools: { create: { poolId } } }),
    },
  });
}

/** The record that an activation key is good for: it may have been used or renewed since it was looked up. */
async function findPendingRecord(tx: Tx, { recordId, keyHash }: { recordId: string; keyHash: string }) {
  const record = await tx.ewon.findFirst({ where: { id: recordId, registrationStatus: 'PENDING' } });
  return record && sameHash(record.activationKeyHash, keyHash) ? record : null;
}

/** GRK-24: the temporary name, with a number behind it when somebody has given it to another Ewon. */
async function freeName(tx: Tx, accountId: string, wanted: string): Promise<string> {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted} (${count})`;
    if ((await tx.ewon.count({ where: { accountId, nameKey: nameKey(name) } })) === 0) return name;
  }
}

/** Signs the device's certificate and makes it the current one of the Ewon: those before it are revoked (GW-03, GW-12). */
export async function issueCertificate(
  ctx: Platform,
  tx: Tx,
  now: Date,
  ewonId: string,
  serialNumber: string,
  signing: SigningRequest,
): Promise<DeviceCertificate> {
  // TLS judges by the system's clock, the platform by its own: the certificate is good by both from now on.
  const notBefore = addSeconds(new Date(Math.min(now.getTime(), Date.now())), -300);
  const certificate = ctx.authority.issueDeviceCertificate({
    spkiDer: signing.spkiDer,
    serialNumber,
    notBefore,
    notAfter: addSeconds(now, ctx.config.limits.CERTIFICATE_DAYS * 86_400),
  });
  await revokeCertificates(tx, now, ewonId, 'renewed');
  await tx.certificate.create({
    data: {
      ewonId,
      serialNumber,
      fingerprint: certificate.fingerprint,
      publicKeyHash: certificate.publicKeyHash,
      pem: certificate.pem,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
    },
  });
  return certificate;
}

export async function revokeCertificates(tx: Tx, now: Date, ewonId: string, revokedReason: string): Promise<void> {
  await tx.certificate.updateMany({ where: { ewonId, revokedAt: null }, data: { revokedAt: now, revokedReason } });
}
