import { scheduleMonthEnd } from '../billing/months.ts';
import type { ActorContext } from '../context.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';

/** The general information of an account but for its name, which never changes (ACC-02, ACC-03). */
export interface AccountInformation {
  company: string;
  street: string | null;
  postalCode: string | null;
  city: string | null;
  /** ISO 3166-1, two letters. */
  country: string | null;
  /** BCP 47, in its canonical form. */
  language: string;
  /** Of the IANA database. */
  timeZone: string;
  internalReference: string | null;
}

/** How the log names what was changed (ACC-24). */
const SETTINGS: Record<keyof AccountInformation, string> = {
  company: 'company',
  street: 'street',
  postalCode: 'postal code',
  city: 'city',
  country: 'country',
  language: 'language',
  timeZone: 'time zone',
  internalReference: 'internal reference',
};

/**
 * Changes the general information (ACC-02): what is undefined stays. Another time zone moves the end of the month that is
 * counted in (BIL-09). What is as it was writes no entry.
 * @throws AppError FORBIDDEN, LOGIN_EXPIRED
 */
export function updateAccount(
  ctx: ActorContext,
  change: { [K in keyof AccountInformation]?: AccountInformation[K] | undefined },
): Promise<void> {
  return inAccountAs(ctx, async (work, actor) => {
    requireAdministrator(actor);
    const { tx, accountId, log } = work;
    const before = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
    const names = Object.keys(SETTINGS) as (keyof AccountInformation)[];
    const changed = names.filter((name) => change[name] !== undefined && change[name] !== before[name]);
    if (changed.length === 0) return;
    const data = Object.fromEntries(changed.map((name) => [name, change[name]])) as Partial<AccountInformation>;
    const { timeZone, openMonth } = await tx.account.update({ where: { id: accountId }, data });
    if (changed.includes('timeZone')) await scheduleMonthEnd(work, { timeZone, openMonth });
    const setting = changed.map((name) => SETTINGS[name]).join(', ');
    log({ code: 'ACCOUNT_CHANGED', user: actorSubject(actor), params: { setting } });
  });
}
