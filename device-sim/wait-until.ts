import { CodedError } from '../client/errors.ts';

/**
 * Waits until something holds, looking again whenever `source` emits `change`.
 *
 * @throws CodedError `TIMEOUT` with the sentence of `describe`; what `holds` throws
 */
export function waitUntil(
  source: Record<'on' | 'off', (event: 'change', listener: () => void) => unknown>,
  holds: () => boolean,
  timeoutMs: number,
  describe: () => string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      source.off('change', check);
      settle();
    };
    const check = () => {
      try {
        if (holds()) finish(resolve);
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const timer = setTimeout(() => finish(() => reject(new CodedError('TIMEOUT', describe()))), timeoutMs);
    source.on('change', check);
    check();
  });
}
