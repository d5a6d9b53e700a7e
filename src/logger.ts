import { type DestinationStream, type LoggerOptions, type Logger as Pino, pino } from 'pino';

export type Logger = Pino;

/**
 * Messages are static, data goes in fields. Whatever could be a secret is cut out here as well as left out by its writers.
 * @param destination where the lines go, instead of standard output.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    redact: {
      paths: ['password', 'token', 'grk', 'activationKey', 'authorization', '*.password', '*.token', '*.authorization'],
      censor: '[secret]',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
