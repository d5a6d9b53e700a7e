import { type GraphQLSchema, isInterfaceType, isObjectType, isUnionType } from 'graphql';

/** What Relay and the plugins make in every schema, and give us no place to describe. By the name of the field. */
const FIELDS: Record<string, string> = {
  id: 'Unique in the whole platform and opaque; `node` finds the object by it.',
  totalCount: 'How many there are in all, on every page, that the viewer may see and the filter keeps. Costs a count.',
  hasNextPage: 'There is more after this page; ask with `after: endCursor`.',
  hasPreviousPage: 'There is more before this page; ask with `before: startCursor`.',
  startCursor: 'The place of the first object of the page; null for an empty one.',
  endCursor: 'The place of the last object of the page; null for an empty one.',
};

const ARGUMENTS: Record<string, string> = {
  first: 'How many from the beginning, or from `after`: 1–500, by default 50.',
  after: 'Behind this cursor, exclusive.',
  last: 'How many from the end, or before `before`: 1–500.',
  before: 'Before this cursor, exclusive.',
  filter: 'Keeps those that fulfil it.',
  orderBy: 'By the first field, among equals by the next; at most four.',
  input: 'What is to be done.',
  by: 'Which one.',
  id: 'Its id.',
  ids: 'Their ids.',
};

/** Completes the descriptions where nobody has given one: everything in the schema says what it is. */
export function describeMachinery(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isUnionType(type)) type.description ??= 'The success, or why nothing was done.';
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      field.description ??= FIELDS[field.name];
      for (const argument of field.args) argument.description ??= ARGUMENTS[argument.name];
    }
  }
  return schema;
}
