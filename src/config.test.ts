import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const refusal = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`Accepted: ${JSON.stringify(env)}`);
};

describe('a wrong value fails with one sentence that names the variable', () => {
  const limits = Object.entries(readConfig({}).limits);
  const numbers = limits.filter(([, value]) => typeof value === 'number').map(([name]) => name);

  it.each(['HTTP_PORT', 'DEVICE_PORT', 'TUNNEL_PORT', ...numbers])('%s takes whole numbers of its range', (name) => {
    for (const value of ['many', '1.5', '-1', '999999999999']) {
      const message = refusal({ [name]: value });
      expect(message).toContain(`${name} is ${JSON.stringify(value)}, which cannot be used: `);
      expect(message).toMatch(/^[^\n]+\.$/);
    }
  });

  it.each([
    ['DATABASE_URL', 'mysql://root@localhost/db', 'must begin with pglite:// or postgresql://'],
    ['REDIS_URL', 'localhost:6379', 'must begin with redis:// or rediss://'],
    ['LOG_LEVEL', 'loud', 'Invalid option'],
    ['SIMULATION', 'perhaps', 'Invalid'],
    ['ROLES', 'api,proxy', '"proxy" is neither api nor gateway'],
    ['VPN_EWON_RANGE', '10.238.0.0', 'must be an IPv4 range such as 10.236.0.0/15'],
    ['VPN_USER_RANGE', '10.236.0.0/31', 'needs a prefix of 30 or shorter'],
    ['VPN_EWON_RANGE', '10.236.0.0/16', 'overlaps VPN_USER_RANGE'],
    ['OFFLINE_AFTER_SECONDS', '30', 'must exceed KEEP_ALIVE_SECONDS (30)'],
  ])('%s refuses %s', (name, value, reason) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name} `));
    expect(message).toContain(reason);
    expect(message).toMatch(/^[^\n]+\.$/);
  });

  it('simulation mode is refused in production', () => {
    expect(refusal({ NODE_ENV: 'production', SIMULATION: 'true' })).toMatch(/^SIMULATION .* NODE_ENV=production\.$/);
    expect(readConfig({ SIMULATION: 'true' }).simulation).toBe(true);
  });

  it.each([
    ['DATABASE_URL', 'postgres//talkgate:hunter2@db/talkgate'],
    ['REDIS_URL', 'http://:hunter2@redis'],
  ])('%s is not shown, because it carries a password', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });
});

describe('the configuration', () => {
  it('needs nothing: everything has a default, an empty value is none', () => {
    const config = readConfig({ HTTP_PORT: '', REDIS_URL: '' });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      ports: { http: 4000, device: 4433, tunnel: 4434 },
      roles: { api: true, gateway: true },
      simulation: false,
      secrets: { databaseUrl: 'pglite://./data/db', redisUrl: undefined },
    });
  });

  it('keeps secrets apart from what is shown and handed around', () => {
    const config = readConfig({
      DATABASE_URL: 'postgresql://talkgate:hunter2@db/talkgate',
      REDIS_URL: 'redis://:hunter2@redis',
    });
    const { secrets, ...rest } = config;
    expect(JSON.stringify(rest)).not.toContain('hunter2');
    expect(Object.values(secrets).filter((value) => value !== undefined)).toHaveLength(2);
  });

  it.each([
    ['api', { api: true, gateway: false }],
    ['gateway', { api: false, gateway: true }],
    ['gateway, api', { api: true, gateway: true }],
  ])('ROLES=%s', (ROLES, roles) => {
    expect(readConfig({ ROLES }).roles).toEqual(roles);
  });

  it.each([
    [{ HOST: '0.0.0.0' }, 'localhost'],
    [{ HOST: '192.0.2.7' }, '192.0.2.7'],
    [{ HOST: '0.0.0.0', PUBLIC_HOST: 'talk.example.com' }, 'talk.example.com'],
  ])('%j is reached as %s', (env, publicHost) => {
    expect(readConfig(env).publicHost).toBe(publicHost);
  });
});
