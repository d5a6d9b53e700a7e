import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodedError } from '../client/errors.ts';
import { CLOSE_CODES, type DeviceFacts } from '../src/gateway/protocol.ts';
import { type FakeGateway, startFakeGateway } from '../test/support/fake-gateway.ts';
import { createDevice, type Device, type DeviceOptions } from './device.ts';
import { folderStore, memoryStore, type StateStore } from './state.ts';
import { insertCard } from './t2m.ts';

const FACTS: DeviceFacts = {
  serialNumber: '2307-0101-25',
  model: 'FLEXY',
  firmwareVersion: '14.8s2',
  lanAddress: '10.0.0.53/24',
  wanType: 'ETHERNET',
  wanAddress: '192.168.1.20/24',
  geolocationEnabled: false,
  digitalInput: false,
  digitalInputPolicy: 'IGNORE',
  transport: 'TCP',
};
const PROOF = { registrationKey: 'GRK-abcdefghijklmnopqrstuvwxyz12' };
const DAY_MS = 24 * 60 * 60 * 1000;
/** Quick, so that a test needs no patience; the delays themselves are tested in backoff.test.ts. */
const RECONNECT = { baseMs: 5, capMs: 20 };

let gateway: FakeGateway;
let devices: Device[];
let folder: string;

beforeEach(async () => {
  gateway = await startFakeGateway();
  devices = [];
  folder = await mkdtemp(join(tmpdir(), 'talkgate-device-'));
});
afterEach(async () => {
  await Promise.all(devices.map((device) => device.disconnect()));
  await gateway.close();
  await rm(folder, { recursive: true });
});

async function newDevice(options: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await createDevice({
    facts: FACTS,
    platform: { deviceUrl: gateway.deviceUrl },
    reconnect: RECONNECT,
    timeoutMs: 5000,
    closeTimeoutMs: 500,
    ...options,
  });
  devices.push(device);
  return device;
}

async function onlineDevice(options: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await newDevice(options);
  await device.register(PROOF);
  await device.connect();
  return device;
}

const lastTunnel = () => {
  const tunnel = gateway.tunnels.at(-1);
  if (tunnel === undefined) throw new Error('no tunnel yet');
  return tunnel;
};
const close = (reason: keyof typeof CLOSE_CODES) => lastTunnel().socket.close(CLOSE_CODES[reason].code, 'said why');

describe('registration', () => {
  test('GW-02 goes from NEW by registering to ACCOUNT_LINKED and by its first address to VPN_PROVISIONED', async () => {
    const device = await newDevice();
    expect(device.state).toBe('NEW');
    await expect(device.connect()).rejects.toMatchObject({ code: 'NOT_REGISTERED' });

    const registration = await device.register(PROOF, { description: 'Pump 3' });
    expect(registration).toEqual({
      outcome: 'REGISTERED',
      registrationStatus: 'ACTIVE',
      ewonName: 'Ewon 2307-0101-25',
    });
    expect(gateway.enrolments).toMatchObject([
      {
        protocol: 1,
        serialNumber: FACTS.serialNumber,
        proof: PROOF,
        description: 'Pump 3',
        lanAddress: '10.0.0.53/24',
      },
    ]);
    expect(device.state).toBe('ACCOUNT_LINKED');

    await device.connect();
    expect(device.state).toBe('VPN_PROVISIONED');
    expect(device).toMatchObject({
      tunnelState: 'online',
      vpnAddress: '10.238.0.1',
      tunnelId: 'tunnel-1',
      ewonName: 'Ewon 1',
    });
    expect(lastTunnel().received).toEqual([{ type: 'hello', ...FACTS }]);
  });

  test('GRK-15 a registered device ignores another registration and a card, unless it is forced', async () => {
    const device = await newDevice();
    await device.register(PROOF);
    expect(await device.register({ registrationKey: 'GRK-another000000000000000000000' })).toEqual({
      outcome: 'IGNORED',
    });
    await writeFile(join(folder, 'T2M.txt'), 'this is not even a card');
    expect(await insertCard(device, folder)).toEqual({ outcome: 'IGNORED' });
    expect(gateway.enrolments).toHaveLength(1);

    expect(await device.register(PROOF, { force: true })).toMatchObject({ outcome: 'REGISTERED' });
    const [first, second] = gateway.enrolments;
    expect(second?.publicKeyHash).not.toBe(first?.publicKeyHash);
  });

  test('GW-09 an unregistered device registers with the card, at the server and with the description of the card', async () => {
    const card = `# talkgate commissioning file\r\nServer=${gateway.deviceUrl}\r\nGlobalRegistrationKey=${PROOF.registrationKey}\r\nDescription=Pump 3 = the old one\r\n`;
    await writeFile(join(folder, 'T2M.txt'), card);
    const device = await newDevice({ platform: {} });
    expect(await insertCard(device, folder)).toMatchObject({ outcome: 'REGISTERED' });
    expect(gateway.enrolments).toMatchObject([{ proof: PROOF, description: 'Pump 3 = the old one' }]);
  });

  test('GW-03 a registration whose answer was lost is repeated with the same key, also after a restart', async () => {
    const stateStore = folderStore(folder);
    const device = await newDevice({ stateStore });
    const { onEnrol } = gateway.behaviour;
    gateway.behaviour.onEnrol = () => 'hang up';
    await expect(device.register(PROOF)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(device.state).toBe('NEW');

    gateway.behaviour.onEnrol = onEnrol;
    const restarted = await newDevice({ stateStore });
    await restarted.register(PROOF);
    const [first, second] = gateway.enrolments;
    expect(second?.publicKeyHash).toBe(first?.publicKeyHash);
  });

  test('GW-01 a refusal has the code of the platform and no secret', async () => {
    const device = await newDevice();
    gateway.behaviour.onEnrol = () => ({
      status: 429,
      body: { code: 'TOO_MANY_REQUESTS', message: 'Later.', retryAfter: 7 },
    });
    const error = await device.register(PROOF).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', message: 'Later.', retryAfter: 7 });
    expect(JSON.stringify(error) + String(error)).not.toContain(PROOF.registrationKey);
    gateway.behaviour.onEnrol = () => ({ status: 200, body: 'hello' });
    await expect(device.register(PROOF)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
  });

  test('GW-03 a certificate that is not for its key and serial number is not taken', async () => {
    const device = await newDevice();
    const { onEnrol } = gateway.behaviour;
    gateway.behaviour.onEnrol = (request) => onEnrol({ ...request, serialNumber: '2307-0101-26' });
    await expect(device.register(PROOF)).rejects.toMatchObject({ code: 'CERTIFICATE_UNUSABLE' });
    expect(device.state).toBe('NEW');
  });

  test('GW-01 the authority met first is trusted from then on, and a registration key goes to no other', async () => {
    const other = await startFakeGateway();
    try {
      const stateStore = memoryStore();
      gateway.behaviour.onEnrol = () => ({ status: 403, body: { code: 'GRK_UNKNOWN', message: 'Unknown key.' } });
      await expect((await newDevice({ stateStore })).register(PROOF)).rejects.toMatchObject({ code: 'GRK_UNKNOWN' });
      const stored = await stateStore.load(FACTS.serialNumber);
      expect(stored?.platform?.authority).toBe(gateway.authority);

      // Somebody else answers at the address that it knows.
      await stateStore.save({
        version: 1,
        serialNumber: FACTS.serialNumber,
        platform: { deviceUrl: other.deviceUrl, authority: gateway.authority },
      });
      const device = await newDevice({ stateStore, platform: { deviceUrl: other.deviceUrl } });
      await expect(device.register(PROOF)).rejects.toMatchObject({ code: 'PLATFORM_NOT_TRUSTED' });
      expect(other.enrolments).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('SIM-04 a restarted device has its key, certificate and platform, and connects without registering', async () => {
    const before = await onlineDevice({ stateStore: folderStore(folder) });
    await before.disconnect();
    const after = await newDevice({ stateStore: folderStore(folder), platform: {} });
    expect(after).toMatchObject({
      state: 'VPN_PROVISIONED',
      certificate: before.certificate,
      deviceUrl: gateway.deviceUrl,
    });
    await after.connect();
    expect(after.tunnelState).toBe('online');
    expect(gateway.enrolments).toHaveLength(1);

    await after.reset();
    expect(after.state).toBe('NEW');
    expect(await folderStore(folder).list()).toEqual([]);
  });
});

describe('a disk that is full', () => {
  /** Writes until it is told not to. */
  function fullStore(): StateStore & { full: boolean } {
    const store = memoryStore();
    const disk = Object.assign(store, { full: false });
    const { save } = store;
    disk.save = async (state) => {
      if (disk.full) throw new CodedError('STATE_NOT_WRITTEN', 'The disk is full.');
      await save(state);
    };
    return disk;
  }

  test('SIM-04 a device whose key cannot be kept does not register, and says why', async () => {
    const stateStore = fullStore();
    stateStore.full = true;
    const device = await newDevice({ stateStore });
    await expect(device.register(PROOF)).rejects.toMatchObject({ code: 'STATE_NOT_WRITTEN' });
    expect(gateway.enrolments).toEqual([]);
    stateStore.full = false;
    expect(await device.register(PROOF)).toMatchObject({ outcome: 'REGISTERED' });
  });

  test('SIM-04 a registered device goes on with what it knows, says so, and writes it when it can', async () => {
    gateway.behaviour.welcome.keepAliveSeconds = 0.02;
    const stateStore = fullStore();
    const device = await newDevice({ stateStore });
    const problems: string[] = [];
    device.on('stateNotKept', ({ code }) => problems.push(code));
    const { onEnrol } = gateway.behaviour;
    gateway.behaviour.onEnrol = (request) => {
      stateStore.full = true; // between the key and its certificate
      return onEnrol(request);
    };
    expect(await device.register(PROOF)).toMatchObject({ outcome: 'REGISTERED' });
    await device.connect();
    await device.waitFor(() => problems.length >= 2);
    expect(device.tunnelState).toBe('online');
    expect(new Set(problems)).toEqual(new Set(['STATE_NOT_WRITTEN']));
    expect((await stateStore.load(FACTS.serialNumber))?.credentials).toBeUndefined();

    stateStore.full = false;
    await new Promise<void>((resolve) => {
      device.on('message', async () => {
        if ((await stateStore.load(FACTS.serialNumber))?.credentials !== undefined) resolve();
      });
    });
    const restarted = await newDevice({ stateStore });
    expect(restarted).toMatchObject({ state: 'VPN_PROVISIONED', certificate: device.certificate });
  });
});

describe('tunnel', () => {
  test('GRK-16 a device waits for approval, and is online on the same tunnel once it is given', async () => {
    const { welcome } = gateway.behaviour;
    gateway.behaviour.onMessage = (tunnel) => {
      tunnel.send({ type: 'waiting', ewonName: 'Ewon 1', keepAliveSeconds: 30, offlineAfterSeconds: 120 });
    };
    const device = await onlineDevice();
    expect(device).toMatchObject({ tunnelState: 'waiting', state: 'ACCOUNT_LINKED' });
    lastTunnel().send(welcome);
    await device.waitFor('online');
    expect(gateway.tunnels).toHaveLength(1);
  });

  test('GW-08 sends keep-alives at the interval that the gateway gives', async () => {
    gateway.behaviour.welcome.keepAliveSeconds = 0.02;
    await onlineDevice();
    await gateway.until(() => lastTunnel().received.filter(({ type }) => type === 'keepAlive').length >= 3);
  });

  test('GW-08 a gateway that says nothing for the offline time is given up, and the device comes again', async () => {
    Object.assign(gateway.behaviour.welcome, { keepAliveSeconds: 0.02, offlineAfterSeconds: 0.1 });
    gateway.behaviour.onMessage = (tunnel, { type }) => {
      if (type === 'hello') tunnel.send(gateway.behaviour.welcome);
    };
    const device = await onlineDevice();
    await device.waitFor(() => device.lastClose?.reason === 'GATEWAY_SILENT');
    await gateway.until(() => gateway.tunnels.length >= 2);
  });

  test('GW-12 close codes are obeyed: it comes again, or it does not', async () => {
    const device = await onlineDevice();
    close('SERVICE_RESTART');
    await device.waitFor(() => device.lastClose?.reason === 'SERVICE_RESTART');
    await device.waitFor('online');
    expect(gateway.tunnels).toHaveLength(2);

    const retrying: unknown[] = [];
    device.on('retrying', (attempt) => retrying.push(attempt));
    close('CERTIFICATE_REVOKED');
    await device.waitFor('closed');
    expect(device.lastClose).toEqual({ code: 4403, reason: 'CERTIFICATE_REVOKED', detail: 'said why', retry: false });
    expect(retrying).toEqual([]);
    expect(device.state).toBe('VPN_PROVISIONED');
  });

  test('GW-05 a device whose tunnel was taken over by another with its credentials does not fight for it', async () => {
    const device = await onlineDevice();
    close('REPLACED');
    await device.waitFor('closed');
    expect(device.lastClose).toMatchObject({ reason: 'REPLACED', retry: false });
  });

  test('GW-12 a refusal in place of the welcome rejects connect with its reason', async () => {
    gateway.behaviour.onMessage = () => close('CERTIFICATE_REVOKED');
    const device = await newDevice();
    await device.register(PROOF);
    await expect(device.connect({ withinMs: 5000 })).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
    expect(device.tunnelState).toBe('closed');
    gateway.behaviour.refuseUpgrade = { status: 403, body: { code: 'CERTIFICATE_INVALID', message: 'Not current.' } };
    await expect(device.connect({ withinMs: 5000 })).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
    expect(device.lastClose?.retry).toBe(false);
  });

  test('SIM-05 a lost connection is opened again, with longer delays while that fails', async () => {
    const device = await onlineDevice({ random: () => 1, reconnect: { baseMs: 1, capMs: 1000 } });
    const delays: number[] = [];
    device.on('retrying', ({ delayMs }) => delays.push(delayMs));
    gateway.behaviour.refuseUpgrade = { status: 503, body: 'not now' };
    lastTunnel().socket.terminate();
    await device.waitFor(() => delays.length >= 5);
    expect(delays.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
    expect(device.lastClose).toMatchObject({ reason: 'UPGRADE_REFUSED', retry: true });
    gateway.behaviour.refuseUpgrade = undefined;
    await device.waitFor('online');
  });

  test('SIM-05 connect tries again for as long as it is given, and otherwise once', async () => {
    const device = await newDevice();
    await device.register(PROOF);
    gateway.behaviour.refuseUpgrade = { status: 503, body: 'not now' };
    await expect(device.connect()).rejects.toMatchObject({ code: 'UPGRADE_REFUSED' });
    await expect(device.connect({ withinMs: 60 })).rejects.toMatchObject({ code: 'UPGRADE_REFUSED' });
    expect(device.tunnelState).toBe('closed');
    const connected = device.connect({ withinMs: 5000 });
    await device.waitFor(() => device.tunnelState === 'retrying');
    gateway.behaviour.refuseUpgrade = undefined;
    await connected;
    expect(device.tunnelState).toBe('online');
  });

  test('SIM-05 a gateway that never answers the hello ends the wait', async () => {
    gateway.behaviour.onMessage = () => undefined;
    const device = await newDevice({ timeoutMs: 200 });
    await device.register(PROOF);
    await expect(device.connect()).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test('SIM-05 disconnect closes with a frame; it also ends an attempt and a wait for the next', async () => {
    const device = await onlineDevice();
    const [tunnel] = gateway.tunnels;
    const code = new Promise((resolve) => tunnel?.socket.once('close', resolve));
    await device.disconnect();
    expect(await code).toBe(1000);
    expect(device).toMatchObject({ tunnelState: 'closed', lastClose: { reason: 'BY_DEVICE', retry: false } });

    gateway.behaviour.onMessage = () => undefined;
    const attempt = device.connect().catch((error: unknown) => error);
    await gateway.until(() => gateway.tunnels.length === 2 && lastTunnel().received.length === 1);
    await device.disconnect();
    expect(await attempt).toMatchObject({ code: 'BY_DEVICE' });

    gateway.behaviour.refuseUpgrade = { status: 503, body: 'not now' };
    const later = device.connect({ withinMs: 60_000 }).catch((error: unknown) => error);
    await device.waitFor(() => device.tunnelState === 'retrying');
    await device.disconnect();
    expect(await later).toMatchObject({ code: 'BY_DEVICE' });
    expect(device.tunnelState).toBe('closed');
  });

  test('SIM-05 a device that vanishes leaves the gateway a half-open tunnel, beside which it can connect again', async () => {
    Object.assign(gateway.behaviour.welcome, { keepAliveSeconds: 0.02 });
    const device = await onlineDevice();
    const [first] = gateway.tunnels;
    device.vanish();
    expect(device.tunnelState).toBe('vanished');
    const silent = first?.received.length;
    let pongs = 0;
    first?.socket.on('pong', () => pongs++);
    first?.socket.ping();

    await device.connect();
    await gateway.until(() => lastTunnel().received.length >= 4);
    expect(first?.received.length).toBe(silent);
    expect(pongs).toBe(0);
    expect(first?.socket.readyState).toBe(1);
    await device.disconnect();
    await gateway.until(() => first?.socket.readyState === 3);
  });

  test('SIM-05 a device that loses power ends the connection without a close frame and does not come again', async () => {
    const device = await onlineDevice();
    const code = new Promise((resolve) => lastTunnel().socket.once('close', resolve));
    device.vanish({ destroy: true });
    expect(await code).toBe(1006);
    expect(device).toMatchObject({ tunnelState: 'closed', lastClose: { reason: 'VANISHED', retry: false } });
  });

  test('SIM-05 garbage can be sent, and garbage of the gateway does not disturb the device', async () => {
    const device = await onlineDevice();
    lastTunnel().socket.send('{"type":"nonsense"}');
    lastTunnel().socket.send(Buffer.from([1, 2, 3]));
    lastTunnel().socket.send('{"type":"welcome","keepAliveSeconds":-1}');
    device.sendRaw('{garbage');
    device.sendRaw(Buffer.from('binary'));
    await gateway.until(() => lastTunnel().garbage.length === 2);
    expect(lastTunnel().garbage).toEqual(['{garbage', 'binary']);
    expect(device.tunnelState).toBe('online');
    expect(device.rawSocket?.getProtocol()).toBe('TLSv1.3');
  });

  test('SIM-05 a delay of the keep-alives holds at once and until it is set otherwise', async () => {
    gateway.behaviour.welcome.keepAliveSeconds = 0.02;
    const device = await onlineDevice();
    const beats = () => lastTunnel().received.filter(({ type }) => type === 'keepAlive').length;
    await gateway.until(() => beats() >= 2);
    device.setFaults({ keepAliveDelayMs: 600_000 });
    const before = beats();
    await delay(150); // seven intervals
    expect(beats()).toBeLessThanOrEqual(before + 1);
    device.setFaults({ keepAliveDelayMs: 0 });
    await gateway.until(() => beats() >= before + 3);
    expect(device.faults).toEqual({ keepAliveDelayMs: 0, link: null, clockSkewMs: 0, updates: 'INSTALLED' });
  });

  test('SIM-05 a clock that is wrong judges the age of the certificate wrongly', async () => {
    gateway.behaviour.onMessage = (tunnel, { type }) => {
      if (type === 'hello') tunnel.send(gateway.behaviour.welcome);
      if (type === 'keepAlive') tunnel.send({ type: 'keepAlive' });
    };
    gateway.behaviour.welcome.keepAliveSeconds = 0.02;
    const device = await onlineDevice();
    await gateway.until(() => lastTunnel().received.length >= 3);
    expect(lastTunnel().received.some(({ type }) => type === 'renewCertificate')).toBe(false);
    device.setFaults({ clockSkewMs: 80 * DAY_MS });
    await gateway.until(() => lastTunnel().received.some(({ type }) => type === 'renewCertificate'));
  });

  test('SIM-05 pushed values go in messages of bounded size, and again with the same name when the answer was lost', async () => {
    const { onMessage } = gateway.behaviour;
    const seen: { id: string; count: number }[] = [];
    gateway.behaviour.onMessage = (tunnel, message) => {
      onMessage(tunnel, message);
      if (message.type !== 'data') return;
      seen.push({ id: message.id, count: message.points.length });
      if (seen.length === 2) tunnel.socket.terminate();
      else tunnel.send({ type: 'accepted', of: 'data', id: message.id });
    };
    const device = await onlineDevice();
    await device.pushData(Array.from({ length: 70 }, (_, value) => ({ tag: 'level', value })));
    expect(seen.map(({ count }) => count)).toEqual([50, 20, 20]);
    expect(seen[2]?.id).toBe(seen[1]?.id);
    expect(seen[1]?.id).not.toBe(seen[0]?.id);

    gateway.behaviour.onMessage = (tunnel, message) => {
      if (message.type === 'data')
        tunnel.send({ type: 'refused', of: 'data', id: message.id, code: 'TOO_MANY_REQUESTS', message: 'Later.' });
    };
    await expect(device.pushData([{ tag: 'level', value: 1 }])).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await device.disconnect();
    await expect(device.pushData([{ tag: 'level', value: 1 }])).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });

  test('WAK-04 SIM-05 a device that was sent offline stays so until it is woken up', async () => {
    const device = await onlineDevice({ connectionMode: 'ON_DEMAND' });
    const retrying: unknown[] = [];
    device.on('retrying', (attempt) => retrying.push(attempt));
    close('SENT_OFFLINE');
    await device.waitFor('closed');
    expect(retrying).toEqual([]);
    await device.wake();
    expect(device.tunnelState).toBe('online');
    // Woken once, it stays as long as any other: a lost connection is opened again.
    lastTunnel().socket.terminate();
    await gateway.until(() => gateway.tunnels.length === 3);
    await device.waitFor('online');
  });

  test('GW-07 a device tells of its digital input before it closes the tunnel for it, and comes back only if it was there', async () => {
    const device = await onlineDevice({ facts: { ...FACTS, digitalInputPolicy: 'ON_DISABLES' } });
    const closed = new Promise((resolve) => lastTunnel().socket.once('close', resolve));
    device.setDigitalInput(true);
    expect(await closed).toBe(CLOSE_CODES.REMOTE_ACCESS_DISABLED.code);
    expect(lastTunnel().received.at(-1)).toEqual({ type: 'report', digitalInput: true });
    await device.waitFor('closed');
    device.setDigitalInput(false);
    await device.waitFor('online');
    device.setDigitalInput(true);
    device.setDigitalInput(false); // before the tunnel has closed
    await gateway.until(() => gateway.tunnels.length === 3);
    await device.waitFor('online');
    device.setDigitalInput(true);
    await device.waitFor('closed');
    await device.disconnect();
    device.setDigitalInput(false);
    expect(device.tunnelState).toBe('closed');
    expect(gateway.tunnels).toHaveLength(3);
  });

  test('GW-06 a change of facts is reported, and the next hello has it', async () => {
    const device = await onlineDevice();
    device.report({ digitalInput: true });
    await gateway.until(() => lastTunnel().received.length === 2);
    expect(lastTunnel().received[1]).toEqual({ type: 'report', digitalInput: true });
    await device.disconnect();
    device.report({ firmwareVersion: '15.0s0' });
    await device.connect();
    expect(lastTunnel().received).toEqual([{ type: 'hello', ...FACTS, digitalInput: true, firmwareVersion: '15.0s0' }]);
  });

  test('GW-12 keeps the last TLS session and offers it again only when told to', async () => {
    const device = await onlineDevice({ resumeTls: true });
    // The session ticket comes with the first bytes after the handshake, so a message proves that it has been seen.
    await device.disconnect();
    await device.connect();
    expect(gateway.tunnels.map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  test('GW-12 a device without a certificate of the authority gets no tunnel', async () => {
    const other = await startFakeGateway();
    try {
      const { onEnrol } = gateway.behaviour;
      gateway.behaviour.onEnrol = (request) => {
        const { body } = onEnrol(request) as { body: object };
        return { status: 201, body: { ...body, certificate: other.issue(request) } };
      };
      const device = await newDevice();
      await device.register(PROOF);
      await expect(device.connect()).rejects.toMatchObject({
        code: expect.stringMatching(/^(CERTIFICATE_REFUSED|UNREACHABLE)$/),
      });
    } finally {
      await other.close();
    }
  });

  test('SIM-05 waiting has an end that says what is instead', async () => {
    const device = await onlineDevice();
    await expect(device.waitFor('closed', 20)).rejects.toThrow(
      'Device 2307-0101-25 was not closed within 20 ms: it is online.',
    );
    await device.disconnect();
    await expect(device.waitFor('online', 20)).rejects.toThrow('it is closed, after BY_DEVICE.');
  });
});

describe('certificate renewal', () => {
  const answerRenewals = () => {
    const { onMessage } = gateway.behaviour;
    gateway.behaviour.onMessage = (tunnel, message) => {
      if (message.type !== 'renewCertificate') return onMessage(tunnel, message);
      const certificate = gateway.issue({ serialNumber: FACTS.serialNumber, signingRequest: message.signingRequest });
      tunnel.send({
        type: 'certificate',
        certificate,
        certificateNotAfter: gateway.behaviour.certificate.notAfter.toISOString(),
      });
    };
  };

  test('GW-03 renews over the tunnel for the same key and keeps the certificate', async () => {
    const stateStore = folderStore(folder);
    answerRenewals();
    const device = await onlineDevice({ stateStore });
    const before = device.certificate;
    await Promise.all([device.renewCertificate(), device.renewCertificate()]);
    expect(lastTunnel().received.filter(({ type }) => type === 'renewCertificate')).toHaveLength(1);
    expect(device.certificate).not.toBe(before);
    expect((await stateStore.load(FACTS.serialNumber))?.credentials?.certificate).toBe(device.certificate);
    await device.disconnect();
    await device.connect();
    expect(device.tunnelState).toBe('online');
  });

  test('GW-03 renews by itself when less than a third of the lifetime is left, and not before', async () => {
    answerRenewals();
    const young = await onlineDevice();
    gateway.behaviour.certificate = {
      notBefore: new Date(Date.now() - 61 * DAY_MS),
      notAfter: new Date(Date.now() + 29 * DAY_MS),
    };
    const old = await onlineDevice({ facts: { ...FACTS, serialNumber: '2307-0101-26' } });
    gateway.behaviour.certificate = { notBefore: new Date(), notAfter: new Date(Date.now() + 90 * DAY_MS) };
    gateway.behaviour.onMessage = (tunnel, message) => {
      if (message.type !== 'renewCertificate') return;
      const certificate = gateway.issue({ serialNumber: old.serialNumber, signingRequest: message.signingRequest });
      tunnel.send({ type: 'certificate', certificate, certificateNotAfter: '' });
    };
    await new Promise<void>((resolve) => old.once('renewed', resolve));
    expect(gateway.tunnels[0]?.received.map(({ type }) => type)).toEqual(['hello']);
    expect(young.tunnelState).toBe('online');
  });

  test('GW-03 a refused renewal says why and leaves the certificate', async () => {
    const device = await onlineDevice();
    const before = device.certificate;
    gateway.behaviour.onMessage = (tunnel) => {
      tunnel.send({ type: 'refused', of: 'renewCertificate', code: 'SIGNING_REQUEST_INVALID', message: 'No.' });
    };
    await expect(device.renewCertificate()).rejects.toMatchObject({ code: 'SIGNING_REQUEST_INVALID' });
    expect(device.certificate).toBe(before);
    await device.disconnect();
    await expect(device.renewCertificate()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });
});
