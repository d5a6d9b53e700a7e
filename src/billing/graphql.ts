import { z } from 'zod';
import { PlanEnum } from '../account/plan-graphql.ts';
import { accountSuccess } from '../account/success.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { LedgerKind } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import { defineList } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { idempotencyKey } from '../idempotency.ts';
import {
  connectionsAtEnd,
  daysUntil,
  type MonthAccount,
  type MonthUsage,
  type MonthWindow,
  monthCosts,
  openWindow,
  readPeaks,
  readUsage,
} from '../reports/collect.ts';
import type { Actor } from '../users/actor.ts';
import { creditCents, MAX_CREDIT_CENTS } from './ledger.ts';
import { MoneyType } from './money.ts';
import { type Charge, centsOf, type SmsPackage, smsPackages, type Tariff, tariffOf } from './rules.ts';
import { buySmsPackage, payCredit } from './service.ts';

/** BIL-16: the ledger is for Administrators. */
const ledgerVisibleTo = ({ accountId, administrator }: Actor): Prisma.LedgerEntryWhereInput =>
  administrator ? { accountId } : { accountId, id: { in: [] } };

/** What of an account its month depends on. */
const MONTH_ACCOUNT = {
  id: true,
  name: true,
  company: true,
  timeZone: true,
  plan: true,
  createdAt: true,
  openMonth: true,
  trialEndsAt: true,
  concurrentConnections: true,
  pendingSlots: true,
  pendingSlotsAt: true,
} satisfies Record<keyof MonthAccount, true>;

const LedgerKindEnum = builder.enumType('LedgerKind', {
  description: 'What a movement of the credit is for (BIL-15).',
  values: {
    CREDIT: { description: 'Added by the operator of the platform.' },
    SMS: {
      description: 'A text message beyond allowance and packages; positive when one that was not sent is given back.',
    },
    PAYMENT: { description: 'Paid by an Administrator.' },
    SMS_PACKAGE: { description: 'A package of text messages (BIL-05).' },
    MONTHLY_FEE: { description: 'The fixed fee of a month (BIL-11).' },
    CONNECTIONS: { description: 'Additional concurrent connections of a month (BIL-14).' },
    TRAFFIC: { description: 'VPN traffic beyond the included, in whole gigabytes (BIL-13).' },
    DATA_POINTS: { description: 'DataMailbox points beyond the included, in whole millions (BIL-13).' },
    MAIL: { description: 'Mails of a month that Ewons sent.' },
  } satisfies Record<LedgerKind, object>,
});

const LedgerEntryType = builder.prismaNode('LedgerEntry', {
  id: { field: 'id' },
  findUnique: whereVisible(ledgerVisibleTo),
  nullable: true,
  description:
    'A movement of the credit, which never changes (BIL-15). The credit is the sum of all. Administrators only (BIL-16).',
  fields: (t) => ({
    at: t.expose('at', {
      type: 'DateTime',
      description: 'When it counts; of what the end of a month takes, that end.',
    }),
    kind: t.expose('kind', { type: LedgerKindEnum, description: 'What it is for.' }),
    amount: t.field({
      type: MoneyType,
      description: 'Negative takes from the credit.',
      select: { amount: true },
      resolve: ({ amount }) => ({ cents: amount.times(100).toNumber() }),
    }),
    description: t.exposeString('description', { description: 'In words.' }),
  }),
});

const ledgerList = defineList({
  model: 'LedgerEntry',
  things: 'movements of the credit',
  fields: {
    at: { description: 'When it counts.' },
    kind: { description: 'What it is for.', enum: LedgerKindEnum },
    description: { description: 'In words.', order: false },
  },
  search: ['description'],
  order: [['at', 'desc']],
});

const SmsPackageType = builder.objectRef<SmsPackage>('SmsPackage').implement({
  description: 'Text messages that can be bought together (BIL-05).',
  fields: (t) => ({
    units: t.exposeInt('units', { description: 'How many.' }),
    price: t.field({
      type: MoneyType,
      description: 'For all of them; named when it is bought.',
      resolve: ({ cents }) => ({ cents }),
    }),
  }),
});

const ContractConnectionsType = builder
  .objectRef<{ now: number; thisMonth: number; included: number }>('ContractConnections')
  .implement({
    description: 'The number of concurrent connections as the contract has it (BIL-02).',
    fields: (t) => ({
      now: t.exposeInt('now', { description: 'In force.' }),
      thisMonth: t.exposeInt('thisMonth', {
        description:
          'By which this month is charged: the number that will be in force at its end, a scheduled decrease included (BIL-14, CON-17).',
      }),
      included: t.exposeInt('included', { description: 'Of the plan; those beyond cost extra.' }),
    }),
  });

/** A price in cents of a tariff. */
type Price = 'connectionCents' | 'gigabyteCents' | 'millionPointsCents' | 'mailCents' | 'smsCents';

const ContractType = builder
  .objectRef<Tariff & { account: MonthAccount & { smsUnits: number } }>('Contract')
  .implement({
    description:
      'What the plan includes a month and what everything costs (BIL-02, BIL-03). Administrators only (BIL-16).',
    fields: (t) => {
      const price = (name: Price, description: string) =>
        t.field({ type: MoneyType, description, resolve: (tariff) => ({ cents: tariff[name] }) });
      return {
        plan: t.field({ type: PlanEnum, description: 'The plan in force.', resolve: ({ plan }) => plan }),
        monthlyFee: t.field({
          type: MoneyType,
          description: 'Taken at the end of each month (BIL-11); not while the trial runs.',
          resolve: ({ allowances }) => ({ cents: allowances.feeCents }),
        }),
        trialEndsAt: t.field({
          type: 'DateTime',
          nullable: true,
          description: 'When the free trial ends (ACC-16); null when none runs.',
          resolve: ({ account }) => account.trialEndsAt,
        }),
        includedTrafficBytes: t.field({
          type: 'ByteCount',
          description: 'VPN traffic of a month, both ways.',
          resolve: ({ allowances }) => allowances.trafficBytes,
        }),
        gigabytePrice: price('gigabyteCents', 'Of each whole gigabyte (10^9 bytes) beyond it (BIL-13).'),
        includedDataPoints: t.int({
          description: 'Values of the DataMailbox in a month.',
          resolve: ({ allowances }) => allowances.dataPoints,
        }),
        millionDataPointsPrice: price('millionPointsCents', 'Of each whole million beyond them (BIL-13).'),
        includedSms: t.int({
          description: 'Text messages of a month; what is left does not carry over (BIL-12).',
          resolve: ({ allowances }) => allowances.sms,
        }),
        smsPrice: price('smsCents', 'Of a text message beyond them and those that were bought (WAK-07).'),
        smsUnitsLeft: t.int({
          description: 'Text messages that were bought and are left; they do not expire (BIL-05).',
          resolve: ({ account }) => account.smsUnits,
        }),
        mailPrice: price('mailCents', 'Of each mail that an Ewon sends, charged at the end of the month.'),
        connectionPrice: price('connectionCents', 'A month, of each connection beyond the included ones (BIL-14).'),
        concurrentConnections: t.field({
          type: ContractConnectionsType,
          description: 'How many connections at once.',
          resolve: async ({ account, allowances }, _args, { db }) => ({
            now: account.concurrentConnections,
            thisMonth: connectionsAtEnd(account, await openWindow(db, account)),
            included: allowances.concurrentConnections,
          }),
        }),
      };
    },
  });

const ChargeType = builder.objectRef<Charge>('Charge').implement({
  description: 'What the end of the month would take, if it were now.',
  fields: (t) => ({
    kind: t.field({ type: LedgerKindEnum, description: 'What for.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'In words.' }),
    quantity: t.exposeInt('quantity', { description: 'Whole units (BIL-13).' }),
    unitPrice: t.field({
      type: MoneyType,
      description: 'Of one unit.',
      resolve: ({ unitCents }) => ({ cents: unitCents }),
    }),
    amount: t.field({ type: MoneyType, description: 'Of all of them.', resolve: ({ cents }) => ({ cents }) }),
  }),
});

interface UsageSoFar extends MonthUsage {
  account: MonthAccount;
  window: MonthWindow;
  tariff: Tariff;
}

const MonthUsageType = builder.objectRef<UsageSoFar>('MonthUsage').implement({
  description:
    'What was used in the open month so far (BIL-03, BIL-07); it begins with nothing used (BIL-12). Administrators only (BIL-16).',
  fields: (t) => ({
    month: t.string({ description: 'As `2026-11`.', resolve: ({ account }) => account.openMonth }),
    from: t.field({
      type: 'DateTime',
      description: 'Its begin: 00:00 on the 1st in the time zone of the account, or when the account was created.',
      resolve: ({ window }) => window.from,
    }),
    to: t.field({ type: 'DateTime', description: 'Its end, exclusive.', resolve: ({ window }) => window.to }),
    trafficBytes: t.field({
      type: 'ByteCount',
      description: 'VPN traffic of all sessions, both ways.',
      resolve: ({ bytes }) => bytes,
    }),
    includedTrafficBytes: t.field({
      type: 'ByteCount',
      description: 'What of it the plan includes.',
      resolve: ({ tariff }) => tariff.allowances.trafficBytes,
    }),
    sms: t.exposeInt('sms', { description: 'Text messages, by whatever they were paid.' }),
    includedSms: t.int({
      description: 'Text messages that the plan includes.',
      resolve: ({ tariff }) => tariff.allowances.sms,
    }),
    mails: t.exposeInt('mails', { description: 'Mails that Ewons sent.' }),
    dataPoints: t.exposeFloat('dataPoints', { description: 'Values that the DataMailbox received: a whole number.' }),
    includedDataPoints: t.int({
      description: 'Values that the plan includes.',
      resolve: ({ tariff }) => tariff.allowances.dataPoints,
    }),
    peakConnections: t.int({
      description: 'The most connections that were open at once.',
      resolve: async ({ account, window }, _args, { db, clock }) => {
        const peaks = await readPeaks(db, account.id, daysUntil(account, window, clock.now()));
        return Math.max(0, ...peaks.map(({ peak }) => peak));
      },
    }),
    charges: t.field({
      type: [ChargeType],
      description: 'What the end of the month would take from the credit, if it were now; empty when nothing.',
      resolve: async ({ account, window, ...used }, _args, { db, config }) =>
        (await monthCosts(db, account, window, used, config)).due,
    }),
  }),
});

builder.prismaObjectFields('Account', (t) => ({
  credit: t.field({
    type: MoneyType,
    nullable: true,
    description: 'The sum of the ledger; may be below zero (BIL-01, BIL-15). Null for all but Administrators (BIL-16).',
    select: { id: true },
    resolve: async ({ id }, _args, { db, actor }) =>
      actor?.administrator ? { cents: await creditCents(db, id) } : null,
  }),
  contract: t.field({
    type: ContractType,
    nullable: true,
    description: 'What is included, and what everything costs (BIL-02). Null for all but Administrators (BIL-16).',
    select: { ...MONTH_ACCOUNT, smsUnits: true },
    resolve: (account, _args, { config, actor }) =>
      actor?.administrator ? { ...tariffOf(account.plan, config), account } : null,
  }),
  usage: t.field({
    type: MonthUsageType,
    nullable: true,
    description: 'What was used this month so far (BIL-03). Null for all but Administrators (BIL-16).',
    select: MONTH_ACCOUNT,
    resolve: async (account, _args, { db, config, actor }) =>
      actor?.administrator
        ? {
            ...(await readUsage(db, account.id, account.openMonth)),
            ...{ account, window: await openWindow(db, account), tariff: tariffOf(account.plan, config) },
          }
        : null,
  }),
  smsPackages: t.field({
    type: [SmsPackageType],
    nullable: true,
    description: 'What `buySmsPackage` sells, the smallest first (BIL-05). Null for all but Administrators (BIL-16).',
    resolve: (_account, _args, { config, actor }) => (actor?.administrator ? smsPackages(config) : null),
  }),
  ledger: t.connection(
    {
      nullable: true,
      ...ledgerList.shown({
        type: LedgerEntryType,
        description:
          'The movements of the credit, newest first unless ordered otherwise (BIL-15). Null for all but Administrators (BIL-16).',
        where: ({ actor }) => (actor?.administrator ? ledgerVisibleTo(actor) : null),
      }),
    },
    ...ledgerList.connection('Ledger'),
  ),
}));

const KEY =
  'Needed, for a payment must not be made twice: the same key and input by the same login pays once within 24 hours (API-01).';

const BuySmsPackageInput = builder.inputType('BuySmsPackageInput', {
  description: 'Which package, at which price.',
  fields: (t) => ({
    units: t.int({ required: true, description: 'Its number of text messages; see `smsPackages`.' }),
    acknowledgedPrice: t.field({
      type: 'Decimal',
      required: true,
      description: 'The price that the buyer has read; another one is refused.',
    }),
    idempotencyKey: t.string({ required: true, validate: idempotencyKey, description: KEY }),
  }),
});

const PayCreditInput = builder.inputType('PayCreditInput', {
  description: 'How much is paid.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      required: true,
      validate: z.string().refine((amount) => centsOf(amount) >= 1 && centsOf(amount) <= MAX_CREDIT_CENTS, {
        message: 'The amount is from 0.01 to 100000.00.',
      }),
      description: 'In the currency of the platform, 0.01–100000.00.',
    }),
    idempotencyKey: t.string({ required: true, validate: idempotencyKey, description: KEY }),
  }),
});

const BuySmsPackageSuccess = accountSuccess('BuySmsPackageSuccess', 'It is paid; the text messages can be used.');
const PayCreditSuccess = accountSuccess('PayCreditSuccess', 'It is paid, and part of the credit.');

builder.mutationFields((t) => ({
  buySmsPackage: t.withAuth({ loggedIn: true }).field({
    type: BuySmsPackageSuccess,
    errors: {},
    description:
      'Buys a package of text messages (BIL-05); in simulation and development the payment always succeeds. Administrators only (BIL-16). Errors: FORBIDDEN, ACKNOWLEDGEMENT_REQUIRED (another price), PAYMENT_NOT_AVAILABLE, IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED.',
    args: { input: t.arg({ type: BuySmsPackageInput, required: true }) },
    resolve: async (_root, { input: { units, acknowledgedPrice, idempotencyKey: key } }, ctx) => {
      await buySmsPackage(ctx, { units, acknowledgedCents: centsOf(acknowledgedPrice), key });
      return {};
    },
  }),
  payCredit: t.withAuth({ loggedIn: true }).field({
    type: PayCreditSuccess,
    errors: {},
    description:
      'Pays an amount into the credit (BIL-11); in simulation and development the payment always succeeds. Administrators only (BIL-16). Errors: FORBIDDEN, PAYMENT_NOT_AVAILABLE, IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED.',
    args: { input: t.arg({ type: PayCreditInput, required: true }) },
    resolve: async (_root, { input: { amount, idempotencyKey: key } }, ctx) => {
      await payCredit(ctx, { cents: centsOf(amount), key });
      return {};
    },
  }),
}));
