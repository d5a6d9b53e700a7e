import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { z } from 'zod';
import { FIRMWARE_VERSION, SERIAL_NUMBER } from '../ewons/rules.ts';
import { builder } from './builder.ts';

const invalid = (scalar: string, expected: string): GraphQLError =>
  new GraphQLError(`${scalar} ${expected}.`, { extensions: { code: 'VALIDATION_FAILED' } });

/** A scalar that travels as a string which must pass a check; the message never repeats the value. */
function checkedString(
  name: 'IPv4' | 'CIDR' | 'EmailAddress' | 'PhoneNumber' | 'Cursor' | 'SerialNumber' | 'FirmwareVersion' | 'Decimal',
  description: string,
  check: (value: string) => boolean,
  expected: string,
  specifiedByURL?: string,
): void {
  const parse = (value: unknown): string => {
    if (typeof value !== 'string' || !check(value)) throw invalid(name, expected);
    return value;
  };
  builder.scalarType(name, {
    description,
    ...(specifiedByURL && { specifiedByURL }),
    serialize: (value) => value,
    parseValue: parse,
    parseLiteral: (node: ValueNode) => parse(node.kind === Kind.STRING ? node.value : null),
  });
}

const matches = (schema: z.ZodType) => (value: string) => schema.safeParse(value).success;

builder.scalarType('DateTime', {
  description: 'An instant in UTC, in the form of RFC 3339 with milliseconds: `2026-01-31T12:00:00.000Z`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const schema = z.iso.datetime({ offset: true });
    if (typeof value !== 'string' || !schema.safeParse(value).success)
      throw invalid('DateTime', 'must look like 2026-01-31T12:00:00Z');
    return new Date(value);
  },
});

builder.scalarType('Date', {
  description: 'A day in UTC without a time, in the form of RFC 3339: `2026-01-31`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/local-date.html',
  serialize: (value) => value.toISOString().slice(0, 'YYYY-MM-DD'.length),
  parseValue: (value) => {
    if (typeof value !== 'string' || !z.iso.date().safeParse(value).success)
      throw invalid('Date', 'must look like 2026-01-31');
    return new Date(`${value}T00:00:00Z`);
  },
});

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

builder.scalarType('Duration', {
  description: 'A length of time in the form of ISO 8601, in days, hours, minutes and seconds: `PT90S`, `P1DT12H`.',
  specifiedByURL: 'https://www.iso.org/standard/70907.html',
  serialize: (seconds) => `PT${seconds}S`,
  parseValue: (value) => {
    const parts = typeof value === 'string' && value.length > 2 && DURATION.exec(value);
    if (!parts) throw invalid('Duration', 'must look like PT90S or P1DT12H');
    const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number).map((part) => part || 0);
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  },
});

builder.scalarType('ByteCount', {
  description: 'A number of bytes: a whole number from 0 to 2^53 - 1, which a JavaScript number holds exactly.',
  serialize: (value) => Number(value),
  parseValue: (value) => {
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw invalid('ByteCount', 'must be a whole number from 0');
    return Number(value);
  },
});

checkedString(
  'IPv4',
  'An IPv4 address: `10.237.11.157`.',
  matches(z.ipv4()),
  'must look like 10.237.11.157',
  'https://www.rfc-editor.org/rfc/rfc791',
);
checkedString(
  'CIDR',
  'An IPv4 address with the length of its network prefix: `10.0.0.53/24`.',
  matches(z.cidrv4()),
  'must look like 10.0.0.53/24',
  'https://www.rfc-editor.org/rfc/rfc4632',
);
checkedString(
  'EmailAddress',
  'An e-mail address: `jsm@example.com`. Only its form is checked (USR-05).',
  matches(z.email().max(254)),
  'must be an e-mail address',
  'https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address',
);
checkedString(
  'PhoneNumber',
  'A phone number in the form of E.164: `+32470123456`.',
  matches(z.e164()),
  'must look like +32470123456',
  'https://www.itu.int/rec/T-REC-E.164',
);
checkedString(
  'Cursor',
  'A place in the log of the account, opaque, as the server gave it. The same cursors work in streams and in `logEntries` (EVT-05).',
  (value) => value.length <= 200,
  'must be a cursor that the server gave',
);
checkedString(
  'SerialNumber',
  'The serial number of an Ewon: four digits, four digits, two digits, with an optional leading letter: `2307-0101-25` (EWN-17).',
  (value) => SERIAL_NUMBER.test(value),
  'must look like 2307-0101-25',
);
checkedString(
  'FirmwareVersion',
  'A firmware version, major.minor`s`service: `11.1s0` (EWN-18).',
  (value) => FIRMWARE_VERSION.test(value),
  'must look like 11.1s0',
);
checkedString(
  'Decimal',
  'A decimal number as text, so that it stays exact: `-1234.50`. At most two decimals and twelve digits before them.',
  (value) => /^-?\d{1,12}(\.\d{1,2})?$/.test(value),
  'must look like 1234.50',
);

builder.scalarType('Upload', {
  description:
    'A file, sent as a part of a request in multipart/form-data. Such a request carries `Authorization`; over WebSocket there is none.',
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  serialize: () => {
    throw invalid('Upload', 'is never an answer');
  },
  parseValue: (value) => {
    if (!isFile(value)) throw invalid('Upload', 'must be a file of a multipart request');
    return value;
  },
  parseLiteral: () => {
    throw invalid('Upload', 'must be a file of a multipart request');
  },
});

function isFile(value: unknown): value is File {
  const file = value as Partial<File> | null;
  return typeof file === 'object' && typeof file?.arrayBuffer === 'function' && typeof file.size === 'number';
}
