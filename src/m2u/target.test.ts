import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { isPublicAddress, targetIn } from './target.ts';

const VPN = ['10.236.0.0/15', '198.19.0.0/16', '81.2.69.0/24'];
const mayReach = (address: string) => isPublicAddress(address, VPN);

const PUBLIC = ['8.8.8.8', '1.1.1.1', '81.2.70.1', '223.255.255.254', '2606:4700:4700::1111', '2a00:1450:4001::1'];

const NOT_PUBLIC = {
  'this network': ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '10.238.0.5', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
  'link-local, also the metadata of clouds': ['169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1'],
  'shared with the carrier': ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.250', 'ff02::1', 'ff0e::1'],
  broadcast: ['255.255.255.255'],
  reserved: ['240.0.0.1', '254.1.1.1', '192.0.0.1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmarks: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  'relays of 6to4': ['192.88.99.1'],
  'unique local': ['fc00::1', 'fd12:3456::1'],
  'site-local, as it once was': ['fec0::1'],
  'IPv4 in IPv6, mapped': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::ffff:0:127.0.0.1'],
  'IPv4 in IPv6, compatible': ['::127.0.0.1', '::10.0.0.1', '::808:808'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::a00:1'],
  '6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
  Teredo: ['2001::1', '2001:0:7f00:1::'],
  ORCHID: ['2001:10::1', '2001:20::1'],
  discard: ['100::1'],
  'ranges of the VPN': ['81.2.69.7', '::ffff:81.2.69.7'],
  'other forms, which are no addresses': [
    '134744072',
    '8.8.2056',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '08.8.8.8',
    '',
    'x',
    'fe80::1%eth0',
  ],
};

describe('the addresses that the relay may connect to', () => {
  it.each(PUBLIC)('M2U-04 %s is public', (address) => {
    expect(mayReach(address)).toBe(true);
  });

  it.each(Object.entries(NOT_PUBLIC))('M2U-04 %s is not', (_, addresses) => {
    for (const address of addresses) expect(mayReach(address), address).toBe(false);
  });
});

const refusal = (url: string): string => {
  try {
    return `accepted as ${targetIn(url, mayReach).href}`;
  } catch (error) {
    if (error instanceof AppError && error.code === 'LINK_TARGET_FORBIDDEN') return error.message;
    throw error;
  }
};

describe('the target of a link', () => {
  it.each([
    ['https://data.example.com', 'https://data.example.com/'],
    ['https://data.example.com:443/in?key=1&x=%20', 'https://data.example.com/in?key=1&x=%20'],
    ['https://data.example.com:8443/in', 'https://data.example.com:8443/in'],
    ['https://DATA.Example.COM:1024', 'https://data.example.com:1024/'],
    ['https://data.example.com.:65535/', 'https://data.example.com.:65535/'],
    ['https://8.8.8.8/x', 'https://8.8.8.8/x'],
    ['https://134744072/x', 'https://8.8.8.8/x'],
    ['https://[2606:4700:4700::1111]/', 'https://[2606:4700:4700::1111]/'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://notlocal.example/', 'https://notlocal.example/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
  ])('M2U-04 %s is taken', (url, normal) => {
    expect(targetIn(url, mayReach).href).toBe(normal);
  });

  it.each([
    ['', 'not a URL'],
    ['data.example.com', 'not a URL'],
    ['https://', 'not a URL'],
    ['https://data.example.com/a b', 'not a URL'],
    ['https://data.example.com/\r\nhost: x', 'not a URL'],
    ['https:\\\\data.example.com', 'not a URL'],
    ['https://data.example.com:65536/', 'not a URL'],
    ['https://1.2.3.4.5/', 'not a URL'],
    ['http://data.example.com/', 'must begin with https'],
    ['ftp://data.example.com/', 'must begin with https'],
    ['file:///etc/passwd', 'must begin with https'],
    ['gopher://data.example.com/', 'must begin with https'],
    ['https://user@data.example.com/', 'credentials'],
    ['https://user:secret@data.example.com/', 'credentials'],
    ['https://data.example.com@127.0.0.1/', 'credentials'],
    ['https://data.example.com/#part', 'fragment'],
    ['https://data.example.com:80/', 'port'],
    ['https://data.example.com:22/', 'port'],
    ['https://data.example.com:465/', 'port'],
    ['https://data.example.com:1023/', 'port'],
    ['https://data.example.com:0/', 'port'],
    ['https://127.0.0.1/', 'address'],
    ['https://127.1/', 'address'],
    ['https://0x7f.1/', 'address'],
    ['https://2130706433/', 'address'],
    ['https://0177.0.0.1/', 'address'],
    ['https://0/', 'address'],
    ['https://１２７.0.0.1/', 'address'],
    ['https://127.0.0.1./', 'address'],
    ['https://[::1]/', 'address'],
    ['https://[::ffff:127.0.0.1]/', 'address'],
    ['https://[::ffff:7f00:1]/', 'address'],
    ['https://[64:ff9b::a00:1]/', 'address'],
    ['https://169.254.169.254/latest/meta-data', 'address'],
    ['https://10.238.0.5/', 'address'],
    ['https://localhost/', 'full name'],
    ['https://LOCALHOST:8443/', 'full name'],
    ['https://localhost./', 'full name'],
    ['https://a.localhost/', 'full name'],
    ['https://printer.local/', 'full name'],
    ['https://db.internal/', 'full name'],
    ['https://metadata.google.internal./', 'full name'],
    ['https://nas.home.arpa/', 'full name'],
    ['https://postgres/', 'full name'],
    ['https://postgres.:5432/', 'full name'],
  ])('M2U-04 %j is refused', (url, reason) => {
    expect(refusal(url)).toContain(reason);
  });
});
