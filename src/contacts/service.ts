import type { ActorContext } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { AppError, notFound } from '../errors.ts';
import type { Contact } from '../generated/prisma/client.ts';
import { findStoredResult, storeResult } from '../idempotency.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { contactsVisibleTo } from './rules.ts';

/** CTC-04 */
export interface ContactFields {
  /** 1–100 characters. */
  name: string;
  email: string;
  /** E.164 */
  phone: string | null;
  /** What the person does, 1–100 characters. */
  function: string | null;
}

/**
 * Adds a contact person (CTC-03). @returns its key
 * @throws AppError FORBIDDEN, ACCOUNT_LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED, LOGIN_EXPIRED
 */
export function createContact(
  ctx: ActorContext,
  fields: ContactFields,
  idempotencyKey: string | null,
): Promise<{ contactId: string }> {
  return inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireAdministrator(actor);
    const request = { operation: 'createContact', key: idempotencyKey, input: fields };
    const stored = await findStoredResult(tx, ctx, request);
    if (stored != null) {
      // It may be gone by now.
      await findContact(tx, actor, stored);
      return { contactId: stored };
    }
    const most = ctx.config.limits.CONTACTS_PER_ACCOUNT;
    if ((await tx.contact.count({ where: { accountId } })) >= most)
      throw new AppError('ACCOUNT_LIMIT_REACHED', `An account has at most ${most} contacts.`);
    const { id } = await tx.contact.create({ data: { accountId, ...fields, createdAt: now } });
    await storeResult(tx, ctx, request, id);
    log({ code: 'CONTACT_ADDED', user: actorSubject(actor), params: { name: fields.name } });
    return { contactId: id };
  });
}

/**
 * Changes a contact person (CTC-03); absent keeps. What is so already changes and logs nothing.
 * @throws AppError FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED
 */
export function updateContact(
  ctx: ActorContext,
  contactId: string,
  change: { [F in keyof ContactFields]?: ContactFields[F] | undefined },
): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    const contact = await findContact(tx, actor, contactId);
    const names = (Object.keys(change) as (keyof ContactFields)[]).filter(
      (name) => change[name] !== undefined && change[name] !== contact[name],
    );
    if (names.length === 0) return;
    await tx.contact.update({
      where: { id: contact.id },
      data: Object.fromEntries(names.map((name) => [name, change[name]])),
    });
    log({
      code: 'CONTACT_CHANGED',
      user: actorSubject(actor),
      params: { name: contact.name, fields: names.join(', ') },
    });
  });
}

/**
 * Removes a contact person; the last one stays (CTC-03).
 * @throws AppError FORBIDDEN, NOT_FOUND, CONTACT_NEEDED, LOGIN_EXPIRED
 */
export function deleteContact(ctx: ActorContext, contactId: string): Promise<void> {
  return inAccountAs(ctx, async ({ tx, accountId, log }, actor) => {
    requireAdministrator(actor);
    const { id, name } = await findContact(tx, actor, contactId);
    if ((await tx.contact.count({ where: { accountId } })) === 1)
      throw new AppError('CONTACT_NEEDED', 'The account keeps at least one contact; add another first.');
    await tx.contact.delete({ where: { id } });
    log({ code: 'CONTACT_REMOVED', user: actorSubject(actor), params: { name } });
  });
}

/** @throws AppError NOT_FOUND */
async function findContact(tx: Tx, actor: Actor, id: string): Promise<Contact> {
  const contact = await tx.contact.findFirst({ where: { AND: [contactsVisibleTo(actor), { id }] } });
  if (!contact) throw notFound('contact');
  return contact;
}
