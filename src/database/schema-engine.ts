import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { MigrationList, SchemaEngine, SchemasContainer } from '@prisma/schema-engine-wasm';

/** Where the migrations and the schema of this project lie, seen from the sources and from the build alike. */
export interface SchemaFiles {
  migrationsDir: string;
  schemaFile: string;
}

const NO_FILTER = { externalTables: [], externalEnums: [] };

type Glue = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

// The glue keeps its module in a variable of its own: a second instance would pull it from under the first.
let loaded: Promise<Glue> | undefined;

/**
 * Prisma's schema engine in its WebAssembly build, over a driver adapter: it migrates PGlite and PostgreSQL by one code
 * path and needs no engine binary. The package's own entry imports the `.wasm` file as a module, which Node does only
 * behind a flag; so its glue is bound to the module here.
 */
export async function openSchemaEngine(factory: SqlMigrationAwareDriverAdapterFactory): Promise<SchemaEngine> {
  loaded ??= loadGlue();
  const { SchemaEngine } = await loaded;
  return SchemaEngine.new({ datamodels: undefined }, () => undefined, bindMigrationAwareSqlAdapterFactory(factory));
}

async function loadGlue(): Promise<Glue> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const file = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const { instance } = await WebAssembly.instantiate(await readFile(file.replace(/\.js$/, '.wasm')), {
    './schema_engine_bg.js': glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue;
}

/** Applies what is missing, in order; returns the names of the migrations applied now. */
export async function applyMigrations(engine: SchemaEngine, files: SchemaFiles): Promise<string[]> {
  const { appliedMigrationNames } = await engine.applyMigrations({
    migrationsList: await readMigrations(files),
    filters: NO_FILTER,
  });
  return appliedMigrationNames;
}

/** The SQL that is missing between the migrations and the schema: empty when they agree. Uses the shadow database. */
export async function diffMigrationsToSchema(engine: SchemaEngine, files: SchemaFiles): Promise<string> {
  const { stdout } = await engine.diff({
    from: { tag: 'migrations', ...(await readMigrations(files)) },
    to: { tag: 'schemaDatamodel', ...(await readSchema(files)) },
    script: true,
    exitCode: null,
    filters: NO_FILTER,
  });
  return (stdout ?? '').replace(/^-- This is an empty migration\.\s*$/m, '').trim();
}

/** A short name of the set of migrations: two databases migrated from equal sets are alike. */
export async function migrationsFingerprint(files: SchemaFiles): Promise<string> {
  const { migrationDirectories } = await readMigrations(files);
  return createHash('sha256').update(JSON.stringify(migrationDirectories)).digest('hex').slice(0, 16);
}

async function readMigrations({ migrationsDir }: SchemaFiles): Promise<MigrationList> {
  const entries = await readdir(migrationsDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: migrationsDir,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
}

async function readSchema({ schemaFile }: SchemaFiles): Promise<SchemasContainer> {
  return { files: [{ path: schemaFile, content: await readFile(schemaFile, 'utf8') }] };
}
