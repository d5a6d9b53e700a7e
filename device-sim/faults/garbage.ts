/** Things that are no message of the protocol; some are long enough to be half one. */
const GARBAGE: readonly (string | Buffer)[] = [
  '{"type":"nonsense"}',
  '{"type":"keepAlive"',
  'GET / HTTP/1.1\r\n\r\n',
  '[]',
  'null',
  '{"type":"report","digitalInput":"perhaps"}',
  '{"type":"data","id":"1","points":[]}',
  '\u0000\u0001\u0002',
  Buffer.from([0xde, 0xad, 0xbe, 0xef]),
  Buffer.alloc(1024, 0xff),
];

/** Something that no gateway understands. @param random from 0 up to 1 */
export const garbage = (random: () => number): string | Buffer =>
  GARBAGE[Math.floor(random() * GARBAGE.length)] ?? 'null';
