import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator, requireRecentConfirmation } from '../users/rules.ts';
import { SECOND_FACTOR_POLICY_SELECT, type SecondFactorPolicy } from './rules.ts';

/**
 * Changes the account's second-factor policy; absent keeps (TFA-14, TFA-17, TFA-26 to TFA-29, TFA-45). Forbidding remembered PCs
 * voids those there are (TFA-35).
 * @throws AppError FORBIDDEN, REAUTHENTICATION_REQUIRED, PLAN_FEATURE_NOT_AVAILABLE (to oblige everybody)
 */
export function updateSecondFactorPolicy(
  ctx: ActorContext,
  change: { [K in keyof SecondFactorPolicy]?: SecondFactorPolicy[K] | undefined },
): Promise<void> {
  return inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireAdministrator(actor);
    requireRecentConfirmation(actor, now, ctx.config);
    const before = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { plan: true, ...SECOND_FACTOR_POLICY_SELECT },
    });
    if (change.twoFactorRequired) requireFeature(before.plan, 'requireTwoFactorForAll');
    const changed = (Object.keys(SECOND_FACTOR_POLICY_SELECT) as (keyof SecondFactorPolicy)[]).filter(
      (key) => change[key] !== undefined && change[key] !== before[key],
    );
    if (changed.length === 0) return;
    await tx.account.update({
      where: { id: accountId },
      data: Object.fromEntries(changed.map((key) => [key, change[key]])),
    });
    if (change.rememberPcAllowed === false) await tx.rememberedPc.deleteMany({ where: { user: { accountId } } });
    log({
      code: 'SECOND_FACTOR_POLICY_CHANGED',
      user: actorSubject(actor),
      params: { summary: changed.map((key) => `${key} = ${change[key] ?? 'never'}`).join(', ') },
    });
  });
}
