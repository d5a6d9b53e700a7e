import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson } from '../client/device-port.ts';
import { CodedError, codeOf, messageOf } from '../client/errors.ts';

/** An answer of one of the simulator's own HTTP doors. */
export interface LoopbackAnswer {
  status: number;
  body: unknown;
}

/** Statuses of the codes that an answer may have; any other code is 409. */
const STATUS: Record<string, number> = {
  VALUE_INVALID: 400,
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
  UNEXPECTED: 500,
};

export interface LoopbackApi {
  /** `http://127.0.0.1:port` */
  url: string;
  close(): Promise<void>;
}

/**
 * An HTTP server on loopback that answers in JSON; errors have `{ code, message }`.
 *
 * @param port 0 for any free one
 * @throws CodedError `PORT_NOT_AVAILABLE`
 */
export async function startLoopbackApi(
  port: number,
  answer: (request: IncomingMessage) => Promise<LoopbackAnswer>,
): Promise<LoopbackApi> {
  const listener: RequestListener = (request, response) => {
    void answer(request)
      .catch((error: unknown) => {
        const code = error instanceof CodedError ? error.code : 'UNEXPECTED';
        return { status: STATUS[code] ?? 409, body: { code, message: messageOf(error) } };
      })
      .then(({ status, body }) => {
        // A body that was not read to its end makes the connection useless.
        if (!request.complete) response.setHeader('connection', 'close');
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
      });
  };
  const server = createServer({ requestTimeout: 30_000 }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `Port ${port} of 127.0.0.1 cannot be opened: ${codeOf(error)}.`;
      reject(new CodedError('PORT_NOT_AVAILABLE', message, undefined, { cause: error }));
    });
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Reads a body of JSON; an empty one is undefined. @throws CodedError `BODY_TOO_LARGE`, `VALUE_INVALID` */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new CodedError('BODY_TOO_LARGE', `A body may have ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (text.trim() === '') return undefined;
  const value = parseJson(text);
  if (value === undefined) throw new CodedError('VALUE_INVALID', 'The body is not JSON.');
  return value;
}
