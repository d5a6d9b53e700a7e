import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { cp } from 'node:fs/promises';
import { describe, inject } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { createManualClock, type ManualClock } from '../../src/clock.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createLogger, type Logger } from '../../src/logger.ts';
import type { RelayOverrides } from '../../src/m2u/relay.ts';
import { administer } from './global-setup.ts';
import { takeMemory } from './memory.ts';

export type DatabaseKind = 'pglite' | 'postgresql';

/** Cheap hashes, free ports, nothing on disk; limits that would slow tests down are out of the way unless a test sets them. */
const TEST_ENVIRONMENT = {
  HTTP_PORT: '0',
  DEVICE_PORT: '0',
  TUNNEL_PORT: '0',
  PORTAL_PORT: '0',
  DATA_DIR: ':memory:',
  PASSWORD_HASH_MEMORY_KIB: '1024',
  PASSWORD_HASH_ITERATIONS: '2',
  PASSWORD_HASH_QUEUE: '10000',
  LOGINS_PER_MINUTE: '100000',
  PASSWORDS_PER_MINUTE: '100000',
  NOTICES_PER_HOUR: '100000',
  ACCOUNTS_PER_HOUR: '100000',
  REQUESTS_PER_MINUTE_ADDRESS: '1000000',
  REQUESTS_PER_MINUTE_LOGIN: '1000000',
  API_CALLS_PER_DAY_FREE: '1000000000',
  API_CALLS_PER_DAY_LIGHT: '1000000000',
  API_CALLS_PER_DAY_PRO: '1000000000',
  ENROLMENTS_PER_MINUTE: '100000',
  ENROLMENT_FAILURES_PER_MINUTE: '100000',
  LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
};

export interface ServerOptions {
  database?: DatabaseKind;
  /** Variables of the configuration for this server. */
  env?: Record<string, string>;
  log?: Logger;
  /** An existing PostgreSQL database, for a second instance beside another. */
  databaseUrl?: string;
  clock?: ManualClock;
  /** What stands for the internet, for M2U. */
  relay?: RelayOverrides;
}

/** The same program as in production, on free ports and a database of its own. */
export interface TestServer {
  app: App;
  config: Config;
  clock: ManualClock;
  /** `http://host:port` */
  url: string;
  databaseUrl: string;
  close(): Promise<void>;
}

/** Starts the program for a test. Close it in `afterAll` or `afterEach`. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const database = options.database ?? 'pglite';
  const made = options.databaseUrl === undefined && database === 'postgresql' ? await createPostgres() : null;
  const databaseUrl = options.databaseUrl ?? made?.url ?? 'pglite://memory';
  const config = readConfig({ ...TEST_ENVIRONMENT, DATABASE_URL: databaseUrl, ...options.env });
  const clock = options.clock ?? createManualClock();
  const app = await createApp(config, {
    clock,
    log: options.log ?? createLogger(config.logLevel),
    memory: takeMemory,
    ...(options.relay && { relay: options.relay }),
  });
  return {
    app,
    config,
    clock,
    url: app.url ?? '',
    databaseUrl,
    close: async () => {
      await app.close();
      await made?.drop();
    },
  };
}

/** A database of its own on disk, with the schema applied, for a program in a process of its own. */
export const copyDatabase = (folder: string): Promise<void> =>
  cp(inject('databaseFolder'), folder, { recursive: true, mode: constants.COPYFILE_FICLONE });

async function createPostgres(): Promise<{ url: string; drop(): Promise<void> }> {
  const postgres = inject('postgres');
  if (!postgres) throw new Error('This test needs PostgreSQL: wrap it in eachDatabase or onPostgres.');
  const name = `talkgate_test_${randomUUID().replaceAll('-', '')}`;
  await administer(postgres.url, `CREATE DATABASE "${name}" TEMPLATE "${postgres.template}"`);
  const url = new URL(postgres.url);
  url.pathname = name;
  return { url: url.href, drop: () => administer(postgres.url, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) };
}

/** Runs the tests on the embedded database and, where it can be reached, on PostgreSQL, which alone shows a race of locks. */
export function eachDatabase(title: string, tests: (database: DatabaseKind) => void): void {
  describe(`${title} on PGlite`, () => tests('pglite'));
  onPostgres(`${title} on PostgreSQL`, () => tests('postgresql'));
}

/** Runs the tests where PostgreSQL can be reached. */
export function onPostgres(title: string, tests: () => void): void {
  describe.skipIf(inject('postgres') === null)(title, tests);
}
