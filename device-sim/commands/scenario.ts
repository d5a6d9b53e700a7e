import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Command, usageError } from '../../client/command-line.ts';
import { CodedError } from '../../client/errors.ts';
import { ProgressLine } from '../progress.ts';
import { eventLine } from '../scenario/events.ts';
import { readScenario, type ScenarioPlan } from '../scenario/read.ts';
import { runScenario, type ScenarioResult } from '../scenario/run.ts';
import { formatReport } from '../summary.ts';
import { COMMON, platformOf } from './options.ts';

const options = {
  seed: { type: 'string', value: '<text>', help: 'Another seed than that of the file.' },
  api: {
    type: 'string',
    value: '<url>',
    help: 'The API of a platform that runs in simulation mode; without it one is started for each scenario.',
  },
  server: { type: 'string', value: '<url>', default: 'https://localhost:4433', help: 'Its device port, with --api.' },
  account: { type: 'string', value: '<name>', help: 'The account to make, instead of one of scenario and seed.' },
  events: {
    type: 'string',
    value: '<file>',
    help: 'Write what happened in the account, line by line, to compare runs.',
  },
  check: { type: 'boolean', default: false, help: 'Only say whether the files are right.' },
  ...COMMON,
} as const;

export const scenario: Command = {
  operands: '<file> …',
  summary: 'Runs scenarios: files that say what a fleet and its users do, when, and what is expected of the platform.',
  details:
    'docs/scenarios.md explains the files. Ends with status 0 only if every expectation holds; a run that fails names its seed. With --api, OPERATOR_TOKEN opens the operator’s door, for accounts on plan PRO.',
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length === 0) throw usageError('scenario needs the file of a scenario.');
    const plans = await readAll(positionals, values.seed);
    if (values.check) {
      surroundings.stdout.write(plans.map(({ name, title }) => `${name}: ${title}\n`).join(''));
      return 0;
    }
    const platform = platformOf(values, surroundings);
    let ok = true;
    for (const plan of plans) {
      const progress = new ProgressLine(surroundings.stderr);
      progress.say(`${plan.name}: ${plan.title} (seed ${plan.seed})`);
      const result = await runScenario({
        plan,
        signal: surroundings.signal,
        onProgress: (text) => progress.update(text),
        ...(platform !== undefined && { platform }),
        ...(values.account !== undefined && { account: values.account }),
      }).finally(() => progress.end());
      if (values.events !== undefined) await writeEvents(values.events, result);
      surroundings.stdout.write(values.json ? `${jsonOf(result)}\n` : textOf(result));
      if (!result.ok) surroundings.stderr.write(`${plan.name} failed (seed ${plan.seed}).\n`);
      ok &&= result.ok;
    }
    return ok ? 0 : 1;
  },
};

/** All files are read before the first is run, so that what is wrong with the last is known at once. */
async function readAll(files: string[], seed: string | undefined): Promise<ScenarioPlan[]> {
  const read = await Promise.allSettled(files.map(readScenario));
  const wrong = read.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (wrong.length > 0) throw new CodedError('SCENARIO_INVALID', wrong.map(({ message }) => message).join('\n'));
  return read.flatMap((result) =>
    result.status === 'fulfilled' ? [{ ...result.value, ...(seed !== undefined && { seed }) }] : [],
  );
}

async function writeEvents(file: string, { events }: ScenarioResult): Promise<void> {
  try {
    await writeFile(file, events.map((event) => `${eventLine(event)}\n`).join(''));
  } catch (error) {
    throw new CodedError('EVENTS_NOT_WRITTEN', `${file} cannot be written: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

const jsonOf = ({ events: _events, ...result }: ScenarioResult): string => JSON.stringify(result);

function textOf(result: ScenarioResult): string {
  const { steps, devices, eventCounts, failures, ok, scenario: name } = result;
  const width = Math.max(0, ...steps.map((step) => step.name.length));
  return [
    ...(steps.length === 0 ? [] : ['', 'Steps, with the seconds that each took']),
    ...steps.map(({ at, name, seconds, error }) => {
      const failed = error === undefined ? '' : `  FAILED: ${error}`;
      return `  ${at.padEnd(12)}  ${name.padEnd(width)}  ${seconds}${failed}`;
    }),
    '',
    `Devices at the end: ${devices.online} online, ${devices.offline} offline, ${devices.waiting} waiting for approval.`,
    `Events: ${Object.entries(eventCounts)
      .map(([code, count]) => `${code} ${count}`)
      .join(', ')}`,
    formatReport(result),
    '',
    ...failures.map((failure) => `NOT AS EXPECTED: ${failure}`),
    ok ? `${name}: as expected.` : `${name}: not as expected.`,
    '',
  ].join('\n');
}
