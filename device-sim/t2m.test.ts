import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommissioning, readCard } from './t2m.ts';

const KEY = 'GRK-abcdefghijklmnopqrstuvwxyz12';
const SERVER = 'Server=https://gateway.example:4433';

describe('the commissioning file', () => {
  test('GRK-14 gives server, key and description; comments, empty lines, CRLF and a byte order mark do not matter', () => {
    const text = `\uFEFF# talkgate commissioning file\r\n\r\n${SERVER}\r\nGlobalRegistrationKey = ${KEY}\r\nDescription=Pump 3 = north, Süd\r\n`;
    expect(parseCommissioning(text)).toEqual({
      server: 'https://gateway.example:4433',
      registrationKey: KEY,
      description: 'Pump 3 = north, Süd',
    });
    expect(parseCommissioning(`GlobalRegistrationKey=${KEY}\n${SERVER}/\nDescription=`).description).toBeUndefined();
  });

  test.each([
    ['', 'T2M.txt has no line Server=….'],
    [SERVER, 'T2M.txt has no line GlobalRegistrationKey=….'],
    [`${SERVER}\n${KEY}`, 'T2M.txt line 2 must have the form Key=value.'],
    [
      `#\n\nPassword=secret`,
      'T2M.txt line 3 has an unknown key; known ones are Server, GlobalRegistrationKey, Description.',
    ],
    [`${SERVER}\n${SERVER}`, 'T2M.txt line 2 gives Server again; line 1 has it already.'],
    [
      `Server=http://gateway.example\nGlobalRegistrationKey=${KEY}`,
      'T2M.txt line 1 must give the server as https://host:port.',
    ],
    [
      `Server=https://me:secret@gateway.example\nGlobalRegistrationKey=${KEY}`,
      'T2M.txt line 1 must give the server as https://host:port.',
    ],
    [
      `${SERVER}\nGlobalRegistrationKey=secret`,
      'T2M.txt line 2 must give a key of the form GRK-… with letters and digits.',
    ],
    [
      `${SERVER}\nGlobalRegistrationKey=${KEY}\nDescription=${'x'.repeat(501)}`,
      'T2M.txt line 3 gives a description of more than 500 characters.',
    ],
  ])('GRK-14 is refused with the line and without its content: %j', (text, message) => {
    expect(() => parseCommissioning(text)).toThrow(expect.objectContaining({ code: 'CARD_INVALID', message }));
  });

  test('GW-09 is found on the card in any case, and its absence is told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'talkgate-card-'));
    try {
      await expect(readCard(folder)).rejects.toThrow(`There is no T2M.txt in ${folder}.`);
      await expect(readCard(join(folder, 'none'))).rejects.toMatchObject({ code: 'CARD_UNREADABLE' });
      await writeFile(join(folder, 't2m.TXT'), 'x'.repeat(20_000));
      await expect(readCard(folder)).rejects.toMatchObject({ code: 'CARD_INVALID' });
      await writeFile(join(folder, 't2m.TXT'), `${SERVER}\nGlobalRegistrationKey=${KEY}\n`);
      expect(await readCard(folder)).toMatchObject({ registrationKey: KEY });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
