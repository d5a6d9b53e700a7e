import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';

/** What is to be paid. */
interface PaymentOrder {
  /** With the same key it is paid once, however often it is asked. */
  key: string;
  accountId: string;
  /** At least 1. */
  cents: number;
  /** ISO 4217 */
  currency: string;
  /** For the one who pays, such as `500 text messages`. */
  purpose: string;
}

/** Takes payments: a provider behind one method. It is called outside of transactions, and may be called again for the same key. */
export interface Payments {
  /** Returns when the amount was paid, with the provider's reference for it; throws when it was not. */
  pay(order: PaymentOrder): Promise<{ reference: string }>;
}

/** Always succeeds, and moves no money (BIL-05). */
const simulatedPayments: Payments = {
  pay: async ({ key }) => ({ reference: `SIM-${createHash('sha256').update(key).digest('hex').slice(0, 12)}` }),
};

/** The payments of an installation; null where there is no way to pay: in production, without a provider. */
export const openPayments = ({ production, simulation }: Pick<Config, 'production' | 'simulation'>): Payments | null =>
  production && !simulation ? null : simulatedPayments;
