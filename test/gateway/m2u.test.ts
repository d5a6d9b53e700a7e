import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { GraphQLObjectType } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_COMMANDS } from '../../device-sim/control/commands.ts';
import { openAuthority } from '../../src/certificates/authority.ts';
import { schema } from '../../src/graphql/schema.ts';
import { createLogger } from '../../src/logger.ts';
import type { Json } from '../support/client.ts';
import { rawEwon, request } from '../support/device-requests.ts';
import type { RawTunnel } from '../support/raw-tunnel.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Person, TestAccount } from '../support/world.ts';

const SECRET = 'temperature=81.5;password=hunter2';
const payload = (text: string | Buffer = SECRET) => Buffer.from(text).toString('base64');

/** The server of a third party: notes what it gets, and answers as a test tells it. */
interface ThirdParty {
  port: number;
  received: { path: string; headers: IncomingHttpHeaders; body: Buffer }[];
  answer: (response: ServerResponse) => void;
  server: Server;
}
let thirdParty: ThirdParty;
/** What names resolve to, each time they are asked for. */
let resolve: (name: string) => string[];
const resolved: string[] = [];

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
const logLines: string[] = [];
const tunnels: RawTunnel[] = [];

async function startThirdParty(tls: { certPem: string; keyPem: string }): Promise<ThirdParty> {
  const party: ThirdParty = {
    port: 0,
    received: [],
    answer: (response) => void response.writeHead(204).end(),
    server: createServer({ cert: tls.certPem, key: tls.keyPem }, (incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => void chunks.push(chunk));
      incoming.on('end', () => {
        const { url = '', headers } = incoming;
        party.received.push({ path: url, headers, body: Buffer.concat(chunks) });
        party.answer(response);
      });
    }),
  };
  await new Promise<void>((listening) => party.server.listen(0, '127.0.0.1', listening));
  party.port = (party.server.address() as AddressInfo).port;
  return party;
}

beforeAll(async () => {
  const authority = await openAuthority({ dataDir: undefined, caDays: 30 });
  thirdParty = await startThirdParty(authority.issueServerCertificate({ hosts: ['data.example.com'], days: 3 }));
  server = await startServer({
    env: { M2U_TIMEOUT_SECONDS: '1', M2U_PER_HOUR: '8', M2U_LINKS_PER_ACCOUNT: '4', M2U_PAYLOAD_BYTES: '40000' },
    log: createLogger('trace', { write: (line) => void logLines.push(line) }),
    relay: {
      resolve: async (name) => {
        resolved.push(name);
        return resolve(name);
      },
      ca: authority.certificatePem,
      alsoPublic: ['127.0.0.1'],
    },
  });
  account = await TestAccount.create(server);
  other = await TestAccount.create(server);
});
afterEach(async () => {
  thirdParty.answer = (response) => void response.writeHead(204).end();
  thirdParty.received.length = 0;
  resolve = () => ['127.0.0.1'];
  resolved.length = 0;
  for (const tunnel of tunnels.splice(0)) tunnel.close();
  await server.app.platform.db.m2uLink.deleteMany();
});
afterAll(async () => {
  await server.close();
  thirdParty.server.closeAllConnections();
  await new Promise((closed) => thirdParty.server.close(closed));
});
resolve = () => ['127.0.0.1'];

const ERRORS = '... on Error { code message path }';
const create = (who: Person, input: object): Promise<Json> =>
  who.api.mutate(
    `mutation ($input: CreateM2uLinkInput!) { createM2uLink(input: $input) { __typename
      ... on CreateM2uLinkSuccess { link { id name url createdAt } } ${ERRORS} } }`,
    { input },
  );
const update = (who: Person, input: object): Promise<Json> =>
  who.api.mutate(
    `mutation ($input: UpdateM2uLinkInput!) { updateM2uLink(input: $input) { __typename
      ... on UpdateM2uLinkSuccess { link { id name url } } ${ERRORS} } }`,
    { input },
  );
const remove = (who: Person, linkId: string): Promise<Json> =>
  who.api.mutate(
    `mutation ($linkId: ID!) { deleteM2uLink(input: { linkId: $linkId }) { __typename
      ... on DeleteM2uLinkSuccess { deletedLinkId } ${ERRORS} } }`,
    { linkId },
  );
const links = async (who: Person): Promise<Json> =>
  (await who.api.run('{ account { m2uLinks { totalCount nodes { name url } } } }')).account.m2uLinks;
/** A link to the third party. */
const link = (name = 'Cloud', path = '/in?key=1') =>
  create(account.admin, { name, url: `https://data.example.com:${thirdParty.port}${path}` });

const device = async (name: string, firmwareVersion = '10.0s0', of = account): Promise<RawTunnel> => {
  const ewon = await rawEwon(of, { name });
  const tunnel = await ewon.open({ firmwareVersion });
  tunnels.push(tunnel);
  return tunnel;
};
const relay = (tunnel: RawTunnel, more: object = {}): Promise<Json> =>
  request(tunnel, { type: 'm2u', link: 'Cloud', payload: payload(), ...more });
const refusal = (code: string, message?: string) => ({
  ...{ type: 'refused', of: 'm2u', code, id: expect.any(String) },
  message: message === undefined ? expect.any(String) : expect.stringContaining(message),
});
/** The newest entry about the relay. */
const newest = async (of = account): Promise<Json> => (await of.log({ codes: ['M2U_DELIVERED', 'M2U_FAILED'] }, 1))[0];
const values = ({ parameters }: Json): Json =>
  Object.fromEntries(parameters.map(({ name, value }: Json) => [name, value]));

describe('links', () => {
  it('M2U-02 are created, modified and deleted by Administrators, listed by name, and logged', async () => {
    const url = 'https://data.example.com/in';
    const made = await create(account.admin, { name: ' Cloud ', url: 'HTTPS://Data.Example.com:443/in' });
    expect(made.link).toMatchObject({ name: 'Cloud', url });
    await create(account.admin, { name: 'Archive', url });
    expect(await links(account.admin)).toEqual({
      totalCount: 2,
      nodes: [
        { name: 'Archive', url },
        { name: 'Cloud', url },
      ],
    });
    const linkId = made.link.id;
    expect(await update(account.admin, { linkId, name: 'Zoo', url: `${url}?2` })).toMatchObject({
      link: { name: 'Zoo', url: `${url}?2` },
    });
    expect(await update(account.admin, { linkId, name: null })).toMatchObject({ link: { name: 'Zoo' } });
    expect((await links(account.admin)).nodes.map(({ name }: Json) => name)).toEqual(['Archive', 'Zoo']);
    expect(await remove(account.admin, linkId)).toMatchObject({ deletedLinkId: linkId });
    expect(await remove(account.admin, linkId)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await update(account.admin, { linkId, name: 'X' })).toMatchObject({ code: 'NOT_FOUND' });
    const codes = ['M2U_LINK_CREATED', 'M2U_LINK_CHANGED', 'M2U_LINK_DELETED'];
    expect((await account.log({ codes })).map(({ text, userName }) => `${userName}: ${text}`)).toEqual([
      'admin: M2U link Zoo deleted',
      'admin: M2U link Cloud changed: named Zoo, target',
      'admin: M2U link Archive created',
      'admin: M2U link Cloud created',
    ]);
  });

  it('M2U-02 M2U-04 are refused to others, under a name in use, beyond the limit, and to a target that is not public', async () => {
    const user = await account.user('user', [await account.group('Users')]);
    const url = 'https://data.example.com/';
    const { link: own } = await create(account.admin, { name: 'Cloud', url });
    for (const answer of [
      await create(user, { name: 'Mine', url }),
      await update(user, { linkId: own.id, name: 'Mine' }),
      await remove(user, own.id),
    ])
      expect(answer).toMatchObject({ code: 'FORBIDDEN' });
    expect(await links(user)).toBeNull();
    expect((await links(other.admin)).totalCount).toBe(0);
    expect(await remove(other.admin, own.id)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await user.api.run('query ($id: ID!) { node(id: $id) { id } }', { id: own.id })).node).toBeNull();

    for (const name of ['', ' ', 'x'.repeat(33)])
      expect(await create(account.admin, { name, url }), name).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await create(account.admin, { name: 'cLOUD', url })).toMatchObject({
      ...{ code: 'LINK_NAME_IN_USE', path: ['name'] },
    });
    expect(await create(other.admin, { name: 'Cloud', url })).toMatchObject({ link: { name: 'Cloud' } });
    const racing = await Promise.all([1, 2].map(() => create(account.admin, { name: 'Race', url })));
    expect(racing.map(({ __typename }) => __typename).sort()).toEqual(['CreateM2uLinkSuccess', 'DomainError']);
    expect(await update(account.admin, { linkId: own.id, name: 'race' })).toMatchObject({ code: 'LINK_NAME_IN_USE' });

    for (const wrong of ['http://data.example.com/', 'https://localhost/', 'https://[::1]/', 'https://10.0.0.1/']) {
      const forbidden = { code: 'LINK_TARGET_FORBIDDEN', path: ['url'] };
      expect(await create(account.admin, { name: 'Wrong', url: wrong }), wrong).toMatchObject(forbidden);
      expect(await update(account.admin, { linkId: own.id, url: wrong }), wrong).toMatchObject(forbidden);
    }
    await create(account.admin, { name: 'x'.repeat(32), url });
    await create(account.admin, { name: 'Fourth', url });
    expect(await create(account.admin, { name: 'Fifth', url })).toMatchObject({ code: 'ACCOUNT_LIMIT_REACHED' });
  });

  it('M2U-03 are marked deprecated in the schema', () => {
    const accountType = schema.getType('Account') as GraphQLObjectType;
    const mutations = schema.getMutationType()?.getFields() ?? {};
    const places = [
      accountType.getFields().m2uLinks,
      ...['createM2uLink', 'updateM2uLink', 'deleteM2uLink'].map((name) => mutations[name]),
    ];
    for (const place of places)
      expect(place?.deprecationReason, place?.name).toBe('Firmware 11.1s0 and later push directly (M2U-03).');
  });
});

describe('data of a device', () => {
  it('M2U-01 M2U-05 is relayed over https; link, device and status are logged, the data nowhere', async () => {
    await link();
    const tunnel = await device('Sender');
    const answer = await relay(tunnel, { id: 'one', link: 'CLOUD', contentType: 'text/plain; charset=utf-8' });
    expect(answer).toEqual({ type: 'accepted', of: 'm2u', id: 'one' });
    await relay(tunnel, { id: 'one', payload: payload(Buffer.from([0, 255, 10])) });
    await relay(tunnel, { id: 'two', payload: '' });
    const [first, second, third] = thirdParty.received;
    expect(first?.body.toString()).toBe(SECRET);
    expect([...(second?.body ?? [])]).toEqual([0, 255, 10]);
    expect(third?.body).toHaveLength(0);
    expect(first?.path).toBe('/in?key=1');
    expect(first?.headers).toMatchObject({
      ...{ host: `data.example.com:${thirdParty.port}`, 'content-type': 'text/plain; charset=utf-8' },
      ...{ 'x-ewon-reference': expect.stringMatching(/^DEV\d+$/), 'user-agent': 'talkgate-m2u' },
    });
    expect(second?.headers['content-type']).toBe('application/octet-stream');
    // What a device sends again is known by its key; what it sends next has another.
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    expect(third?.headers['idempotency-key']).not.toBe(first?.headers['idempotency-key']);

    const entry = await newest();
    expect(entry).toMatchObject({
      ...{ code: 'M2U_DELIVERED', ewonName: 'Sender', trigger: 'EWON', userName: null },
      text: 'Data of Ewon Sender relayed through Cloud: HTTP 204',
    });
    expect(values(entry)).toEqual({ link: 'Cloud', status: '204' });
    for (const said of [SECRET, 'hunter2', payload()]) {
      expect(JSON.stringify(await account.log({}, 200))).not.toContain(said);
      expect(logLines.join('')).not.toContain(said);
    }
  });

  it('M2U-05 a status that is no success has failed, a redirect is not followed, and an endless answer is not read', async () => {
    await link();
    const tunnel = await device('Unlucky');
    for (const status of [302, 307, 404, 500]) {
      thirdParty.answer = (response) =>
        void response.writeHead(status, { location: `https://data.example.com:${thirdParty.port}/other` }).end();
      expect(await relay(tunnel)).toMatchObject(refusal('LINK_DELIVERY_FAILED', `HTTP ${status}`));
      const entry = await newest();
      expect(entry.text).toBe(
        `Data of Ewon Unlucky not relayed through Cloud: The server answered with HTTP ${status}.`,
      );
      expect(values(entry)).toMatchObject({ link: 'Cloud', status: String(status) });
    }
    expect(thirdParty.received.map(({ path }) => path)).toEqual(Array(4).fill('/in?key=1'));

    // The connection ends with the status and not with the time for an answer, which is over first for whoever asked before.
    const ended: string[] = [];
    const asked = new Promise<ServerResponse>((held) => {
      thirdParty.answer = (response) => held(response.on('close', () => void ended.push('earlier')));
    });
    const earlier = relay(await device('Patient'));
    const late = await asked;
    const closed = new Promise<number>((gone) => {
      thirdParty.answer = (response) => {
        let written = 0;
        const timer = setInterval(() => {
          written += 65_536;
          response.write(Buffer.alloc(65_536));
        }, 1);
        response.writeHead(200).flushHeaders();
        response.on('close', () => {
          clearInterval(timer);
          ended.push('endless');
          gone(written);
        });
      };
    });
    expect(await relay(tunnel)).toMatchObject({ type: 'accepted' });
    expect(await closed).toBeLessThan(20_000_000);
    expect(ended).toEqual(['endless']);
    late.writeHead(204).end();
    expect(await earlier).toMatchObject({ type: 'accepted' });
  });

  it('M2U-04 a name is judged at each connection, by all that it resolves to, and the socket goes nowhere else', async () => {
    await link();
    const tunnel = await device('Rebound');
    const answers = [
      ['127.0.0.1'],
      ['10.0.0.1'],
      ['127.0.0.1', '169.254.169.254'],
      ['::ffff:127.0.0.1'],
      ['127.0.0.2'],
    ];
    resolve = () => answers.shift() ?? [];
    expect(await relay(tunnel)).toMatchObject({ type: 'accepted' });
    for (let time = 0; time < 4; time += 1)
      expect(await relay(tunnel)).toMatchObject(refusal('LINK_TARGET_FORBIDDEN', 'not public'));
    // Once a delivery: what was judged is what was connected to.
    expect(resolved).toEqual(Array(5).fill('data.example.com'));
    expect(thirdParty.received).toHaveLength(1);
    expect((await newest()).text).toBe(
      'Data of Ewon Rebound not relayed through Cloud: The name of the server leads to an address that is not public.',
    );

    // A link that was written when it was allowed, or that nobody should have been able to write.
    for (const url of [`https://127.0.0.2:${thirdParty.port}/`, `http://data.example.com:${thirdParty.port}/`]) {
      await server.app.platform.db.m2uLink.updateMany({ data: { url } });
      expect(await relay(tunnel)).toMatchObject(refusal('LINK_TARGET_FORBIDDEN'));
    }
    expect(thirdParty.received).toHaveLength(1);
  });

  it('M2U-05 a server that is unknown, refuses, is not who it should be, or does not answer in time has failed', async () => {
    const tunnel = await device('Waiting');
    await link();
    resolve = () => [];
    expect(await relay(tunnel)).toMatchObject(refusal('LINK_DELIVERY_FAILED', 'unknown'));
    resolve = () => ['127.0.0.1'];
    await create(account.admin, { name: 'Stranger', url: `https://stranger.example.com:${thirdParty.port}/` });
    expect(await relay(tunnel, { link: 'Stranger' })).toMatchObject(
      refusal('LINK_DELIVERY_FAILED', 'ERR_TLS_CERT_ALTNAME_INVALID'),
    );
    await create(account.admin, { name: 'Closed', url: 'https://data.example.com:1024/' });
    expect(await relay(tunnel, { link: 'Closed' })).toMatchObject(refusal('LINK_DELIVERY_FAILED', 'ECONNREFUSED'));
    expect(thirdParty.received).toHaveLength(0);

    thirdParty.answer = () => undefined;
    const waiting = relay(tunnel, { id: 'slow' });
    // Meanwhile it does everything else that a device does.
    const data = { type: 'data', points: [{ tag: 'level', at: server.clock.now().toISOString(), value: 1 }] };
    expect(await request(tunnel, data)).toMatchObject({ type: 'accepted', of: 'data' });
    expect(tunnel.messages.some(({ id }) => id === 'slow')).toBe(false);
    expect(await waiting).toMatchObject(refusal('LINK_DELIVERY_FAILED', 'within 1 s'));
    expect(values(await newest())).toMatchObject({ link: 'Cloud', reason: 'The server did not answer within 1 s.' });
  });

  it('M2U-01 only through links of its account, up to a size, in the form of the protocol', async () => {
    await create(other.admin, { name: 'Theirs', url: `https://data.example.com:${thirdParty.port}/` });
    await link();
    const tunnel = await device('Bounded');
    expect(await relay(tunnel, { link: 'Theirs' })).toMatchObject(refusal('NOT_FOUND'));
    expect(await relay(tunnel, { payload: payload(Buffer.alloc(40_000)) })).toMatchObject({ type: 'accepted' });
    expect(thirdParty.received[0]?.body).toHaveLength(40_000);
    expect(await relay(tunnel, { payload: payload(Buffer.alloc(40_001)) })).toMatchObject(
      refusal('MESSAGE_INVALID', '40000 bytes'),
    );
    expect(thirdParty.received).toHaveLength(1);
    for (const wrong of [
      { link: 'x'.repeat(33) },
      { payload: 'not base64!' },
      { contentType: 'text/plain\r\nx-evil: 1' },
      { contentType: '' },
    ]) {
      const careless = await device(`Careless ${JSON.stringify(wrong).length}`);
      await careless.send({ type: 'm2u', id: 'x', link: 'Cloud', payload: '', ...wrong });
      expect(await careless.ended, JSON.stringify(wrong)).toMatchObject({ code: 4400 });
    }
    expect(thirdParty.received).toHaveLength(1);
  });

  it('M2U-05 an Ewon has so many relayed an hour, failed ones included; what is too much is refused each time and logged once', async () => {
    await link();
    const [greedy, modest] = [await device('Greedy'), await device('Modest')];
    for (let time = 0; time < 8; time += 1) await relay(greedy, time % 2 === 0 ? {} : { link: 'Nothing' });
    for (let time = 0; time < 3; time += 1)
      expect(await relay(greedy)).toMatchObject(refusal('TOO_MANY_REQUESTS', 'at most 8'));
    const entries = (await account.log({ codes: ['M2U_FAILED', 'M2U_DELIVERED'] })).filter(
      ({ ewonName }) => ewonName === 'Greedy',
    );
    expect(entries).toHaveLength(9);
    expect(entries[0]?.text).toContain('at most 8 payloads an hour');
    expect(await relay(modest)).toMatchObject({ type: 'accepted' });
  });

  it('M2U-03 a device that can push directly is told so, and served all the same', async () => {
    await link();
    for (const [firmwareVersion, notice] of [
      ['9.9s9', undefined],
      ['11.0s9', undefined],
      ['11.1s0', 'Firmware 11.1s0 and later push directly (M2U-03).'],
      ['22.1s0', 'Firmware 11.1s0 and later push directly (M2U-03).'],
    ] as const) {
      const answer = await relay(await device(`Firmware ${firmwareVersion}`, firmwareVersion));
      expect(answer, firmwareVersion).toMatchObject({ type: 'accepted' });
      expect(answer.notice, firmwareVersion).toBe(notice);
    }
    expect(thirdParty.received).toHaveLength(4);
  });

  it('M2U-05 SIM-07 the simulator sends through a link, from the library and by its control API', async () => {
    await link();
    const { device: simulated } = await account.onlineEwon({ name: 'Simulated' }, { firmwareVersion: '10.0s0' });
    try {
      expect(await simulated.relay('Cloud', 'from the library')).toBeUndefined();
      const body = { link: 'cloud', payload: 'from outside' };
      expect(await CONTROL_COMMANDS.m2u?.perform(simulated, body)).toBeNull();
      expect(thirdParty.received.map(({ body: received }) => received.toString())).toEqual([
        'from the library',
        'from outside',
      ]);
      await expect(simulated.relay('Nothing', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    } finally {
      await simulated.disconnect();
    }
  });

  it('M2U-01 a server that stops does not wait for one that does not answer', async () => {
    const authority = await openAuthority({ dataDir: undefined, caDays: 30 });
    const party = await startThirdParty(authority.issueServerCertificate({ hosts: ['data.example.com'], days: 3 }));
    party.answer = () => undefined;
    const stopping = await startServer({
      env: { M2U_TIMEOUT_SECONDS: '60' },
      relay: { resolve: async () => ['127.0.0.1'], ca: authority.certificatePem, alsoPublic: ['127.0.0.1'] },
    });
    const of = await TestAccount.create(stopping);
    await create(of.admin, { name: 'Cloud', url: `https://data.example.com:${party.port}/` });
    const tunnel = await device('Interrupted', '10.0s0', of);
    await tunnel.send({ type: 'm2u', id: 'x', link: 'Cloud', payload: payload() });
    await expect.poll(() => party.received.length).toBe(1);
    const begun = performance.now();
    await stopping.close();
    expect(performance.now() - begun).toBeLessThan(10_000);
    party.server.closeAllConnections();
    await new Promise((closed) => party.server.close(closed));
  });
});
