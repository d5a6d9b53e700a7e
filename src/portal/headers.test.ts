import { expect, test } from 'vitest';
import { type Passage, requestHeaders, responseHeaders } from './headers.ts';
import { readTarget } from './paths.ts';

const KEY = 'k'.repeat(43);
const passage: Passage = {
  key: KEY,
  target: { address: '10.0.0.20', port: 80, tls: false },
  path: '/',
  lanAddress: '10.0.0.53/24',
  realm: 'DEV5 10.0.0.20:80',
  secure: false,
};
const challenged = (header: string) => responseHeaders({ 'www-authenticate': header }, passage)['www-authenticate'];
const OWN = 'Basic realm="PLC (DEV5 10.0.0.20:80)"';

test('M2W-11 the realm of a Basic challenge is its own, however the challenge is written', () => {
  for (const same of [
    'Basic realm="PLC"',
    'basic REALM=PLC',
    'Basic realm ="PLC"',
    'Basic realm= "PLC"',
    'Basic\t realm = PLC',
    'Basic charset=x, realm  = PLC',
    'Basic x="a, Basic realm=y", realm="PLC"',
    ', Basic realm="P\\LC" ,',
    'Basic realm="P\\"L\\\\C"',
  ])
    expect(challenged(same), same).toEqual([OWN]);
  expect(challenged('Basic charset="UTF-8", realm="PLC"')).toEqual([`${OWN}, charset="UTF-8"`]);
  expect(challenged('Basic realm="PLC", charset=latin1')).toEqual([OWN]);
  for (const without of ['Basic', 'Basic realm=""', 'Basic charset=x'])
    expect(challenged(without), without).toEqual(['Basic realm="(DEV5 10.0.0.20:80)"']);
  // A device that gives another's realm as its own.
  expect(challenged('Basic realm="PLC (DEV6 10.0.0.20:80)"')).toEqual([
    'Basic realm="PLC (DEV6 10.0.0.20:80) (DEV5 10.0.0.20:80)"',
  ]);
});

test('M2W-11 a Basic challenge that cannot be read is dropped', () => {
  for (const wrong of [
    'Basic realm="PLC',
    'Basic realm=PLC one',
    'Basic realm=a, realm=b',
    'Basic abc==',
    'Basic realm',
  ])
    expect(challenged(wrong), wrong).toEqual([]);
});

test('M2W-11 challenges of other schemes stay as they are, unless a browser could read Basic in them', () => {
  const digest = 'Digest realm="a, b", qop="auth,auth-int", nonce=x';
  expect(challenged(digest)).toEqual([digest]);
  expect(challenged('Negotiate')).toEqual(['Negotiate']);
  expect(challenged('NTLM TlRMTVNTUAAC==')).toEqual(['NTLM TlRMTVNTUAAC==']);
  expect(challenged(`${digest}, Basic realm="PLC", Negotiate`)).toEqual([digest, OWN, 'Negotiate']);
  for (const hidden of [
    'Digest a="b\\", Basic realm=\\"x\\""',
    'Digest a="b, Basic realm="x"',
    'Digest a="b, basic realm=x',
    'Digest a=b, "x" Basic realm="x"',
  ])
    expect(challenged(hidden), hidden).toEqual([]);
});

test('TUN-07 a path that begins with two slashes is no other host', () => {
  const from = (path: string) => {
    const host = 'portal.example';
    const referer = `http://${host}/s/${KEY}/10.0.0.20:80${path}`;
    return requestHeaders({ host, referer, origin: `http://${host}` }, passage);
  };
  expect(from('//evil.com/x')).toMatchObject({ origin: 'http://10.0.0.20', referer: 'http://10.0.0.20//evil.com/x' });
  expect(from('//[')).toMatchObject({ origin: 'http://10.0.0.20' });
  const location = (path: string, link: string) => responseHeaders({ location: link }, { ...passage, path }).location;
  expect(location('//10.0.0.99/x', 'next')).toBe(`/s/${KEY}/10.0.0.20:80//10.0.0.99/next`);
  expect(location('//[', '/next')).toBe(`/s/${KEY}/10.0.0.20:80/next`);
});

test('TUN-07 a target has no line breaks, spaces or other characters that a path must escape', () => {
  expect(readTarget('10.0.0.20:80/a?b=%0d')).toMatchObject({ path: '/a?b=%0d' });
  for (const wrong of ['/a\r\nx: y', '/\n', '/a b', '/\0', '/\x7f', '/é', '/\u2028'])
    expect(readTarget(`10.0.0.20:80${wrong}`), JSON.stringify(wrong)).toBeNull();
});
