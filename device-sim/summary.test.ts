import { expect, test, vi } from 'vitest';
import { CodedError } from '../client/errors.ts';
import { ProgressLine } from './progress.ts';
import { formatReport, Summary } from './summary.ts';

test('SIM-09 counts, rates, percentiles and errors by code', () => {
  let now = 1000;
  const summary = new Summary(() => now);
  for (let ms = 1000; ms >= 1; ms--) summary.took('opened', ms);
  summary.count('left', 500);
  summary.failed(new CodedError('EWON_OFFLINE', 'Offline.'));
  summary.failed('EWON_OFFLINE');
  summary.failed(new Error('boom'));
  now = 11_000;

  const report = summary.report();
  expect(report).toMatchObject({
    seconds: 10,
    counts: { opened: { count: 1000, perSecond: 100 }, left: { count: 500, perSecond: 50 } },
    errors: { EWON_OFFLINE: 2, UNEXPECTED: 1 },
  });
  // Three significant figures.
  const { p50, p95, p99, max, count } = report.latencies.opened ?? expect.fail('no latencies');
  expect(count).toBe(1000);
  for (const [value, wanted] of [
    [p50, 500],
    [p95, 950],
    [p99, 990],
    [max, 1000],
  ] as const) {
    expect(Math.abs(value - wanted)).toBeLessThan(wanted / 500);
  }
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('SIM-09 rates are by the time after the preparation, or of the part of the run in which something was counted', () => {
  let now = 0;
  const summary = new Summary(() => now);
  now = 20_000;
  summary.begin();
  const end = summary.stretch();
  summary.count('enrolled', 50);
  summary.count('lost', 5);
  now = 25_000;
  end();
  summary.count('lost', 5);
  summary.count('moved', 10);
  now = 30_000;
  expect(summary.report()).toMatchObject({
    seconds: 10,
    counts: { enrolled: { perSecond: 10 }, lost: { perSecond: 1 }, moved: { perSecond: 1 } },
  });
});

test('SIM-09 the summary is a text for a person', () => {
  let now = 0;
  const summary = new Summary(() => now);
  summary.took('opened', 2);
  summary.count('refused', 12);
  summary.failed('TIMEOUT');
  now = 2000;
  expect(formatReport(summary.report())).toBe(`Ran for 2 s.

Counts
  opened    1  0.5/s
  refused  12    6/s

Latencies in ms
  opened  p50 2  p95 2  p99 2  max 2

Errors
  TIMEOUT  1`);
  expect(formatReport(new Summary(() => 0).report())).toBe('Ran for 0 s.');
});

test('SIM-09 progress is one changing line on a terminal, and now and then a plain line elsewhere', () => {
  vi.useFakeTimers();
  try {
    const play = (isTTY: boolean) => {
      let written = '';
      const line = new ProgressLine({ isTTY, columns: 20, write: (text) => (written += text) });
      for (const step of [1, 2, 3, 4]) {
        line.update(`step ${step} of a long work`);
        vi.advanceTimersByTime(800);
      }
      vi.advanceTimersByTime(10_000);
      line.say('by the way');
      line.update('step 5');
      line.update('step 6');
      line.end();
      line.update('too late');
      vi.advanceTimersByTime(10_000);
      return written;
    };
    const step = (n: number) => `\r\x1b[2Kstep ${n} of a long wo`;
    expect(play(true)).toBe(
      `${step(1)}${step(2)}${step(3)}${step(4)}\r\x1b[2Kby the way\n${step(4)}\r\x1b[2Kstep 5\r\x1b[2Kstep 6\n`,
    );
    // The latest state is written once it is quiet, and the last one in any case.
    expect(play(false)).toBe(
      'step 1 of a long work\nstep 3 of a long work\nstep 4 of a long work\nby the way\nstep 5\nstep 6\n',
    );
  } finally {
    vi.useRealTimers();
  }
});
