import { parseArgs } from 'node:util';
import { type Command, parseDuration } from '../../client/command-line.ts';
import type { Device } from '../device.ts';
import { formatReport, Summary } from '../summary.ts';
import { deviceOf } from './one-device.ts';
import { COMMON, DEVICES, ended, endOf, FOR, noProof, ONE_DEVICE, PROOF, readProof } from './options.ts';
import { openDoors, PLAYING, playingOptions } from './playing.ts';

const options = {
  ...DEVICES,
  ...ONE_DEVICE,
  ...PROOF,
  ...PLAYING,
  within: { type: 'string', value: '<time>', default: '60s', help: 'How long it tries to connect the first time.' },
  for: FOR,
  ...COMMON,
} as const;

/** Ends after which the device stays away by its own will, or until it is called. */
const MAY_COME_BACK = ['BY_DEVICE', 'VANISHED', 'SENT_OFFLINE', 'REMOTE_ACCESS_DISABLED'];

export const run: Command = {
  summary: 'Plays one device: registers it if needed, opens its tunnel and stays online.',
  details:
    'With --on-demand it waits until it is woken up: by an SMS through --phone-network, or by npm run sim -- control.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const withinMs = parseDuration(values.within, 'within');
    using until = endOf(surroundings.signal, values.for);
    const end = until.signal;
    const { device, name } = await deviceOf(values, (await playingOptions(values, surroundings))(0));
    const summary = new Summary();
    const say = (text: string) => void surroundings.stderr.write(`${device.serialNumber} ${text}\n`);
    device.on('registered', ({ ewonName }) => say(`registered as "${ewonName}"`));
    device.on('waiting', () => {
      summary.count('waiting');
      say('connected, waits for approval');
    });
    device.on('online', (vpnAddress) => {
      summary.count('online');
      say(`online as "${device.ewonName}" with VPN address ${vpnAddress}`);
    });
    device.on('closed', ({ reason, detail }) => {
      if (reason !== 'BY_DEVICE') summary.failed(reason);
      say(`tunnel closed: ${reason}. ${detail}`);
    });
    device.on('dialled', ({ address, port, outcome }) => say(`stream to ${address}:${port}: ${outcome}`));
    device.on('stateNotKept', ({ message }) => say(`goes on, but ${message}`));
    device.on('retrying', ({ delayMs }) => say(`tries again in ${(delayMs / 1000).toFixed(1)} s`));

    if (device.state === 'NEW') {
      const proof = await readProof(values, surroundings);
      if (proof === undefined) throw noProof();
      await device.register(proof, { description: name, signal: end });
    }
    const stop = () => void device.disconnect();
    end.addEventListener('abort', stop, { once: true });
    const doors = await openDoors(values, surroundings, () => [device]);
    try {
      if (end.aborted) return 0;
      await stay(device, withinMs, end);
    } catch (error) {
      if (!end.aborted) throw error;
    } finally {
      end.removeEventListener('abort', stop);
      await doors.close();
      await device.disconnect();
    }
    const report = summary.report();
    surroundings.stdout.write(`${values.json ? JSON.stringify(report) : formatReport(report)}\n`);
    if (end.aborted) return 0;
    surroundings.stderr.write(`The device may not come again: ${device.lastClose?.detail}\n`);
    return 1;
  },
};

/** Until the end, or until the device may not come again. */
async function stay(device: Device, withinMs: number, end: AbortSignal): Promise<void> {
  const lost = new Promise<void>((resolve) => {
    device.on('closed', ({ retry, reason }) => {
      if (!retry && !MAY_COME_BACK.includes(reason)) resolve();
    });
  });
  if (device.remoteAccessForbidden || device.connectionMode === 'ON_DEMAND') await Promise.race([lost, ended(end)]);
  else {
    await device.connect({ withinMs });
    await Promise.race([lost, ended(end)]);
  }
}
