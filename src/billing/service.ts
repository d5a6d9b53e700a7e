import type { ActorContext } from '../context.ts';
import { AppError, ValidationError } from '../errors.ts';
import { findStoredResult, storeResult } from '../idempotency.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { amountText, ledgerAmount, MAX_CREDIT_CENTS } from './ledger.ts';
import { smsPackages } from './rules.ts';

/** What somebody wants to pay for. */
interface Purchase {
  operation: 'buySmsPackage' | 'payCredit';
  key: string;
  /** What was asked for, as the idempotency key stands for it. */
  input: unknown;
  cents: number;
  purpose: string;
  /** Refuses what cannot be bought; not asked when it was bought before under this key. @throws AppError */
  check(): void;
  /** What is given for the payment, in the transaction that books it. @param key of its movement where there is no payment */
  give(account: AccountTx, key: string | null): Promise<void>;
}

/**
 * Buys a package of text messages (BIL-05): a payment, and the package for it. The messages are used when the allowance of a month
 * is, and do not expire.
 * @param acknowledgedCents the price that the caller has read; another one is refused
 * @throws AppError FORBIDDEN (BIL-16), VALIDATION_FAILED (no such package), ACKNOWLEDGEMENT_REQUIRED (another price),
 *   PAYMENT_NOT_AVAILABLE, IDEMPOTENCY_KEY_REUSED, LOGIN_EXPIRED
 */
export function buySmsPackage(
  ctx: ActorContext,
  { units, acknowledgedCents, key }: { units: number; acknowledgedCents: number; key: string },
): Promise<void> {
  const packages = smsPackages(ctx.config);
  return purchase(ctx, {
    ...{ operation: 'buySmsPackage', key, input: [units, acknowledgedCents] },
    ...{ cents: acknowledgedCents, purpose: `${units} text messages` },
    check: () => {
      const offered = packages.find((one) => one.units === units);
      if (!offered) {
        const sizes = packages.map((one) => one.units).join(', ');
        throw new ValidationError([{ path: ['units'], message: `The packages have ${sizes} text messages.` }]);
      }
      if (offered.cents !== acknowledgedCents)
        throw new AppError(
          'ACKNOWLEDGEMENT_REQUIRED',
          `The price of this package is ${amountText(offered.cents, ctx.config)}: repeat it with this price.`,
          ['acknowledgedPrice'],
        );
    },
    give: async ({ tx, now, accountId, log }, once) => {
      await tx.ledgerEntry.create({
        data: {
          ...{ accountId, at: now, key: once, kind: 'SMS_PACKAGE', amount: ledgerAmount(-acknowledgedCents) },
          description: `Package of ${units} text messages`,
        },
      });
      await tx.account.update({ where: { id: accountId }, data: { smsUnits: { increment: units } } });
      const amount = amountText(acknowledgedCents, ctx.config);
      log({ code: 'SMS_PACKAGE_BOUGHT', user: actorSubject(ctx.actor), params: { units, amount } });
    },
  });
}

/**
 * Pays an amount into the credit of the account (BIL-11).
 * @param cents 1 to MAX_CREDIT_CENTS
 * @throws AppError FORBIDDEN (BIL-16), VALIDATION_FAILED (amount), PAYMENT_NOT_AVAILABLE, IDEMPOTENCY_KEY_REUSED, LOGIN_EXPIRED
 */
export function payCredit(ctx: ActorContext, { cents, key }: { cents: number; key: string }): Promise<void> {
  return purchase(ctx, {
    ...{ operation: 'payCredit', key, input: [cents], cents, purpose: 'credit' },
    check: () => {
      if (cents < 1 || cents > MAX_CREDIT_CENTS)
        throw new ValidationError([
          { path: ['amount'], message: `The amount is from 0.01 to ${ledgerAmount(MAX_CREDIT_CENTS)}.` },
        ]);
    },
    give: async () => undefined,
  });
}

/** What is kept under the key of a purchase until it is booked. */
const RESERVED = 'reserved';

/**
 * Pays outside of any transaction, for a provider may take its time, then books. Key and input are kept before, so that of two at
 * once under one key only the same ask the provider. Whoever repeats it under the same key pays once, wherever it was interrupted:
 * the provider knows the key too, and the movement in the ledger keeps it for good. What was paid is booked, whatever has become of
 * the rights of who paid.
 */
async function purchase(ctx: ActorContext, { give, check, cents, purpose, ...request }: Purchase): Promise<void> {
  const { accountId, loginId } = ctx.actor;
  const ledgerKey = `PURCHASE ${loginId} ${request.key}`;
  /** Whether it is in the ledger. @throws AppError IDEMPOTENCY_KEY_REUSED */
  const isBooked = async ({ tx }: AccountTx): Promise<boolean> => {
    const before = await tx.ledgerEntry.findUnique({ where: { accountId_key: { accountId, key: ledgerKey } } });
    if (!before) return false;
    // The purpose ends the description; a package that costs nothing has no payment.
    if (before.amount.equals(ledgerAmount(cents)) && before.description.endsWith(` ${purpose}`)) return true;
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used with another input.', [
      'idempotencyKey',
    ]);
  };
  const done = await inAccountAs(ctx, async (account, actor) => {
    requireAdministrator(actor);
    const { tx } = account;
    const stored = await findStoredResult(tx, ctx, request);
    if ((stored !== undefined && stored !== RESERVED) || (await isBooked(account))) return true;
    // What was begun under this key may have been paid: it is not asked again.
    if (stored === undefined) check();
    if (!ctx.payments && cents > 0)
      throw new AppError('PAYMENT_NOT_AVAILABLE', 'This installation has no way to pay; ask its operator.');
    await storeResult(tx, ctx, request, RESERVED);
    return false;
  });
  if (done) return;
  const order = { key: `${loginId} ${request.key}`, accountId, cents, currency: ctx.config.limits.CURRENCY, purpose };
  // What costs nothing is not paid for.
  const paid = cents > 0 ? await ctx.payments?.pay(order) : undefined;
  await inAccount(ctx, accountId, async (account) => {
    const { tx, now, log } = account;
    // The same request, sent twice at once, has been booked meanwhile.
    if (await isBooked(account)) return;
    if (paid) {
      await tx.ledgerEntry.create({
        data: {
          ...{ accountId, at: now, kind: 'PAYMENT', key: ledgerKey, amount: ledgerAmount(cents) },
          description: `Payment ${paid.reference}: ${purpose}`,
        },
      });
      const amount = amountText(cents, ctx.config);
      log({ code: 'PAYMENT_RECEIVED', user: actorSubject(ctx.actor), params: { amount, purpose } });
    }
    await give(account, paid ? null : ledgerKey);
    if ((await tx.login.count({ where: { id: loginId } })) > 0)
      await storeResult(tx, ctx, request, paid?.reference ?? 'nothing to pay');
  });
}
