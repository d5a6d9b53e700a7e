import type { ActorContext } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { M2uLink } from '../generated/prisma/client.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { m2uLinksVisibleTo } from './rules.ts';
import { targetIn } from './target.ts';

/**
 * Creates a link (M2U-02). Returns its id.
 * @throws AppError FORBIDDEN, LINK_TARGET_FORBIDDEN (M2U-04), LINK_NAME_IN_USE, ACCOUNT_LIMIT_REACHED, LOGIN_EXPIRED
 */
export function createM2uLink(ctx: ActorContext, { name, url }: { name: string; url: string }): Promise<string> {
  return inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireAdministrator(actor);
    const target = targetIn(url, ctx.relay.mayReach).href;
    const most = ctx.config.limits.M2U_LINKS_PER_ACCOUNT;
    if ((await tx.m2uLink.count({ where: { accountId } })) >= most)
      throw new AppError('ACCOUNT_LIMIT_REACHED', `An account has at most ${most} M2U links.`);
    const { id } = await tx.m2uLink.create({
      data: { accountId, name, nameKey: nameKey(name), url: target, createdAt: now },
    });
    log({ code: 'M2U_LINK_CREATED', user: actorSubject(actor), params: { name } });
    return id;
  }).catch(nameInUse);
}

/**
 * Changes name or target of a link (M2U-02); absent keeps. What is sent from now on goes there.
 * @throws AppError FORBIDDEN, NOT_FOUND, LINK_TARGET_FORBIDDEN (M2U-04), LINK_NAME_IN_USE, LOGIN_EXPIRED
 */
export function updateM2uLink(
  ctx: ActorContext,
  linkId: string,
  change: { name?: string | undefined; url?: string | undefined },
): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    const link = await findLink(tx, actor, linkId);
    const name = change.name ?? link.name;
    const url = change.url === undefined ? link.url : targetIn(change.url, ctx.relay.mayReach).href;
    const fields = [...(name === link.name ? [] : [`named ${name}`]), ...(url === link.url ? [] : ['target'])];
    if (fields.length === 0) return;
    await tx.m2uLink.update({ where: { id: link.id }, data: { name, nameKey: nameKey(name), url } });
    log({
      code: 'M2U_LINK_CHANGED',
      user: actorSubject(actor),
      params: { name: link.name, fields: fields.join(', ') },
    });
  }).catch(nameInUse);
}

/** Deletes a link; what devices send through it is refused (M2U-02). @throws AppError FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED */
export function deleteM2uLink(ctx: ActorContext, linkId: string): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    const { id, name } = await findLink(tx, actor, linkId);
    await tx.m2uLink.delete({ where: { id } });
    log({ code: 'M2U_LINK_DELETED', user: actorSubject(actor), params: { name } });
  });
}

async function findLink(tx: Tx, actor: Actor, id: string): Promise<M2uLink> {
  const link = await tx.m2uLink.findFirst({ where: { AND: [m2uLinksVisibleTo(actor), { id }] } });
  if (!link) throw notFound('M2U link');
  return link;
}

function nameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('LINK_NAME_IN_USE', 'Another M2U link of the account has this name.', ['name']);
  throw error;
}
