import { IANAZone } from 'luxon';
import { z } from 'zod';

/** ACC-03 */
export const accountName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{3,40}$/, 'An account name has 3 to 40 letters, digits, - or _.');

export const company = z
  .string()
  .trim()
  .min(1, 'A company has 1 to 100 characters.')
  .max(100, 'A company has 1 to 100 characters.');

const upTo = (what: string, most: number) => z.string().trim().max(most, `${what} has at most ${most} characters.`);

export const street = upTo('A street', 200);
export const postalCode = upTo('A postal code', 20);
export const city = upTo('A city', 100);
export const internalReference = upTo('A reference', 100);

/** ISO 3166-1: what has a name besides its code. */
const COUNTRY_NAMES = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
export const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'A country is a code of ISO 3166, such as BE.')
  .refine((code) => COUNTRY_NAMES.of(code) !== undefined, 'There is no country of this code.');

const LANGUAGE_NAMES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
export const language = z
  .string()
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'A language is a tag of BCP 47, such as en or fr-BE.')
  .max(35, 'A language tag has at most 35 characters.')
  .refine(isLanguage, 'There is no language of this tag.');

function isLanguage(tag: string): boolean {
  try {
    return LANGUAGE_NAMES.of(tag) !== undefined;
  } catch {
    return false;
  }
}

/** Names only: an offset such as +02:00 has no summer time. */
export const timeZone = z
  .string()
  .max(64, 'A time zone has at most 64 characters.')
  .refine((zone) => /^[A-Za-z]/.test(zone) && IANAZone.isValidZone(zone), {
    message: 'A time zone is a name of the IANA database, such as Europe/Brussels.',
  });
