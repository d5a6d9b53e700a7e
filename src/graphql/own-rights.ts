import { refreshActor } from '../logins/login.ts';
import type { LoggedInContext } from './context.ts';
import { Loaders } from './loaders.ts';

/** After a change that may concern the rights of whoever makes it: the answer tells of them as they are now (GRP-21). */
export async function renewActor(ctx: LoggedInContext): Promise<void> {
  ctx.actor = (await refreshActor(ctx, ctx.actor)) ?? ctx.actor;
  ctx.loaders = new Loaders();
}
