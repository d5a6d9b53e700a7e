import { PLANS, requireFeature } from '../account/plans.ts';
import type { ActorContext, Platform } from '../context.ts';
import { nameKey } from '../ewons/rules.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';

/** How many web pages of an account may carry the login form. */
export const MAX_ORIGINS = 20;

/**
 * An origin as browsers send it: scheme, host in lower case, port where it is not the usual one. Null for anything else, such
 * as one with a path; http only where nobody listens in.
 */
export function originIn(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return null;
  if (url.pathname !== '/' || url.search || url.hash || text.includes('?') || text.includes('#')) return null;
  if (url.protocol === 'http:' && !/^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)) return null;
  return url.origin;
}

/**
 * Sets which web pages may carry the login form of the portal (M2W-06, BRD-03): exact origins, all others no longer. Part of the
 * branding of the portal.
 * @throws AppError FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, LOGIN_EXPIRED
 */
export function setPortalOrigins(ctx: ActorContext, origins: readonly string[]): Promise<void> {
  return inAccountAs(ctx, async ({ tx, accountId, log }, actor) => {
    requireAdministrator(actor);
    requireFeature(actor.plan, 'portalBranding');
    const { portalOrigins } = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { portalOrigins: true },
    });
    const wanted = [...new Set(origins)].sort();
    if (wanted.join() === portalOrigins.join()) return;
    await tx.account.update({ where: { id: accountId }, data: { portalOrigins: wanted } });
    log({
      code: 'ACCOUNT_CHANGED',
      user: actorSubject(actor),
      params: { setting: 'web pages with the login form of the portal' },
    });
  });
}

/** Whether a page of this origin may carry the login form of the account (M2W-06). */
export async function mayCarryLoginForm({ db }: Platform, accountName: string, origin: string): Promise<boolean> {
  const account = await db.account.findUnique({
    where: { nameKey: nameKey(accountName) },
    select: { plan: true, portalOrigins: true },
  });
  return account !== null && PLANS[account.plan].portalBranding && account.portalOrigins.includes(origin);
}
