/**
 * Something that the platform refused or that could not be done. The message is a sentence for a person and carries no
 * secret; `code` is for programs and for counting.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError';
  constructor(
    /** A code of the platform's catalogue, a close reason of the tunnel, or one of the simulator's own such as `TIMEOUT`. */
    readonly code: string,
    message: string,
    /** Seconds after which the platform wants to be asked again. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The code under which an error is counted (SIM-09). */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'UNEXPECTED';
}

/** What a caught value has to say, in one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Node gives connections that failed on several addresses an AggregateError with an empty message.
  return message !== '' ? message : codeOf(error);
}
