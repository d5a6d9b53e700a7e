import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { parseJson } from '../../client/device-port.ts';
import type { Device } from '../device.ts';

const Sms = z.object({ to: z.string(), text: z.string() });
const MAX_SMS_BYTES = 64 * 1024;

/** Where the platform posts text messages to (`SMS_URL`): a message to the number of a device wakes it up (WAK-02). */
export interface PhoneNetwork {
  url: string;
  /** Puts a device with a number into the network. */
  add(device: Device): void;
  /** How many text messages came, also to numbers of no device. */
  readonly received: number;
  close(): Promise<void>;
}

/** Starts a phone network on a free port of loopback. */
export async function startPhoneNetwork(onError: (error: unknown) => void): Promise<PhoneNetwork> {
  const devices = new Map<string, Device>();
  let received = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_SMS_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const sms = Sms.safeParse(parseJson(Buffer.concat(chunks).toString()));
      response.writeHead(sms.success ? 202 : 400).end();
      if (!sms.success) return;
      received += 1;
      devices.get(sms.data.to)?.wake().catch(onError);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`,
    add: (device) => {
      if (device.phoneNumber !== undefined) devices.set(device.phoneNumber, device);
    },
    get received() {
      return received;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
