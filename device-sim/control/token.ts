import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, codeOf } from '../../client/errors.ts';

/** In the state folder. */
const FILE = 'control-token';

/** The token of the control API that runs on a state folder. @throws CodedError `STATE_UNREADABLE` */
export async function readControlToken(folder: string): Promise<string> {
  const file = join(folder, FILE);
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    const message = `The token of the control API cannot be read from ${file}: ${codeOf(error)}. Is a simulator running with --control on this folder?`;
    throw new CodedError('STATE_UNREADABLE', message, undefined, { cause: error });
  }
  throw new CodedError('STATE_UNREADABLE', `${file} is empty; remove it to have a new token.`);
}

/** The same, made when there is none, readable by its owner alone. @throws CodedError `STATE_UNREADABLE`, `STATE_NOT_WRITTEN` */
export async function openControlToken(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const token = `${randomBytes(24).toString('base64url')}\n`;
    await writeFile(join(folder, FILE), token, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } catch (error) {
    const message = `The token of the control API cannot be written to ${folder}: ${codeOf(error)}.`;
    throw new CodedError('STATE_NOT_WRITTEN', message, undefined, { cause: error });
  }
  return await readControlToken(folder);
}
