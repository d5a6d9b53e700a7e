// Writes the migration that is missing between prisma/migrations and prisma/schema.prisma:
//
//   npm run migration -- add-contacts
//
// With --check it writes nothing, and fails if one is missing.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { EXTENSIONS, schemaFiles } from '../src/database/database.ts';
import { diffMigrationsToSchema, openSchemaEngine } from '../src/database/schema-engine.ts';

const files = schemaFiles();

const [argument] = process.argv.slice(2);
if (argument === '--check') await check();
else if (argument && /^[a-z][a-z0-9_-]*$/.test(argument)) await write(argument.replaceAll('-', '_'));
else fail('Give the migration a name in lower case, such as: npm run migration -- add-contacts');

async function check(): Promise<void> {
  const sql = await missingSql();
  if (sql)
    fail(`prisma/schema.prisma has what no migration brings:\n\n${sql}\n\nTo write it: npm run migration -- <name>`);
}

async function write(name: string): Promise<void> {
  const sql = await missingSql();
  if (!sql) {
    console.log('The migrations already bring all of prisma/schema.prisma; nothing written.');
    return;
  }
  const folder = join(files.migrationsDir, `${await nextTimestamp()}_${name}`);
  await mkdir(folder);
  await writeFile(join(folder, 'migration.sql'), `${sql}\n`);
  console.log(
    `Wrote ${relative(process.cwd(), folder)}/migration.sql. Read it before you commit: what it drops is lost.`,
  );
}

async function missingSql(): Promise<string> {
  const pglite = await PGlite.create({ extensions: EXTENSIONS });
  try {
    const factory = new PrismaPGlite(pglite);
    // The engine replays the migrations in a shadow database. The adapter would open one that nobody closes, which keeps
    // the process alive for ten seconds; this database is empty and in memory too.
    factory.connectToShadowDb = () => factory.connect();
    // The adapter's type is of another minor version of the same interface.
    const engine = await openSchemaEngine(factory as unknown as SqlMigrationAwareDriverAdapterFactory);
    try {
      return await diffMigrationsToSchema(engine, files);
    } finally {
      engine.free();
    }
  } finally {
    await pglite.close();
  }
}

/** Migrations run in the order of their names, so a new one must come last: never behind a clock that went wrong. */
async function nextTimestamp(): Promise<string> {
  const now = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const last =
    (await readdir(files.migrationsDir))
      .filter((name) => /^\d{14}_/.test(name))
      .sort()
      .at(-1) ?? '';
  if (last < now) return now;
  return String(Number(last.slice(0, 14)) + 1);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
