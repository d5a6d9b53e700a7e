import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setPlan } from '../../src/account/plan-change.ts';
import type { Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { type Person, startWorld, TestAccount, type TestEwon } from '../support/world.ts';

const DEVICE = 'lanDevice { id name description address ports { port protocol } }';
const SERVICE = 'service { id name description port protocol }';
const capital = (verb: string) => `${verb[0]?.toUpperCase()}${verb.slice(1)}`;
const VERBS = {
  setFirewallLevel: 'ewon { id firewallLevel }',
  createLanDevice: DEVICE,
  updateLanDevice: DEVICE,
  deleteLanDevice: 'deletedLanDeviceId',
  createEwonService: SERVICE,
  updateEwonService: SERVICE,
  deleteEwonService: 'deletedServiceId',
  createEwon: 'ewon { id }',
  approveEwon: 'ewon { id }',
};
type Verb = keyof typeof VERBS;
const act = (who: Person, verb: Verb, input: object): Promise<Json> =>
  who.api.mutate(
    `mutation ($input: ${capital(verb)}Input!) { ${verb}(input: $input) { __typename
      ... on ${capital(verb)}Success { ${VERBS[verb]} }
      ... on Error { code message path } ... on ValidationError { inputViolations { path } } } }`,
    { input },
  );
const code = async (who: Person, verb: Verb, input: object): Promise<string> =>
  (await act(who, verb, input)).code ?? 'done';

const READ = `query ($id: ID!) { ewon(by: { id: $id }) { firewallLevel
  lanDevices { id name description address ports { port protocol } } services { id name description port protocol } } }`;
const read = async (who: Person, id: string): Promise<Json> => (await who.api.run(READ, { id })).ewon;

let server: TestServer;
let account: TestAccount;
let admin: Person;
/** In the pool Hall, with a LAN of 10.0.0.53/24. */
let ewon: TestEwon;
let poolId: string;
/** Members of groups with one right each on the pool, and one with none. */
const people = {} as Record<'modify' | 'connectEcatcher' | 'connectM2web' | 'outsider', Person>;

beforeAll(async () => {
  ({ server, account } = await startWorld({
    env: { LAN_DEVICES_PER_EWON: '5', LAN_PORTS_PER_DEVICE: '3', SERVICES_PER_EWON: '2' },
  }));
  admin = account.admin;
  poolId = await account.pool('Hall');
  const elsewhere = await account.pool('Elsewhere');
  for (const right of ['modify', 'connectEcatcher', 'connectM2web'] as const)
    people[right] = await account.user(right, [await account.group(right, [{ poolId, [right]: true }])]);
  people.outsider = await account.user('outsider', [
    await account.group('outsiders', [{ poolId: elsewhere, modify: true, connectEcatcher: true }]),
  ]);
  ewon = await made('Boiler');
});
afterAll(() => server.close());

/** An Ewon in the pool that has told its LAN. */
const made = (name: string): Promise<TestEwon> =>
  account.ewon({ name, poolIds: [poolId] }, { lanAddress: '10.0.0.53/24' });
/** The record of one whose device has not come yet, which takes any address. */
const recorded = async (name: string): Promise<{ id: string }> =>
  (await act(admin, 'createEwon', { name, properties: { poolIds: [poolId] } })).ewon;
const declare = async (ewonId: string, name: string, address: string, ...ports: [number, string][]): Promise<Json> => {
  const input = { ewonId, name, address, ports: ports.map(([port, protocol]) => ({ port, protocol })) };
  const result = await act(admin, 'createLanDevice', input);
  if (!result.lanDevice) throw new Error(JSON.stringify(result));
  return result.lanDevice;
};
const changes = async (code: string): Promise<string[]> =>
  (await account.log({ codes: [code] })).map(({ text }: Json) => text);
/** The bells that ring during some work. */
async function rings(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const stop = server.app.platform.bell.onRing('ewons', () => {
    count += 1;
  });
  await work();
  stop();
  return count;
}

describe('LAN devices', () => {
  it('LAN-01 LAN-04 LAN-13 are declared with name, description, address and several ports, changed and removed', async () => {
    const { id } = await recorded('Declaring');
    const ports = [
      { port: 502, protocol: 'TCP' },
      { port: 161, protocol: 'UDP' },
      { port: 80, protocol: 'HTTP' },
    ];
    const { lanDevice } = await act(admin, 'createLanDevice', {
      ...{ ewonId: id, name: ' PLC ', description: 'Line 1', address: '10.0.0.20', ports },
    });
    const sorted = ports.toSorted((a, b) => a.port - b.port);
    expect(lanDevice).toMatchObject({ name: 'PLC', description: 'Line 1', address: '10.0.0.20', ports: sorted });
    for (const [index, protocol] of ['HTTPS', 'VNC', 'RDP'].entries())
      await declare(id, `A screen ${protocol}`, `10.0.0.${30 + index}`, [5900, protocol]);
    expect((await read(admin, id)).lanDevices.map(({ name }: Json) => name)).toEqual([
      ...['A screen HTTPS', 'A screen RDP', 'A screen VNC', 'PLC'],
    ]);

    const update = (more: object) => act(admin, 'updateLanDevice', { lanDeviceId: lanDevice.id, ...more });
    expect((await update({ name: 'PLC 2' })).lanDevice).toEqual({ ...lanDevice, name: 'PLC 2' });
    const moved = (await update({ address: '10.0.0.21', description: null })).lanDevice;
    expect(moved).toEqual({ ...lanDevice, name: 'PLC 2', description: null, address: '10.0.0.21' });
    expect((await update({ ports: [{ port: 503, protocol: 'TCP' }] })).lanDevice.ports).toEqual([
      { port: 503, protocol: 'TCP' },
    ]);
    expect((await update({ ports: null })).lanDevice.ports).toEqual([]);
    for (const field of ['name', 'address'])
      expect(await update({ [field]: null })).toMatchObject({ code: 'VALIDATION_FAILED', path: [field] });
    expect((await admin.api.run('query ($id: ID!) { node(id: $id) { id } }', { id: lanDevice.id })).node).toEqual({
      id: lanDevice.id,
    });

    const remove = () => act(admin, 'deleteLanDevice', { lanDeviceId: lanDevice.id });
    expect(await remove()).toMatchObject({ deletedLanDeviceId: lanDevice.id });
    expect(await remove()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await read(admin, id)).lanDevices).toHaveLength(3);
    expect(await changes('EWON_LAN_CHANGED')).toEqual(
      expect.arrayContaining([
        'LAN of Ewon Declaring changed by admin: LAN device PLC added (10.0.0.20: TCP 502, UDP 161, HTTP 80)',
        'LAN of Ewon Declaring changed by admin: LAN device PLC 2, before PLC changed (10.0.0.20: HTTP 80, UDP 161, TCP 502)',
        'LAN of Ewon Declaring changed by admin: LAN device PLC 2 removed (10.0.0.21)',
      ]),
    );
  });

  it('LAN-13 have addresses of other hosts in the LAN of the Ewon, and ports from 1 to 65535', async () => {
    const { id } = await made('Checking');
    const plc = await declare(id, 'PLC', '10.0.0.20', [502, 'TCP']);
    for (const address of ['10.0.0.0', '10.0.0.255', '10.0.1.20', '192.168.0.1', '10.0.0.53']) {
      const refused = { code: 'IP_NOT_IN_LAN', path: ['address'] };
      expect(await act(admin, 'createLanDevice', { ewonId: id, name: 'Far', address })).toMatchObject(refused);
      expect(await act(admin, 'updateLanDevice', { lanDeviceId: plc.id, address })).toMatchObject(refused);
    }
    for (const port of [0, -1, 65_536]) {
      const ports = [
        { port: 80, protocol: 'TCP' },
        { port, protocol: 'TCP' },
      ];
      const wrong = { code: 'VALIDATION_FAILED', inputViolations: [{ path: ['ports', '1', 'port'] }] };
      expect(await act(admin, 'createLanDevice', { ewonId: id, name: 'X', address: '10.0.0.9', ports })).toMatchObject(
        wrong,
      );
      expect(await act(admin, 'updateLanDevice', { lanDeviceId: plc.id, ports })).toMatchObject(wrong);
      const service = { ewonId: id, name: 'X', port, protocol: 'TCP' };
      expect(await act(admin, 'createEwonService', service)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    await declare(id, 'Edges', '10.0.0.254', [1, 'TCP'], [65_535, 'TCP']);

    // A record whose device has not told its LAN takes any address.
    const { id: pending } = await recorded('No LAN yet');
    expect(await declare(pending, 'PLC', '172.16.1.1')).toMatchObject({ address: '172.16.1.1' });
  });

  it('LAN-13 address, port and protocol together are unique to the Ewon', async () => {
    const [{ id }, another] = [await recorded('Unique'), await recorded('Other')];
    const plc = await declare(id, 'PLC', '10.0.0.20', [502, 'TCP']);
    const taken = { code: 'LAN_PORT_IN_USE', path: ['ports'] };
    const add = (address: string, ...ports: [number, string][]) =>
      act(admin, 'createLanDevice', {
        ...{ ewonId: id, name: 'PLC', address, ports: ports.map(([port, protocol]) => ({ port, protocol })) },
      });
    expect(await add('10.0.0.20', [80, 'TCP'], [502, 'TCP'])).toMatchObject(taken);
    expect(await add('10.0.0.30', [80, 'TCP'], [80, 'TCP'])).toMatchObject(taken);
    // The same name and address once more, with other ports, or of another Ewon.
    const second = (await add('10.0.0.20', [503, 'TCP'], [502, 'UDP'])).lanDevice;
    const third = (await add('10.0.0.22', [502, 'TCP'])).lanDevice;
    await declare(another.id, 'PLC', '10.0.0.20', [502, 'TCP']);
    const update = (lanDeviceId: string, more: object) => act(admin, 'updateLanDevice', { lanDeviceId, ...more });
    expect(await update(second.id, { ports: [{ port: 502, protocol: 'TCP' }] })).toMatchObject(taken);
    expect(await update(third.id, { address: '10.0.0.20' })).toMatchObject(taken);
    expect((await update(plc.id, { ports: [{ port: 502, protocol: 'TCP' }] })).lanDevice).toEqual(plc);
    expect((await read(admin, id)).lanDevices.map(({ ports }: Json) => ports.length)).toEqual([1, 2, 1]);

    // Of two at once one is declared.
    const both = await Promise.all([add('10.0.0.40', [502, 'TCP']), add('10.0.0.40', [502, 'TCP'])]);
    expect(both.map((result) => result.code ?? 'done').sort()).toEqual(['LAN_PORT_IN_USE', 'done']);
  });

  it('LAN-01 LAN-05 are as many as the limits allow', async () => {
    const { id } = await recorded('Full');
    const limit = { code: 'LAN_LIMIT_REACHED' };
    for (let index = 1; index <= 4; index++) await declare(id, 'PLC', `10.0.0.${index}`);
    const ports = [1, 2, 3, 4].map((port) => ({ port, protocol: 'TCP' }));
    const many = { ewonId: id, name: 'Many', address: '10.0.0.9' };
    expect(await act(admin, 'createLanDevice', { ...many, ports })).toMatchObject({ ...limit, path: ['ports'] });
    const last = await Promise.all(
      [1, 2].map(() => act(admin, 'createLanDevice', { ...many, ports: ports.slice(1, 1) })),
    );
    expect(last.map((result) => result.code ?? 'done').sort()).toEqual(['LAN_LIMIT_REACHED', 'done']);
    const lanDeviceId = last.find((result) => result.lanDevice)?.lanDevice.id;
    expect(await act(admin, 'updateLanDevice', { lanDeviceId, ports })).toMatchObject(limit);
    for (const port of [80, 81])
      await act(admin, 'createEwonService', { ewonId: id, name: 'Web', port, protocol: 'HTTP' });
    const service = { ewonId: id, name: 'Web', port: 82, protocol: 'HTTP' };
    expect(await act(admin, 'createEwonService', service)).toMatchObject(limit);
  });
});

describe('Ewon services', () => {
  it('LAN-05 LAN-13 are declared with name, description, port and protocol, changed and removed', async () => {
    const { id } = await recorded('Serving');
    const add = (name: string, port: number, protocol = 'HTTP') =>
      act(admin, 'createEwonService', { ewonId: id, name, description: 'Pages', port, protocol });
    const { service } = await add(' Web ', 80);
    expect(service).toMatchObject({ name: 'Web', description: 'Pages', port: 80, protocol: 'HTTP' });
    expect(await add('Again', 80)).toMatchObject({ code: 'LAN_PORT_IN_USE', path: ['port'] });
    const second = (await add('Secondary', 81)).service;
    expect((await read(admin, id)).services).toEqual([second, service]);

    const update = (more: object) => act(admin, 'updateEwonService', { serviceId: second.id, ...more });
    expect(await update({ port: 80 })).toMatchObject({ code: 'LAN_PORT_IN_USE', path: ['port'] });
    expect((await update({ name: 'Two', description: null, port: 82, protocol: 'TCP' })).service).toEqual({
      ...{ id: second.id, name: 'Two', description: null, port: 82, protocol: 'TCP' },
    });
    for (const field of ['name', 'port', 'protocol'])
      expect(await update({ [field]: null })).toMatchObject({ code: 'VALIDATION_FAILED' });
    const remove = () => act(admin, 'deleteEwonService', { serviceId: second.id });
    expect(await remove()).toMatchObject({ deletedServiceId: second.id });
    expect(await remove()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await read(admin, id)).services).toEqual([service]);
    expect(await changes('EWON_LAN_CHANGED')).toEqual(
      expect.arrayContaining([
        'LAN of Ewon Serving changed by admin: service Web added (HTTP 80)',
        'LAN of Ewon Serving changed by admin: service Two, before Secondary changed (TCP 82)',
        'LAN of Ewon Serving changed by admin: service Two removed (TCP 82)',
      ]),
    );
  });
});

describe('the firewall', () => {
  it('LAN-02 LAN-12 LAN-16 begins as STANDARD, takes every level on PRO, and each change is logged and rung once', async () => {
    const { id } = await recorded('Walled');
    expect((await read(admin, id)).firewallLevel).toBe('STANDARD');
    const set = (level: string) => act(admin, 'setFirewallLevel', { ewonId: id, level });
    for (const level of ['ULTRA', 'ENFORCED', 'HIGH', 'STANDARD']) expect(await rings(() => set(level)), level).toBe(1);
    expect((await set('ENFORCED')).ewon).toEqual({ id, firewallLevel: 'ENFORCED' });
    expect(await rings(() => set('ENFORCED'))).toBe(0);
    const logged = await account.log({ codes: ['EWON_FIREWALL_CHANGED'] });
    expect(
      logged.filter(({ ewonName }) => ewonName === 'Walled').map(({ text, userName }) => [userName, text]),
    ).toEqual(
      [
        ['STANDARD', 'ENFORCED'],
        ['HIGH', 'STANDARD'],
        ['ENFORCED', 'HIGH'],
        ['ULTRA', 'ENFORCED'],
        ['STANDARD', 'ULTRA'],
      ].map(([from, to]) => ['admin', `Firewall of Ewon Walled changed from ${from} to ${to} by admin`]),
    );
    // What is declared counts for live streams too.
    let device: Json;
    expect(await rings(async () => (device = await declare(id, 'PLC', '10.0.0.20')))).toBe(1);
    expect(await rings(() => act(admin, 'updateLanDevice', { lanDeviceId: device.id, address: '10.0.0.21' }))).toBe(1);
    expect(await rings(() => act(admin, 'deleteLanDevice', { lanDeviceId: device.id }))).toBe(1);
    const { service } = await act(admin, 'createEwonService', { ewonId: id, name: 'Web', port: 80, protocol: 'HTTP' });
    expect(await rings(() => act(admin, 'updateEwonService', { serviceId: service.id, port: 81 }))).toBe(1);
    expect(await rings(() => act(admin, 'deleteEwonService', { serviceId: service.id }))).toBe(1);
  });

  it('LAN-12 ACC-18 LAN-16 on FREE it is STANDARD or HIGH, and a downgrade makes it HIGH, logged and rung', async () => {
    const falling = await TestAccount.create(server, 'LIGHT');
    const [one, two, three] = await Promise.all(
      ['One', 'Two', 'Three'].map(async (name) => (await act(falling.admin, 'createEwon', { name })).ewon.id),
    );
    const set = (ewonId: string, level: string) => act(falling.admin, 'setFirewallLevel', { ewonId, level });
    expect(await set(one, 'ULTRA')).toMatchObject({ ewon: { firewallLevel: 'ULTRA' } });
    await set(three, 'HIGH');
    expect(await rings(() => setPlan(server.app.platform, falling.id, 'FREE'))).toBeGreaterThan(0);
    for (const id of [one, two, three]) expect((await read(falling.admin, id)).firewallLevel).toBe('HIGH');
    const logged = await falling.log({ codes: ['EWON_FIREWALL_CHANGED'] });
    expect(logged.filter(({ trigger }) => trigger === 'PLATFORM').map(({ text }) => text)).toEqual([
      'Firewall of Ewon Two changed from STANDARD to HIGH by the change of plan',
      'Firewall of Ewon One changed from ULTRA to HIGH by the change of plan',
    ]);
    for (const level of ['ENFORCED', 'ULTRA'])
      expect(await set(one, level)).toMatchObject({ code: 'FIREWALL_LEVEL_NOT_AVAILABLE', path: ['level'] });
    expect(await set(one, 'STANDARD')).toMatchObject({ ewon: { firewallLevel: 'STANDARD' } });
    expect(await set(one, 'HIGH')).toMatchObject({ ewon: { firewallLevel: 'HIGH' } });
  });
});

describe('rights', () => {
  it('LAN-14 to modify the Ewon is what it takes, and to see it is enough to read', async () => {
    const { id } = ewon;
    const plc = await declare(id, 'PLC', '10.0.0.20', [502, 'TCP']);
    const { service } = await act(admin, 'createEwonService', { ewonId: id, name: 'Web', port: 80, protocol: 'HTTP' });
    const attempts: [Verb, object][] = [
      ['setFirewallLevel', { ewonId: id, level: 'HIGH' }],
      ['createLanDevice', { ewonId: id, name: 'Panel', address: '10.0.0.21' }],
      ['updateLanDevice', { lanDeviceId: plc.id, name: 'PLC 1' }],
      ['createEwonService', { ewonId: id, name: 'Secondary', port: 81, protocol: 'HTTP' }],
      ['updateEwonService', { serviceId: service.id, name: 'Web 1' }],
      ['deleteEwonService', { serviceId: service.id }],
      ['deleteLanDevice', { lanDeviceId: plc.id }],
    ];
    const refused = { connectEcatcher: 'FORBIDDEN', connectM2web: 'FORBIDDEN', outsider: 'NOT_FOUND' } as const;
    for (const [who, expected] of Object.entries(refused) as [keyof typeof refused, string][])
      for (const [verb, input] of attempts)
        expect(await code(people[who], verb, input), `${who} ${verb}`).toBe(expected);
    expect(await read(people.connectM2web, id)).toMatchObject({ lanDevices: [plc], services: [service] });
    expect(await read(people.outsider, id)).toBeNull();
    expect((await people.outsider.api.run(`{ node(id: "${plc.id}") { id } }`)).node).toBeNull();
    for (const [verb, input] of attempts) expect(await code(people.modify, verb, input), verb).toBe('done');
    expect(await read(admin, id)).toMatchObject({
      firewallLevel: 'HIGH',
      lanDevices: [{ name: 'Panel' }],
      services: [{ name: 'Secondary' }],
    });
  });
});

describe('reachability', () => {
  const ASK = `query ($input: ReachabilityInput!) { reachability(input: $input) {
    reachable level rule reason lanDevice { id name } service { id name } } }`;
  const ask = async (who: Person, ewonId: string, target: string) => {
    const [address, port, protocol] = target.split(/[: ]/);
    const input = { ewonId, address, port: Number(port), ...(protocol && { protocol }) };
    return (await who.api.run(ASK, { input })).reachability;
  };

  it('LAN-07 LAN-08 LAN-09 LAN-10 LAN-15 tells who may connect what each level says, with rule, reason and what is declared', async () => {
    const { id } = await made('Asked');
    const { ports: _, description: __, address: ___, ...plc } = await declare(id, 'PLC', '10.0.0.20', [502, 'TCP']);
    const web = { ewonId: id, name: 'Web', port: 80, protocol: 'HTTP' };
    const { id: serviceId } = (await act(admin, 'createEwonService', web)).service;
    const service = { id: serviceId, name: 'Web' };
    const answers = async (target: string) => {
      const found = [];
      for (const level of ['STANDARD', 'HIGH', 'ENFORCED', 'ULTRA']) {
        await act(admin, 'setFirewallLevel', { ewonId: id, level });
        const { reachable, rule, reason, ...more } = await ask(people.connectEcatcher, id, target);
        expect(more.level).toBe(level);
        expect(more).toMatchObject({
          lanDevice: target.startsWith('10.0.0.20') ? plc : null,
          service: target === '10.0.0.53:80' ? service : null,
        });
        found.push(`${reachable} ${rule} ${reason}`);
      }
      return found;
    };
    expect(await answers('10.0.0.20:502')).toEqual([
      'true LAN-07 ANY_LAN_ADDRESS',
      'true LAN-08 DECLARED_DEVICE',
      'true LAN-09 DECLARED_PORT',
      'true LAN-10 DECLARED_PORT',
    ]);
    expect(await answers('10.0.0.20:502 UDP')).toEqual([
      'true LAN-07 ANY_LAN_ADDRESS',
      'true LAN-08 DECLARED_DEVICE',
      'false LAN-09 PORT_NOT_DECLARED',
      'false LAN-10 PORT_NOT_DECLARED',
    ]);
    expect(await answers('10.0.0.21:502')).toEqual([
      'true LAN-07 ANY_LAN_ADDRESS',
      'false LAN-08 DEVICE_NOT_DECLARED',
      'false LAN-09 DEVICE_NOT_DECLARED',
      'false LAN-10 DEVICE_NOT_DECLARED',
    ]);
    expect(await answers('10.0.0.53:80')).toEqual([
      ...['true LAN-07 ANY_SERVICE', 'true LAN-08 ANY_SERVICE', 'true LAN-09 ANY_SERVICE'],
      'true LAN-10 DECLARED_SERVICE',
    ]);
    expect(await answers('10.0.0.53:81')).toEqual([
      ...['true LAN-07 ANY_SERVICE', 'true LAN-08 ANY_SERVICE', 'true LAN-09 ANY_SERVICE'],
      'false LAN-10 SERVICE_NOT_DECLARED',
    ]);
  });

  it('LAN-15 is for whoever may connect, with either client', async () => {
    const target = '10.0.0.20:502';
    for (const who of [people.connectEcatcher, people.connectM2web, admin])
      expect(await ask(who, ewon.id, target), who.username).toMatchObject({ level: expect.any(String) });
    const input = { ewonId: ewon.id, address: '10.0.0.20', port: 502 };
    expect((await people.modify.api.send(ASK, { input })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(await ask(people.outsider, ewon.id, target)).toBeNull();
    for (const ewonId of ['malformed', poolId]) expect(await ask(admin, ewonId, target)).toBeNull();
    for (const wrong of [{ port: 0 }, { port: 65_536 }, { address: '10.0.0.256' }]) {
      const answer = await admin.api.send(ASK, { input: { ...input, ...wrong } });
      expect(answer.errors?.[0]?.extensions.code, JSON.stringify(wrong)).toBe('VALIDATION_FAILED');
    }
  });
});

it('LAN-01 LAN-02 GRK-19 what lies behind an Ewon stays when its device is replaced', async () => {
  const old = await made('Replaced');
  const plc = await declare(old.id, 'PLC', '10.0.0.20', [502, 'TCP']);
  const { service } = await act(admin, 'createEwonService', {
    ewonId: old.id,
    name: 'Web',
    port: 80,
    protocol: 'HTTP',
  });
  await act(admin, 'setFirewallLevel', { ewonId: old.id, level: 'ULTRA' });
  const arriving = await account.device({ lanAddress: '10.0.7.53/24' });
  await arriving.register({ registrationKey: await account.registrationKey() });
  const arrivingId = await account.ewonId(arriving);
  await declare(arrivingId, 'Its own', '10.0.7.20');
  expect(await act(admin, 'approveEwon', { ewonId: arrivingId, replace: old.id })).toMatchObject({
    ewon: { id: old.id },
  });
  expect(await read(admin, old.id)).toEqual({ firewallLevel: 'ULTRA', lanDevices: [plc], services: [service] });
});
