import { setMaxListeners } from 'node:events';

/** A signal that ends with another one or after a time, whichever is first. Dispose it, or its timer keeps the process alive. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The time was over before the other signal ended. */
  readonly passed: boolean;
}

/**
 * Not AbortSignal.any with AbortSignal.timeout: that timer does not keep the process alive, so that a program which waits for
 * nothing else would end early.
 */
export function deadline(ms: number | undefined, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // a fleet listens to one
  let passed = false;
  const follow = () => controller.abort(parent?.reason);
  const expire = () => {
    passed = true;
    controller.abort();
  };
  const timer = ms === undefined ? undefined : setTimeout(expire, ms);
  if (parent?.aborted) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    get passed() {
      return passed;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}
