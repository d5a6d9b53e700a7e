import { ledgerAmount } from '../billing/ledger.ts';
import { csvText } from '../downloads/csv.ts';
import type { Report, ReportFacts } from './facts.ts';
import { isoTime } from './format.ts';

/** The connection report as CSV (BIL-10): exact numbers, times with the offset of the account's time zone. */
export function connectionCsv({ facts, lines }: Report): AsyncIterable<string> {
  const { timeZone } = facts;
  async function* rows() {
    for await (const line of lines)
      yield [
        line.userName,
        line.userReference,
        line.ewonName,
        line.ewonReference,
        line.client,
        isoTime(line.startedAt, timeZone),
        line.endedAt && isoTime(line.endedAt, timeZone),
        line.seconds,
        line.bytesIn,
        line.bytesOut,
      ];
  }
  return csvText(
    [
      ...['user', 'userReference', 'ewon', 'ewonReference', 'client', 'start', 'end'],
      ...['durationSeconds', 'bytesToEwon', 'bytesFromEwon'],
    ],
    rows(),
  );
}

/** The consumption report as CSV (BIL-10): a line a figure; `section` tells them apart. */
export function consumptionCsv({ facts }: { facts: ReportFacts }): AsyncIterable<string> {
  async function* rows() {
    yield* figures(facts).map(({ item, unit, used, included }) => [
      ...['USAGE', item, unit, used, included],
      ...[null, null, null],
    ]);
    for (const { name, quantity, unitCents, cents } of facts.charges)
      yield ['CHARGE', name, null, quantity, null, ledgerAmount(unitCents), ledgerAmount(cents), facts.currency];
    for (const { day, peak } of facts.peaks)
      yield ['DAILY_PEAK', day, 'connections', peak, facts.peakConnections.included, null, null, null];
    const { count, seconds, bytesIn, bytesOut } = facts.sessions;
    for (const [item, unit, value] of [
      ['ENDED', 'connections', count],
      ['DURATION', 'seconds', seconds],
      ['TO_EWONS', 'bytes', bytesIn],
      ['FROM_EWONS', 'bytes', bytesOut],
    ] as const)
      yield ['CONNECTIONS', item, unit, value, null, null, null, null];
  }
  const header = ['section', 'item', 'unit', 'quantity', 'included', 'unitPrice', 'amount', 'currency'];
  return csvText(header, rows());
}

/** What is used and included, named for programs. */
const figures = ({ traffic, sms, mails, dataPoints, peakConnections }: ReportFacts) => [
  { item: 'VPN_TRAFFIC', unit: 'bytes', ...traffic },
  { item: 'SMS', unit: 'messages', ...sms },
  { item: 'MAILS', unit: 'messages', ...mails },
  { item: 'DATA_POINTS', unit: 'points', ...dataPoints },
  { item: 'PEAK_CONNECTIONS', unit: 'connections', ...peakConnections },
];
