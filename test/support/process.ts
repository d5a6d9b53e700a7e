import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';

/** The program in a process of its own, to be killed. */
export interface TestProcess {
  /** From its ready line; `api` is null without that role. */
  ready: { api: string | null; device: string; tunnel: string };
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** What to give to `node` for a program of the sources, compiled: `src/main`. */
export const compiled = (name: string): string => join(inject('program'), `${name}.js`);

/**
 * Starts `src/main.ts` with these variables on free ports, and waits until it is ready.
 * @param program what `node` is given; outside a run of tests nothing is compiled
 */
export async function startProcess(
  env: Record<string, string>,
  program: string[] = [compiled('src/main')],
): Promise<TestProcess> {
  const child = spawn(process.execPath, program, {
    env: {
      ...process.env,
      HTTP_PORT: '0',
      DEVICE_PORT: '0',
      TUNNEL_PORT: '0',
      PORTAL_PORT: '0',
      ...env,
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ready = await new Promise<TestProcess['ready']>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said += `${line}\n`;
      if (line.includes('talkgate is ready')) resolve(JSON.parse(line));
    });
    child.once('exit', (code) => reject(new Error(`The process ended with ${code} before it was ready: ${said}`)));
  });
  return {
    ready,
    kill: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}
