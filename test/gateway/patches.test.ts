import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runOperatorCommand } from '../../src/operator/command.ts';
import { runPatchCampaigns } from '../../src/patches/campaigns.ts';
import { refusePatch } from '../../src/patches/requests.ts';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { rawEwon } from '../support/device-requests.ts';
import type { RawTunnel } from '../support/raw-tunnel.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Person, TestAccount, type TestEwon } from '../support/world.ts';

const TOKEN = 'operator-token-0123456789-abcdefghij';
const CAMPAIGN = 'key firmwareVersion reason finishedAt requested updated skipped failed';
const CODES = ['EWON_PATCHED', 'EWON_PATCH_SKIPPED', 'EWON_PATCH_FAILED'];

let server: TestServer;
let managed: TestAccount;
let unmanaged: TestAccount;
const devices: TestEwon['device'][] = [];
const tunnels: RawTunnel[] = [];

beforeAll(async () => {
  server = await startServer({ env: { OPERATOR_TOKEN: TOKEN, PATCH_BATCH: '2', PATCH_SECONDS: '60' } });
  managed = await TestAccount.create(server);
  unmanaged = await TestAccount.create(server);
  await setRemoteManagement(unmanaged.admin, false);
});
afterEach(async () => {
  for (const tunnel of tunnels.splice(0)) tunnel.close();
  for (const device of devices.splice(0)) await device.disconnect();
  // What a campaign left behind is no part of the next.
  const { db } = server.app.platform;
  await db.patchCampaign.deleteMany();
  await eventually(
    'all tunnels gone',
    () => db.ewon.count({ where: { tunnelId: { not: null } } }),
    (count) => count === 0,
  );
  await db.ewon.deleteMany();
});
afterAll(() => server.close());

const setRemoteManagement = (admin: Person, remoteManagement: boolean) =>
  admin.api.succeed('mutation ($on: Boolean) { setPrivacy(input: { remoteManagement: $on }) { __typename } }', {
    on: remoteManagement,
  });

async function operator(query: string, variables: object = {}): Promise<Json> {
  const response = await fetch(`${server.url}/operator`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Json;
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const start = async (input: object): Promise<Json> =>
  (
    await operator(
      `mutation ($input: StartPatchCampaignInput!) { startPatchCampaign(input: $input) { __typename
        ... on StartPatchCampaignSuccess { campaign { ${CAMPAIGN} } } ... on Error { code message path } } }`,
      { input: { reason: 'CVE-2026-1', ...input } },
    )
  ).startPatchCampaign;

const campaign = async (key: string): Promise<Json> =>
  (await operator(`{ patchCampaigns { nodes { ${CAMPAIGN} } } }`)).patchCampaigns.nodes.find(
    (each: Json) => each.key === key,
  );

/** Runs what is due until the campaign is as wanted. */
const until = (key: string, holds: (campaign: Json) => boolean): Promise<Json> =>
  eventually(
    `campaign ${key}`,
    async () => {
      await server.app.jobs.run();
      return campaign(key);
    },
    holds,
  );
const finished = (key: string): Promise<Json> => until(key, ({ finishedAt }) => finishedAt !== null);

async function online(of: TestAccount, name: string, firmwareVersion: string): Promise<TestEwon> {
  const ewon = await of.onlineEwon({ name }, { firmwareVersion });
  devices.push(ewon.device);
  return ewon;
}
/** Played by hand: answers nothing by itself. */
async function raw(name: string, firmwareVersion: string, of = managed) {
  const ewon = await rawEwon(of, { name });
  const tunnel = await ewon.open({ firmwareVersion });
  tunnels.push(tunnel);
  return { ...ewon, tunnel };
}
const asked = (tunnel: RawTunnel): Promise<Json> =>
  eventually(
    'the wish to update',
    () => tunnel.messages.find(({ type }) => type === 'updateFirmware'),
    (message) => message !== undefined,
  );
const askedTimes = (tunnel: RawTunnel): number =>
  tunnel.messages.filter(({ type }) => type === 'updateFirmware').length;

const firmwareOf = async (of: TestAccount, id: string): Promise<string> =>
  (await of.admin.api.run('query ($id: ID!) { ewon(by: { id: $id }) { firmwareVersion } }', { id })).ewon
    .firmwareVersion;
/** What the log of an account says of campaigns, by Ewon. */
const results = async (of: TestAccount): Promise<Record<string, string>> =>
  Object.fromEntries((await of.log({ codes: CODES })).map(({ ewonName, text }) => [ewonName, text]));
const entries = async (of: TestAccount, name: string): Promise<Json[]> =>
  (await of.log({ codes: CODES })).filter(({ ewonName }) => ewonName === name);

describe('a patch campaign', () => {
  it('PRV-06 PRV-07 PRV-08 raises the firmware of online Ewons of accounts with remote management, skips the others, and logs each result', async () => {
    const older = await online(managed, 'Older', '14.6s0');
    const second = await online(managed, 'Second', '9.20s0');
    const third = await online(managed, 'Third', '14.8s9');
    const same = await online(managed, 'Same', '14.9s0');
    const newer = await online(managed, 'Newer', '14.10s0');
    const offline = await managed.ewon({ name: 'Offline' }, { firmwareVersion: '14.6s0' });
    const left = await online(unmanaged, 'Left alone', '14.6s0');
    const tunnelsBefore = [same, newer, left].map(({ device }) => device.tunnelId);

    expect(await start({ key: 'first', firmwareVersion: '14.9s0' })).toMatchObject({
      campaign: { key: 'first', firmwareVersion: '14.9s0', reason: 'CVE-2026-1', finishedAt: null, updated: 0 },
    });
    expect(await finished('first')).toMatchObject({ requested: 0, updated: 3, skipped: 2, failed: 0 });

    for (const ewon of [older, second, third]) {
      expect(await firmwareOf(managed, ewon.id)).toBe('14.9s0');
      expect(ewon.device.facts.firmwareVersion).toBe('14.9s0');
      await ewon.device.waitFor('online');
    }
    expect(await firmwareOf(managed, newer.id)).toBe('14.10s0');
    expect(await firmwareOf(managed, offline.id)).toBe('14.6s0');
    expect(await firmwareOf(unmanaged, left.id)).toBe('14.6s0');
    expect([same, newer, left].map(({ device }) => device.tunnelId)).toEqual(tunnelsBefore);

    const updated = (name: string, from: string) =>
      `Firmware of Ewon ${name} updated from ${from} to 14.9s0: CVE-2026-1`;
    expect(await results(managed)).toEqual({
      Older: updated('Older', '14.6s0'),
      Second: updated('Second', '9.20s0'),
      Third: updated('Third', '14.8s9'),
      Offline: 'Firmware update 14.9s0 of Ewon Offline skipped: it is offline',
    });
    expect(await results(unmanaged)).toEqual({
      'Left alone': 'Firmware update 14.9s0 of Ewon Left alone skipped: remote management is off',
    });
    const [entry] = await entries(managed, 'Older');
    expect(entry).toMatchObject({ code: 'EWON_PATCHED', trigger: 'PLATFORM', category: 'EWON', userName: null });

    // It is over: an Ewon that comes later is no part of it.
    await offline.device.connect();
    devices.push(offline.device);
    await server.app.jobs.run();
    expect(await firmwareOf(managed, offline.id)).toBe('14.6s0');
    expect(await entries(managed, 'Offline')).toHaveLength(1);
  });

  it('PRV-08 works on so many at a time, asks each once, and goes on as they answer', async () => {
    const ewons = [];
    for (const name of ['A', 'B', 'C', 'D', 'E']) ewons.push(await raw(name, '1.0s0'));
    await start({ key: 'steps', firmwareVersion: '1.0s1' });
    // Registered after it began: no part of it.
    server.clock.advance(1000);
    await managed.ewon({ name: 'Newcomer' }, { firmwareVersion: '1.0s0' });
    await until('steps', ({ requested }) => requested === 2);
    await server.app.jobs.run();
    server.app.platform.bell.ring('patches');
    const [a, b, c, d, e] = ewons as [(typeof ewons)[0], ...(typeof ewons)[0][]];
    expect(await asked(a.tunnel)).toEqual({
      ...{ type: 'updateFirmware', firmwareVersion: '1.0s1', withinSeconds: 60 },
      campaignId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await asked(b?.tunnel as RawTunnel);
    expect(await campaign('steps')).toMatchObject({ requested: 2, updated: 0 });
    expect(askedTimes(c?.tunnel as RawTunnel)).toBe(0);

    // One that tells of something else, or of too little, is not done.
    await a.tunnel.send({ type: 'report', digitalInput: false });
    await a.tunnel.send({ type: 'report', firmwareVersion: '1.0s0' });
    await b?.tunnel.send({ type: 'report', firmwareVersion: '1.1s0' });
    await until('steps', ({ updated }) => updated === 1);
    await asked(c?.tunnel as RawTunnel);
    expect(await campaign('steps')).toMatchObject({ requested: 2, updated: 1 });
    expect((await results(managed)).B).toBe('Firmware of Ewon B updated from 1.0s0 to 1.1s0: CVE-2026-1');

    for (const each of [a, c, d, e]) {
      await asked(each?.tunnel as RawTunnel).then(() =>
        each?.tunnel.send({ type: 'report', firmwareVersion: '1.0s1' }),
      );
      await server.app.jobs.run();
    }
    expect(await finished('steps')).toMatchObject({ requested: 0, updated: 5, skipped: 0, failed: 0 });
    for (const { tunnel, name } of ewons) {
      expect(askedTimes(tunnel), name).toBe(1);
      expect(await entries(managed, name), name).toHaveLength(1);
    }
    // Told again, it is no news.
    await a.tunnel.send({ type: 'report', firmwareVersion: '1.0s2' });
    await eventually(
      'the report',
      () => firmwareOf(managed, a.id),
      (version) => version === '1.0s2',
    );
    expect(await entries(managed, 'A')).toHaveLength(1);
  });

  it('PRV-08 a device that refuses, or does not come back in time, has failed; one that comes back without it is asked again', async () => {
    const refusing = await online(managed, 'Refusing', '2.0s0');
    refusing.device.setFaults({ updates: 'REFUSED' });
    await start({ key: 'refused', firmwareVersion: '2.1s0' });
    expect(await finished('refused')).toMatchObject({ failed: 1, updated: 0 });
    expect((await results(managed)).Refusing).toBe(
      'Firmware update 2.1s0 of Ewon Refusing failed: the device refused it: Updates are switched off on the device.',
    );
    expect(await firmwareOf(managed, refusing.id)).toBe('2.0s0');

    const silent = await raw('Silent', '1.0s0');
    const lost = await raw('Lost', '1.0s0');
    await start({ key: 'silent', firmwareVersion: '1.5s0' });
    // Of those that have it already no word.
    await until('silent', ({ requested }) => requested === 2);
    await Promise.all([asked(silent.tunnel), asked(lost.tunnel)]);
    const { campaignId } = await asked(lost.tunnel);
    // Nobody refuses for another, or what he was not asked for.
    await lost.tunnel.send({ type: 'updateRefused', campaignId: '0198b8a0-0000-7000-8000-000000000000' });
    await refusing.device.sendRaw(JSON.stringify({ type: 'updateRefused', campaignId }));
    lost.tunnel.close();
    const again = await lost.open({ firmwareVersion: '1.0s0' });
    tunnels.push(again);
    server.app.platform.bell.ring('patches');
    await asked(again);
    // The clock runs on by itself: what a busy machine takes for the lines above is not the rest of the 60 s.
    server.clock.advance(40_000);
    await server.app.jobs.run();
    expect(await campaign('silent')).toMatchObject({ requested: 2, failed: 0, finishedAt: null });
    server.clock.advance(20_000);
    expect(await finished('silent')).toMatchObject({ requested: 0, failed: 2, updated: 0 });
    for (const name of ['Silent', 'Lost'])
      expect((await results(managed))[name]).toBe(
        `Firmware update 1.5s0 of Ewon ${name} failed: it did not come back with it within 60 s`,
      );
    // Too late is too late: the firmware shows, the result stands.
    await silent.tunnel.send({ type: 'report', firmwareVersion: '1.5s0' });
    await eventually(
      'the report',
      () => firmwareOf(managed, silent.id),
      (version) => version === '1.5s0',
    );
    expect(await entries(managed, 'Silent')).toHaveLength(1);
  });

  it('PRV-08 IMP-10 a device whose Ewon has gone to another account says nothing more in the old one', async () => {
    await raw('Moved', '1.0s0');
    await start({ key: 'moved', firmwareVersion: '1.5s0' });
    await until('moved', ({ requested }) => requested === 1);
    const { db } = server.app.platform;
    const found = await db.ewonPatch.findFirstOrThrow({ where: { ewon: { name: 'Moved' } } });
    const other = await TestAccount.create(server);
    await db.ewonPatch.updateMany({ where: { ewonId: found.ewonId }, data: { accountId: other.id } });
    await db.ewon.update({ where: { id: found.ewonId }, data: { accountId: other.id } });
    // As its tunnel, which was opened for the account before, hands it on.
    const refuse = (accountId: string) =>
      refusePatch(server.app.platform, { ewonId: found.ewonId, accountId }, found.campaignId, 'no');
    await refuse(found.accountId);
    expect(await entries(managed, 'Moved')).toEqual([]);
    expect(await campaign('moved')).toMatchObject({ requested: 1, failed: 0 });
    await refuse(other.id);
    expect(await entries(managed, 'Moved')).toEqual([]);
    expect(await entries(other, 'Moved')).toHaveLength(1);
    expect(await campaign('moved')).toMatchObject({ requested: 0, failed: 1 });
  });

  it('PRV-08 the simulated device that has the firmware says so, and one that ignores the wish is given up', async () => {
    const ignoring = await online(managed, 'Ignoring', '3.0s0');
    ignoring.device.setFaults({ updates: 'IGNORED' });
    await start({ key: 'ignored', firmwareVersion: '3.1s0' });
    await until('ignored', ({ requested }) => requested === 1);
    await ignoring.device.waitFor((it) => it.tunnelState === 'online');
    // It was updated on the spot before it was asked: what the account knows is older than what it is.
    const ahead = await raw('Ahead', '3.0s0');
    ahead.tunnel.close();
    server.clock.advance(60_000);
    expect(await finished('ignored')).toMatchObject({ failed: 1 });
    const knowing = await online(managed, 'Knowing', '3.9s0');
    await server.app.platform.db.ewon.updateMany({ where: { name: 'Knowing' }, data: { firmwareVersion: '3.0s0' } });
    const tunnelId = knowing.device.tunnelId;
    await start({ key: 'known', firmwareVersion: '3.5s0' });
    await until('known', ({ updated }) => updated === 1);
    expect(knowing.device.tunnelId).toBe(tunnelId);
    expect((await results(managed)).Knowing).toContain('updated from 3.0s0 to 3.9s0');
  });

  it('PRV-07 switched off in the middle, no further Ewon of the account is asked, and what was under way is told as it ends', async () => {
    const names = ['K', 'L', 'M'];
    const ewons = [];
    for (const name of names) ewons.push(await raw(name, '1.0s0'));
    const [k, l, m] = ewons as [(typeof ewons)[0], (typeof ewons)[0], (typeof ewons)[0]];
    await start({ key: 'withdrawn', firmwareVersion: '1.0s1' });
    await until('withdrawn', ({ requested }) => requested === 2);
    await Promise.all([asked(k.tunnel), asked(l.tunnel)]);
    await setRemoteManagement(managed.admin, false);
    try {
      await k.tunnel.send({ type: 'report', firmwareVersion: '1.0s1' });
      await until('withdrawn', ({ updated, skipped }) => updated === 1 && skipped === 1);
      // One that comes back is not asked again.
      l.tunnel.close();
      const again = await l.open({ firmwareVersion: '1.0s0' });
      tunnels.push(again);
      server.app.platform.bell.ring('patches');
      await again.send({ type: 'keepAlive' });
      await eventually(
        'its keep-alive',
        () => again.messages,
        (messages) => messages.some(({ type }) => type === 'keepAlive'),
      );
      server.clock.advance(60_000);
      expect(await finished('withdrawn')).toMatchObject({ updated: 1, skipped: 2, failed: 0 });
      expect([askedTimes(again), askedTimes(m.tunnel)]).toEqual([0, 0]);
      const off = 'skipped: remote management is off';
      expect(await results(managed)).toMatchObject({
        K: expect.stringContaining('updated'),
        L: expect.stringContaining(off),
        M: expect.stringContaining(off),
      });
    } finally {
      await setRemoteManagement(managed.admin, true);
    }
  });

  it('PRV-08 CLU-05 several instances may do it at once, and it goes on after it was interrupted: one row and one entry an Ewon', async () => {
    const ewons = [];
    for (const name of ['P', 'Q']) ewons.push(await raw(name, '1.0s0'));
    for (const name of ['R', 'S', 'T']) await managed.ewon({ name }, { firmwareVersion: '1.0s0' });
    await start({ key: 'twice', firmwareVersion: '1.0s1' });
    const { platform } = server.app;
    const { db } = platform;
    await Promise.all([1, 2, 3].map(() => runPatchCampaigns(platform, platform.clock.now())));
    // A crash in the middle: what was done stands, the rest is to be done.
    const { ewonId } = await db.ewonPatch.findFirstOrThrow({ where: { ewon: { name: 'R' } } });
    await Promise.all(ewons.map(({ tunnel }) => asked(tunnel)));
    for (const { tunnel } of ewons) await tunnel.send({ type: 'report', firmwareVersion: '1.0s1' });
    await finished('twice');
    await db.ewonPatch.delete({ where: { campaignId_ewonId: { campaignId: await idOf('twice'), ewonId } } });
    await db.patchCampaign.updateMany({ data: { finishedAt: null } });
    expect(await finished('twice')).toMatchObject({ updated: 2, skipped: 3, failed: 0 });
    expect(await entries(managed, 'R')).toHaveLength(2);
    for (const name of ['P', 'Q', 'S', 'T']) expect(await entries(managed, name), name).toHaveLength(1);
    for (const { tunnel } of ewons) expect(askedTimes(tunnel)).toBe(1);
  });
  const idOf = async (key: string): Promise<string> =>
    (await server.app.platform.db.patchCampaign.findUniqueOrThrow({ where: { key } })).id;
});

describe('the operator', () => {
  it('PRV-06 a campaign is one by its key, and only the operator begins it', async () => {
    const input = { key: 'once', firmwareVersion: '1.0s0' };
    const [one, two] = await Promise.all([start(input), start(input)]);
    expect([one.campaign.key, two.campaign.key]).toEqual(['once', 'once']);
    expect(await server.app.platform.db.patchCampaign.count()).toBe(1);
    for (const other of [{ firmwareVersion: '1.0s1' }, { reason: 'another' }])
      expect(await start({ ...input, ...other })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', path: ['key'] });
    for (const wrong of [{ firmwareVersion: '1.0' }, { key: ' ' }, { key: 'x'.repeat(65) }, { reason: 'a\nb' }])
      expect(await start({ ...input, ...wrong }), JSON.stringify(wrong)).toMatchObject({ code: 'VALIDATION_FAILED' });
    const ordinary = await new ApiCaller(server.url, managed.admin.api.token).send(
      'mutation { startPatchCampaign(input: { key: "x", firmwareVersion: "1.0s0", reason: "x" }) { __typename } }',
    );
    expect(ordinary.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('PRV-06 has commands for it', async () => {
    const command = async (...args: string[]) => {
      const said = { out: '', error: '' };
      const status = await runOperatorCommand(
        args,
        { OPERATOR_URL: server.url, OPERATOR_TOKEN: TOKEN },
        {
          out: (text) => {
            said.out += text;
          },
          error: (text) => {
            said.error += text;
          },
          readLine: async () => '',
        },
      );
      return { status, ...said };
    };
    expect(await command('start-patch-campaign', '22.3s0', '--key', 'cli', '--reason', 'CVE-2026-2')).toMatchObject({
      status: 0,
      out: 'The campaign cli raises Ewons to 22.3s0; patch-campaigns shows how far it is.',
    });
    expect(await command('start-patch-campaign', '22.3s0', '--key', 'cli')).toMatchObject({ status: 2 });
    expect(await command('start-patch-campaign', '22.3s1', '--key', 'cli', '--reason', 'x')).toMatchObject({
      status: 1,
      error: expect.stringContaining('IDEMPOTENCY_KEY_REUSED'),
    });
    const { out } = await command('patch-campaigns');
    expect(out).toMatch(
      /^key +firmwareVersion +createdAt +finishedAt +requested +updated +skipped +failed\ncli +22\.3s0/,
    );
    expect(out).toContain('1 in all');
  });
});
