import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.ts';

/** Bytes of a form of the platform's own. */
const MAX_FORM_BYTES = 16 * 1024;

/**
 * Reads the form of a POST request; empty for one without a body.
 * @param withinMs how long it may take to come
 * @throws AppError VALIDATION_FAILED when it is no form, too large, or does not come
 */
export async function readForm(request: IncomingMessage, withinMs: number): Promise<URLSearchParams> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const bytes = await readBody(request, withinMs);
  if (bytes.length === 0) return new URLSearchParams();
  if (type !== 'application/x-www-form-urlencoded')
    throw new AppError('VALIDATION_FAILED', 'Send a form: application/x-www-form-urlencoded.');
  return new URLSearchParams(bytes.toString('utf8'));
}

async function readBody(request: IncomingMessage, withinMs: number): Promise<Buffer> {
  const timer = setTimeout(() => request.destroy(new Error('late')), withinMs);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length <= MAX_FORM_BYTES) chunks.push(chunk);
      else if (length > 64 * MAX_FORM_BYTES) break;
    }
    if (length > MAX_FORM_BYTES) throw new AppError('VALIDATION_FAILED', `A form has at most ${MAX_FORM_BYTES} bytes.`);
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('VALIDATION_FAILED', 'The form did not come in full.');
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a request comes from a page of the host that it goes to: what a browser always tells of a form (RFC 6454). */
export function isOwnOrigin(request: IncomingMessage, publicUrl: string | null): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const asked = new URL(origin).host;
  return asked === host || (publicUrl !== null && asked === new URL(publicUrl).host);
}
