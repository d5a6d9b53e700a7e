import { type Rendered, TEMPLATES, type TemplateName } from './templates.ts';

/** A message as it leaves: a text message has neither subject nor HTML. */
export interface RenderedMessage extends Rendered {
  html: string | null;
}

/** What stands in a mail under every text. */
const FOOTER = 'This mail was written by a machine; answers are not read.';

/** What a person has entered must not look like lines of the mail; what is to have lines is a list of them. */
const oneLine = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(oneLine);
  return typeof value === 'string' ? value.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ') : value;
};

/** Fills a template. A mail gets a subject, a text, and the same text as HTML under the account's name. */
export function renderMessage(
  channel: 'MAIL' | 'SMS',
  template: string,
  params: Record<string, unknown>,
): RenderedMessage {
  const clean = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, oneLine(value)]));
  const fill = TEMPLATES[template as TemplateName] as ((params: never) => Rendered) | undefined;
  if (!fill) throw new Error(`There is no template ${template}.`);
  const { subject, text } = fill(clean as never);
  if (channel === 'SMS') return { subject: '', text, html: null };
  const accountName = String(clean.accountName ?? '');
  return { subject, text: `${text}\n\n-- \n${accountName}\n${FOOTER}\n`, html: htmlOf(subject, accountName, text) };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/** One column, system fonts, no image and nothing to load; a link stands as text, so that its reader sees where it leads. */
function htmlOf(subject: string, accountName: string, text: string): string {
  const paragraphs = text.split('\n\n').map((paragraph) => {
    const body = escaped(paragraph).replaceAll('\n', '<br>');
    return /^https?:\/\/\S+$/.test(paragraph)
      ? `<p style="margin:0 0 16px;padding:12px 16px;background:#f2f4f7;border-radius:6px;font-family:ui-monospace,Consolas,monospace;font-size:14px;word-break:break-all">${body}</p>`
      : `<p style="margin:0 0 16px">${body}</p>`;
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(subject)}</title></head>
<body style="margin:0;padding:24px 12px;background:#f2f4f7;color:#1d2733;font-family:system-ui,-apple-system,'Segoe UI',Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:560px;margin:0 auto;padding:28px 32px;background:#ffffff;border-radius:8px">
<p style="margin:0 0 20px;padding:0 0 12px;border-bottom:1px solid #d9dfe6;font-weight:600">${escaped(accountName)}</p>
${paragraphs.join('\n')}
<p style="margin:24px 0 0;padding:12px 0 0;border-top:1px solid #d9dfe6;color:#5b6773;font-size:13px">${FOOTER}</p>
</div>
</body>
</html>
`;
}
