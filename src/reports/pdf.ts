import { setImmediate } from 'node:timers/promises';
import type { Report, ReportFacts, UsageFact } from './facts.ts';
import {
  axisMarks,
  CLIENT_NAMES,
  clockTime,
  count,
  daysInMonth,
  duration,
  kilobytes,
  money,
  monthName,
  traffic,
} from './format.ts';
import { INK, MARGIN, Paper } from './paper.ts';
import { Table } from './table.ts';

/**
 * The connection report as PDF (BIL-10): a line a session, and what they add up to. Of a month that is over, the same bytes each
 * time (BIL-09). Other work of the program goes on between two pages.
 */
export async function* connectionPdf({ facts, lines }: Report): AsyncGenerator<Uint8Array> {
  const paper = openPaper(facts, 'Connection report', true);
  const table = new Table(paper, [
    { title: 'User', share: 17 },
    { title: 'Ewon', share: 17 },
    { title: 'Client', share: 8.5 },
    { title: 'Start', share: 10.5 },
    { title: 'End', share: 10.5 },
    { title: 'Duration', share: 7, align: 'right' },
    { title: 'To the Ewon (kB)', share: 10, align: 'right' },
    { title: 'From the Ewon (kB)', share: 10.5, align: 'right' },
  ]);
  const total = { lines: 0, seconds: 0, bytesIn: 0, bytesOut: 0 };
  let { pages } = paper;
  for await (const line of lines) {
    const { userName, userReference, ewonName, ewonReference, startedAt, endedAt, seconds, bytesIn, bytesOut } = line;
    table.row([
      { text: userName, reference: userReference },
      { text: ewonName, reference: ewonReference },
      CLIENT_NAMES[line.client],
      clockTime(startedAt, facts.timeZone),
      endedAt === null ? 'still open' : clockTime(endedAt, facts.timeZone),
      duration(seconds),
      kilobytes(bytesIn),
      kilobytes(bytesOut),
    ]);
    total.lines += 1;
    total.seconds += seconds;
    total.bytesIn += bytesIn;
    total.bytesOut += bytesOut;
    if (paper.pages === pages) continue;
    pages = paper.pages;
    yield paper.take();
    await setImmediate();
  }
  if (total.lines === 0) table.row(['No connections.']);
  table.total([
    total.lines === 1 ? '1 connection' : `${count(total.lines)} connections`,
    ...['', '', '', ''],
    duration(total.seconds),
    kilobytes(total.bytesIn),
    kilobytes(total.bytesOut),
  ]);
  closePaper(paper);
  yield paper.finish();
}

/**
 * The consumption report as PDF (BIL-10): every figure against what the plan includes, what the month costs, and the peak of
 * concurrent connections day by day. Other work of the program goes on between its parts.
 */
export async function* consumptionPdf({ facts }: Pick<Report, 'facts'>): AsyncGenerator<Uint8Array> {
  const paper = openPaper(facts, 'Consumption report', false);
  for (const draw of [drawUsage, drawCharges, drawPeaks, drawSessions]) {
    await setImmediate();
    draw(paper, facts);
  }
  await setImmediate();
  closePaper(paper);
  yield paper.finish();
}

/** The first page with what every report begins with. */
function openPaper(facts: ReportFacts, title: string, landscape: boolean): Paper {
  const month = monthName(facts.month);
  const at = new Date(facts.at);
  const runningTitle = `${title} · ${month} · ${facts.accountName}`;
  const paper = new Paper({ title: `${title} ${month}, ${facts.accountName}`, runningTitle, landscape, at });
  const show = (iso: string) => clockTime(new Date(iso), facts.timeZone).slice(0, -3);
  paper.text(title, MARGIN, paper.y + 18, { size: 20, bold: true, color: INK.accent });
  paper.text(month, MARGIN, paper.y + 18, { size: 14, align: 'right', width: paper.width });
  paper.line(MARGIN, paper.y + 28, MARGIN + paper.width, paper.y + 28, INK.accent, 1.2);
  paper.y += 38;
  const rows = [
    ['Account', facts.accountName, 'Period', `${show(facts.from)} to ${show(facts.to)}`],
    ['Company', facts.company || '–', 'Time zone', facts.timeZone],
    ['Plan', facts.plan, 'State', facts.complete ? 'Complete: the month is over' : 'The month so far'],
    ['', '', facts.complete ? 'Closed at' : 'As of', clockTime(at, facts.timeZone)],
  ] as const;
  const half = paper.width / 2;
  for (const [leftLabel, left, rightLabel, right] of rows) {
    const y = paper.y + 10;
    paper.text(leftLabel, MARGIN, y, { size: 8.5, color: INK.faint });
    paper.text(left, MARGIN + 60, y, { size: 8.5, width: half - 70 });
    paper.text(rightLabel, MARGIN + half, y, { size: 8.5, color: INK.faint });
    paper.text(right, MARGIN + half + 60, y, { size: 8.5, width: half - 60 });
    paper.y += 13;
  }
  paper.y += 12;
  return paper;
}

/** Says what could not be shown. */
function closePaper(paper: Paper): void {
  if (!paper.replaced) return;
  paper.ensure(20);
  const note =
    'Characters that this file cannot show stand as \ufffd; the reference behind a name tells who or what it is.';
  paper.text(note, MARGIN, paper.y + 14, { size: 7.5, color: INK.faint, width: paper.width });
}

function heading(paper: Paper, text: string, below: number): void {
  paper.ensure(below + 24);
  paper.y += 10;
  paper.text(text, MARGIN, paper.y + 12, { size: 12, bold: true });
  paper.y += 20;
}

function drawUsage(paper: Paper, facts: ReportFacts): void {
  const rows: [name: string, fact: UsageFact, show: (value: number) => string][] = [
    ['VPN traffic', facts.traffic, traffic],
    ['Text messages', facts.sms, count],
    ['Mails of Ewons', facts.mails, count],
    ['DataMailbox points', facts.dataPoints, count],
    ['Peak concurrent connections', facts.peakConnections, count],
  ];
  const [barX, barWidth] = [MARGIN + 130, paper.width - 290];
  heading(paper, 'Usage against what is included', rows.length * 18);
  for (const [name, { used, included }, show] of rows) {
    const baseline = paper.y + 11;
    const over = included > 0 && used > included;
    const scale = Math.max(used, included, 1);
    paper.text(name, MARGIN, baseline, { width: 126 });
    paper.box(barX, paper.y + 4, barWidth, 8, INK.head);
    paper.box(barX, paper.y + 4, (barWidth * used) / scale, 8, over ? INK.over : INK.accent);
    if (over) {
      const mark = barX + (barWidth * included) / scale;
      paper.line(mark, paper.y + 1.5, mark, paper.y + 14.5, INK.text, 1);
    }
    const share = included > 0 ? ` · ${count((used / included) * 100)} %` : '';
    const text = included > 0 ? `${show(used)} of ${show(included)}${share}` : `${show(used)}, none included`;
    const color = over ? INK.over : INK.text;
    paper.text(text, barX + barWidth + 8, baseline, { size: 8.5, color, align: 'right', width: 152 });
    paper.y += 18;
  }
}

function drawCharges(paper: Paper, { charges, currency, complete }: ReportFacts): void {
  heading(paper, complete ? 'Charges' : 'What the month costs so far', 60);
  const table = new Table(paper, [
    { title: 'For', share: 46 },
    { title: 'Quantity', share: 14, align: 'right' },
    { title: `Unit price (${currency})`, share: 20, align: 'right' },
    { title: `Amount (${currency})`, share: 20, align: 'right' },
  ]);
  for (const { name, quantity, unitCents, cents } of charges)
    table.row([name, count(quantity), money(unitCents), money(cents)]);
  if (charges.length === 0) table.row(['Nothing.']);
  table.total(['Sum', '', '', money(charges.reduce((sum, { cents }) => sum + cents, 0))]);
  paper.y += 6;
}

/** Bars by day, with the number that is allowed as a line across. */
function drawPeaks(paper: Paper, { month, peaks, peakConnections }: ReportFacts): void {
  const height = 130;
  heading(paper, 'Peak of concurrent connections, day by day', height + 34);
  const days = daysInMonth(month);
  const allowed = peakConnections.included;
  const marks = axisMarks(Math.max(allowed, ...peaks.map(({ peak }) => peak)));
  const top = marks.at(-1) ?? 1;
  const [left, plot] = [MARGIN + 26, paper.width - 26];
  const zero = paper.y + 8 + height;
  const at = (value: number) => zero - (height * value) / top;
  for (const mark of marks) {
    paper.line(left, at(mark), left + plot, at(mark), mark === 0 ? INK.faint : INK.head);
    paper.text(count(mark), MARGIN, at(mark) + 2.5, { size: 7, color: INK.faint, align: 'right', width: 20 });
  }
  const step = plot / Math.max(1, days);
  for (let day = 1; day <= days; day++) {
    const style = { size: 6.5, color: INK.faint, align: 'center', width: step } as const;
    paper.text(String(day), left + (day - 1) * step, zero + 9, style);
  }
  for (const { day, peak } of peaks) {
    const x = left + (Number(day.slice(-2)) - 1) * step;
    const color = peak > allowed ? INK.over : INK.accent;
    paper.box(x + step * 0.18, at(peak), step * 0.64, zero - at(peak), color);
    if (peak > 0)
      paper.text(count(peak), x, at(peak) - 2, { size: 6.5, color: INK.text, align: 'center', width: step });
  }
  paper.line(left, at(allowed), left + plot, at(allowed), INK.over, 0.8, 3);
  const label = `Allowed: ${count(allowed)}`;
  const labelWidth = paper.widthOf(label, { size: 7 });
  paper.box(left + plot - labelWidth - 4, at(allowed) - 9, labelWidth + 4, 8, '#ffffff');
  paper.text(label, left + plot - labelWidth - 2, at(allowed) - 2.5, { size: 7, color: INK.over });
  paper.text('Day of the month', left, zero + 20, { size: 7, color: INK.faint, align: 'center', width: plot });
  paper.y = zero + 26;
}

function drawSessions(paper: Paper, { sessions }: ReportFacts): void {
  heading(paper, 'Connections that ended in the month', 34);
  const table = new Table(paper, [
    { title: 'Connections', share: 20, align: 'right' },
    { title: 'Duration together', share: 25, align: 'right' },
    { title: 'To the Ewons', share: 27, align: 'right' },
    { title: 'From the Ewons', share: 28, align: 'right' },
  ]);
  table.row([count(sessions.count), duration(sessions.seconds), traffic(sessions.bytesIn), traffic(sessions.bytesOut)]);
}
