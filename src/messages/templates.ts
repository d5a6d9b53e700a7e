/*
 * What talkgate writes to people. A template is filled when its message is sent; what it is filled with is kept encrypted
 * until then. Times are ISO 8601 in UTC, links are plain text.
 */

/** What each template is filled with. */
export interface TemplateParams {
  /** INV-01, INV-06 */
  INVITATION: { accountName: string; name: string; inviter: string; link: string; validUntil: string };
  /** AUTH-12 */
  PASSWORD_RECOVERY: { accountName: string; name: string; link: string; validUntil: string };
  /** AUTH-09, to the locked user. */
  LOGIN_LOCKED: { accountName: string; name: string; attempts: number; minutes: number; until: string };
  /** AUTH-09, to the Administrators. */
  USER_LOCKED: { accountName: string; name: string; attempts: number; minutes: number; until: string };
  /** TFA-39 */
  CODE_BY_MAIL: { accountName: string; name: string; code: string; minutes: number };
  /** TFA-03 */
  CODE_BY_SMS: { accountName: string; code: string; minutes: number };
  /** TFA-20 */
  SECOND_FACTOR_ENABLED: { accountName: string; by: string };
  /** ACC-12 */
  ACCOUNT_CREATED: { accountName: string; name: string; company: string };
  /** CTC-05, of the operator to a contact of the account; the text in lines. */
  ANNOUNCEMENT: { accountName: string; subject: string; lines: string[] };
  /** WAK-02, to the SIM card of an Ewon. */
  WAKE_UP: { reference: string };
  /** GW-13 */
  DEVICE_MAIL: { accountName: string; ewonName: string; subject: string; lines: string[] };
  /** GW-13 */
  DEVICE_SMS: { accountName: string; ewonName: string; text: string };
}

export type TemplateName = keyof TemplateParams;

/** A mail has subject and text; a text message has the text alone. */
export interface Rendered {
  subject: string;
  text: string;
}

type Template<P> = (params: P) => Rendered;

export const TEMPLATES: { [T in TemplateName]: Template<TemplateParams[T]> } = {
  INVITATION: ({ accountName, name, inviter, link, validUntil }) => ({
    subject: `Invitation to ${accountName}`,
    text: `Hello ${name},\n\n${inviter} invites you to the account ${accountName}. To accept, choose your password here:\n\n${link}\n\nThe link works once, until ${validUntil}.`,
  }),
  PASSWORD_RECOVERY: ({ accountName, name, link, validUntil }) => ({
    subject: `New password for ${accountName}`,
    text: `Hello ${name},\n\nsomebody, probably you, asked for a new password in the account ${accountName}. Choose it here:\n\n${link}\n\nThe link works once, until ${validUntil}. If you did not ask, ignore this mail: nothing has changed.`,
  }),
  LOGIN_LOCKED: ({ accountName, name, attempts, minutes, until }) => ({
    subject: `Your login in ${accountName} is locked`,
    text: `Hello ${name},\n\nafter ${attempts} failed attempts your login in the account ${accountName} is locked for ${minutes} minutes, until ${until}.\n\nTo unlock it sooner, ask for a new password by "forgotten password", or ask an Administrator to set one. If the attempts were not yours, tell your Administrator.`,
  }),
  USER_LOCKED: ({ accountName, name, attempts, minutes, until }) => ({
    subject: `Login of ${name} in ${accountName} is locked`,
    text: `After ${attempts} failed attempts the login of ${name} in the account ${accountName} is locked for ${minutes} minutes, until ${until}.\n\nTo unlock it sooner, set a new password for this user.`,
  }),
  CODE_BY_MAIL: ({ accountName, name, code, minutes }) => ({
    subject: `Your code for ${accountName}`,
    text: `Hello ${name},\n\nyour code for the account ${accountName} is ${code}. It works once, within ${minutes} minutes.\n\nIf you did not log in, somebody knows your password: change it.`,
  }),
  CODE_BY_SMS: ({ accountName, code, minutes }) => ({
    subject: '',
    text: `${code} is your code for ${accountName}. It works once, within ${minutes} minutes.`,
  }),
  SECOND_FACTOR_ENABLED: ({ accountName, by }) => ({
    subject: '',
    text: `${by} enabled two-factor authentication for you in ${accountName}: from now on a code is sent to this number when you log in.`,
  }),
  ACCOUNT_CREATED: ({ accountName, name, company }) => ({
    subject: `Account ${accountName} created`,
    text: `Hello ${name},\n\nthe account ${accountName} of ${company} was created, and you are its first Administrator.`,
  }),
  ANNOUNCEMENT: ({ accountName, subject, lines }) => ({
    subject,
    text: `${lines.join('\n')}\n\nYou get this as a contact of the account ${accountName}; its Administrators keep the list.`,
  }),
  // Read by a device, not by a person: docs/protocol.md, "Wake-up".
  WAKE_UP: ({ reference }) => ({ subject: '', text: `TALKGATE WAKE UP ${reference}` }),
  DEVICE_MAIL: ({ accountName, ewonName, subject, lines }) => ({
    subject: subject || `Message of ${ewonName}`,
    text: `${lines.join('\n')}\n\nSent by the Ewon ${ewonName} of the account ${accountName}.`,
  }),
  // What its device wrote and nothing else: it pays by length.
  DEVICE_SMS: ({ text }) => ({ subject: '', text }),
};
