import { parseArgs } from 'node:util';
import { formatReport, Summary } from '../summary.ts';
import type { Command } from './command.ts';
import { deviceOf } from './one-device.ts';
import { COMMON, DEVICES, endOf, FOR, noProof, ONE_DEVICE, PROOF, parseDuration, readProof } from './options.ts';

const options = {
  ...DEVICES,
  ...ONE_DEVICE,
  ...PROOF,
  within: { type: 'string', value: '<time>', default: '60s', help: 'How long it tries to connect the first time.' },
  for: FOR,
  ...COMMON,
} as const;

export const run: Command = {
  summary: 'Plays one device: registers it if needed, opens its tunnel and stays online.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const withinMs = parseDuration(values.within, 'within');
    using until = endOf(surroundings.signal, values.for);
    const end = until.signal;
    const { device, name } = await deviceOf(values);
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
    device.on('retrying', ({ delayMs }) => say(`tries again in ${(delayMs / 1000).toFixed(1)} s`));

    if (device.state === 'NEW') {
      const proof = await readProof(values, surroundings);
      if (proof === undefined) throw noProof();
      await device.register(proof, { description: name, signal: end });
    }
    const stop = () => void device.disconnect();
    end.addEventListener('abort', stop, { once: true });
    try {
      if (end.aborted) return 0;
      await device.connect({ withinMs });
      await new Promise<void>((resolve) => {
        device.on('closed', ({ retry }) => {
          if (!retry) resolve();
        });
        if (device.tunnelState === 'closed') resolve();
      });
    } catch (error) {
      if (!end.aborted) throw error;
    } finally {
      end.removeEventListener('abort', stop);
      await device.disconnect();
    }
    const report = summary.report();
    surroundings.stdout.write(`${values.json ? JSON.stringify(report) : formatReport(report)}\n`);
    if (end.aborted) return 0;
    surroundings.stderr.write(`The device may not come again: ${device.lastClose?.detail}\n`);
    return 1;
  },
};
