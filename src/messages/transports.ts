import { createTransport } from 'nodemailer';
import type { Config } from '../config.ts';
import type { RenderedMessage } from './render.ts';

/** A message on its way out. */
interface Delivery {
  /** Of the message; the same at each attempt, so that a repetition after a lost answer can be recognised. */
  id: string;
  recipient: string;
  content: RenderedMessage;
}

/** Hands messages of one channel to whoever carries them. */
export interface Transport {
  /** @throws DeliveryError, after the time for one attempt at the latest. */
  send(delivery: Delivery): Promise<void>;
  close(): void;
}

/** An attempt that failed. Its message carries nothing of the message's content, nor what the other side answered in words. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  constructor(
    message: string,
    /** Repeating it would not help. */
    readonly permanent: boolean,
  ) {
    super(message);
  }
}

/** Mails at a time, and so connections to the mail server. */
const MAIL_CONNECTIONS = 5;

/** By SMTP_URL; null without it. */
export function createMailTransport({ secrets, mailFrom, limits }: Config): Transport | null {
  if (secrets.smtpUrl === undefined) return null;
  const timeoutMs = limits.MESSAGE_TIMEOUT_SECONDS * 1000;
  const mailer = createTransport({
    url: secrets.smtpUrl,
    pool: true,
    maxConnections: MAIL_CONNECTIONS,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0]);
  // Broken idle connections; what is to be sent next opens another.
  mailer.on('error', () => undefined);
  const domain = /@([^\s<>@]+)>?\s*$/.exec(mailFrom)?.[1] ?? 'localhost';
  return {
    send: async ({ id, recipient, content }) => {
      const mail = {
        from: mailFrom,
        // As an object, so that it is one address whatever it consists of.
        to: { name: '', address: recipient },
        subject: content.subject,
        text: content.text,
        html: content.html ?? undefined,
        messageId: `<${id}@${domain}>`,
        headers: { 'auto-submitted': 'auto-generated' },
        signal: AbortSignal.timeout(timeoutMs),
      };
      await mailer.sendMail(mail).catch((error: NodeJS.ErrnoException & { responseCode?: number }) => {
        throw mailFailure(error);
      });
    },
    close: () => mailer.close(),
  };
}

function mailFailure({ code, responseCode }: { code?: string; responseCode?: number }): DeliveryError {
  if (responseCode === undefined)
    return new DeliveryError(`The mail server did not take the mail (${code ?? 'no connection'}).`, false);
  // A refused login is a matter of the configuration; a refused recipient or mail will be refused again.
  const permanent = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return new DeliveryError(`The mail server answered ${responseCode} (${code ?? 'no reason'}).`, permanent);
}

/** By an HTTP request to SMS_URL; null without it. */
export function createSmsTransport({ secrets, sms, limits }: Config): Transport | null {
  const { smsUrl, smsAuthorization } = secrets;
  if (smsUrl === undefined) return null;
  return {
    send: async ({ id, recipient, content }) => {
      const response = await fetch(smsUrl, {
        method: 'POST',
        headers: {
          'content-type': sms.contentType,
          'idempotency-key': id,
          ...(smsAuthorization !== undefined && { authorization: smsAuthorization }),
        },
        body: smsBody(sms, recipient, content.text),
        redirect: 'error',
        signal: AbortSignal.timeout(limits.MESSAGE_TIMEOUT_SECONDS * 1000),
      }).catch((error: Error & { cause?: { code?: string } }) => {
        throw new DeliveryError(`The SMS service cannot be reached (${error.cause?.code ?? error.name}).`, false);
      });
      await response.body?.cancel().catch(() => undefined);
      if (response.ok) return;
      const { status } = response;
      const permanent = status >= 400 && status < 500 && status !== 408 && status !== 429;
      throw new DeliveryError(`The SMS service answered ${status}.`, permanent);
    },
    close: () => undefined,
  };
}

/** Puts number and text into the template, written as its content type asks. */
export function smsBody({ bodyTemplate, contentType }: Config['sms'], to: string, text: string): string {
  const written = (value: string): string => {
    if (/json/i.test(contentType)) return JSON.stringify(value).slice(1, -1);
    if (/x-www-form-urlencoded/i.test(contentType)) return encodeURIComponent(value);
    if (/xml/i.test(contentType)) return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
    return value;
  };
  return bodyTemplate.replace(/\{(to|text)\}/g, (_, name) => written(name === 'to' ? to : text));
}
