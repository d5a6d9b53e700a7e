import { certificateFingerprint } from '../certificates/authority.ts';
import type { Platform } from '../context.ts';
import type { Subject } from '../log/write.ts';
import type { CloseReason } from './protocol.ts';

/** Which device a client certificate is of. */
export interface DeviceIdentity {
  fingerprint: string;
  serialNumber: string;
  notAfter: Date;
  ewon: Subject & { accountId: string; registrationStatus: 'PENDING' | 'PENDING_APPROVAL' | 'ACTIVE' };
}

/**
 * The device of a certificate that TLS has accepted: its fingerprint must be the current one of an Ewon, asked of the
 * database at every opening (GW-12), with or without resumption of a TLS session.
 */
export async function identifyDevice(ctx: Platform, certificate: Buffer): Promise<DeviceIdentity | CloseReason> {
  const fingerprint = certificateFingerprint(certificate);
  const found = await ctx.db.certificate.findUnique({
    where: { fingerprint },
    select: {
      serialNumber: true,
      notAfter: true,
      revokedAt: true,
      ewon: { select: { id: true, number: true, name: true, accountId: true, registrationStatus: true } },
    },
  });
  if (!found) return 'CERTIFICATE_INVALID';
  if (found.revokedAt || !found.ewon) return 'CERTIFICATE_REVOKED';
  if (found.notAfter <= ctx.clock.now()) return 'CERTIFICATE_INVALID';
  return { fingerprint, serialNumber: found.serialNumber, notAfter: found.notAfter, ewon: found.ewon };
}
