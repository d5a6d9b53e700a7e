import { z } from 'zod';
import { builder } from './builder.ts';

/** Users and Ewons have three custom values each, whose names the account sets (CF-01, CF-02). */
export const CustomFieldValueType = builder
  .objectRef<{ label: string; value: string | null }>('CustomFieldValue')
  .implement({
    description: 'One of three values that the account gives its own meaning (EWN-06, USR-08).',
    fields: (t) => ({
      label: t.exposeString('label', { description: 'The name that the account has given the field.' }),
      value: t.exposeString('value', { nullable: true, description: 'Free text; null where there is none.' }),
    }),
  });

/** Custom values as they are given: up to three, in the order of the fields (CF-05). */
export const customFields = z
  .array(z.string().max(255, 'A custom value has at most 255 characters.').nullable())
  .max(3, 'There are three custom fields.')
  .nullable();
