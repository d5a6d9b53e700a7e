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

/** Whether a code has a name of its own. */
function isNamed(type: 'region' | 'language', code: string): boolean {
  try {
    return new Intl.DisplayNames('en', { type, fallback: 'none' }).of(code) !== undefined;
  } catch {
    return false;
  }
}

export const country = z
  .string()
  .refine((code) => /^[A-Z]{2}$/.test(code) && isNamed('region', code), 'A country is a code of ISO 3166, such as BE.');

export const language = z
  .string()
  .max(35, 'A language tag has at most 35 characters.')
  .refine((tag) => isNamed('language', tag), 'A language is a tag of BCP 47, such as en or fr-BE.');

const TIME_ZONES = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')]);

/**
 * A name of the IANA database, also an older one such as `US/Pacific`. An offset such as +02:00 has no summer time, and an
 * abbreviation such as AET is known by some programs only.
 */
const isTimeZone = (zone: string): boolean =>
  TIME_ZONES.has(zone) || (zone.includes('/') && IANAZone.isValidZone(zone));

export const timeZone = z
  .string()
  .max(64, 'A time zone has at most 64 characters.')
  .refine(isTimeZone, { message: 'A time zone is a name of the IANA database, such as Europe/Brussels.' });
