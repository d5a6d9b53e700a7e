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
  ['', 'is no forward; it looks like 1502:10.0.0.20:502'],
  ['502', 'is no forward; it looks like'],
  ['1:2:3:4:5', 'is no forward; it looks like'],
  ['10.0.0.20:502', ': the local port is missing;'],
  ['1502:10.0.0.20', ': the port behind the Ewon is missing;'],
  ['70000:10.0.0.20:502', ': the local port "70000" is no number from 0 to 65535;'],
  ['x:10.0.0.20:502', ': the local port "x" is no number'],
  ['1502:10.0.0.256:502', ': "10.0.0.256" is no IPv4 address;'],
  ['1502:plc:502', ': "plc" is no IPv4 address;'],
  ['1502:10.0.0.20:0', ': the port "0" behind the Ewon is no number from 1 to 65535;'],
  ['1502:10.0.0.20:', ': the port "" behind the Ewon is no number'],
  ['[::x]:1502:10.0.0.20:502', ': "::x" is no address to listen on;'],
  [':1502:10.0.0.20:502', ': "" is no address to listen on;'],
])('TUN-06 %j is no forward, and the message names the part that is wrong', (text, message) => {
  const error = expect.objectContaining({ code: 'VALIDATION_FAILED', message: expect.stringContaining(message) });
  expect(() => parseForward(text)).toThrow(error);
});

test('TUN-06 a target is an IPv4 address with a port', () => {
  expect(parseTarget('10.0.0.20:65535')).toEqual({ address: '10.0.0.20', port: 65_535 });
  for (const text of ['10.0.0.20', '10.0.0.20:65536', '010.0.0.20:1', '::1:80', 'plc:80', '10.0.0.20:1x'])
    expect(parseTarget(text), text).toBeUndefined();
});
