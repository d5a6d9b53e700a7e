import { memoryStore } from '../../device-sim/state.ts';
import { eventually, type Json } from './client.ts';
import { type Credentials, credentialsOf, RawTunnel } from './raw-tunnel.ts';
import type { TestAccount, TestEwon } from './world.ts';

/** An Ewon whose device is played by hand: what it says, a test says. */
export interface RawEwon extends TestEwon {
  credentials(): Promise<Required<Credentials>>;
  /** Opens a tunnel and says hello, with these facts besides its own; returns when it was answered. */
  open(facts?: Record<string, unknown>): Promise<RawTunnel>;
}

/** An approved Ewon without a tunnel. */
export async function rawEwon(account: TestAccount, properties: Record<string, unknown> = {}): Promise<RawEwon> {
  const stateStore = memoryStore();
  const ewon = await account.ewon(properties, {}, { stateStore });
  const credentials = await credentialsOf(stateStore, ewon.device.serialNumber);
  const open = async (facts: Record<string, unknown> = {}) => {
    const tunnel = new RawTunnel(account.server, credentials);
    await tunnel.hello({ ...ewon.device.facts, ...facts });
    let over = false;
    void tunnel.ended.then(() => {
      over = true;
    });
    await eventually(
      'the answer to hello',
      () => over || tunnel.messages.length > 0,
      (answered) => answered,
    );
    return tunnel;
  };
  return { ...ewon, credentials: () => credentialsOf(stateStore, ewon.device.serialNumber), open };
}

let ids = 0;

/** Sends a request and waits for its answer, which carries its id. */
export async function request(tunnel: RawTunnel, message: Record<string, unknown>): Promise<Json> {
  ids += 1;
  const id = `request-${ids}`;
  const already = tunnel.messages.length;
  await tunnel.send({ id, ...message });
  const answer = () => tunnel.messages.slice(already).find((each) => each.id === (message.id ?? id));
  return eventually('the answer', answer, (found) => found !== undefined);
}
