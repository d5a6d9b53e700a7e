import type { ApiClient } from './api-client.ts';
import { CodedError } from './errors.ts';
import type { EcatcherEwonsQuery } from './gql/graphql.ts';
import { EWONS } from './operations.ts';

/** An Ewon as its user sees it. */
export type ListedEwon = EcatcherEwonsQuery['ewons']['nodes'][number];

const PAGE = 200;

/** All Ewons that the user sees and that fit, in the API's order. */
export async function listEwons(
  api: ApiClient,
  {
    online,
    search,
    signal,
  }: { online?: boolean | undefined; search?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<ListedEwon[]> {
  const filter = { ...(online === true && { online }), ...(search !== undefined && { search }) };
  const found: ListedEwon[] = [];
  let after: string | null = null;
  do {
    const { ewons }: EcatcherEwonsQuery = await api.request(EWONS, { filter, first: PAGE, after }, { signal });
    found.push(...ewons.nodes);
    after = ewons.pageInfo.hasNextPage ? (ewons.pageInfo.endCursor ?? null) : null;
  } while (after !== null);
  return found;
}

/**
 * The Ewon that somebody means: by name without regard to case, reference (EWN-…), serial number or id.
 *
 * @throws CodedError `NOT_FOUND`
 */
export async function findEwon(api: ApiClient, wanted: string, signal?: AbortSignal): Promise<ListedEwon> {
  const ewons = await listEwons(api, { signal });
  const text = wanted.toLowerCase();
  const found =
    ewons.find(({ name }) => name.toLowerCase() === text) ??
    ewons.find(({ id, reference, serialNumber }) =>
      [id, reference.toLowerCase(), serialNumber?.toLowerCase()].includes(id === wanted ? wanted : text),
    );
  if (found === undefined) throw new CodedError('NOT_FOUND', `You see no Ewon "${wanted}".`);
  return found;
}
