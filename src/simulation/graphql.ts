import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Message } from '../generated/prisma/client.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { page } from '../graphql/paging.ts';
import { MessageChannelEnum, MessageStateEnum, MessageTemplateEnum } from '../messages/graphql.ts';
import { type RenderedMessage, renderMessage } from '../messages/render.ts';
import { messagesVisibleTo } from '../messages/rules.ts';
import type { TemplateName } from '../messages/templates.ts';
import { requireAdministrator } from '../users/rules.ts';
import type { Simulation } from './clock.ts';

/*
 * What exists in simulation mode only: the clock that can be moved (CLK-01) and the outbox (TFA-48). None of it is in the
 * schema of a production server.
 */

/** What a clock may be advanced by at a time: ten years. */
const MAX_ADVANCE_MS = 10 * 366 * 86_400_000;

const subGraphs = ['SIMULATION' as const];

const ClockType = builder.objectRef<object>('Clock').implement({
  subGraphs,
  description: 'The platform’s clock, by which every rule that depends on time goes (CLK-02). Simulation mode only.',
  fields: (t) => ({
    now: t.field({
      type: 'DateTime',
      description: 'What time it is on the platform.',
      resolve: (_clock, _args, { clock }) => clock.now(),
    }),
    ahead: t.field({
      type: 'Duration',
      description: 'How far it is ahead of the system’s clock, in whole seconds; it stays so over a restart.',
      resolve: (_clock, _args, ctx) => Math.floor(simulationOf(ctx).aheadMs / 1000),
    }),
  }),
});

const AdvanceClockInput = builder.inputType('AdvanceClockInput', {
  subGraphs,
  isOneOf: true,
  description: 'By how much, or to when.',
  fields: (t) => ({
    by: t.field({
      type: 'Duration',
      validate: z.number().max(MAX_ADVANCE_MS / 1000, 'At most ten years at a time.'),
      description: 'On by this length of time; at most ten years.',
    }),
    to: t.field({ type: 'DateTime', description: 'To this instant, which is not in the past of the platform.' }),
  }),
});

const AdvanceClockSuccess = builder.objectRef<object>('AdvanceClockSuccess').implement({
  subGraphs,
  description: 'The clock stands there, and all that fell due on the way is done.',
  fields: (t) => ({ clock: t.field({ type: ClockType, description: 'As it is now.', resolve: () => ({}) }) }),
});

type WithContent = Message & { paramsEncrypted: string | null };
type SimulatedMessageContent = RenderedMessage & { parameters: Record<string, unknown> };

const ParameterType = builder.objectRef<{ name: string; value: string }>('SimulatedMessageParameter').implement({
  subGraphs,
  description: 'What a template was filled with, such as `code` or `link`.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is.' }),
    value: t.exposeString('value', { description: 'Its value as text.' }),
  }),
});

const SimulatedMessageType = builder.prismaObject('Message', {
  variant: 'SimulatedMessage',
  subGraphs,
  description: 'A message with all that it says, from the outbox of simulation mode (TFA-48).',
  select: { paramsEncrypted: true, channel: true, template: true },
  fields: (t) => ({
    channel: t.expose('channel', { type: MessageChannelEnum, description: 'How it travels.' }),
    template: t.field({
      type: MessageTemplateEnum,
      description: 'What it is about.',
      resolve: ({ template }) => template as TemplateName,
    }),
    recipient: t.exposeString('recipient', { description: 'The address or number in full.' }),
    state: t.expose('state', { type: MessageStateEnum, description: 'What has become of it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it was sent; null until then.' }),
    subject: t.string({
      nullable: true,
      description: 'Of a mail; null for a text message.',
      resolve: (message, _args, ctx) => contentOf(ctx, message)?.subject || null,
    }),
    text: t.string({
      nullable: true,
      description: 'What it says; null if it was written before the server ran in simulation mode.',
      resolve: (message, _args, ctx) => contentOf(ctx, message)?.text ?? null,
    }),
    html: t.string({
      nullable: true,
      description: 'The same as HTML; null for a text message.',
      resolve: (message, _args, ctx) => contentOf(ctx, message)?.html ?? null,
    }),
    parameters: t.field({
      type: [ParameterType],
      description: 'What its template was filled with.',
      resolve: (message, _args, ctx) =>
        Object.entries(contentOf(ctx, message)?.parameters ?? {}).map(([name, value]) => ({
          name,
          value: String(value),
        })),
    }),
  }),
});

function contentOf(
  { secrets }: Pick<LoggedInContext, 'secrets'>,
  { paramsEncrypted, channel, template }: Pick<WithContent, 'paramsEncrypted' | 'channel' | 'template'>,
): SimulatedMessageContent | null {
  if (paramsEncrypted === null) return null;
  const parameters = JSON.parse(secrets.decrypt(paramsEncrypted)) as Record<string, unknown>;
  return { ...renderMessage(channel, template, parameters), parameters };
}

const SimulatedMessageFilter = builder.inputType('SimulatedMessageFilter', {
  subGraphs,
  description: 'All given conditions hold together.',
  fields: (t) => ({
    recipient: t.string({ validate: z.string().max(254), description: 'The address or number in full.' }),
    template: t.field({ type: MessageTemplateEnum, description: 'What it is about.' }),
  }),
});

builder.queryFields((t) => ({
  clock: t.withAuth({ loggedIn: true }).field({
    subGraphs,
    type: ClockType,
    description: 'The platform’s clock (CLK-01). Administrators only; simulation mode only.',
    resolve: (_root, _args, { actor }) => {
      requireAdministrator(actor);
      return {};
    },
  }),
  simulatedMessages: t.withAuth({ loggedIn: true }).prismaConnection(
    {
      subGraphs,
      type: SimulatedMessageType,
      cursor: 'id',
      ...page,
      description:
        'What the account’s people were sent, newest first, with its content (TFA-48). Administrators only; simulation mode only.',
      args: { filter: t.arg({ type: SimulatedMessageFilter }) },
      resolve: (query, _root, { filter }, { db, actor }) => {
        requireAdministrator(actor);
        return db.message.findMany({
          ...query,
          where: {
            AND: [
              messagesVisibleTo(actor),
              filter?.recipient ? { recipient: filter.recipient } : {},
              filter?.template ? { template: filter.template } : {},
            ],
          },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        });
      },
    },
    { name: 'SimulatedMessageConnection', subGraphs, description: 'A page of a list, as Relay defines it.' },
    { name: 'SimulatedMessageEdge', subGraphs, description: 'An object of a page with its place.' },
  ),
}));

builder.mutationField('advanceClock', (t) =>
  t.withAuth({ loggedIn: true }).field({
    subGraphs,
    type: AdvanceClockSuccess,
    errors: {},
    description:
      'Moves the platform’s clock on, for all accounts. What falls due on the way is done in the order of its time, and when this answers it is done (CLK-03). Administrators only; simulation mode only. Errors: FORBIDDEN, CLOCK_GOES_BACK, CLOCK_ADVANCE_INCOMPLETE.',
    args: { input: t.arg({ type: AdvanceClockInput, required: true }) },
    resolve: async (_root, { input: { by, to } }, ctx) => {
      requireAdministrator(ctx.actor);
      if (to && to.getTime() - ctx.clock.now().getTime() > MAX_ADVANCE_MS)
        throw new AppError('VALIDATION_FAILED', 'At most ten years at a time.', ['to']);
      await simulationOf(ctx).advance(to ? { to } : { byMs: (by ?? 0) * 1000 });
      return {};
    },
  }),
);

function simulationOf({ simulation }: Pick<LoggedInContext, 'simulation'>): Simulation {
  if (!simulation) throw new AppError('FORBIDDEN', 'This server does not run in simulation mode.');
  return simulation;
}
