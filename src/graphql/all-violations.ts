import SchemaBuilder, {
  type InputFieldsMapping,
  mapInputFields,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  unwrapInputFieldType,
} from '@pothos/core';
import { PothosValidationPlugin, type StandardSchemaV1 } from '@pothos/plugin-validation';

/*
 * The validation plugin of Pothos stops at the first field of an input that is wrong. Its declarations serve us well, the
 * `validate:` beside each field and on whole input types; only the run over the arguments is replaced here by one that goes
 * on to the end. Checks are synchronous.
 */

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      allViolations: AllViolationsPlugin<Types>;
    }
  }
}

/** What is to be checked of a field: its own schemas, those of its input type, and for a list the element comes first. */
interface Checks {
  ofType: readonly StandardSchemaV1[];
  ofField: readonly StandardSchemaV1[];
}

type Mapping<Types extends SchemaTypes> = InputFieldsMapping<Types, Checks>;

/** Takes the place of `ValidationPlugin` in the builder and reports every violation of the arguments at once. */
class AllViolationsPlugin<Types extends SchemaTypes> extends PothosValidationPlugin<Types> {
  override onOutputFieldConfig(fieldConfig: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const mapping = mapInputFields<Types, Checks>(fieldConfig.args, this.buildCache, (field) => {
      const type = this.buildCache.getTypeConfig(unwrapInputFieldType(field.type));
      const ofType = type.kind === 'InputObject' ? schemasIn(type.extensions) : [];
      // Those of an input's field are in its extensions; an argument has passed no `onInputFieldConfig`.
      const own = field.kind === 'Arg' && field.pothosOptions.validate ? [field.pothosOptions.validate] : [];
      const ofField = [...schemasIn(field.extensions), ...own];
      return ofType.length + ofField.length > 0 ? { ofType, ofField } : null;
    });
    if (Object.keys(fieldConfig.args).length === 0) return fieldConfig;
    const { validationError } = this.builder.options.validation ?? {};
    return {
      ...fieldConfig,
      argMappers: [
        ...(fieldConfig.argMappers ?? []),
        (args: Record<string, unknown>, ctx: Types['Context']) => {
          const issues: StandardSchemaV1.Issue[] = [];
          checkText(args, [], issues);
          const checked = mapping ? checkFields(args, mapping, [], issues) : args;
          if (issues.length > 0) throw validationError?.({ issues }, args, ctx) ?? new Error('The input is not valid.');
          return checked;
        },
      ],
    };
  }
}

const schemasIn = (extensions: unknown): readonly StandardSchemaV1[] =>
  (extensions as { '@pothos/plugin-validation'?: { schemas?: StandardSchemaV1[] } } | undefined)?.[
    '@pothos/plugin-validation'
  ]?.schemas ?? [];

type Path = readonly PropertyKey[];

/** JSON and GraphQL can write the zero character and half a surrogate pair; a database cannot hold them. */
export const STORABLE_TEXT = /^[^\0\p{Surrogate}]*$/u;

/** Adds an issue for every text, wherever it is in the arguments, that could not be stored or looked for. */
function checkText(value: unknown, path: Path, issues: StandardSchemaV1.Issue[]): void {
  if (typeof value === 'string') {
    if (!STORABLE_TEXT.test(value)) issues.push({ message: 'Text has no zero characters and no half ones.', path });
  } else if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) checkText(element, [...path, index], issues);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) checkText(field, [...path, name], issues);
  }
}

/** The object with its fields as the schemas leave them (trimmed, say); what is wrong is added to the issues. */
function checkFields<Types extends SchemaTypes>(
  object: Record<string, unknown>,
  mapping: Mapping<Types>,
  path: Path,
  issues: StandardSchemaV1.Issue[],
): Record<string, unknown> {
  const checked = { ...object };
  for (const [name, field] of mapping) {
    const given = object[name];
    // Absent and null are a matter of the types, not of the schemas.
    if (given == null) continue;
    const { ofType, ofField } = field.value ?? { ofType: [], ofField: [] };
    const nested = field.kind === 'InputObject' ? field.fields.map : null;
    const below = nested
      ? eachIn(given, [...path, name], (value, at) => checkFields(value as Record<string, unknown>, nested, at, issues))
      : given;
    const typed = eachIn(below, [...path, name], (value, at) => applySchemas(value, ofType, at, issues));
    checked[name] = applySchemas(typed, ofField, [...path, name], issues);
  }
  return checked;
}

/** Maps a value, or each one in a list of them at any depth. */
const eachIn = (value: unknown, path: Path, map: (value: unknown, path: Path) => unknown): unknown =>
  value == null
    ? value
    : Array.isArray(value)
      ? value.map((element, index) => eachIn(element, [...path, index], map))
      : map(value, path);

function applySchemas(
  given: unknown,
  schemas: readonly StandardSchemaV1[],
  path: Path,
  issues: StandardSchemaV1.Issue[],
): unknown {
  let value = given;
  for (const schema of schemas) {
    const result = schema['~standard'].validate(value);
    if (result instanceof Promise) throw new Error('Input schemas are synchronous.');
    if (result.issues) {
      issues.push(
        ...result.issues.map((issue) => ({ message: issue.message, path: [...path, ...(issue.path ?? [])] })),
      );
      return value;
    }
    value = (result as StandardSchemaV1.SuccessResult<unknown>).value;
  }
  return value;
}

SchemaBuilder.registerPlugin('allViolations', AllViolationsPlugin);

export default 'allViolations' as const;
