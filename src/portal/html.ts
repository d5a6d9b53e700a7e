import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Look } from '../branding/look.ts';
import { type Skin, textOn } from '../branding/skin.ts';

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
.error { color: #b00020; color: light-dark(#b00020, #ff8a80); font-weight: 600; }
.quiet { opacity: .7; }
svg.map { width: 100%; height: auto; background: #8882; }
svg.map circle { fill: #888; } svg.map circle.online { fill: #1a8f3c; } svg.map circle.connected { fill: #0b62c4; }
svg.map text { font-size: 11px; fill: currentColor; } svg.map line { stroke: #8885; }
.brand { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem; margin: -1rem 0 1rem; padding: .75rem 0; }
.brand img { display: block; max-width: 100%; max-height: 4rem; }
.brand strong { font-size: 1.25rem; overflow-wrap: anywhere; }
.welcome { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 22rem); gap: 2rem; align-items: start; }
.welcome > img { display: block; max-width: 100%; height: auto; }
@media (max-width: 44rem) { .welcome { grid-template-columns: minmax(0, 1fr); } .welcome > img { max-height: 14rem; } }
`;

/** What a skin changes. The values are in properties of their own, so that these rules are the same for all accounts. */
const SKIN_STYLE = {
  background: ':root { background: var(--background); color-scheme: var(--scheme); color: var(--text); }',
  text: ':root { color: var(--text); }',
  accent:
    'a { color: var(--accent); } button { background: var(--accent); color: var(--on-accent); border: 1px solid #8886; border-radius: .25rem; cursor: pointer; }',
  // Wider than the page without a bar to scroll.
  banner:
    '.brand { background: var(--banner); color: var(--banner-text); box-shadow: 0 0 0 100vmax var(--banner); clip-path: inset(0 -100vmax); }',
  bannerText: '.brand { color: var(--banner-text); }',
  fontFamily: ':root, input, button { font-family: var(--font); }',
} satisfies Partial<Record<keyof Skin, string>>;

/** A style sheet of checked values alone (BRD-05); empty for a skin that changes nothing. */
function styleOf(skin: Readonly<Skin>): string {
  const { background, text, accent, banner, bannerText, fontFamily } = skin;
  const properties = {
    '--background': background,
    '--scheme': background && (textOn(background) === '#000000' ? 'light' : 'dark'),
    // What the skin does not say is what can be read.
    '--text': text ?? (background && textOn(background)),
    '--accent': accent,
    '--on-accent': accent && textOn(accent),
    '--banner': banner,
    '--banner-text': bannerText ?? (banner && textOn(banner)),
    '--font': fontFamily,
  };
  const set = Object.entries(properties).flatMap(([name, value]) => (value ? [`${name}: ${value};`] : []));
  if (set.length === 0) return '';
  const rules = Object.entries(SKIN_STYLE).flatMap(([key, rule]) => (skin[key as keyof Skin] ? [rule] : []));
  return `\n:root { ${set.join(' ')} }\n${rules.join('\n')}\n`;
}

/** The banner of each page: logo and title, where the account has set them. */
const brandOf = ({ logoImage, skin: { banner, title } }: Look): Html | null =>
  logoImage === null && title === null && banner === null
    ? null
    : html`<div class="brand">${logoImage !== null && html`<img src="${logoImage}" alt="${title === null ? 'Logo' : ''}">`}${title !== null && html`<strong>${title}</strong>`}</div>`;

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
  /** What the account has set of its own (BRD-01); the standard look if absent. */
  look?: Look;
  /** Goes on to this path of the same site by itself. */
  refresh?: string;
  /** Origins beside its own that its forms may be sent to. */
  formOrigins?: readonly string[];
  headers?: Record<string, string>;
}

/**
 * Sends a page that nothing can be put into: nothing is loaded but the images of its look, nothing framed, cached or told to
 * other sites.
 */
export function sendPage(response: ServerResponse, page: Page): void {
  const { title, body, script, refresh, look } = page;
  const style = look ? styleOf(look.skin) : '';
  const hasImages = look !== undefined && (look.logoImage !== null || look.welcomeImage !== null);
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh && html`<meta http-equiv="refresh" content="0; url=${refresh}">`}
<title>${title.replace(/^M2web\b/, (name) => look?.skin.title ?? name)}</title>
<style>${new Html(STYLE)}</style>
${style !== '' && html`<style>${new Html(style)}</style>`}
</head>
<body>
${look && brandOf(look)}
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
      `style-src ${STYLE_DIGEST}${style === '' ? '' : ` ${digest(style)}`}`,
      ...(hasImages ? ["img-src 'self'"] : []),
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
