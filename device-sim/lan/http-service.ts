import type { LanLogin } from './lan.ts';
import type { LoopbackServer } from './loopback.ts';
import type { Plc } from './plc.ts';

export function startHttpService(_options: {
  title: string;
  login: LanLogin | null;
  plc: Plc;
  address: string;
}): Promise<LoopbackServer> {
  throw new Error('not built yet');
}
