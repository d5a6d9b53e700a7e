import type { DeviceCertificate } from '../certificates/authority.ts';
import type { Platform } from '../context.ts';
import { notFound } from '../errors.ts';
import { inAccount } from '../log/write.ts';
import { issueCertificate, readSigningRequest } from './registration.ts';

/**
 * Signs a new certificate for a device that has proved its serial number by its present one (GW-03, GW-04).
 * @throws AppError SIGNING_REQUEST_INVALID, SERIAL_NUMBER_MISMATCH, NOT_FOUND
 */
export async function renewCertificate(
  ctx: Platform,
  ewon: { id: string; accountId: string },
  serialNumber: string,
  signingRequest: string,
): Promise<DeviceCertificate> {
  const signing = readSigningRequest(signingRequest, serialNumber);
  return inAccount(ctx, ewon.accountId, async ({ tx, now, accountId, log }) => {
    const current = await tx.ewon.findFirst({
      where: { id: ewon.id, accountId, serialNumber },
      select: { id: true, number: true, name: true },
    });
    if (!current) throw notFound('Ewon');
    log({ code: 'EWON_CERTIFICATE_RENEWED', ewon: current });
    return issueCertificate(ctx, tx, now, ewon.id, serialNumber, signing);
  });
}
