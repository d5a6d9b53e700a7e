import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { meets, unmet } from './counts.ts';
import { Scenario } from './format.ts';
import { keysAt } from './forms.ts';
import { parseScenario, readScenario } from './read.ts';
import { durationMs, offsetText } from './time.ts';

const HEAD = `name: small
title: A small one
seed: one
devices:
  pump: { count: 2, model: FLEXY }
  crane: {}
groups:
  service: {}
users:
  anna: { groups: [service] }
steps:
`;

/** What is said of a file whose steps are these lines; line 12 is the first of them. */
function complaintOf(steps: string, head = HEAD): string {
  try {
    parseScenario(head + steps, 'rush.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'SCENARIO_INVALID' });
    return (error as Error).message;
  }
  throw new Error('nothing was wrong with it');
}

describe('a wrong file', () => {
  test('SIM-03 names file, line, field and what was expected', () => {
    expect(complaintOf('  - at: soon\n    do:\n      - connect: pump\n')).toBe(
      'rush.yaml:12: steps[0].at: expected a time such as 10m, 2d or +10m',
    );
    expect(complaintOf('  - do:\n      - slots: many\n')).toBe('rush.yaml:13: steps[0].do[0].slots: expected a number');
    expect(complaintOf('  - do:\n      - traffic:\n          users: anna\n')).toBe(
      'rush.yaml:13: steps[0].do[0].traffic.to: expected a map of fields',
    );
    expect(complaintOf("  - see: { EWON_ONLINE: 'about 3' }\n")).toBe(
      'rush.yaml:12: steps[0].see.EWON_ONLINE: expected a number, or one such as ">= 3", "<= 3" or "2..5"',
    );
    expect(complaintOf('  - at: 0m\n', HEAD.replace('model: FLEXY', 'model: FLEX'))).toBe(
      'rush.yaml:5: devices.pump.model: expected COSY or COSY_PLUS or FLEXY',
    );
    expect(complaintOf('  - at: 0m\n', HEAD.replace('  crane:', '  Crane!:'))).toBe(
      'rush.yaml:6: devices.Crane!: expected a name of small letters, digits and "-"',
    );
    expect(complaintOf('  - do: [\n')).toMatch(/^rush\.yaml:1[23]: \S/);
    expect(complaintOf('', 'seed: one\n')).toMatch(/^rush\.yaml(:1)?: name: expected a text\n/);
  });

  test('SIM-03 is told what an unknown field, device, user or step may have meant', () => {
    expect(complaintOf('  - do:\n      - conect: pump\n')).toBe(
      'rush.yaml:13: steps[0].do[0].conect: there is no such field; did you mean "connect"?',
    );
    expect(complaintOf('  - do: []\n    whenever: now\n')).toBe(
      'rush.yaml:13: steps[0].whenever: there is no such field; it has name, at, after, together, do, see, within',
    );
    expect(
      complaintOf(
        '  - do:\n      - open: { users: ana, devices: pump-3 }\n      - impostor: { of: pump, refused: NO_WAY }\n',
      ),
    ).toBe(
      [
        'rush.yaml:13: steps[0].do[0].open.users: expected a user, but there is no "ana"; did you mean "anna"?',
        'rush.yaml:13: steps[0].do[0].open.devices: expected a device, but there is no "pump-3"; did you mean "pump-1"?',
        'rush.yaml:14: steps[0].do[1].impostor.of: expected one device, but there is no "pump"',
      ].join('\n'),
    );
    expect(complaintOf('  - name: a\n    after: [b]\n')).toBe(
      'rush.yaml:13: steps[0].after[0]: expected a step, but there is no "b"; did you mean "a"?',
    );
    expect(complaintOf('  - name: a\n  - name: a\n')).toContain('expected a name of its own; "a" is used twice');
    expect(complaintOf('  - do:\n      - connect: pump\n        vanish: crane\n')).toBe(
      'rush.yaml:13: steps[0].do[0]: expected one action, not connect and vanish',
    );
  });

  test('SIM-03 steps that come after each other, before their time or beside the grain are refused', () => {
    expect(complaintOf('  - name: a\n    after: c\n  - name: b\n    after: a\n  - name: c\n    after: [b]\n')).toBe(
      'rush.yaml:13: steps[0].after: expected no circle, but it is a -> c -> b -> a',
    );
    expect(complaintOf('  - name: a\n    at: 10m\n  - name: b\n    after: a\n    at: 5m\n')).toBe(
      'rush.yaml:16: steps[1].at: expected a time that is not before the steps it comes after',
    );
    expect(complaintOf('  - at: 90s\n')).toBe('rush.yaml:12: steps[0].at: expected a multiple of the grain, 1m');
  });
});

describe('a right file', () => {
  test('SIM-03 has its steps in the order of their times and of what they come after', () => {
    const plan = parseScenario(
      `${HEAD}  - name: late
    at: 1h
  - name: later
    after: late
    at: +30m
  - name: next-day
    at: 1d
  - name: first
    at: 0m
  - name: soon
    at: +10m
    do:
      - connect: pump
`,
      'rush.yaml',
    );
    expect(plan.steps.map(({ name, atMs }) => `${offsetText(atMs)} ${name}`)).toEqual([
      '+00:00:00 first',
      '+00:10:00 soon',
      '+01:00:00 late',
      '+01:30:00 later',
      '+1d 00:00:00 next-day',
    ]);
    expect(plan.steps[1]?.actions).toEqual([{ name: 'connect', argument: 'pump' }]);
    expect(plan.devicesOf(['crane', 'pump', 'pump-1'])).toEqual(['crane', 'pump-1', 'pump-2']);
  });

  test('SIM-03 every scenario of the project is right, and there are at least eight', async () => {
    const folder = resolve(import.meta.dirname, '../scenarios');
    const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
    const plans = await Promise.all(files.map((file) => readScenario(join(folder, file))));
    expect(plans.map(({ name }) => `${name}.yaml`)).toEqual(files);
    expect(files.length).toBeGreaterThanOrEqual(8);
    await expect(readScenario(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'SCENARIO_UNREADABLE' });
  });
});

test('SIM-03 the guide explains every action and field, and its example is right', async () => {
  const guide = await readFile(resolve(import.meta.dirname, '../../docs/scenarios.md'), 'utf8');
  const [, example = ''] = /```yaml\n(name:[\s\S]*?)```/.exec(guide) ?? [];
  expect(parseScenario(example, 'docs/scenarios.md').steps).toHaveLength(3);
  const places = [[], ['steps', 0], ['steps', 0, 'do', 0], ['devices', 'pump'], ['users', 'anna'], ['expect']];
  const fields = places.flatMap((path) => keysAt(Scenario, path));
  expect(fields.length).toBeGreaterThan(60);
  expect(fields.filter((field) => !new RegExp(`\`${field}[\`:]|, \`${field}|^ {2}${field}:`, 'm').test(guide))).toEqual(
    [],
  );
});

test('SIM-10 a count is exact, at least, at most, or between', () => {
  expect([2, 3, 4].filter((value) => meets(3, value))).toEqual([3]);
  expect([2, 3, 4].filter((value) => meets('>= 3', value))).toEqual([3, 4]);
  expect([2, 3, 4].filter((value) => meets('<=3', value))).toEqual([2, 3]);
  expect([2, 3, 4, 5].filter((value) => meets('3..4', value))).toEqual([3, 4]);
  expect(unmet('event', { EWON_ONLINE: '>= 3', EWON_OFFLINE: 0 }, () => 1)).toEqual([
    'event EWON_ONLINE: expected >= 3, but there were 1',
    'event EWON_OFFLINE: expected 0, but there were 1',
  ]);
});

test('SIM-03 times are read and told', () => {
  expect(['0', '200ms', '1.5m', '2d', '5', '-1m', ''].map(durationMs)).toEqual([
    0,
    200,
    90_000,
    172_800_000,
    undefined,
    undefined,
    undefined,
  ]);
  expect([0, 61_000, 90_061_000].map(offsetText)).toEqual(['+00:00:00', '+00:01:01', '+1d 01:01:01']);
});
