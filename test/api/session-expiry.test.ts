import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, openSession, TestAccount, type TestEwon } from '../support/world.ts';

const MINUTE_MS = 60_000;

let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;

beforeAll(async () => {
  server = await startServer({ env: { LOGIN_HOURS: '2', LOGIN_IDLE_MINUTES: '60', SESSION_TIMEOUT_SECONDS: '86400' } });
  account = await TestAccount.create(server);
  ewon = await account.onlineEwon();
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
});

it('CON-09 AUTH-18 a live Ecatcher session keeps its login in use, and ends with SESSION_EXPIRED when the login does', async () => {
  const user = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
  const { session } = await openSession(user, ewon.id);
  for (const minutes of [50, 50]) {
    server.clock.advance(minutes * MINUTE_MS);
    await server.app.jobs.run();
  }
  // Without a request for longer than the idle time: the session was the use.
  expect((await user.api.run('{ viewer { login { client } } }')).viewer).not.toBeNull();

  server.clock.advance(30 * MINUTE_MS);
  await server.app.jobs.run();
  expect((await user.api.run('{ viewer { login { client } } }')).viewer).toBeNull();
  const reader = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
  const query =
    'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason closedBy { id } } } account { slots { inUse } } }';
  expect(await reader.api.run(query, { id: session.id })).toEqual({
    node: { state: 'CLOSED', closeReason: 'SESSION_EXPIRED', closedBy: null },
    account: { slots: { inUse: 0 } },
  });
});
