import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { inject } from 'vitest';
import { openPGlite } from '../../src/database/database.ts';

/*
 * To start PGlite takes a second of the processor, to empty its tables a tenth. So the servers of a worker use their databases
 * one after the other, each as if it were new: empty tables, numbers from 1, the schema of the migrations.
 */

/** Milliseconds until a database that is still at work is given up. */
const RESET_MS = 10_000;

/** Those that no server has at the moment. */
const idle: PGlite[] = [];
let schema: Promise<string> | undefined;

/** An embedded database in memory with the schema applied and nothing in it. Its `close` keeps it for the next server. */
export async function takeMemory(): Promise<PGlite> {
  const pglite = idle.pop() ?? (await openPGlite({ loadDataDir: await readImage() }));
  schema ??= fingerprint(pglite);
  await schema;
  let closed = false;
  const close = async () => {
    closed = true;
    const kept = await Promise.race([reset(pglite), delay(RESET_MS, false, { ref: false })]);
    if (kept) idle.push(pglite);
    else await pglite.close();
  };
  // Of a server that has been closed nothing reaches the next one.
  return new Proxy(pglite, {
    get: (target, name) => {
      if (name === 'close') return close;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (closed) throw new Error('PGlite is closed');
        return value.apply(target, args);
      };
    },
  });
}

let image: Promise<Blob> | undefined;

/** The data directory to start from: read once in a process. */
function readImage(): Promise<Blob> {
  image ??= readFile(inject('databaseImage')).then((bytes) => new Blob([new Uint8Array(bytes)]));
  return image;
}

/** Empties the tables; false when a test has changed more than their rows. */
async function reset(pglite: PGlite): Promise<boolean> {
  const { rows } = await pglite.query<{ name: string }>(
    `SELECT quote_ident("relname") AS "name" FROM pg_class
     WHERE "relkind" = 'r' AND "relnamespace" = 'public'::regnamespace AND "relname" <> '_prisma_migrations'`,
  );
  await pglite.exec(`TRUNCATE ${rows.map(({ name }) => name).join()} RESTART IDENTITY CASCADE`);
  // No other process writes what has changed, and the log of it would grow without end.
  await pglite.exec('CHECKPOINT');
  return (await fingerprint(pglite)) === (await schema);
}

/** What tables, indexes and columns there are, and which settings. */
async function fingerprint(pglite: PGlite): Promise<string> {
  const { rows } = await pglite.query<{ print: string }>(
    `SELECT md5(concat((
       SELECT string_agg(concat_ws(' ', c."relname", c."relkind", a."attname", a."atttypid", a."attnotnull"), ',' ORDER BY c."relname", a."attnum")
       FROM pg_class c JOIN pg_attribute a ON a."attrelid" = c."oid"
       WHERE c."relnamespace" = 'public'::regnamespace AND a."attnum" > 0
     ), (
       SELECT string_agg(concat_ws(' ', "name", "setting"), ',' ORDER BY "name") FROM pg_settings WHERE "source" = 'session'
     ))) AS "print"`,
  );
  return rows[0]?.print ?? '';
}
