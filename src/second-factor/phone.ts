import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { AppError } from '../errors.ts';

/**
 * A phone number with its country code in E.164 form (TFA-11); spaces and punctuation are taken out.
 * @throws AppError INVALID_PHONE_NUMBER
 */
export function parsePhoneNumber(entered: string, ...path: string[]): string {
  const number = parsePhoneNumberFromString(entered);
  if (!number?.isValid())
    throw new AppError('INVALID_PHONE_NUMBER', 'Give a phone number with its country code, as +32 470 12 34 56.', path);
  return number.number;
}
