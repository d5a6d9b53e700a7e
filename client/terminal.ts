import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Surroundings } from './command-line.ts';
import { CodedError } from './errors.ts';

interface Terminal {
  stdin: NodeJS.ReadStream;
  stderr: NodeJS.WriteStream;
  /** Ctrl-C, which reaches a program that reads key by key as a key. */
  interrupt: () => void;
  signal: AbortSignal;
}

/** Asks at the terminal; what is hidden is not echoed. The question goes to standard error, so that results stay clean. */
export function askAtTerminal({ stdin, stderr, interrupt, signal }: Terminal): NonNullable<Surroundings['ask']> {
  return (question, { hidden }) =>
    new Promise((resolve, reject) => {
      let muted = false;
      const output = new Writable({
        write(chunk, _encoding, done) {
          if (!muted) stderr.write(chunk);
          done();
        },
      });
      const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
      const stop = () => lines.close();
      signal.addEventListener('abort', stop, { once: true });
      lines.on('SIGINT', interrupt);
      lines.on('close', () => {
        signal.removeEventListener('abort', stop);
        if (hidden) stderr.write('\n');
        reject(new CodedError('STOPPED', 'No answer was given.'));
      });
      lines.question(question, (answer) => {
        resolve(answer);
        lines.close();
      });
      muted = hidden;
    });
}
