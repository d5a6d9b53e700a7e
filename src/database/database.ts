import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { lock } from 'proper-lockfile';
import type { Config } from '../config.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { Logger } from '../logger.ts';
import { applyMigrations, openSchemaEngine, type SchemaFiles } from './schema-engine.ts';

export type Db = PrismaClient;
/** The client inside an interactive transaction; on PGlite nothing else may be used there, or it waits for itself. */
export type Tx = Prisma.TransactionClient;

/** An open, migrated database. */
export interface Database {
  client: Db;
  kind: 'pglite' | 'postgresql';
  readText: ReadText;
  close(): Promise<void>;
}

/**
 * Reads a query of one row with one column, a text or null. For files of any length: what the ORM reads stays in memory until the
 * next large collection of garbage, some hundred bytes a row; on PostgreSQL this does without it.
 */
export type ReadText = (query: Prisma.Sql) => Promise<string | null>;

/** The database cannot be opened; the message says what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

/** Where migrations and schema lie: beside the package.json above this file, in the sources as in the build. */
export function schemaFiles(): SchemaFiles {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return { migrationsDir: join(folder, 'prisma/migrations'), schemaFile: join(folder, 'prisma/schema.prisma') };
}

/**
 * Opens the database that the configuration names and brings its schema up to date.
 * @param memory opens what `pglite://memory` stands for, instead of an empty database: tests start faster by it.
 * @throws DatabaseError when it cannot be reached, or another process has the folder open.
 */
export async function openDatabase(config: Config, log: Logger, memory = openPGlite): Promise<Database> {
  const { databaseUrl } = config.secrets;
  return databaseUrl.startsWith('pglite://')
    ? openEmbedded(databaseUrl.slice('pglite://'.length), log, memory)
    : openPostgres(databaseUrl, config, log);
}

async function openEmbedded(path: string, log: Logger, memory: () => Promise<PGlite>): Promise<Database> {
  const folder = path === 'memory' ? undefined : resolve(path);
  const unlock = folder === undefined ? async () => undefined : await lockFolder(folder);
  try {
    const pglite = await (folder === undefined ? memory() : openPGlite({ dataDir: folder }));
    const factory = new PrismaPGlite(pglite);
    // The adapter's type is of another minor version of the same interface.
    await migrate(factory as unknown as SqlMigrationAwareDriverAdapterFactory, log);
    const client = new PrismaClient({ adapter: factory, transactionOptions: TRANSACTION });
    return {
      client,
      kind: 'pglite',
      readText: async (query) => Object.values((await client.$queryRaw<[Record<string, string>]>(query))[0])[0] ?? null,
      close: async () => {
        await client.$disconnect();
        await pglite.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** What the migrations need of a database beyond PostgreSQL itself: the indexes of texts in lists (LST-03). */
export const EXTENSIONS = { pg_trgm };

/** Opens PGlite as the program needs it; without options an empty one in memory. */
export async function openPGlite(options: PGliteOptions = {}): Promise<PGlite> {
  const pglite = await PGlite.create({ ...options, extensions: EXTENSIONS });
  letOthersIn(pglite);
  await forgetRowTypes(pglite);
  return pglite;
}

/**
 * PGlite knows how to read arrays of every table's rows, the system's included, and the adapter has the whole list copied at each
 * query. No query reads such an array.
 */
async function forgetRowTypes(pglite: PGlite): Promise<void> {
  const { rows } = await pglite.query<{ typarray: number }>(
    `SELECT "typarray" FROM pg_type WHERE "typtype" = 'c' AND "typarray" <> 0`,
  );
  const forgotten = new Set(rows.map(({ typarray }) => typarray));
  pglite.parsers = Object.fromEntries(Object.entries(pglite.parsers).filter(([type]) => !forgotten.has(Number(type))));
}

/** Milliseconds that PGlite may compute without the event loop having had its turn. */
const TURN_MS = 5;

/**
 * PGlite computes in this thread and answers by microtasks alone: as long as one query follows the other, no socket is
 * read and no timer fires. So every few milliseconds the event loop gets its turn before a message to PGlite.
 */
function letOthersIn(pglite: PGlite): void {
  const send = pglite.execProtocolStream.bind(pglite);
  let turnedMs = 0;
  pglite.execProtocolStream = async (message, options) => {
    if (performance.now() - turnedMs > TURN_MS) {
      await turn();
      turnedMs = performance.now();
    }
    return send(message, options);
  };
}

/** Connections for {@link ReadText}, opened when they are needed. */
const TEXT_CONNECTIONS = 2;

/** Waits beyond these are a fault, not load: the caller gets an error and nothing is left half done. Milliseconds. */
const TRANSACTION = { maxWait: 15_000, timeout: 20_000 };

/** PGlite has no protection of its own: two processes on one folder destroy it. The lock goes stale 10 s after a crash. */
async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await lock(folder, {
      lockfilePath: `${folder}.lock`,
      stale: 10_000,
      retries: { retries: 12, minTimeout: 1000, maxTimeout: 1000 },
    });
  } catch (error) {
    if ((error as { code?: string }).code !== 'ELOCKED') throw error;
    throw new DatabaseError(
      `The database folder ${folder} is open in another process; stop that one or set DATABASE_URL to another folder.`,
    );
  }
}

async function openPostgres(url: string, config: Config, log: Logger): Promise<Database> {
  const { DATABASE_POOL_SIZE, DATABASE_TIMEOUT_SECONDS, DATABASE_STATEMENT_SECONDS } = config.limits;
  const connecting = (statementMs: number) =>
    new PrismaPg(
      {
        connectionString: url,
        max: DATABASE_POOL_SIZE,
        connectionTimeoutMillis: DATABASE_TIMEOUT_SECONDS * 1000,
        keepAlive: true,
        application_name: 'talkgate',
        ...(statementMs > 0 && { statement_timeout: statementMs }),
      },
      { onPoolError: (error) => log.warn({ err: error.message }, 'A database connection was lost') },
    );
  try {
    // An index on a large table takes its time.
    const unlimited = connecting(0);
    await ensureTrigrams(unlimited);
    await migrate(unlimited, log);
  } catch (error) {
    throw new DatabaseError(`The database at ${shownUrl(url)} cannot be used: ${readable(error)}`);
  }
  const adapter = connecting(DATABASE_STATEMENT_SECONDS * 1000);
  const client = new PrismaClient({ adapter, transactionOptions: TRANSACTION });
  const texts = openTexts(url, config, log);
  return {
    client,
    kind: 'postgresql',
    readText: texts.readText,
    close: async () => {
      await texts.close();
      await client.$disconnect();
    },
  };
}

/** Connections beside those of the ORM, opened when they are needed. */
function openTexts(url: string, { limits }: Config, log: Logger): { readText: ReadText; close(): Promise<void> } {
  const pool = new pg.Pool({
    connectionString: url,
    max: TEXT_CONNECTIONS,
    connectionTimeoutMillis: limits.DATABASE_TIMEOUT_SECONDS * 1000,
    statement_timeout: limits.DATABASE_STATEMENT_SECONDS * 1000,
    keepAlive: true,
    application_name: 'talkgate files',
  });
  pool.on('error', (error) => log.warn({ err: error.message }, 'A database connection was lost'));
  return {
    readText: async ({ text, values }) => {
      // The driver writes a time in the zone of the process, and a column without zone forgets which that was.
      const written = values.map((value) => (value instanceof Date ? value.toISOString() : value));
      const { rows } = await pool.query<[string | null]>({ text, values: written, rowMode: 'array' });
      return rows[0]?.[0] ?? null;
    },
    close: () => pool.end(),
  };
}

/**
 * The indexes of texts need pg_trgm. Any role with CREATE on the database may create it; one that has tables of its own there, and
 * no more, gets told before a migration fails half-way.
 */
async function ensureTrigrams(factory: SqlMigrationAwareDriverAdapterFactory): Promise<void> {
  const adapter = await factory.connect();
  const present = async (): Promise<boolean> => {
    const sql = `SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'`;
    return (await adapter.queryRaw({ sql, args: [], argTypes: [] })).rows.length > 0;
  };
  try {
    // A database that cannot be reached says so itself, when it is migrated.
    if (await present().catch(() => true)) return;
    try {
      await adapter.executeScript('CREATE EXTENSION IF NOT EXISTS pg_trgm');
    } catch (error) {
      // Another instance that starts at the same moment may have been first.
      if (await present()) return;
      throw new Error(
        `it lacks the extension pg_trgm, which this role cannot create (${readable(error)}); run CREATE EXTENSION pg_trgm in it as its owner or as a superuser.`,
      );
    }
  } finally {
    await adapter.dispose();
  }
}

async function migrate(factory: SqlMigrationAwareDriverAdapterFactory, log: Logger): Promise<void> {
  // The engine opens connections of its own and never closes them.
  const opened: { dispose(): Promise<void> }[] = [];
  const recording = Object.create(factory, {
    connect: {
      value: async () => {
        const adapter = await factory.connect();
        opened.push(adapter);
        return adapter;
      },
    },
  }) as SqlMigrationAwareDriverAdapterFactory;
  const engine = await openSchemaEngine(recording);
  try {
    const applied = await applyMigrations(engine, schemaFiles());
    if (applied.length > 0) log.info({ applied }, 'Migrations applied');
  } finally {
    engine.free();
    for (const adapter of opened) await adapter.dispose();
  }
}

function shownUrl(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || 5432}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

function readable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split('\n').at(-1) ?? message;
}
