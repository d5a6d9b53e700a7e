import type PrismaTypes from '../../generated/pothos-types.ts';
import { getDatamodel } from '../../generated/pothos-types.ts';
import * as enums from '../../generated/prisma/enums.ts';
import type { Kind } from './keyset.ts';

/** The models of the database, by name. */
export type Model = keyof PrismaTypes;
/** The columns of a model. */
export type ColumnOf<M extends Model> = keyof PrismaTypes[M]['Shape'] & string;

/** A column as the database has it. */
export interface Column {
  name: string;
  kind: Kind;
  nullable: boolean;
  /** Of booleans and enums, in the order of the database. */
  values?: readonly unknown[];
}

const { models } = getDatamodel().datamodel;

const KINDS: Record<string, Kind> = {
  String: 'string',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'float',
  DateTime: 'dateTime',
};

/** A column of a model, as prisma/schema.prisma has it. */
export function columnOf<M extends Model>(model: M, name: ColumnOf<M>): Column {
  const field = models[model]?.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`${model} has no column ${name}`);
  const column = { name, nullable: !field.isRequired };
  if (field.kind === 'enum')
    return { ...column, kind: 'enum', values: Object.values((enums as Record<string, object>)[field.type] ?? {}) };
  if (field.type === 'Boolean') return { ...column, kind: 'boolean', values: [false, true] };
  const kind = KINDS[field.type];
  if (!kind) throw new Error(`A list has no fields of the type ${field.type} (${model}.${name})`);
  // Keys are UUIDs, and nothing else is.
  return { ...column, kind: kind === 'string' && (name === 'id' || name.endsWith('Id')) ? 'uuid' : kind };
}
