// The least that could carry a stream between two parties who both dial out: a TLS WebSocket server that pipes what arrives at
// /near to /far and back, with the backpressure of Node's streams, and no check, count or half-close. What `streams` measures
// the gateway against. Prints its port and the certificate to trust.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { openAuthority } from '../../src/certificates/authority.ts';

const authority = await openAuthority({ dataDir: undefined, caDays: 1 });
const { certPem, keyPem } = authority.issueServerCertificate({ hosts: ['127.0.0.1'], days: 1 });
const server = createServer({ cert: certPem, key: keyPem, minVersion: 'TLSv1.3' });
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
let waiting: Duplex | undefined;
sockets.on('connection', (socket) => {
  const half = createWebSocketStream(socket);
  half.on('error', () => half.destroy());
  if (waiting === undefined) {
    waiting = half;
    return;
  }
  const other = waiting;
  waiting = undefined;
  half.pipe(other).pipe(half);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, ca: authority.certificatePem })}\n`);
});
