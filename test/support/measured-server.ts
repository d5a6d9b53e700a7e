// A server in a process of its own, whose memory can be measured: run with `--expose-gc`. It answers messages of its parent.
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { inAccount } from '../../src/log/write.ts';

/** What the parent asks; each is answered with the same `id`. */
export type Question =
  | { id: number; ask: 'memory' }
  | { id: number; ask: 'write'; account: string; entries: number; bytes: number };

const app = await createApp(readConfig(process.env));

async function answer(question: Question): Promise<unknown> {
  if (question.ask === 'memory') {
    for (let round = 0; round < 4; round++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }
  const { id } = await app.platform.db.account.findFirstOrThrow({ where: { name: question.account } });
  const setting = 'x'.repeat(question.bytes);
  for (let left = question.entries; left > 0; left -= 10) {
    await inAccount(app.platform, id, async ({ log }) =>
      log(
        ...Array.from({ length: Math.min(10, left) }, () => ({
          code: 'ACCOUNT_CHANGED' as const,
          params: { setting },
        })),
      ),
    );
  }
  return null;
}

process.on('message', (question: Question) => {
  void answer(question).then((result) => process.send?.({ id: question.id, result }));
});
process.on('disconnect', () => void app.close().then(() => process.exit(0)));
process.send?.({ url: app.url });
