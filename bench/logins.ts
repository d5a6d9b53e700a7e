// Forty logins at once, and what an unrelated query notices of them: its latency while they run, over its latency when idle.
// Both are measured in turn in one run, against one server.
import { createAccount, login, ms, percentile, send, startBenched, timed } from './support.ts';

const ROUNDS = 5;
const LOGINS = 40;
const IDLE_QUERIES = 400;
const PASSWORD = 'Bench-pass-1';
/** A dashboard's pace; it also keeps the client from being what is measured. */
const PAUSE_MS = 5;

const server = await startBenched();
try {
  const token = await createAccount(server.url, 'bench', PASSWORD);
  const query = () => timed(() => send(server.url, token, '{ ewons { totalCount } account { name plan } }'));
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  for (let index = 0; index < 200; index++) await query();

  const idle: number[] = [];
  const loaded: number[] = [];
  const throughput: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < IDLE_QUERIES; index++) {
      idle.push(await query());
      await pause();
    }
    let running = true;
    const all = timed(() =>
      Promise.all(Array.from({ length: LOGINS }, () => login(server.url, 'bench', 'admin', PASSWORD))),
    );
    void all.then(() => {
      running = false;
    });
    while (running) {
      loaded.push(await query());
      await pause();
    }
    throughput.push((LOGINS / (await all)) * 1000);
  }

  console.log(`${LOGINS} logins at once, ${ROUNDS} rounds, hashes at full cost`);
  console.log(`throughput      ${percentile(throughput, 0.5).toFixed(1)} logins/s`);
  for (const [name, share] of [
    ['median', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const [quiet, busy] = [percentile(idle, share), percentile(loaded, share)];
    console.log(
      `query, ${name.padEnd(8)} idle ${ms(quiet).padStart(9)}   during logins ${ms(busy).padStart(9)}   ratio ${(busy / quiet).toFixed(2)}`,
    );
  }
  console.log(`(${idle.length} idle queries, ${loaded.length} during logins)`);
} finally {
  await server.kill();
}
