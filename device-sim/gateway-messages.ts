import { z } from 'zod';
import type { GatewayMessage } from '../src/gateway/protocol.ts';

/** Up to a day, so that it also fits a timer. */
const seconds = z.number().positive().max(86_400);
const intervals = { keepAliveSeconds: seconds, offlineAfterSeconds: seconds };

const gatewayMessage: z.ZodType<GatewayMessage> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting'), ewonName: z.string(), ...intervals }),
  z.object({
    type: z.literal('welcome'),
    tunnelId: z.string(),
    ewonName: z.string(),
    vpnAddress: z.ipv4(),
    certificateNotAfter: z.string(),
    ...intervals,
  }),
  z.object({ type: z.literal('keepAlive') }),
  z.object({ type: z.literal('certificate'), certificate: z.string(), certificateNotAfter: z.string() }),
  z.object({
    type: z.literal('refused'),
    of: z.string(),
    id: z.string().optional(),
    code: z.string(),
    message: z.string(),
  }),
  z.object({ type: z.literal('accepted'), of: z.string(), id: z.string(), notice: z.string().optional() }),
  z.object({
    type: z.literal('updateFirmware'),
    campaignId: z.string(),
    firmwareVersion: z.string(),
    withinSeconds: seconds,
  }),
  z.object({
    type: z.literal('dial'),
    streamId: z.string(),
    token: z.string(),
    address: z.ipv4(),
    port: z.number().int().min(1).max(65_535),
    withinSeconds: seconds,
  }),
]);

/** Reads a message of the gateway; undefined for what this version of the protocol does not know. */
export function parseGatewayMessage(text: string): GatewayMessage | undefined {
  try {
    return gatewayMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
