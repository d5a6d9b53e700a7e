import type { AddressInfo, Server, Socket } from 'node:net';

/** A server of the simulated LAN, on a free port of loopback. */
export interface LoopbackServer {
  port: number;
  /** Ends it with its connections. */
  close(): Promise<void>;
}

/** Listens on a free port of loopback. @throws what listening throws, such as EMFILE */
export async function listenOnLoopback(server: Server): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
