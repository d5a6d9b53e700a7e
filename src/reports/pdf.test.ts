import { buffer } from 'node:stream/consumers';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { expect, it } from 'vitest';
import type { Report, ReportFacts, ReportLine } from './facts.ts';
import { axisMarks, cellTime, clockTime, duration, isoTime, kilobytes, money, traffic } from './format.ts';
import { connectionPdf, consumptionPdf } from './pdf.ts';

const FACTS: ReportFacts = {
  month: '2026-11',
  from: '2026-10-31T23:00:00.000Z',
  to: '2026-11-30T23:00:00.000Z',
  at: '2026-11-30T23:00:00.100Z',
  complete: true,
  accountName: 'acme',
  company: 'Acme Производство',
  timeZone: 'Europe/Brussels',
  plan: 'PRO',
  currency: 'EUR',
  traffic: { used: 1_530_000_000, included: 4_000_000_000 },
  sms: { used: 61, included: 50 },
  mails: { used: 12, included: 0 },
  dataPoints: { used: 1_234_567, included: 5_000_000 },
  peakConnections: { used: 6, included: 5 },
  peaks: [
    { day: '2026-11-01', peak: 4 },
    { day: '2026-11-30', peak: 6 },
  ],
  charges: [
    { name: 'Fee', quantity: 1, unitCents: 123_450, cents: 123_450 },
    { name: 'Connections', quantity: 2, unitCents: 2500, cents: 5000 },
  ],
  sessions: { count: 2, seconds: 3661, bytesIn: 1000, bytesOut: 2_500_000 },
};

const LINE: ReportLine = {
  userName: 'Bob',
  userReference: 'USR7',
  ewonName: 'Pump',
  ewonReference: 'DEV9',
  client: 'M2WEB',
  startedAt: new Date('2026-11-01T08:00:00Z'),
  endedAt: new Date('2026-11-01T09:01:01Z'),
  seconds: 3661,
  bytesIn: 1000,
  bytesOut: 2_500_000,
};

async function* lines(count: number, line: Partial<ReportLine> = {}) {
  for (let index = 1; index <= count; index++) yield { ...LINE, userReference: `USR${index}`, ...line };
}
const connections = (count: number, line: Partial<ReportLine> = {}, facts = FACTS): Promise<Buffer> =>
  buffer(connectionPdf({ facts, lines: lines(count, line) } satisfies Report));

/** The texts of each page, in the order they were drawn. */
async function pagesOf(file: Buffer): Promise<string[]> {
  const document = await getDocument({ data: new Uint8Array(file), verbosity: 0 }).promise;
  const pages: string[] = [];
  for (let number = 1; number <= document.numPages; number++) {
    const { items } = await (await document.getPage(number)).getTextContent();
    pages.push(items.map((item) => ('str' in item ? item.str : '')).join('|'));
  }
  await document.destroy();
  return pages;
}

it('BIL-10 a connection report goes over as many pages as it takes: each line once, the head and "Page n of m" on every page, totals at the end', async () => {
  const pages = await pagesOf(await connections(95));
  expect(pages.length).toBeGreaterThan(2);
  for (const [index, page] of pages.entries()) {
    expect(page).toMatch(new RegExp(`Page ${index + 1} of\\|*${pages.length}\\|`));
    expect(page).toContain('To the Ewon (kB)');
  }
  const all = pages.join('|');
  const found = [...all.matchAll(/USR(\d+)/g)].map(([, number]) => Number(number));
  expect(found).toEqual(Array.from({ length: 95 }, (_none, index) => index + 1));
  expect(pages.at(-1)).toMatch(/95 connections.*96:36:35.*95\.0.*237,500\.0/);
  expect(pages[0]).toMatch(/2026-11-01 09:00:00.*2026-11-01 10:01:01.*1:01:01.*1\.0.*2,500\.0/);
  expect(pages[0]).toMatch(/2026-11-01 00:00 to 2026-12-01 00:00.*Europe\/Brussels.*Complete/);
});

it('BIL-09 the same report makes the same bytes', async () => {
  expect((await connections(60)).equals(await connections(60))).toBe(true);
  const usage = () => buffer(consumptionPdf({ facts: FACTS }));
  expect((await usage()).equals(await usage())).toBe(true);
});

it('BIL-10 names in Latin, Greek and Cyrillic are shown, others replaced and said so; long ones are cut, their reference is not', async () => {
  const name = 'Élodie Γιώργος Иван';
  expect((await pagesOf(await connections(1, { userName: name }))).join()).toContain(name);
  const [page] = await pagesOf(await connections(1, { userName: '山田\u0000\u202e' }));
  expect(page).toContain('\ufffd\ufffd');
  expect(page).toContain('Characters that this file cannot show');
  const [long] = await pagesOf(await connections(1, { ewonName: 'Pump '.repeat(50) }));
  expect(long).toMatch(/Pump Pump[^|]*…/);
  expect(long).toContain('DEV9');
  expect(long).not.toContain('Characters that');
});

it('BIL-07 the month so far says so, and a connection that is still open has no end', async () => {
  const [page] = await pagesOf(await connections(1, { endedAt: null }, { ...FACTS, complete: false }));
  expect(page).toMatch(/The month so far.*As of.*still open/);
  expect((await pagesOf(await connections(0)))[0]).toContain('No connections.');
});

it('BIL-10 a consumption report has every figure against its allowance, the charges with their sum, and the days', async () => {
  const [page, ...more] = await pagesOf(await buffer(consumptionPdf({ facts: FACTS })));
  expect(more).toEqual([]);
  for (const text of [
    ...['1.5 GB of 4.0 GB · 38 %', '61 of 50 · 122 %', '12, none included', '1,234,567 of 5,000,000 · 25 %'],
    ...['6 of 5 · 120 %', '1,234.50', '50.00', '1,284.50', 'Allowed: 5', '2.5 MB', '1.0 kB', '1:01:01'],
  ])
    expect(page?.split(/\|[ |]*/)).toContain(text);
});

it('BIL-10 charges that need more than a page have their head on each', async () => {
  const charges = Array.from({ length: 120 }, (_none, index) => ({
    ...{ name: `Charge ${index + 1}`, quantity: 1, unitCents: 100, cents: 100 },
  }));
  const pages = await pagesOf(await buffer(consumptionPdf({ facts: { ...FACTS, charges } })));
  expect([...pages.join('|').matchAll(/Charge \d+/g)]).toHaveLength(120);
  expect(pages.filter((page) => page.includes('Unit price (EUR)')).length).toBeGreaterThan(2);
  expect(pages.join('|')).toContain('120.00');
});

it('BIL-10 numbers and times as people read them', () => {
  expect([0, 999, 1000, 999_949, 999_950, 1_530_000_000, 2e15].map(traffic)).toEqual([
    ...['0 bytes', '999 bytes', '1.0 kB', '999.9 kB', '1.0 MB', '1.5 GB', '2.0 PB'],
  ]);
  expect(kilobytes(1_234_567)).toBe('1,234.6');
  expect([0, 59, 3600, 450_189].map(duration)).toEqual(['0:00:00', '0:00:59', '1:00:00', '125:03:09']);
  expect(money(123_456_789)).toBe('1,234,567.89');
  const summer = new Date('2026-10-25T00:30:00.120Z');
  expect(clockTime(summer, 'Europe/Brussels')).toBe('2026-10-25 02:30:00');
  expect(isoTime(summer, 'Europe/Brussels')).toBe('2026-10-25T02:30:00.120+02:00');
  expect(isoTime(new Date('2026-10-25T01:30:00Z'), 'Europe/Brussels')).toBe('2026-10-25T02:30:00.000+01:00');
  expect(cellTime(summer, 'Europe/Brussels')).toEqual(new Date('2026-10-25T02:30:00.120Z'));
});

it.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [5, [0, 1, 2, 3, 4, 5]],
  [6, [0, 2, 4, 6]],
  [23, [0, 5, 10, 15, 20, 25]],
  [137, [0, 50, 100, 150]],
])('BIL-10 the axis of a chart up to %i', (most, marks) => {
  expect(axisMarks(most)).toEqual(marks);
});

it('BIL-10 other work goes on between the parts of a consumption report', async () => {
  let [turns, done] = [0, false];
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await buffer(consumptionPdf({ facts: FACTS }));
  done = true;
  expect(turns).toBeGreaterThanOrEqual(5);
});
