import { AppError, ValidationError, type Violation } from '../errors.ts';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What is wrong with the arguments of a field, as the error that a caller gets: all of it, each with its path. */
export function violationsOf(issues: readonly Issue[]): AppError {
  const [first, ...rest] = issues.map(
    ({ path, message }): Violation => ({
      // The argument `input` is the frame, not part of what the caller wrote.
      path: (path ?? [])
        .map((part) => String(typeof part === 'object' ? part.key : part))
        .filter((part, index) => index > 0 || part !== 'input'),
      message,
    }),
  );
  return first ? new ValidationError([first, ...rest]) : new AppError('VALIDATION_FAILED', 'The input is not valid.');
}
