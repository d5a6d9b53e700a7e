import { builder } from '../graphql/builder.ts';
import { ledgerAmount } from './ledger.ts';

/** An amount in whole cents of the platform's currency; negative takes away. */
export interface Money {
  cents: number;
}

/** BIL-15 */
export const MoneyType = builder.objectRef<Money>('Money').implement({
  description: 'An amount of money, exact (BIL-15).',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      description: 'With two decimals; negative takes away.',
      resolve: ({ cents }) => ledgerAmount(cents),
    }),
    currency: t.string({
      description: 'Code of ISO 4217: `EUR`. The same for the whole platform.',
      resolve: (_money, _args, { config }) => config.limits.CURRENCY,
    }),
  }),
});
