import { z } from 'zod';
import { AppError, ConfirmationRequiredError, TooManyRequestsError } from '../errors.ts';
import { EwonType } from '../ewons/graphql.ts';
import { ewonReference } from '../ewons/rules.ts';
import type { ImportItem } from '../generated/prisma/client.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { objectName } from '../graphql/names.ts';
import { page } from '../graphql/paging.ts';
import { whereVisible } from '../graphql/visible.ts';
import { InvalidCredentialsError } from '../logins/credentials.ts';
import { PoolType } from '../pools/graphql.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import { visibleEwonLoader } from '../sessions/loaders.ts';
import { type Preview, previewImport } from './preview.ts';
import { type ImportPool, importsVisibleTo } from './rules.ts';
import { importEwons } from './service.ts';

const ImportOutcomeEnum = builder.enumType('ImportOutcome', {
  description: 'What became of an Ewon of an import (IMP-10).',
  values: {
    WAITING: { description: 'It can be imported, and has not had its turn.' },
    IMPORTED: { description: 'It is an Ewon of the destination now.' },
    SKIPPED: { description: 'It stays in the source; `reason` says why.' },
    FAILED: { description: 'It was to be moved and could not be; it is still in the source. `reason` says why.' },
  },
});

const ImportReasonEnum = builder.enumType('ImportReason', {
  description: 'Why an Ewon was not imported.',
  values: {
    NOT_ACTIVE: { description: 'Its registration is not active (IMP-03).' },
    NO_SERIAL_NUMBER: { description: 'It has no serial number (IMP-04).' },
    GONE: { description: 'Since it was listed it was removed, or moved to another account.' },
    CHANGED: { description: 'Since it was listed it was renamed, or its device replaced.' },
    RIGHTS_CHANGED: {
      description:
        'During the import one of the two Administrators lost the right to it, two-factor was enforced in the source, or the pool is gone.',
    },
    INTERNAL_ERROR: { description: 'Something unexpected happened; list the Ewons again and import the rest.' },
  },
});

const ItemType = builder.prismaObject('ImportItem', {
  name: 'ImportItem',
  description: 'One Ewon of an import: as it was listed, and what became of it.',
  fields: (t) => ({
    reference: t.string({
      description: 'Its public reference, as `DEV12`; it keeps it.',
      select: { ewonNumber: true },
      resolve: ({ ewonNumber }) => ewonReference(ewonNumber),
    }),
    name: t.exposeString('name', { description: 'Its name in the source when it was listed.' }),
    serialNumber: t.expose('serialNumber', {
      type: 'SerialNumber',
      nullable: true,
      description: 'Its serial number when it was listed; null without one (IMP-04).',
    }),
    outcome: t.field({
      type: ImportOutcomeEnum,
      description: 'What became of it so far.',
      select: { outcome: true },
      resolve: ({ outcome }) => outcome ?? 'WAITING',
    }),
    reason: t.expose('reason', {
      type: ImportReasonEnum,
      nullable: true,
      description: 'Why it was skipped, or failed; else null.',
    }),
    newName: t.exposeString('newName', {
      nullable: true,
      description: 'Its name in the destination: the same, or with ` (2)`, ` (3)`… (IMP-15). Null unless IMPORTED.',
    }),
    ewon: t.field({
      type: EwonType,
      nullable: true,
      description: 'The Ewon in the destination; null unless IMPORTED, and when it has gone since.',
      select: { ewonId: true, outcome: true },
      resolve: ({ ewonId, outcome }, _args, ctx) =>
        outcome === 'IMPORTED' ? ctx.loaders.get(visibleEwonLoader, ctx).load(ewonId) : null,
    }),
  }),
});

const CountsType = builder
  .objectRef<Record<'waiting' | 'imported' | 'skipped' | 'failed', number>>('ImportCounts')
  .implement({
    description: 'How many Ewons of an import have which outcome (IMP-10).',
    fields: (t) => ({
      waiting: t.exposeInt('waiting', { description: 'They can be imported, and have not had their turn.' }),
      imported: t.exposeInt('imported', { description: 'They have been moved.' }),
      skipped: t.exposeInt('skipped', { description: 'They stay in the source.' }),
      failed: t.exposeInt('failed', { description: 'They could not be moved.' }),
    }),
  });

const ImportStateEnum = builder.enumType('ImportState', {
  description: 'How far an import is.',
  values: {
    LISTED: { description: 'Nothing has been moved; the ticket is good until `expiresAt`.' },
    STARTED: { description: 'Ewons have been moved, others wait: `importEwons` with the same ticket goes on.' },
    DONE: { description: 'Every Ewon has its outcome.' },
  },
});

const ImportType = builder.prismaNode('ImportPreview', {
  name: 'EwonImport',
  id: { field: 'id' },
  findUnique: whereVisible(importsVisibleTo),
  nullable: true,
  description:
    'Ewons of another account that are listed for import, and what became of each (IMP-07, IMP-10). For the Administrator who asked, until the ticket expires; once it was used, for 24 hours.',
  fields: (t) => ({
    sourceName: t.string({
      description: 'The name of the source account.',
      select: { source: { select: { name: true } } },
      resolve: ({ source }) => source.name,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the Ewons were listed.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'Until when the ticket can begin an import: 15 minutes after the list (IMP-07).',
    }),
    startedAt: t.expose('usedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the import was confirmed (IMP-08); null before.',
    }),
    state: t.field({
      type: ImportStateEnum,
      description: 'How far it is.',
      select: { usedAt: true },
      resolve: async ({ id, usedAt }, _args, { db }) => {
        if (usedAt === null) return 'LISTED';
        const waiting = await db.importItem.count({ where: { previewId: id, outcome: null } });
        return waiting > 0 ? 'STARTED' : 'DONE';
      },
    }),
    pool: t.field({
      type: PoolType,
      nullable: true,
      description: 'The pool that the Ewons go into (IMP-06); null before, and when it has gone since.',
      select: { poolId: true },
      resolve: ({ poolId }, _args, { db, actor }) =>
        poolId === null || !actor
          ? null
          : db.pool.findFirst({ where: { AND: [poolsVisibleTo(actor), { id: poolId }] } }),
    }),
    counts: t.field({
      type: CountsType,
      description: 'How many Ewons have which outcome.',
      resolve: async ({ id }, _args, { db }) => {
        const groups = await db.importItem.groupBy({ by: 'outcome', where: { previewId: id }, _count: true });
        const count = (wanted: ImportItem['outcome']) => groups.find(({ outcome }) => outcome === wanted)?._count ?? 0;
        return {
          ...{ waiting: count(null), imported: count('IMPORTED') },
          ...{ skipped: count('SKIPPED'), failed: count('FAILED') },
        };
      },
    }),
    notListed: t.exposeInt('notListed', {
      description: 'Ewons of the source beyond the 10 000 that one list holds: list again when these have been moved.',
    }),
    ewons: t.relatedConnection(
      'ewons',
      {
        type: ItemType,
        cursor: 'id',
        ...page,
        totalCount: true,
        query: { orderBy: { position: 'asc' } },
        description: 'The Ewons: those that can be imported first, then by reference.',
      },
      { description: 'A page of a list, as Relay defines it.' },
      { description: 'An object of a page with its place.' },
    ),
  }),
});

/** The import as it is now, for a success that knows its id. */
const importField = { description: 'The import as it is now.' };

const text = (most: number) => z.string().min(1).max(most);

const PreviewImportInput = builder.inputType('PreviewImportInput', {
  description: 'An Administrator of the source account (IMP-02).',
  fields: (t) => ({
    account: t.string({ required: true, validate: text(100), description: 'The source account’s name.' }),
    username: t.string({ required: true, validate: text(100), description: 'The user name.' }),
    password: t.string({ required: true, validate: text(200), description: 'The password.' }),
  }),
});

const PreviewImportSuccess = builder.objectRef<Preview>('PreviewImportSuccess').implement({
  description: 'The Ewons of the source are listed; nothing has been moved (IMP-07).',
  fields: (t) => ({
    ticket: t.exposeString('ticket', {
      description: 'What `importEwons` must present: shown only now, and good for whoever asked, for 15 minutes.',
    }),
    import: t.prismaField({
      type: ImportType,
      ...importField,
      resolve: (query, { importId }, _args, { db }) =>
        db.importPreview.findUniqueOrThrow({ ...query, where: { id: importId } }),
    }),
  }),
});

const ImportPoolInput = builder.inputType('ImportPoolInput', {
  description: 'The pool that the Ewons go into (IMP-06, POOL-05).',
  isOneOf: true,
  fields: (t) => ({
    poolId: t.id({ description: 'An existing one.' }),
    newPoolName: t.string({
      validate: objectName,
      description:
        'The name of one that is made, unless there is nothing to import: unique in the account, 1–64 characters.',
    }),
  }),
});

const ImportEwonsInput = builder.inputType('ImportEwonsInput', {
  description: 'The import, confirmed.',
  fields: (t) => ({
    ticket: t.string({ required: true, validate: text(100), description: 'From `previewImport`.' }),
    pool: t.field({ type: ImportPoolInput, required: true, description: 'The same in each call.' }),
    confirm: t.boolean({
      required: true,
      defaultValue: false,
      description: 'An import cannot be undone: without true it answers CONFIRMATION_REQUIRED (IMP-08).',
    }),
  }),
});

const ImportEwonsSuccess = builder.objectRef<{ importId: string }>('ImportEwonsSuccess').implement({
  description: 'The Ewons were moved, or some of many: as long as `import.state` is STARTED, call again.',
  fields: (t) => ({
    import: t.prismaField({
      type: ImportType,
      ...importField,
      resolve: (query, { importId }, _args, { db }) =>
        db.importPreview.findUniqueOrThrow({ ...query, where: { id: importId } }),
    }),
  }),
});

builder.mutationFields((t) => ({
  previewImport: t.withAuth({ loggedIn: true }).field({
    type: PreviewImportSuccess,
    errors: { types: [InvalidCredentialsError, TooManyRequestsError] },
    description:
      'Lists the Ewons of another account for import (IMP-01 to IMP-04, IMP-07). Administrators on PRO, with the credentials of an Administrator of the source, which are checked as those of a login and count like them (AUTH-04, AUTH-07). Errors: FORBIDDEN (on either side), PLAN_FEATURE_NOT_AVAILABLE, ACCOUNT_IS_SOURCE, INVALID_CREDENTIALS, IP_BANNED, TOO_MANY_REQUESTS, SOURCE_REQUIRES_TWO_FACTOR (IMP-12), PASSWORD_CHANGE_REQUIRED.',
    args: { input: t.arg({ type: PreviewImportInput, required: true }) },
    resolve: (_root, { input }, ctx) => previewImport(ctx, input, ctx),
  }),
  importEwons: t.withAuth({ loggedIn: true }).field({
    type: ImportEwonsSuccess,
    errors: { types: [ConfirmationRequiredError] },
    description:
      'Takes over the Ewons of a list, each by itself (IMP-05 to IMP-10): serial number, name, description, firmware and status come along; pools, permissions, LAN devices, services, firewall, custom values, wake-up settings and stored values do not. Its sessions close with IMPORTED, and its device connects again by itself. An Ewon that is no longer as it was listed is skipped. Moves at most 200 in one call: call again with the same ticket and pool to go on, or to read the results once more. Errors: IMPORT_TICKET_INVALID, CONFIRMATION_REQUIRED, IMPORT_CHANGED (the credentials no longer give the right; nothing was done), IMPORT_RUNNING, FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (pool), POOL_NAME_IN_USE, VALIDATION_FAILED.',
    args: { input: t.arg({ type: ImportEwonsInput, required: true }) },
    resolve: async (_root, { input: { ticket, pool, confirm } }, ctx) => ({
      importId: await importEwons(ctx, { ticket, pool: poolOf(pool), confirm }),
    }),
  }),
}));

/** @throws AppError NOT_FOUND, VALIDATION_FAILED */
function poolOf({ poolId, newPoolName }: { poolId?: string | null; newPoolName?: string | null }): ImportPool {
  if (poolId != null) return { poolId: keyOf('Pool', poolId) };
  if (newPoolName != null) return { newPoolName: newPoolName.trim() };
  throw new AppError('VALIDATION_FAILED', 'Name a pool.', ['pool']);
}
