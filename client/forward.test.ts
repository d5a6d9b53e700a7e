import { expect, test } from 'vitest';
import { parseForward, parseTarget } from './forward.ts';

test('TUN-06 a forward listens on loopback unless it names another address', () => {
  const target = { address: '10.0.0.20', port: 502 };
  expect(parseForward('1502:10.0.0.20:502')).toEqual({ host: '127.0.0.1', port: 1502, target });
  expect(parseForward('0:10.0.0.20:502')).toEqual({ host: '127.0.0.1', port: 0, target });
  expect(parseForward('0.0.0.0:1502:10.0.0.20:502')).toEqual({ host: '0.0.0.0', port: 1502, target });
  expect(parseForward('[::1]:1502:10.0.0.20:502')).toEqual({ host: '::1', port: 1502, target });
});

test.each([
  '',
  '502',
  '10.0.0.20:502',
  '1502:10.0.0.20',
  '70000:10.0.0.20:502',
  '1502:10.0.0.256:502',
  '1502:plc:502',
  '1502:10.0.0.20:0',
])('TUN-06 %j is no forward', (text) => {
  expect(() => parseForward(text)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
});

test('TUN-06 a target is an IPv4 address with a port', () => {
  expect(parseTarget('10.0.0.20:65535')).toEqual({ address: '10.0.0.20', port: 65_535 });
  for (const text of ['10.0.0.20', '10.0.0.20:65536', '010.0.0.20:1', '::1:80', 'plc:80', '10.0.0.20:1x'])
    expect(parseTarget(text), text).toBeUndefined();
});
