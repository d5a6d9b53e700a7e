import writeExcel, { type CellObject, type Sheet } from 'write-excel-file/node';
import type { Report, ReportFacts } from './facts.ts';
import { CLIENT_NAMES, cellTime, monthName } from './format.ts';
import { INK } from './paper.ts';

type Cell = CellObject | null;

const WHOLE = '#,##0';
const MONEY = '#,##0.00';
const TIME = 'yyyy-mm-dd hh:mm:ss';

// A text has the type of a text whatever it begins with, so that no name is a formula.
const text = (value: string): Cell => (value === '' ? null : { type: String, value });
const number = (value: number, format = WHOLE): Cell => ({ type: Number, value, format });
const date = (value: Date, format = TIME): Cell => ({ type: Date, value, format });
const amount = (cents: number): Cell => number(cents / 100, MONEY);
const bold = (cell: Cell): Cell => cell && { ...cell, fontWeight: 'bold' };

/** A sheet whose head stays in sight. */
const sheet = (
  name: string,
  columns: readonly (readonly [title: string, width: number])[],
  rows: Cell[][],
): Sheet<Buffer> => ({
  sheet: name,
  data: [columns.map(([title]) => head(title)), ...rows] as Sheet<Buffer>['data'],
  columns: columns.map(([, width]) => ({ width })),
  stickyRowsCount: 1,
});

const head = (value: string): CellObject => ({
  ...{ type: String, value, fontWeight: 'bold', backgroundColor: INK.head },
  ...{ wrap: true, alignVertical: 'center' },
});

const write = async (sheets: Sheet<Buffer>[]): Promise<Buffer> =>
  writeExcel(sheets as Parameters<typeof writeExcel>[0] & Sheet<Buffer>[]).toBuffer();

/** The connection report as a spreadsheet (BIL-08, BIL-10). It is made in memory, so its lines are to be few. */
export async function* connectionXlsx({ facts, lines }: Report): AsyncGenerator<Buffer> {
  const { timeZone } = facts;
  const rows: Cell[][] = [];
  for await (const line of lines)
    rows.push([
      text(line.userName),
      text(line.userReference),
      text(line.ewonName),
      text(line.ewonReference),
      text(CLIENT_NAMES[line.client]),
      date(cellTime(line.startedAt, timeZone)),
      line.endedAt && date(cellTime(line.endedAt, timeZone)),
      number(line.seconds / 86_400, '[h]:mm:ss'),
      number(line.bytesIn),
      number(line.bytesOut),
    ]);
  yield await write([
    sheet(
      'Connections',
      [
        ['User', 28],
        ['User reference', 11],
        ['Ewon', 28],
        ['Ewon reference', 11],
        ['Client', 16],
        ['Start', 20],
        ['End', 20],
        ['Duration', 12],
        ['Bytes to the Ewon', 16],
        ['Bytes from the Ewon', 16],
      ],
      rows,
    ),
    about(facts),
  ]);
}

/** The consumption report as a spreadsheet (BIL-08, BIL-10). */
export async function* consumptionXlsx({ facts }: { facts: ReportFacts }): AsyncGenerator<Buffer> {
  const { traffic, sms, mails, dataPoints, peakConnections, charges, currency, peaks } = facts;
  const used = (
    [
      ['VPN traffic', 'bytes', traffic],
      ['Text messages', 'messages', sms],
      ['Mails of Ewons', 'messages', mails],
      ['DataMailbox points', 'points', dataPoints],
      ['Peak concurrent connections', 'connections', peakConnections],
    ] as const
  ).map(([name, unit, fact]) => [
    text(name),
    text(unit),
    number(fact.used),
    number(fact.included),
    fact.included > 0 ? number(fact.used / fact.included, '0%') : null,
  ]);
  const charged = charges.map(({ name, quantity, unitCents, cents }) => [
    text(name),
    number(quantity),
    amount(unitCents),
    amount(cents),
  ]);
  const sum = charges.reduce((total, { cents }) => total + cents, 0);
  yield await write([
    sheet(
      'Usage',
      [
        ['Figure', 30],
        ['Unit', 14],
        ['Used', 18],
        ['Included', 18],
        ['Share', 10],
      ],
      used,
    ),
    sheet(
      'Charges',
      [
        ['For', 45],
        ['Quantity', 12],
        [`Unit price (${currency})`, 18],
        [`Amount (${currency})`, 18],
      ],
      [...charged, [bold(text('Sum')), null, null, bold(amount(sum))]],
    ),
    sheet(
      'Daily peaks',
      [
        ['Day', 14],
        ['Peak of concurrent connections', 18],
        ['Allowed', 12],
      ],
      peaks.map(({ day, peak }) => [
        date(new Date(`${day}T00:00:00Z`), 'yyyy-mm-dd'),
        number(peak),
        number(peakConnections.included),
      ]),
    ),
    about(facts),
  ]);
}

/** What the report is of. */
function about(facts: ReportFacts): Sheet<Buffer> {
  const { sessions, timeZone } = facts;
  const local = (iso: string) => date(cellTime(new Date(iso), timeZone));
  const rows: [string, Cell][] = [
    ['Account', text(facts.accountName)],
    ['Company', text(facts.company)],
    ['Plan', text(facts.plan)],
    ['Month', text(monthName(facts.month))],
    ['From', local(facts.from)],
    ['To', local(facts.to)],
    ['Time zone', text(timeZone)],
    ['Closed at', local(facts.at)],
    ['Connections that ended', number(sessions.count)],
    ['Their duration', number(sessions.seconds / 86_400, '[h]:mm:ss')],
    ['Bytes to the Ewons', number(sessions.bytesIn)],
    ['Bytes from the Ewons', number(sessions.bytesOut)],
  ];
  return sheet(
    'Report',
    [
      ['About', 26],
      ['', 40],
    ],
    rows.map(([name, cell]) => [bold(text(name)), cell]),
  );
}
