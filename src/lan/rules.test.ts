import { describe, expect, it } from 'vitest';
import type { FirewallLevel, LanProtocol } from '../generated/prisma/enums.ts';
import { declaredAt, type FirewallFacts, isLanHost, levelsOf, verdictOn } from './rules.ts';

const LEVELS = ['STANDARD', 'HIGH', 'ENFORCED', 'ULTRA'] as const satisfies FirewallLevel[];
const FACTS = {
  lanAddress: '10.0.0.53/24',
  lanDevices: [
    {
      name: 'PLC',
      address: '10.0.0.20',
      ports: [
        { port: 502, protocol: 'TCP' },
        { port: 161, protocol: 'UDP' },
        { port: 80, protocol: 'HTTP' },
      ],
    },
    { name: 'PLC once more', address: '10.0.0.20', ports: [{ port: 5900, protocol: 'VNC' }] },
    { name: 'Panel', address: '10.0.0.21', ports: [] },
  ],
  services: [
    { name: 'Web', port: 80, protocol: 'HTTP' },
    { name: 'Names', port: 53, protocol: 'UDP' },
  ],
} as const;

const say = (firewallLevel: FirewallLevel, target: string, facts: Partial<FirewallFacts> = {}) => {
  const [address = '', port, protocol = 'TCP'] = target.split(/[: ]/);
  return verdictOn(
    { ...FACTS, firewallLevel, ...facts },
    { address, port: Number(port), protocol: protocol as LanProtocol },
  );
};

/** Every kind of target, and what each level says of it: `+` reachable, `-` not. */
const TABLE = `
target                    | STANDARD          | HIGH                  | ENFORCED              | ULTRA
10.0.0.20:502             | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | + DECLARED_PORT       | + DECLARED_PORT
10.0.0.20:5900            | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | + DECLARED_PORT       | + DECLARED_PORT
10.0.0.20:80              | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | + DECLARED_PORT       | + DECLARED_PORT
10.0.0.20:80 HTTPS        | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | + DECLARED_PORT       | + DECLARED_PORT
10.0.0.20:161 UDP         | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | + DECLARED_PORT       | + DECLARED_PORT
10.0.0.20:161             | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | - PORT_NOT_DECLARED   | - PORT_NOT_DECLARED
10.0.0.20:502 UDP         | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | - PORT_NOT_DECLARED   | - PORT_NOT_DECLARED
10.0.0.20:503             | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | - PORT_NOT_DECLARED   | - PORT_NOT_DECLARED
10.0.0.21:502             | + ANY_LAN_ADDRESS | + DECLARED_DEVICE     | - PORT_NOT_DECLARED   | - PORT_NOT_DECLARED
10.0.0.22:502             | + ANY_LAN_ADDRESS | - DEVICE_NOT_DECLARED | - DEVICE_NOT_DECLARED | - DEVICE_NOT_DECLARED
10.0.0.53:80              | + ANY_SERVICE     | + ANY_SERVICE         | + ANY_SERVICE         | + DECLARED_SERVICE
10.0.0.53:80 HTTPS        | + ANY_SERVICE     | + ANY_SERVICE         | + ANY_SERVICE         | + DECLARED_SERVICE
10.0.0.53:53 UDP          | + ANY_SERVICE     | + ANY_SERVICE         | + ANY_SERVICE         | + DECLARED_SERVICE
10.0.0.53:53              | + ANY_SERVICE     | + ANY_SERVICE         | + ANY_SERVICE         | - SERVICE_NOT_DECLARED
10.0.0.53:81              | + ANY_SERVICE     | + ANY_SERVICE         | + ANY_SERVICE         | - SERVICE_NOT_DECLARED
10.0.0.0:502              | - NOT_IN_LAN      | - NOT_IN_LAN          | - NOT_IN_LAN          | - NOT_IN_LAN
10.0.0.255:502            | - NOT_IN_LAN      | - NOT_IN_LAN          | - NOT_IN_LAN          | - NOT_IN_LAN
10.0.1.20:502             | - NOT_IN_LAN      | - NOT_IN_LAN          | - NOT_IN_LAN          | - NOT_IN_LAN
93.184.216.34:443         | - NOT_IN_LAN      | - NOT_IN_LAN          | - NOT_IN_LAN          | - NOT_IN_LAN
127.0.0.1:80              | - NOT_IN_LAN      | - NOT_IN_LAN          | - NOT_IN_LAN          | - NOT_IN_LAN
`;
const ROWS = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()));
const RULES = { STANDARD: 'LAN-07', HIGH: 'LAN-08', ENFORCED: 'LAN-09', ULTRA: 'LAN-10' };

describe('what a connected user reaches', () => {
  describe.each(LEVELS)('%s', (level) => {
    it.each(ROWS.map(([target = '', ...cells]) => [target, cells[LEVELS.indexOf(level)] ?? '']))(
      `LAN-06 LAN-11 ${RULES[level]} %s: %s`,
      (target, cell) => {
        const [sign, reason] = cell.split(' ');
        expect(say(level, target)).toEqual({ reachable: sign === '+', level, rule: RULES[level], reason });
      },
    );

    it(`${RULES[level]} nothing while the LAN is not known, nor what was declared in a LAN that it was in before`, () => {
      expect(say(level, '10.0.0.20:502', { lanAddress: null })).toMatchObject({ reason: 'NOT_IN_LAN' });
      expect(say(level, '10.0.0.53:80', { lanAddress: null })).toMatchObject({ reason: 'NOT_IN_LAN' });
      expect(say(level, '10.0.0.20:502', { lanAddress: '10.0.9.53/24' })).toMatchObject({ reason: 'NOT_IN_LAN' });
    });
  });

  it('LAN-06 each level lets through what the stricter ones do, and is told apart by some target', () => {
    const reached = LEVELS.map((level) =>
      ROWS.flatMap(([target = '']) => (say(level, target).reachable ? [target] : [])),
    );
    for (const [index, stricter] of reached.entries()) {
      const before = reached[index - 1];
      if (!before) continue;
      expect(before).toEqual(expect.arrayContaining(stricter));
      expect(before.length).toBeGreaterThan(stricter.length);
    }
  });
});

it('LAN-12 a FREE account has STANDARD and HIGH, the others every level', () => {
  expect(levelsOf('FREE')).toEqual(['STANDARD', 'HIGH']);
  expect(levelsOf('LIGHT')).toEqual(LEVELS);
  expect(levelsOf('PRO')).toEqual(LEVELS);
});

it.each([
  ['10.0.0.53/24', '10.0.0.1', true],
  ['10.0.0.53/24', '10.0.0.254', true],
  ['10.0.0.53/24', '10.0.0.53', false],
  ['10.0.0.53/24', '10.0.0.0', false],
  ['10.0.0.53/24', '10.0.0.255', false],
  ['10.0.0.53/24', '10.0.1.1', false],
  ['192.168.4.2/30', '192.168.4.1', true],
  ['192.168.4.2/30', '192.168.4.3', false],
  ['192.168.4.2/32', '192.168.4.1', false],
])('LAN-13 behind %s, %s is another host of the LAN: %s', (lanAddress, address, is) => {
  expect(isLanHost(lanAddress, address)).toBe(is);
});

it.each([
  ['10.0.0.20:502', 'PLC', null],
  ['10.0.0.20:5900', 'PLC once more', null],
  ['10.0.0.20:9', 'PLC', null],
  ['10.0.0.21:9', 'Panel', null],
  ['10.0.0.22:9', null, null],
  ['10.0.0.53:80', null, 'Web'],
  ['10.0.0.53:53', null, null],
])('LAN-15 declared at %s: %s, %s', (target, device, service) => {
  const [address = '', port] = target.split(':');
  const found = declaredAt(FACTS, { address, port: Number(port), protocol: 'TCP' });
  expect([found.lanDevice?.name ?? null, found.service?.name ?? null]).toEqual([device, service]);
});
