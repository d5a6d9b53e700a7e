import { notFound } from '../errors.ts';

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An opaque id that is unique in the platform: type and key in base64url. */
export const encodeGlobalId = (typename: string, id: string | bigint | number): string =>
  Buffer.from(`${typename}:${id}`).toString('base64url');

/** Never throws: what is malformed decodes to a type that does not exist, and so to nothing (API-05). */
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  const [typename = '', id = ''] = Buffer.from(globalId, 'base64url').toString('utf8').split(':');
  return UUID.test(id) ? { typename, id } : { typename: '', id: '' };
}

/** The key inside the id of an input; an id of another type or malformed is as if it did not exist. @throws AppError NOT_FOUND */
export function keyOf(typename: string, globalId: string): string {
  const decoded = decodeGlobalId(globalId);
  if (decoded.typename !== typename) throw notFound(typename === 'Ewon' ? 'Ewon' : typename.toLowerCase());
  return decoded.id;
}

/** The id of nothing. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

/** The keys inside the ids of a filter: an id that stands for nothing matches nothing, rather than being left out. */
export const keysOf = (typename: string, globalIds: readonly string[]): string[] =>
  globalIds.map((globalId) => {
    const decoded = decodeGlobalId(globalId);
    return decoded.typename === typename ? decoded.id : NO_ID;
  });
