import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { renderMessage } from './render.ts';
import { backoffSeconds, maskedRecipient } from './rules.ts';
import { TEMPLATES } from './templates.ts';
import { smsBody } from './transports.ts';

const PARAMS = {
  accountName: 'acme',
  name: 'Ann "A" <script>alert(1)</script>',
  company: 'Acme & Sons',
  inviter: 'Bob\n\nhttps://evil.example/',
  link: 'https://gate.example/invitation#token',
  validUntil: '2026-01-31T12:00:00.000Z',
  until: '2026-01-31T12:00:00.000Z',
  attempts: 10,
  minutes: 15,
  code: '123456',
  by: 'Ann',
  reference: 'DEV12',
  ewonName: 'Tank <3>',
  subject: 'High\r\nBcc: x@example.com',
  lines: ['Level 98 %', '<img alt>\n\nhttps://evil.example/'],
  text: 'Full <b>now</b>',
};

describe('a mail', () => {
  it.each(Object.keys(TEMPLATES))(
    'TFA-48 %s says the same as text and as HTML, names the account, and loads nothing',
    (template) => {
      const { subject, text, html } = renderMessage('MAIL', template, PARAMS);
      expect(text).toContain('acme');
      expect(html).toContain('acme');
      expect(`${subject}${text}${html}`).not.toMatch(/undefined|\$\{/);
      expect(html).not.toMatch(/<(script|img|link|a)[\s>]|url\(|src=/i);
    },
  );

  it('escapes what people have entered, keeps it on one line, and shows a link as text', () => {
    const { text, html } = renderMessage('MAIL', 'INVITATION', PARAMS);
    expect(html).toContain('Ann &quot;A&quot; &lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).toContain('Bob https://evil.example/ invites you');
    expect(text.split('\n').filter((line) => /^https?:/.test(line))).toEqual([PARAMS.link]);
    expect(html).toContain(`>${PARAMS.link}</p>`);
  });

  it('GW-13 of a device has the lines that it gave, and no others', () => {
    const { subject, text } = renderMessage('MAIL', 'DEVICE_MAIL', PARAMS);
    expect(subject).toBe('High Bcc: x@example.com');
    expect(text.split('\n').slice(0, 4)).toEqual([
      'Level 98 %',
      '<img alt> https://evil.example/',
      '',
      'Sent by the Ewon Tank <3> of the account acme.',
    ]);
    expect(renderMessage('MAIL', 'DEVICE_MAIL', { ...PARAMS, subject: '' }).subject).toBe('Message of Tank <3>');
  });

  it('as a text message has neither subject nor HTML', () => {
    expect(renderMessage('SMS', 'CODE_BY_SMS', PARAMS)).toEqual({
      subject: '',
      text: '123456 is your code for acme. It works once, within 15 minutes.',
      html: null,
    });
  });
});

describe('the body of a text message', () => {
  const text = 'Say "hi"\\ & <go>\n100 %';
  it.each([
    ['application/json', '{"to":"{to}","text":"{text}"}', (body: string) => JSON.parse(body).text],
    [
      'application/x-www-form-urlencoded',
      'to={to}&text={text}',
      (body: string) => new URLSearchParams(body).get('text'),
    ],
    ['text/plain', '{text}', (body: string) => body],
  ])('is written as %s asks', (contentType, bodyTemplate, readBack) => {
    expect(readBack(smsBody({ contentType, bodyTemplate }, '+3225551234', text))).toBe(text);
  });

  it('is escaped for XML, and what a person wrote is no template', () => {
    const sms = { contentType: 'text/xml', bodyTemplate: '<sms to="{to}">{text}</sms>' };
    expect(smsBody(sms, '+32', '<a> {to} $&')).toBe('<sms to="+32">&#60;a&#62; {to} $&#38;</sms>');
  });
});

it('waits twice as long after each attempt, up to an hour, and a little more by chance', () => {
  const config = readConfig({ MESSAGE_RETRY_SECONDS: '10' });
  expect([1, 2, 3, 4].map((attempts) => backoffSeconds(attempts, config, 0))).toEqual([10, 20, 40, 80]);
  expect(backoffSeconds(1, config, 1)).toBe(12.5);
  expect(backoffSeconds(500, config, 0)).toBe(3600);
});

it('shows of a recipient what it takes to recognise him', () => {
  expect(maskedRecipient('jsmith@example.com')).toMatch(/^j[^a-z]+@example\.com$/);
  expect(maskedRecipient('+3225551234')).toMatch(/^\+32\D+34$/);
});
