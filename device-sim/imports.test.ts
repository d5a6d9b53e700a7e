import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

test.each(['device-sim', 'client'])('SIM-01 TUN-06 of the platform %s knows nothing but the wire', async (folder) => {
  const root = resolve(import.meta.dirname, '..');
  const files = (await readdir(join(root, folder), { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const outside: string[] = [];
  for (const name of files) {
    const file = join(root, folder, name);
    const text = await readFile(file, 'utf8');
    for (const [, from = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = relative(root, resolve(file, '..', from));
      if (target.startsWith('client/') || (folder === 'device-sim' && target.startsWith('device-sim/'))) continue;
      outside.push(target);
    }
  }
  expect(files.length).toBeGreaterThan(10);
  expect([...new Set(outside)].sort()).toEqual(['src/gateway/protocol.ts', 'src/gateway/stream-socket.ts']);
});
