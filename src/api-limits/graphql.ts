import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { ViewerType } from '../logins/graphql.ts';
import type { Budget } from './limits.ts';

const BudgetType = builder.objectRef<Budget>('RequestBudget').implement({
  description: 'A limit of the API, and what is left of it.',
  fields: (t) => ({
    limit: t.exposeInt('limit', { description: 'Calls in the window.' }),
    remaining: t.exposeInt('remaining', { description: 'Calls that are left, this one not among them.' }),
    resetsAt: t.field({
      type: 'DateTime',
      description: 'When the window is over and all are there again.',
      // To the second: the clock has gone on a little since the time that is left was read.
      resolve: ({ resetMs }, _args, { clock }) => new Date(Math.round((clock.now().getTime() + resetMs) / 1000) * 1000),
    }),
  }),
});

type Budgets = Record<'account' | 'login' | 'address', Budget>;

const BudgetsType = builder.objectRef<Budgets>('RequestBudgets').implement({
  description:
    'How many calls of the API are left. Every HTTP request to GraphQL or to the M2web API is a call, and every operation over a WebSocket. The headers `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` tell it of the nearest limit; a refusal is `RATE_LIMITED` with `retryAfter` (API-03).',
  fields: (t) => ({
    account: t.expose('account', {
      type: BudgetType,
      description:
        'Of the account’s day, which begins at 00:00 UTC: 10 000 on FREE and LIGHT, 30 000 on PRO, as the platform is set (M2W-13).',
    }),
    login: t.expose('login', { type: BudgetType, description: 'Of this login, in a minute; of this instance.' }),
    address: t.expose('address', {
      type: BudgetType,
      description: 'Of the caller’s address, in a minute; of this instance.',
    }),
  }),
});

builder.objectField(ViewerType, 'budget', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: BudgetsType,
    description: 'What is left of the viewer’s limits (API-03).',
    resolve: (_viewer, _args, { apiLimits, actor, remoteAddress }: LoggedInContext) =>
      apiLimits.budgets({ id: actor.loginId, accountId: actor.accountId, plan: actor.plan }, remoteAddress),
  }),
);
