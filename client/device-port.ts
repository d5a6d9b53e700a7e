import { X509Certificate } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { z } from 'zod';
import { AUTHORITY_PATH } from '../src/gateway/protocol.ts';
import { CodedError, messageOf } from './errors.ts';

/** Bytes; a certificate and its authority take about 3 KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;

const devicePortError = z.object({
  code: z.string().regex(/^[A-Z_]{1,64}$/),
  message: z.string().max(1000),
  retryAfter: z.number().nonnegative().optional(),
});

export interface CallOptions {
  /** For the whole call, from the connection to the last byte. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Fetches the platform's authority without verifying who answers: trust on first use. The caller keeps it and verifies every
 * later call by it, so that a registration key goes only to whoever answered here.
 *
 * @throws CodedError `UNREACHABLE`, `TIMEOUT`, `ANSWER_INVALID`
 */
export async function fetchAuthority(deviceUrl: string, options: CallOptions): Promise<string> {
  const answer = await callDevicePort(deviceUrl, AUTHORITY_PATH, { method: 'GET', rejectUnauthorized: false }, options);
  const certificate = answer.status === 200 ? readCertificate(answer.body) : undefined;
  if (!certificate?.ca) throw invalidAnswer(deviceUrl, AUTHORITY_PATH);
  return certificate.toString();
}

/** A refusal in the form of DevicePortError; undefined when the text is none. */
export function readRefusal(body: string): CodedError | undefined {
  const refusal = devicePortError.safeParse(parseJson(body));
  if (!refusal.success) return undefined;
  return new CodedError(refusal.data.code, refusal.data.message, refusal.data.retryAfter);
}

const UNTRUSTED =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|PATH_LENGTH|HOSTNAME_MISMATCH)/;

/** Says in a sentence why there is no connection to `url`. */
export function connectionError(url: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const { origin } = new URL(url);
  if (UNTRUSTED.test(code)) {
    const message = `${origin} is not the platform that is known here, or not under this name: ${messageOf(error)}.`;
    return new CodedError('PLATFORM_NOT_TRUSTED', message, undefined, { cause: error });
  }
  if (/^ERR_SSL_.*(ALERT|CERTIFICATE)/.test(code)) {
    return new CodedError('CERTIFICATE_REFUSED', `${origin} refuses the certificate that was shown.`, undefined, {
      cause: error,
    });
  }
  return new CodedError('UNREACHABLE', `${origin} cannot be reached: ${messageOf(error)}.`, undefined, {
    cause: error,
  });
}

/** Undefined when the text is no certificate in PEM. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** One request to the device port, on a connection of its own. @throws CodedError `UNREACHABLE`, `TIMEOUT`, `PLATFORM_NOT_TRUSTED`, `ANSWER_INVALID` */
export function callDevicePort(
  deviceUrl: string,
  path: string,
  tls: RequestOptions,
  { timeoutMs, signal }: CallOptions,
  body?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    // A connection of its own: what is verified here must not be a connection that was opened without verification.
    const outgoing = request(new URL(path, deviceUrl), { ...tls, headers, agent: false, ...(signal && { signal }) });
    const timer = setTimeout(() => {
      outgoing.destroy(
        new CodedError('TIMEOUT', `${new URL(deviceUrl).origin} did not answer within ${timeoutMs / 1000} s.`),
      );
    }, timeoutMs);
    const fail = (error: unknown) => {
      clearTimeout(timer);
      reject(signal?.aborted ? (signal.reason as Error) : connectionError(deviceUrl, error));
    };

    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) outgoing.destroy(invalidAnswer(deviceUrl, path));
        else chunks.push(chunk);
      });
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.end(body);
  });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For an answer that the protocol does not have. */
export function invalidAnswer(deviceUrl: string, path: string, status?: number): CodedError {
  const what = status === undefined ? 'an answer' : `status ${status} and an answer`;
  return new CodedError(
    'ANSWER_INVALID',
    `${new URL(path, deviceUrl)} gave ${what} that the protocol does not know; is it the device port of talkgate?`,
  );
}
