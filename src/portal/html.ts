import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Markup that is safe to send: only {@link html} makes it. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | null | undefined | false | readonly Part[];

/** A template whose values are escaped, unless they are markup themselves; null, undefined and false are nothing. */
export const html = (texts: TemplateStringsArray, ...values: Part[]): Html =>
  new Html(texts.map((text, index) => text + render(values[index])).join(''));

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; border-bottom: 1px solid #8886; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
form { display: inline; }
form.fields { display: grid; gap: .6rem; max-width: 22rem; }
form.fields label { display: grid; }
input, button { font: inherit; padding: .3rem .5rem; }
.error { color: #b00020; font-weight: 600; }
.quiet { opacity: .7; }
svg.map { width: 100%; height: auto; background: #8882; }
svg.map circle { fill: #888; } svg.map circle.online { fill: #1a8f3c; } svg.map circle.connected { fill: #0b62c4; }
svg.map text { font-size: 11px; fill: currentColor; } svg.map line { stroke: #8885; }
`;

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const STYLE_DIGEST = digest(STYLE);

/** A page of the platform's own. */
export interface Page {
  title: string;
  body: Html;
  /** 200 unless said otherwise. */
  status?: number;
  /** A script that a page may do without. */
  script?: string;
  /** Goes on to this path of the same site by itself. */
  refresh?: string;
  /** Origins beside its own that its forms may be sent to. */
  formOrigins?: readonly string[];
  headers?: Record<string, string>;
}

/** Sends a page that nothing can be put into: nothing is loaded, framed, cached or told to other sites. */
export function sendPage(response: ServerResponse, page: Page): void {
  const { title, body, script, refresh } = page;
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh && html`<meta http-equiv="refresh" content="0; url=${refresh}">`}
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${body}
${script && new Html(`<script>${script}</script>`)}
</body>
</html>
`.text;
  response.writeHead(page.status ?? 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'content-security-policy': [
      "default-src 'none'",
      `style-src ${STYLE_DIGEST}`,
      ...(script === undefined ? [] : [`script-src ${digest(script)}`]),
      `form-action 'self' ${(page.formOrigins ?? []).join(' ')}`.trim(),
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    ...page.headers,
  });
  response.end(text);
}

/** Sends a browser on with GET. */
export function redirect(response: ServerResponse, location: string, headers: Record<string, string> = {}): void {
  response.writeHead(303, { location, 'cache-control': 'no-store', 'content-length': 0, ...headers });
  response.end();
}
