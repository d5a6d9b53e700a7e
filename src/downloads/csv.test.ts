import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvText } from './csv.ts';

async function* table(rows: (string | number | null)[][]) {
  yield* rows;
}
async function text(header: string[], rows: (string | number | null)[][]): Promise<string> {
  let whole = '';
  for await (const piece of csvText(header, table(rows))) whole += piece;
  return whole;
}

test('LOG-14 a header line, CRLF behind every line, and quotes where a cell needs them', async () => {
  expect(await text(['Name', 'Count'], [])).toBe('Name,Count\r\n');
  expect(
    await text(
      ['Name', 'Count'],
      [
        ['plain', 1],
        ['a "word", said', null],
        ['two\nlines', -2.5],
        ['Zürich', 0],
      ],
    ),
  ).toBe('Name,Count\r\nplain,1\r\n"a ""word"", said",\r\n"two\nlines",-2.5\r\nZürich,0\r\n');
  const cells = ['x,y', '"', 'a\r\nb', '', ' edge ', 'ä;b'];
  expect(parse(await text(['a', 'b', 'c', 'd', 'e', 'f'], [cells]), { from_line: 2 })).toEqual([cells]);
});

test('LOG-14 no text becomes a formula, wherever it stands; numbers stay numbers', async () => {
  const starts = ['=', '+', '-', '@', '\t', '\r'];
  for (const start of starts) {
    const [header, row] = parse(await text([`${start}h`], [[`${start}1+cmd|' /C calc'!A0`, 'x', `${start}2,"3"`]]), {
      relax_column_count: true,
    }) as string[][];
    expect(header).toEqual([`'${start}h`]);
    expect(row).toEqual([`'${start}1+cmd|' /C calc'!A0`, 'x', `'${start}2,"3"`]);
  }
  expect(await text(['n'], [[-1], ['a-1'], ['1+1']])).toBe('n\r\n-1\r\na-1\r\n1+1\r\n');
});

test('LOG-14 every row comes once, however many there are', async () => {
  const rows = Array.from({ length: 1201 }, (_none, index) => [index]);
  expect(await text(['n'], rows)).toBe(`n\r\n${rows.map(([n]) => `${n}\r\n`).join('')}`);
});
