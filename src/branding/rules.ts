import { AppError } from '../errors.ts';
import type { BrandingFileName } from '../generated/prisma/enums.ts';

/** BRD-02: exactly these. */
const FILE_NAMES: Record<BrandingFileName, string> = {
  WELCOME_PNG: 'welcome.png',
  LOGO_PNG: 'logo.png',
  SKIN_INI: 'skin.ini',
};

export const fileNameOf = (file: BrandingFileName): string => FILE_NAMES[file];

/** The file of this exact name; undefined for any other. */
export const fileNamed = (name: string): BrandingFileName | undefined =>
  (Object.keys(FILE_NAMES) as BrandingFileName[]).find((file) => FILE_NAMES[file] === name);

/** @throws AppError UNKNOWN_BRANDING_FILE (BRD-04) */
export function requireFileNamed(name: string): BrandingFileName {
  const file = fileNamed(name);
  if (file === undefined)
    throw new AppError('UNKNOWN_BRANDING_FILE', `The files are ${Object.values(FILE_NAMES).join(', ')}.`, ['name']);
  return file;
}

/** One thing that is wrong with a file. */
export interface FileProblem {
  /** From 1; null where it is about the whole file. */
  line: number | null;
  message: string;
}

/** A file is not what its name says (BRD-05): everything that is wrong with it, as far as it could be read. */
export class BrandingFileError extends AppError {
  override readonly name = 'BrandingFileError';
  constructor(readonly problems: readonly [FileProblem, ...FileProblem[]]) {
    const texts = problems.map(({ line, message }) => (line === null ? message : `Line ${line}: ${message}`));
    super('BRANDING_FILE_INVALID', texts.join(' '), ['content']);
  }
}

/** A problem of the whole file. */
export const invalidFile = (message: string): BrandingFileError => new BrandingFileError([{ line: null, message }]);
