import { z } from 'zod';
import { builder } from '../builder.ts';

const text = z.string().max(500, 'A text to compare with has at most 500 characters.');
const many = z.array(z.any()).max(500, 'At most 500 values.');

/** Of a field that is a text (LST-03). */
export const StringFilter = builder.inputType('StringFilter', {
  description: 'What a text is compared with. All that is given holds together; null is as if it were absent.',
  fields: (t) => ({
    equals: t.string({
      validate: text,
      description: 'This text; names are compared without regard to case, all other texts exactly.',
    }),
    contains: t.string({ validate: text, description: 'Part of it, without regard to case.' }),
    in: t.stringList({ validate: many, description: 'One of these, compared as with `equals`; at most 500.' }),
    isNull: t.boolean({ description: 'Only where there is none, or only where there is one.' }),
  }),
});

/** Of a field that is a time (LST-03). */
export const DateTimeFilter = builder.inputType('DateTimeFilter', {
  description: 'What a time is compared with. All that is given holds together; null is as if it were absent.',
  fields: (t) => ({
    equals: t.field({ type: 'DateTime', description: 'This time, to the millisecond.' }),
    in: t.field({ type: ['DateTime'], validate: many, description: 'One of these; at most 500.' }),
    from: t.field({ type: 'DateTime', description: 'At this time or later.' }),
    to: t.field({ type: 'DateTime', description: 'Before this time.' }),
    isNull: t.boolean({ description: 'Only where there is none, or only where there is one.' }),
  }),
});

/** Of a field that is a number (LST-03). */
export const NumberFilter = builder.inputType('NumberFilter', {
  description: 'What a number is compared with. All that is given holds together; null is as if it were absent.',
  fields: (t) => ({
    equals: t.float({ description: 'This number.' }),
    in: t.floatList({ validate: many, description: 'One of these; at most 500.' }),
    min: t.float({ description: 'At least this.' }),
    max: t.float({ description: 'At most this.' }),
    isNull: t.boolean({ description: 'Only where there is none, or only where there is one.' }),
  }),
});
