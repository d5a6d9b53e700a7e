import { stringify } from 'csv-stringify/sync';

/** Rows that are put into one piece of text. */
const BATCH = 500;

/**
 * A table as CSV (RFC 4180): a header line, CRLF behind every line, quotes where a cell needs them (LOG-14). A text that a
 * spreadsheet would take for a formula, as one that begins with `=`, `+`, `-`, `@`, a tab or a carriage return, gets a leading
 * apostrophe; numbers stay numbers. Null is an empty cell. Pieces of text come as rows do, so a table of any length needs little
 * memory.
 */
export async function* csvText(
  header: readonly string[],
  rows: AsyncIterable<readonly (string | number | null)[]>,
): AsyncIterable<string> {
  yield lines([header]);
  let batch: (readonly (string | number | null)[])[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    yield lines(batch);
    batch = [];
  }
  if (batch.length > 0) yield lines(batch);
}

// Left to itself it quotes a line break only when it is the whole CRLF.
const OPTIONS = { record_delimiter: 'windows', escape_formulas: true, quoted_match: /[\r\n]/ } as const;

const lines = (rows: readonly (readonly (string | number | null)[])[]): string =>
  stringify(rows as (string | number | null)[][], OPTIONS);
