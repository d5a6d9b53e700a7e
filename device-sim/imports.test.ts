import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

test('SIM-01 of the platform the simulator knows nothing but the wire protocol', async () => {
  const root = resolve(import.meta.dirname, '..');
  const files = (await readdir(import.meta.dirname, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const outside: string[] = [];
  for (const name of files) {
    const file = join(import.meta.dirname, name);
    const text = await readFile(file, 'utf8');
    for (const [, from = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = relative(root, resolve(file, '..', from));
      if (!target.startsWith('device-sim/') && !target.startsWith('client/')) outside.push(target);
    }
  }
  expect(files.length).toBeGreaterThan(10);
  expect([...new Set(outside)].sort()).toEqual(['src/gateway/protocol.ts', 'src/gateway/stream-socket.ts']);
});
