import { type Logger as Pino, pino } from 'pino';

export type Logger = Pino;

/** Messages are static, data goes in fields. Whatever could be a secret is cut out here as well as left out by its writers. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: null,
    redact: {
      paths: ['password', 'token', 'grk', 'activationKey', 'authorization', '*.password', '*.token', '*.authorization'],
      censor: '[secret]',
    },
  });
}
