import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Platform } from '../context.ts';
import { AppError, type ErrorCode, TooManyRequestsError } from '../errors.ts';
import { registerDevice } from '../ewons/registration.ts';
import {
  type DevicePortError,
  EnrolmentRequest,
  type EnrolmentResponse,
  MAX_ENROLMENT_BYTES,
  PROTOCOL_VERSION,
  TUNNEL_PATH,
} from './protocol.ts';

/** HTTP status of the refusals of an enrolment; any other is 400. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  AUTO_REGISTRATION_DISABLED: 403,
  DEVICE_ALREADY_REGISTERED: 409,
  EWON_NAME_IN_USE: 409,
  FORBIDDEN: 403,
  GRK_REVOKED: 403,
  GRK_UNKNOWN: 403,
  ACTIVATION_KEY_INVALID: 403,
  INVALID_CREDENTIALS: 403,
  INTERNAL_ERROR: 500,
  SERIAL_NUMBER_MISMATCH: 403,
  SUBNET_CONFLICT: 409,
  TOO_MANY_REQUESTS: 429,
};

/** Refusals that somebody who guesses keys or passwords would get. */
const GUESSES: ReadonlySet<ErrorCode> = new Set([
  'GRK_UNKNOWN',
  'GRK_REVOKED',
  'ACTIVATION_KEY_INVALID',
  'INVALID_CREDENTIALS',
]);

/**
 * `POST /enrol` (GW-01, GW-02): a device registers and gets its certificate. Attempts are limited by address, failed guesses
 * more tightly; the body is small; nothing of the answer tells whether a serial number is known without a valid proof.
 */
export async function handleEnrolment(
  ctx: Platform,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = request.socket.remoteAddress ?? 'unknown';
  try {
    await ctx.rateLimits.enrolmentFailures.check(address);
    await ctx.rateLimits.enrolments.take(address);
    const body = parseRequest(await readBody(request));
    const registration = await registerDevice(ctx, body, address);
    const answer: EnrolmentResponse = {
      registrationStatus: registration.registrationStatus === 'ACTIVE' ? 'ACTIVE' : 'PENDING_APPROVAL',
      ewonName: registration.ewonName,
      certificate: registration.certificate.pem,
      certificateNotAfter: registration.certificate.notAfter.toISOString(),
      certificateAuthority: ctx.authority.certificatePem,
      tunnelUrl: `${ctx.gatewayUrls.tunnel}${TUNNEL_PATH}`,
    };
    sendJson(response, 201, answer);
  } catch (error) {
    if (error instanceof AppError && GUESSES.has(error.code))
      await ctx.rateLimits.enrolmentFailures.take(address).catch(() => undefined);
    const refusal = refusalOf(error);
    if (refusal.code === 'INTERNAL_ERROR') ctx.log.error({ err: error }, 'An enrolment failed');
    sendJson(response, STATUS[refusal.code] ?? 400, refusal, refusal.retryAfter);
  }
}

function refusalOf(error: unknown): DevicePortError & { code: ErrorCode } {
  if (error instanceof TooManyRequestsError)
    return { code: error.code, message: error.message, retryAfter: error.retryAfter };
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL_ERROR', message: 'Something unexpected happened.' };
}

function parseRequest(body: string) {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new AppError('MESSAGE_INVALID', 'The body is not JSON.');
  }
  const version = (json as { protocol?: unknown } | null)?.protocol;
  if (typeof version === 'number' && version !== PROTOCOL_VERSION)
    throw new AppError('UNSUPPORTED_PROTOCOL', `This gateway speaks protocol ${PROTOCOL_VERSION}.`);
  const { data, error } = EnrolmentRequest.safeParse(json);
  if (data) return data;
  const issue = error.issues[0];
  // The message names the field and what is expected of it, never the value: it may be a key.
  throw new AppError('MESSAGE_INVALID', `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ENROLMENT_BYTES)
      throw new AppError('MESSAGE_INVALID', `The body exceeds ${MAX_ENROLMENT_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendJson(response: ServerResponse, status: number, body: object, retryAfter?: number): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: 'close',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  });
  response.end(JSON.stringify(body));
}
