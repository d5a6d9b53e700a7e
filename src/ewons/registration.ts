import { timingSafeEqual } from 'node:crypto';
import type { DeviceCertificate } from '../certificates/authority.ts';
import { parseSigningRequest, type SigningRequest, SigningRequestError } from '../certificates/signing-request.ts';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import type { Account, Ewon, EwonModel, RegistrationStatus } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount, type Subject } from '../log/write.ts';
import { checkCredentials, InvalidCredentialsError } from '../logins/credentials.ts';
import { mayAdministerPool } from '../pools/rules.ts';
import { loadUserAsActor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { vpnRange } from '../vpn/addresses.ts';
import { overlaps, subnetOf } from '../vpn/ipv4.ts';
import { nameKey } from './rules.ts';

/** How a device proves that an account wants it (GW-01). */
export type RegistrationProof =
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

type Way = 'GRK' | 'name' | 'activation key';

/** What the proof was found to stand for. */
interface Sponsor {
  way: Way;
  account: Pick<Account, 'id'>;
  /** The acting user, for the way by name. */
  user: Subject | null;
  /** The PENDING record that the device joins. */
  recordId: string | null;
  name: string | null;
}

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
  const outcome = await inAccount(ctx, sponsor.account.id, (account) =>
    register(ctx, account, sponsor, request, signing),
  ).catch((error: unknown) => {
    if (isUniqueViolation(error)) return alreadyRegistered();
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
    throw new AppError('SUBNET_CONFLICT', `The LAN ${lanAddress} overlaps a VPN range of the platform.`, [
      'lanAddress',
    ]);
  }
}

async function findSponsor(ctx: Platform, proof: RegistrationProof, remoteAddress: string): Promise<Sponsor> {
  if ('registrationKey' in proof) return sponsorByKey(ctx, proof.registrationKey);
  if ('activationKey' in proof) return sponsorByActivation(ctx, proof.activationKey);
  const { userId, accountId } = await checkCredentials(ctx, proof, remoteAddress);
  const actor = await loadUserAsActor(ctx.db, userId);
  if (!actor) throw new InvalidCredentialsError();
  const { id, autoRegistrationPoolId, pools } = await ctx.db.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { id: true, autoRegistrationPoolId: true, pools: { where: { isDefault: true } } },
  });
  const target = autoRegistrationPoolId ?? pools[0]?.id ?? '';
  if (!mayAdministerPool(actor, target))
    throw new AppError('FORBIDDEN', 'The user may not add Ewons to the pool for new devices.');
  return { way: 'name', account: { id }, user: actorSubject(actor), recordId: null, name: proof.ewonName };
}

/** Found by an index over keyed hashes, then compared in constant time: timing tells nothing about other keys. */
async function sponsorByKey(ctx: Platform, key: string): Promise<Sponsor> {
  const hash = ctx.secrets.hash('registration key', key);
  const account = await ctx.db.account.findUnique({
    where: { registrationKeyHash: hash },
    select: { id: true, registrationKeyHash: true },
  });
  if (account && timingSafeEqual(Buffer.from(account.registrationKeyHash), Buffer.from(hash))) {
    return { way: 'GRK', account, user: null, recordId: null, name: null };
  }
  const revoked = await ctx.db.revokedRegistrationKey.findUnique({ where: { keyHash: hash } });
  throw revoked
    ? new AppError('GRK_REVOKED', 'The registration key was renewed; export the new one.', ['proof', 'registrationKey'])
    : new AppError('GRK_UNKNOWN', 'No account has this registration key.', ['proof', 'registrationKey']);
}

async function sponsorByActivation(ctx: Platform, key: string): Promise<Sponsor> {
  const hash = ctx.secrets.hash('activation key', key);
  const record = await ctx.db.ewon.findUnique({
    where: { activationKeyHash: hash },
    select: { id: true, accountId: true, activationKeyHash: true },
  });
  if (!record?.activationKeyHash || !timingSafeEqual(Buffer.from(record.activationKeyHash), Buffer.from(hash)))
    throw activationKeyInvalid();
  return { way: 'activation key', account: { id: record.accountId }, user: null, recordId: record.id, name: null };
}

const activationKeyInvalid = () =>
  new AppError('ACTIVATION_KEY_INVALID', 'The activation key is unknown, used or renewed.', ['proof', 'activationKey']);
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
      autoRegistrationEnabled: true,
      autoRegistrationPoolId: true,
      pools: { where: { isDefault: true }, select: { id: true } },
    },
  });
  const refuse = (error: AppError): AppError => {
    log({
      code: 'EWON_REGISTRATION_REFUSED',
      user: sponsor.user,
      params: { serialNumber: request.serialNumber, reason: error.code, way: sponsor.way },
    });
    return error;
  };
  const linked = await tx.ewon.findUnique({
    where: { serialNumber: request.serialNumber },
    include: { certificates: { where: { revokedAt: null, publicKeyHash: signing.publicKeyHash } } },
  });
  if (linked) {
    const [certificate] = linked.certificates;
    if (!certificate || linked.accountId !== accountId) return refuse(alreadyRegistered());
    return { registrationStatus: linked.registrationStatus, ewonName: linked.name, certificate };
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
    user: sponsor.user,
    ewon: { id: ewon.id, number: ewon.number, name: ewon.name },
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
  facts: Partial<Ewon>,
  request: RegistrationRequest,
  poolId: string | undefined,
): Promise<Ewon | AppError> {
  const { tx, accountId, now } = account;
  const join = (id: string) =>
    tx.ewon.update({ where: { id }, data: { ...facts, registrationStatus: 'ACTIVE', activationKeyHash: null } });
  if (sponsor.recordId !== null) {
    // Another device may have used the key since it was looked up.
    const record = await tx.ewon.findFirst({
      where: { id: sponsor.recordId, registrationStatus: 'PENDING', activationKeyHash: { not: null } },
    });
    return record ? join(record.id) : activationKeyInvalid();
  }
  if (sponsor.name !== null) {
    const named = await tx.ewon.findUnique({
      where: { accountId_nameKey: { accountId, nameKey: nameKey(sponsor.name) } },
    });
    if (named?.registrationStatus === 'PENDING') return join(named.id);
    if (named)
      return new AppError('EWON_NAME_IN_USE', 'Another Ewon of the account has this name.', ['proof', 'ewonName']);
  }
  const name = sponsor.name ?? (await freeName(tx, accountId, `Ewon ${request.serialNumber}`));
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
