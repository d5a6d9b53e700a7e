import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { Redis } from 'ioredis';
import pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import type { TestProject } from 'vitest/node';
import { readConfig } from '../../src/config.ts';
import { EXTENSIONS, openDatabase, schemaFiles } from '../../src/database/database.ts';
import { applyMigrations, migrationsFingerprint, openSchemaEngine } from '../../src/database/schema-engine.ts';
import { createLogger } from '../../src/logger.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A data directory of PGlite with the schema applied. */
    databaseImage: string;
    /** The same as a folder, for a program in a process of its own to have a copy of. */
    databaseFolder: string;
    /** A folder with the program compiled, for processes of their own: they start in half the time that they take from sources. */
    program: string;
    /** An administrator's URL of PostgreSQL and the name of a migrated template; null where there is no server. */
    postgres: { url: string; template: string } | null;
    redis: string | null;
  }
}

const POSTGRES = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const REDIS = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

/** Prepares the databases once for all test files, so that each of them starts from a copy with the schema applied. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = await compileProgram();
  project.provide('program', program);
  const { file, folder } = await makeImage();
  project.provide('databaseImage', file);
  project.provide('databaseFolder', folder);
  const postgres = await makeTemplate();
  project.provide('postgres', postgres);
  project.provide('redis', await reachRedis());
  return async () => {
    for (const made of [folder, program]) await rm(made, { recursive: true, force: true });
    if (postgres) await administer(postgres.url, `DROP DATABASE IF EXISTS "${postgres.template}" WITH (FORCE)`);
  };
}

/** Compiles without a check of types, which is another command's; inside the project, where packages and migrations are found. */
async function compileProgram(): Promise<string> {
  const root = resolve('.');
  const folder = resolve(`node_modules/.cache/talkgate/program-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const project = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: { noCheck: true, rootDir: root, outDir: folder },
    include: [join(root, 'src'), join(root, 'test/support/measured-server.ts')],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')]);
  return folder;
}

/** The same database twice: as a file to load into memory, and as a folder to copy. */
async function makeImage(): Promise<{ file: string; folder: string }> {
  const name = `pglite-${await migrationsFingerprint(schemaFiles())}`;
  const file = resolve(`node_modules/.cache/talkgate/${name}.tar`);
  const folder = resolve(`node_modules/.cache/talkgate/${name}-${process.pid}`);
  await mkdir(dirname(file), { recursive: true });
  const pglite = await PGlite.create({ dataDir: folder, extensions: EXTENSIONS });
  try {
    // The adapter's type is of another minor version of the same interface.
    const engine = await openSchemaEngine(
      new PrismaPGlite(pglite) as unknown as Parameters<typeof openSchemaEngine>[0],
    );
    await applyMigrations(engine, schemaFiles());
    engine.free();
    const image = await pglite.dumpDataDir('none');
    await writeFile(`${file}.${process.pid}`, Buffer.from(await image.arrayBuffer()));
    await rename(`${file}.${process.pid}`, file);
  } finally {
    await pglite.close();
  }
  return { file, folder };
}

async function makeTemplate(): Promise<{ url: string; template: string } | null> {
  const template = `talkgate_template_${process.pid}`;
  try {
    await administer(POSTGRES, `CREATE DATABASE "${template}"`);
  } catch (error) {
    return absent('PostgreSQL', 'TEST_DATABASE_URL', error);
  }
  const url = new URL(POSTGRES);
  url.pathname = template;
  const database = await openDatabase(readConfig({ DATABASE_URL: url.href }), createLogger('warn'));
  await database.close();
  return { url: POSTGRES, template };
}

async function reachRedis(): Promise<string | null> {
  const redis = new Redis(REDIS, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return REDIS;
  } catch (error) {
    return absent('Redis', 'TEST_REDIS_URL', error);
  } finally {
    redis.disconnect();
  }
}

function absent(what: string, variable: string, error: unknown): null {
  const reason = error instanceof Error ? error.message : String(error);
  if (process.env.CI)
    throw new Error(
      `${what} cannot be reached (${reason}), and in CI its tests are not skipped; start it or set ${variable}.`,
    );
  process.stdout.write(
    `SKIPPED: the tests that need ${what}, which cannot be reached (${reason}). Set ${variable} to run them.\n`,
  );
  return null;
}

export async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
