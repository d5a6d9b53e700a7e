import { parseAst } from 'vitest/node';

/** One chapter of docs/domain-rules.md. */
export interface Area {
  code: string;
  title: string;
  ids: string[];
}

const ID = '[A-Z][A-Z0-9]+-\\d{2,3}';

/** The areas with their rules, in the order of the document. */
export function parseRules(markdown: string): Area[] {
  const areas: Area[] = [];
  for (const line of markdown.split('\n')) {
    const heading = /^## (?:\d+\. )?(?<title>.+?) \((?<code>[A-Z][A-Z0-9]+)\)/.exec(line)?.groups;
    if (heading?.title && heading.code) areas.push({ code: heading.code, title: heading.title, ids: [] });
    const id = new RegExp(`^- \\*\\*(${ID})\\*\\*`).exec(line)?.[1];
    if (!id) continue;
    const area = areas.at(-1);
    if (area?.code !== id.slice(0, id.lastIndexOf('-'))) throw new Error(`${id} stands outside its own chapter.`);
    area.ids.push(id);
  }
  return areas;
}

/** The rule ids that a title begins with: `CON-27 CON-05 refuses …` names two. */
export function idsOf(title: string): string[] {
  const start = new RegExp(`^(?:${ID}(?:[,:]?\\s+|[,:]?$))+`).exec(title)?.[0] ?? '';
  return start.match(new RegExp(ID, 'g')) ?? [];
}

/** Whether a title begins with a range such as `CON-20 to CON-23` or `CON-20–23`: no search finds what lies between. */
export function beginsWithRange(title: string): boolean {
  return new RegExp(
    `^(?:${ID},?\\s+)*${ID}\\s*(?:-|–|—|\\.\\.+|…|to\\s|until\\s|through\\s)\\s*(?:${ID}|\\d{2}\\b)`,
  ).test(title);
}

/**
 * The titles of the tests and groups of tests in a source, as far as they are written out. Those marked `.skip` or
 * `.todo` are left out with all they contain: they prove nothing. (`.skipIf` counts: it runs somewhere.)
 */
export function testTitles(source: string): string[] {
  const titles: string[] = [];
  visit(parseAst(source, { lang: 'ts' }));
  return titles;

  function visit(node: unknown): void {
    if (Array.isArray(node)) node.forEach(visit);
    if (!isNode(node)) return;
    if (node.type === 'CallExpression' && isTestFunction(node.callee)) {
      if (isSwitchedOff(node.callee)) return;
      const [first] = node.arguments as unknown[];
      const title = isNode(first) ? writtenText(first) : undefined;
      if (title !== undefined) titles.push(title);
    }
    for (const value of Object.values(node)) visit(value);
  }
}

interface Node {
  type: string;
  [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `it`, and whatever hangs on it: `it.only`, `it.each(rows)`, it.each`table`. */
function isTestFunction(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'Identifier') return ['describe', 'it', 'test', 'suite'].includes(String(callee.name));
  return isTestFunction(below(callee));
}

function isSwitchedOff(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  const property = callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property.name : undefined;
  return property === 'skip' || property === 'todo' || isSwitchedOff(below(callee));
}

function below(callee: Node): unknown {
  if (callee.type === 'MemberExpression') return callee.object;
  if (callee.type === 'CallExpression') return callee.callee;
  if (callee.type === 'TaggedTemplateExpression') return callee.tag;
  return undefined;
}

/** What is inserted into a template is known only when it runs; `…` stands for it. */
function writtenText(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral') return undefined;
  return (node.quasis as { value: { cooked: string } }[]).map((part) => part.value.cooked).join('…');
}
