import { parseArgs } from 'node:util';
import { type Command, parseDuration, parseUrl } from '../../client/command-line.ts';
import { createFleet, type Fleet, type FleetResult } from '../fleet.ts';
import { ProgressLine } from '../progress.ts';
import { folderStore } from '../state.ts';
import { formatReport, Summary } from '../summary.ts';
import { COMMON, DEVICES, ended, endOf, FOR, noProof, PROOF, parseWhole, readProof } from './options.ts';
import { openDoors, PLAYING, playingOptions } from './playing.ts';

const { 'grk-file': grkFile } = PROOF;
const options = {
  ...DEVICES,
  'grk-file': grkFile,
  ...PLAYING,
  count: { type: 'string', value: '<n>', default: '12', help: 'How many devices.' },
  concurrency: { type: 'string', value: '<n>', default: '20', help: 'How many connect at a time.' },
  within: {
    type: 'string',
    value: '<time>',
    default: '60s',
    help: 'How long each device tries to register, and to connect the first time.',
  },
  for: FOR,
  ...COMMON,
} as const;

export const fleet: Command = {
  summary: 'Plays many devices: registers those that are not registered, opens their tunnels and keeps them online.',
  details:
    'Ends with status 0 if at the end every device is connected: online, or waiting for approval. With --on-demand they stay offline until woken up.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const { signal, stdout } = surroundings;
    const withinMs = parseDuration(values.within, 'within');
    const concurrency = parseWhole(values.concurrency, 'concurrency', 1, 1000);
    using until = endOf(signal, values.for);
    const end = until.signal;
    const devices = await createFleet({
      count: parseWhole(values.count, 'count', 1, 100_000),
      seed: values.seed,
      stateStore: folderStore(values.state),
      platform: { deviceUrl: parseUrl(values.server, 'server', ['https']) },
      each: await playingOptions(values, surroundings),
    });
    const proof = devices.devices.some(({ state }) => state === 'NEW')
      ? await readProof(values, surroundings)
      : undefined;
    if (proof === undefined && devices.devices.some(({ state }) => state === 'NEW')) throw noProof();

    const summary = new Summary();
    const progress = new ProgressLine(surroundings.stderr);
    watch(devices, summary, progress);
    const doors = await openDoors(values, surroundings, () => devices.devices);
    try {
      if (proof !== undefined) take(await devices.registerAll(proof, { withinMs, signal: end }), summary);
      take(await devices.connectAll({ concurrency, withinMs, signal: end }), summary);
      await ended(end);
    } finally {
      progress.end();
      await doors.close();
    }
    const { online, waiting } = devices.counts();
    const expected = devices.devices.filter(({ connectionMode }) => connectionMode === 'PERMANENT').length;
    await devices.closeAll();

    const report = { seed: values.seed, devices: devices.devices.length, online, waiting, ...summary.report() };
    const connected = online + waiting >= expected;
    const line = `${online} of ${report.devices} devices were online at the end, ${waiting} waited for approval.`;
    stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${line}\n${formatReport(report)}\n`);
    if (!connected) surroundings.stderr.write(`Not every device was connected at the end (seed ${values.seed}).\n`);
    return connected ? 0 : 1;
  },
};

function take(results: FleetResult[], summary: Summary): void {
  for (const result of results) {
    if (result.outcome === 'FAILED') summary.failed(result.error);
    else if (result.outcome !== 'IGNORED')
      summary.took(result.outcome === 'REGISTERED' ? 'registered' : 'connected', result.ms);
  }
}

function watch(fleet: Fleet, summary: Summary, progress: ProgressLine): void {
  let phase = '';
  const show = () => {
    const { online, waiting, connecting, retrying, closed } = fleet.counts();
    progress.update(
      `${phase}online ${online}, waiting for approval ${waiting}, on the way ${connecting + retrying}, closed ${closed}`,
    );
  };
  fleet.on('progress', ({ phase: now, done, failed, total }) => {
    const failures = failed > 0 ? `${failed} could not ${now}; ` : '';
    phase = done < total ? `${now} ${done}/${total}; ${failures}` : failures;
    show();
  });
  for (const device of fleet.devices) {
    device.on('online', () => {
      summary.count('online');
      show();
    });
    device.on('closed', ({ reason }) => {
      if (reason !== 'BY_DEVICE') summary.count(`closed ${reason}`);
      show();
    });
    device.on('stateNotKept', (error) => summary.failed(error));
    device.on('renewed', () => summary.count('certificate renewed'));
  }
}
