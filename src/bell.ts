import { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

/**
 * What a ring is about. It carries no data beyond an id: whoever hears it reads the database, so a lost ring costs a poll
 * and never an event (decision 3).
 *
 * - `log:<accountId>`: the account's log has grown.
 * - `login:<loginId>`: the login was revoked.
 * - `ewons`: the wanted state of some Ewon changed; gateways compare.
 * - `slots:<accountId>`: a slot may have become free, or a waiting caller was served.
 * - `patches`: a campaign asks some Ewon to update; gateways compare (PRV-08).
 * - `messages`: there are messages to be sent.
 * - `clock`: the platform's clock was moved on (CLK-01).
 */
type BellTopic = `log:${string}` | `login:${string}` | `slots:${string}` | 'ewons' | 'patches' | 'messages' | 'clock';

/** The doorbell between writers and readers. */
export interface Bell {
  /** Rings after a commit, never before. Never throws: what it loses, the readers' polls find. */
  ring(topic: BellTopic): void;
  /** Calls back on each ring, here or in another instance; returns the function that ends it. */
  onRing(topic: BellTopic, listener: () => void): () => void;
  /** The number of listeners, of all topics. */
  readonly listeners: number;
  close(): Promise<void>;
}

/** The bell of a single process. */
export function createLocalBell(): Bell {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    ring: (topic) => void emitter.emit(topic),
    onRing: (topic, listener) => {
      emitter.on(topic, listener);
      return () => emitter.off(topic, listener);
    },
    get listeners() {
      return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
    },
    close: async () => void emitter.removeAllListeners(),
  };
}

const CHANNEL = 'talkgate:bell';

/** The bell of several instances: Redis carries the topic to the others, the own listeners hear it at once (CLU-02). */
export async function createRedisBell(url: string, log: Logger): Promise<Bell> {
  const local = createLocalBell();
  const options = { lazyConnect: true, maxRetriesPerRequest: 1, enableOfflineQueue: false };
  const publisher = new Redis(url, options);
  const subscriber = new Redis(url, { ...options, autoResubscribe: true });
  for (const redis of [publisher, subscriber]) {
    redis.on('error', (error) =>
      log.warn({ err: error.message }, 'The bell cannot reach Redis; readers poll meanwhile'),
    );
  }
  const self = crypto.randomUUID();
  subscriber.on('message', (_channel, message) => {
    const [from, ...topic] = message.split(' ');
    if (from !== self) local.ring(topic.join(' ') as BellTopic);
  });
  await Promise.all([publisher.connect(), subscriber.connect()]);
  await subscriber.subscribe(CHANNEL);
  return {
    ...local,
    ring: (topic) => {
      local.ring(topic);
      publisher.publish(CHANNEL, `${self} ${topic}`).catch(() => undefined);
    },
    get listeners() {
      return local.listeners;
    },
    close: async () => {
      await local.close();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
