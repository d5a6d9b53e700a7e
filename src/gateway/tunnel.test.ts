import { describe, expect, it } from 'vitest';
import type { DeviceIdentity } from './identity.ts';
import { Tunnel, type TunnelLimits } from './tunnel.ts';

const FACTS = {
  serialNumber: '2307-0101-25',
  model: 'COSY',
  firmwareVersion: '14.0s0',
  lanAddress: '10.0.0.53/24',
  wanType: 'ETHERNET',
  wanAddress: '192.168.1.2/24',
  geolocationEnabled: false,
  digitalInput: false,
};

/** A tunnel on a socket that only notes what happens to it. */
function openTunnel(limits: Partial<TunnelLimits> = {}) {
  const identity: DeviceIdentity = {
    fingerprint: 'f',
    serialNumber: FACTS.serialNumber,
    notAfter: new Date(),
    ewon: { id: 'e', number: 1, name: 'E', accountId: 'a', registrationStatus: 'ACTIVE' },
  };
  const happened: string[] = [];
  const socket = {
    bufferedAmount: 0,
    send: (data: string) => void happened.push(`send ${JSON.parse(data).type}`),
    close: (code: number, reason: string) => void happened.push(`close ${code} ${reason}`),
    terminate: () => void happened.push('terminate'),
  };
  const time = { nowMs: 0 };
  const tunnel = new Tunnel(
    identity,
    socket,
    { messagesPerMinute: 10, maxBufferedBytes: 1000, ...limits },
    {
      hello: () => void happened.push('hello'),
      report: (_, facts) => void happened.push(`report ${JSON.stringify(facts)}`),
      renewCertificate: () => void happened.push('renew'),
      dialFailed: (_, streamId, code) => void happened.push(`dial failed ${streamId} ${code}`),
      updateRefused: (_, campaignId) => void happened.push(`update refused ${campaignId}`),
      request: (_, { type, id }) => void happened.push(`request ${type} ${id}`),
      closed: (_, reason) => void happened.push(`closed: ${reason}`),
    },
    () => time.nowMs,
  );
  const say = (message: object) => tunnel.receive(JSON.stringify(message));
  const sayHello = () => {
    say({ type: 'hello', ...FACTS });
    tunnel.phase = 'established';
    happened.length = 0;
  };
  return { tunnel, socket, happened, time, say, sayHello };
}

describe('a tunnel', () => {
  it('GW-06 takes hello first and once, and gathers what the device tells', () => {
    const { tunnel, happened, say, sayHello } = openTunnel();
    sayHello();
    say({ type: 'report', firmwareVersion: '14.1s0', digitalInput: true });
    expect(happened).toEqual(['report {"firmwareVersion":"14.1s0","digitalInput":true}']);
    expect(tunnel.facts).toMatchObject({ firmwareVersion: '14.1s0', digitalInput: true, lanAddress: '10.0.0.53/24' });
    expect(tunnel.facts).not.toHaveProperty('serialNumber');
    say({ type: 'hello', ...FACTS });
    expect(happened.slice(1)).toEqual(['close 4400 MESSAGE_INVALID', 'closed: MESSAGE_INVALID']);
  });

  it('GW-08 answers a keep-alive and notes when it was heard', () => {
    const { tunnel, happened, time, say, sayHello } = openTunnel();
    sayHello();
    time.nowMs = 5000;
    say({ type: 'keepAlive' });
    expect(happened).toEqual(['send keepAlive']);
    expect(tunnel.lastHeardMs).toBe(5000);
  });

  it('GW-08 has a budget of messages that fills again with time', () => {
    const { happened, time, say, sayHello } = openTunnel();
    sayHello();
    for (let count = 0; count < 9; count++) say({ type: 'keepAlive' });
    expect(happened).not.toContain('close 4429 TOO_MANY_MESSAGES');
    time.nowMs = 6000;
    say({ type: 'keepAlive' });
    expect(happened).not.toContain('close 4429 TOO_MANY_MESSAGES');
    say({ type: 'keepAlive' });
    expect(happened.slice(-2)).toEqual(['close 4429 TOO_MANY_MESSAGES', 'closed: TOO_MANY_MESSAGES']);
  });

  it('TUN-02 a user whose streams fail does not use up what the device may send: each dial brings its own answer', () => {
    const { tunnel, happened, say, sayHello } = openTunnel();
    sayHello();
    const dial = { type: 'dial', token: 't', address: '10.0.0.20', port: 1, withinSeconds: 1 } as const;
    for (let count = 0; count < 50; count++) {
      const streamId = '5f0c6f0e-6a55-4a53-9c0b-2a54f9a0a9c1';
      tunnel.send({ ...dial, streamId });
      say({ type: 'dialFailed', streamId, code: 'LAN_DEVICE_REFUSED' });
    }
    expect(happened.filter((what) => what.startsWith('dial failed'))).toHaveLength(50);
    expect(tunnel.phase).toBe('established');
  });

  it('GW-08 cuts a device that does not read, instead of keeping what it is to be sent', () => {
    const { socket, happened, say, sayHello } = openTunnel();
    sayHello();
    socket.bufferedAmount = 1001;
    say({ type: 'keepAlive' });
    expect(happened).toEqual(['terminate', 'closed: the device does not read']);
  });

  it('GW-12 ends once, and is deaf and dumb after that', () => {
    const { tunnel, happened, say, sayHello } = openTunnel();
    sayHello();
    tunnel.close('CERTIFICATE_REVOKED');
    tunnel.close('REPLACED');
    tunnel.lost('no keep-alive');
    tunnel.socketClosed(1006);
    tunnel.send({ type: 'keepAlive' });
    say({ type: 'renewCertificate', signingRequest: '' });
    expect(happened).toEqual(['close 4403 CERTIFICATE_REVOKED', 'closed: CERTIFICATE_REVOKED']);
  });

  it.each([
    [1000, 'closed by the device'],
    [1001, 'closed by the device'],
    [1006, 'connection lost'],
  ])('GW-08 tells an orderly end from a lost connection: %i is "%s"', (code, reason) => {
    const { tunnel, happened, sayHello } = openTunnel();
    sayHello();
    tunnel.socketClosed(code);
    expect(happened).toEqual([`closed: ${reason}`]);
  });
});
