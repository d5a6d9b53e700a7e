import { describe, expect, it } from 'vitest';
import { beginsWithRange, idsOf, parseRules, testTitles } from './rules-parse.ts';

describe('parseRules', () => {
  it('takes areas from the headings and ids from the list, not from the text', () => {
    const markdown = [
      '# Rules',
      '- **Rule id** is stable (`USR-04`).',
      '## 1. Accounts & plans (ACC)',
      '- **ACC-01** An account; see CON-05.',
      '- **ACC-02** Another.',
      '## 13. M2web (M2W) — beyond the sources',
      '- **M2W-08** Works.',
      '## Conflicts',
      '| Expiry | **TFA-28** |',
    ].join('\n');
    expect(parseRules(markdown)).toEqual([
      { code: 'ACC', title: 'Accounts & plans', ids: ['ACC-01', 'ACC-02'] },
      { code: 'M2W', title: 'M2web', ids: ['M2W-08'] },
    ]);
  });

  it('refuses a rule in the chapter of another area', () => {
    expect(() => parseRules('## 1. Accounts (ACC)\n- **CON-01** Lost.')).toThrow('CON-01');
  });
});

describe('idsOf', () => {
  it.each([
    ['GW-12 closes the tunnel', ['GW-12']],
    ['CON-27 CON-05 refuses when none is free', ['CON-27', 'CON-05']],
    ['M2W-08, TOK-06: works without state', ['M2W-08', 'TOK-06']],
    ['CON-22', ['CON-22']],
    ['refuses as CON-05 says', []],
    ['CON-5 is no id', []],
    ['CON-27 and CON-05 both', ['CON-27']],
  ])('%s', (title, ids) => expect(idsOf(title)).toEqual(ids));
});

describe('beginsWithRange', () => {
  it.each([
    ['CON-20 to CON-23 shares slots', true],
    ['WTL-01 CON-20–23 shares slots', true],
    ['CON-20..CON-23', true],
    ['CON-20-23', true],
    ['CON-20 CON-23 shares 2 to 3 slots', false],
    ['CON-20 to a full account', false],
    ['CON-20 – 5 callers at once', false],
  ])('%s: %s', (title, expected) => expect(beginsWithRange(title)).toBe(expected));
});

describe('testTitles', () => {
  const titlesOf = (...lines: string[]) => testTitles(lines.join('\n'));

  it('finds plain, chained, tabled and nested titles, whatever the quotes', () => {
    expect(
      titlesOf(
        `import { it } from 'vitest';`,
        `describe("GRK", (): void => { it('GRK-01 is one', async () => {}); });`,
        `it.each([["it(1)"]] as string[][])(\`GRK-02 is \${two} of \${many}\`, (a: string) => {});`,
        `it.skipIf(!process.env.X)('GRK-03 is three', () => {});`,
        `test.concurrent.for([1])('GRK-04 is four', () => {});`,
        `it.each\`a\n\${1}\`("GRK-05 is five", () => {});`,
        `// it('GRK-06 is a comment')`,
        `submit('GRK-07 is no test'); /it('GRK-08')/.test(x);`,
      ),
    ).toEqual(['GRK', 'GRK-01 is one', 'GRK-02 is … of …', 'GRK-03 is three', 'GRK-04 is four', 'GRK-05 is five']);
  });

  it('leaves out what never runs', () => {
    expect(
      titlesOf(
        `it.todo('GRK-01 later');`,
        `it.skip('GRK-02 not now', () => {});`,
        `it.skip.each([1])('GRK-03 not now', () => {});`,
        `describe.skip('GRK-04', () => { it('GRK-05 inside', () => {}); });`,
      ),
    ).toEqual([]);
  });
});
