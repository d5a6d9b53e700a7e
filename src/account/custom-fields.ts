import type { ActorContext } from '../context.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';

/** The columns of the three custom values that users and Ewons have each (CF-01), in their order. */
const CUSTOM_COLUMNS = ['custom1', 'custom2', 'custom3'] as const;

export type CustomColumns = Record<(typeof CUSTOM_COLUMNS)[number], string | null>;

/** The values as columns; an empty text is none, and so is what is not given. */
export const customColumns = (values: readonly (string | null | undefined)[] | null | undefined): CustomColumns => ({
  custom1: values?.[0] || null,
  custom2: values?.[1] || null,
  custom3: values?.[2] || null,
});

/** The values of a row, always three. */
export const customValues = ({ custom1, custom2, custom3 }: CustomColumns): (string | null)[] => [
  custom1,
  custom2,
  custom3,
];

/** The names of the three fields of users and of Ewons, in their order (CF-02). */
export interface CustomFieldNames {
  users: readonly string[];
  ewons: readonly string[];
}

/**
 * Renames custom fields (CF-02): a list that is undefined stays. The values stay as they are (CF-05). What is as it was writes
 * no entry.
 * @throws AppError FORBIDDEN, LOGIN_EXPIRED
 */
export function setCustomFieldNames(
  ctx: ActorContext,
  wanted: { [K in keyof CustomFieldNames]?: CustomFieldNames[K] | undefined },
): Promise<void> {
  return inAccountAs(ctx, async ({ tx, accountId, log }, actor) => {
    requireAdministrator(actor);
    const { userFieldNames, ewonFieldNames } = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { userFieldNames: true, ewonFieldNames: true },
    });
    const [users, ewons] = [wanted.users ?? userFieldNames, wanted.ewons ?? ewonFieldNames];
    const changes = [...renamed('users', userFieldNames, users), ...renamed('Ewons', ewonFieldNames, ewons)];
    if (changes.length === 0) return;
    await tx.account.update({
      where: { id: accountId },
      data: { userFieldNames: [...users], ewonFieldNames: [...ewons] },
    });
    log({ code: 'CUSTOM_FIELDS_RENAMED', user: actorSubject(actor), params: { change: changes.join(', ') } });
  });
}

/** What the log tells of it (ACC-24). */
const renamed = (things: string, before: readonly string[], after: readonly string[]): string[] =>
  after.flatMap((name, index) => (name === before[index] ? [] : [`${before[index]} of ${things} is now ${name}`]));
