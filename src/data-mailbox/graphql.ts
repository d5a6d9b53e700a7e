import { z } from 'zod';
import { AppError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { keysOf } from '../graphql/global-id.ts';
import { pageSizes } from '../graphql/paging.ts';
import { readingIn } from '../graphql/visible.ts';
import { type LatestValue, latestOfTags } from './latest.ts';
import { dataPointsReadableBy } from './rules.ts';

const VALUE = 'As the device measured it.';
const GOOD = 'False when the device doubts the value.';
const AT = 'When the device measured it, by its own clock.';

const DataPointType = builder.prismaObject('DataPoint', {
  description: 'A value that a device has pushed to the DataMailbox (GW-14).',
  fields: (t) => ({
    ewon: t.relation('ewon', { description: 'Whose device it came from.' }),
    tag: t.exposeString('tag', { description: 'What was measured, as the device names it.' }),
    at: t.expose('at', { type: 'DateTime', description: AT }),
    value: t.exposeFloat('value', { description: VALUE }),
    good: t.exposeBoolean('good', { description: GOOD }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it reached the platform.' }),
  }),
});

const DataPointFilter = builder.inputType('DataPointFilter', {
  description: 'All given conditions hold together.',
  fields: (t) => ({
    ewonId: t.id({ description: 'Of this Ewon.' }),
    tag: t.string({ description: 'Of this tag.', validate: z.string().max(64) }),
    from: t.field({ type: 'DateTime', description: 'Measured at this time or later.' }),
    to: t.field({ type: 'DateTime', description: 'Measured before this time.' }),
  }),
});

/** The place of a value in the order of arrival, as Pothos writes it. */
const PLACE = /^GPC:I:(\d{1,18})$/;

/** The number in a cursor. @throws AppError CURSOR_INVALID */
function placeIn(cursor: string | null | undefined, name: string): bigint | null {
  if (cursor == null) return null;
  const number = PLACE.exec(Buffer.from(cursor, 'base64').toString())?.[1];
  if (number === undefined) throw new AppError('CURSOR_INVALID', `${name} is no cursor of this list.`, [name]);
  return BigInt(number);
}

builder.queryField('dataPoints', (t) =>
  t.withAuth({ reads: true }).prismaConnection(
    {
      type: DataPointType,
      cursor: 'number',
      ...pageSizes,
      maxSize: (args, ctx) => {
        placeIn(args.after, 'after');
        placeIn(args.before, 'before');
        return pageSizes.maxSize(args, ctx);
      },
      description:
        'The history of the Ewons that the viewer may see, in the order in which the values arrived (GW-14). A reader who keeps the last cursor and goes on with `after` gets each value once, also those that a device held back and sent later; what is kept no longer by then, he has missed. Also for API tokens (TOK-08).',
      args: { filter: t.arg({ type: DataPointFilter }) },
      resolve: ({ cursor: _, ...query }, _root, { filter, after, before }, ctx) => {
        const [older, newer] = [placeIn(after, 'after'), placeIn(before, 'before')];
        return ctx.db.dataPoint.findMany({
          ...query,
          // By number and not from a row: the one that the cursor is of may have been removed since.
          skip: 0,
          where: {
            AND: [
              dataPointsReadableBy(readingIn(ctx)),
              filter?.ewonId != null ? { ewonId: keysOf('Ewon', [filter.ewonId])[0] as string } : {},
              filter?.tag != null ? { tag: filter.tag } : {},
              { at: { ...(filter?.from && { gte: filter.from }), ...(filter?.to && { lt: filter.to }) } },
              { number: { ...(older !== null && { gt: older }), ...(newer !== null && { lt: newer }) } },
            ],
          },
          orderBy: { number: 'asc' },
        });
      },
    },
    { name: 'DataPointConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'DataPointEdge', description: 'An object of a page with its place.' },
  ),
);

const DataTagType = builder.objectRef<LatestValue>('DataTag').implement({
  description: 'What a device measures, with its latest value.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As the device names it.' }),
    at: t.expose('at', { type: 'DateTime', description: AT }),
    value: t.exposeFloat('value', { description: VALUE }),
    good: t.exposeBoolean('good', { description: GOOD }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it reached the platform.' }),
  }),
});

builder.prismaObjectFields('Ewon', (t) => ({
  dataTags: t.field({
    type: [DataTagType],
    description:
      'The tags of which the DataMailbox has values, by name, each with the latest by the clock of the device (GW-14).',
    args: {
      first: t.arg.int({ description: 'How many from the beginning, or behind `after`: 1–500, by default 50.' }),
      after: t.arg.string({ description: 'Behind the tag of this name.', validate: z.string().max(64) }),
    },
    select: { id: true, accountId: true },
    resolve: (ewon, { first, after }, ctx) => {
      const most = pageSizes.maxSize({ first }, ctx);
      return latestOfTags(ctx.db, ewon, Math.min(first ?? pageSizes.defaultSize({}, ctx), most), after ?? '');
    },
  }),
}));
