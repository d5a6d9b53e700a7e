import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { ApiToken } from '../generated/prisma/client.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import { createKey, hashToken } from '../secrets.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { API_TOKEN_LENGTH, API_TOKEN_PREFIX_LENGTH } from './access.ts';
import { apiTokensVisibleTo } from './rules.ts';

/** A token with its value, which is known only now (TOK-05). */
export interface IssuedToken {
  tokenId: string;
  value: string;
}

/**
 * Creates a token (TOK-02, TOK-11): on plans with pools for the Ewons of one pool, on the others for all (TOK-08).
 * @throws AppError FORBIDDEN, NOT_FOUND (pool), PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED (no pool), TOKEN_NAME_IN_USE,
 *   TOO_MANY_TOKENS, LOGIN_EXPIRED
 */
export function createApiToken(
  ctx: ActorContext,
  { name, poolId }: { name: string; poolId: string | null },
): Promise<IssuedToken> {
  return inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireAdministrator(actor);
    if (actor.features.pools && poolId === null) throw poolRequired();
    const most = ctx.config.limits.TOKENS_PER_ACCOUNT;
    if ((await tx.apiToken.count({ where: { accountId } })) >= most)
      throw new AppError('TOO_MANY_TOKENS', `An account has at most ${most} API tokens.`);
    if (poolId !== null) await requirePool(tx, actor, poolId);
    const { value, ...stored } = newValue();
    const { id } = await tx.apiToken.create({
      data: { ...{ accountId, name, poolId }, ...stored, nameKey: nameKey(name), createdAt: now, renewedAt: now },
    });
    log({ code: 'API_TOKEN_CREATED', user: actorSubject(actor), params: { name, prefix: stored.prefix } });
    return { tokenId: id, value };
  }).catch(nameInUse);
}

/**
 * Changes name or pool of a token (TOK-11); absent keeps. The value stays as it is.
 * @throws AppError FORBIDDEN, NOT_FOUND, PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED (no pool), TOKEN_NAME_IN_USE,
 *   LOGIN_EXPIRED
 */
export function updateApiToken(
  ctx: ActorContext,
  tokenId: string,
  change: { name?: string | undefined; poolId?: string | null | undefined },
): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    if (actor.features.pools && change.poolId === null) throw poolRequired();
    const token = await findToken(tx, actor, tokenId);
    if (change.poolId) await requirePool(tx, actor, change.poolId);
    const { name = token.name, poolId = token.poolId } = change;
    const changes = [
      ...(name === token.name ? [] : [`named ${name}`]),
      ...(poolId === token.poolId ? [] : ['other pool']),
    ];
    if (changes.length === 0) return;
    await tx.apiToken.update({ where: { id: token.id }, data: { name, nameKey: nameKey(name), poolId } });
    log({
      code: 'API_TOKEN_CHANGED',
      user: actorSubject(actor),
      params: { name: token.name, prefix: token.prefix, change: changes.join(', ') },
    });
  }).catch(nameInUse);
}

/** Gives a token a new value; the old one fails at once (TOK-02, TOK-10). @throws AppError FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED */
export function renewApiToken(ctx: ActorContext, tokenId: string): Promise<IssuedToken> {
  return inAccountAs(ctx, async ({ tx, now, log }, actor) => {
    requireAdministrator(actor);
    const token = await findToken(tx, actor, tokenId);
    const { value, ...stored } = newValue();
    await tx.apiToken.update({ where: { id: token.id }, data: { ...stored, renewedAt: now } });
    log({
      code: 'API_TOKEN_RENEWED',
      user: actorSubject(actor),
      params: { name: token.name, prefix: stored.prefix },
    });
    return { tokenId, value };
  });
}

/** Deletes a token; it fails at once (TOK-02, TOK-10). @throws AppError FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED */
export function deleteApiToken(ctx: ActorContext, tokenId: string): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    const { id, name, prefix } = await findToken(tx, actor, tokenId);
    await tx.apiToken.delete({ where: { id } });
    log({ code: 'API_TOKEN_DELETED', user: actorSubject(actor), params: { name, prefix } });
  });
}

function newValue(): { value: string; tokenHash: string; prefix: string } {
  const value = createKey(API_TOKEN_LENGTH);
  return { value, tokenHash: hashToken(value), prefix: value.slice(0, API_TOKEN_PREFIX_LENGTH) };
}

async function findToken(tx: Tx, actor: Actor, id: string): Promise<ApiToken> {
  const token = await tx.apiToken.findFirst({ where: { AND: [apiTokensVisibleTo(actor), { id }] } });
  if (!token) throw notFound('API token');
  return token;
}

async function requirePool(tx: Tx, actor: Actor, id: string): Promise<void> {
  requireFeature(actor.plan, 'pools');
  if ((await tx.pool.count({ where: { AND: [poolsVisibleTo(actor), { id }] } })) === 0) throw notFound('pool');
}

const poolRequired = () =>
  new AppError('VALIDATION_FAILED', 'On plans with pools a token is for the Ewons of one pool.', ['poolId']);

function nameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('TOKEN_NAME_IN_USE', 'Another API token of the account has this name.', ['name']);
  throw error;
}
