import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ApiClient, ApiError } from '../client/api-client.ts';
import { messageOf } from '../client/errors.ts';
import { createFleet, deviceProfile, type Fleet, type FleetResult } from '../device-sim/fleet.ts';
import { folderStore } from '../device-sim/state.ts';
import { SimulatedUser } from '../device-sim/users.ts';
import { DEMO, seedDemo } from '../prisma/seed.ts';
import { type App, createApp } from '../src/app.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { DatabaseError } from '../src/database/database.ts';
import { ACCOUNT, APPROVE, CONNECTION_EVENTS, LOGIN, ONLINE, SLOT_USAGE } from './operations.ts';
import { View } from './view.ts';

const EWONS = 12;
const SEED = 'demo';
/** How long a stream's reader waits before it goes on from its cursor after a break. */
const RESUME_MS = 500;
/** For everything to have happened that a demo must show. */
const READY_WITHIN_MS = 60_000;

const HELP = `Runs talkgate with a demo account, twelve simulated Ewons and four simulated users, and shows what happens.

  npm run demo                  until Ctrl-C; a second start continues with the same data and devices
  npm run demo -- --for 60s     ends by itself; exit status 0 only if the expected things happened
`;

const demoFolder = process.env.DATA_DIR ?? './data/demo';

/** The demo's own defaults; every variable of the configuration can be set. */
const ENVIRONMENT = { DATA_DIR: demoFolder, DATABASE_URL: `pglite://${join(demoFolder, 'db')}`, LOG_LEVEL: 'warn' };

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { for: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seconds = values.for === undefined ? null : readDuration(values.for);
  const stop = stopOnSignal();
  const view = new View(process.stdout);
  view.say('Starting talkgate …');
  const app = await createApp(readConfig({ ...ENVIRONMENT, ...process.env }));
  try {
    return await show(app, view, stop.signal, seconds);
  } catch (error) {
    // Whatever an interruption broke is no failure.
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    view.say('Stopping …');
    view.end();
    await app.close();
  }
}

async function show(app: App, view: View, interrupted: AbortSignal, seconds: number | null): Promise<number> {
  const seeded = await seedDemo(app.platform);
  view.say(
    seeded
      ? 'Made the demo account: four users in two groups, three pools, three connections, one kept for Maintenance.'
      : 'Continuing with the data of an earlier run.',
  );
  const end = new AbortController();
  const signal = AbortSignal.any([interrupted, end.signal]);
  const apiUrl = `${app.url}/graphql`;
  const administrator = await logIn(apiUrl);
  const followers = [followEvents(administrator, view, signal), followSlots(administrator, view, signal)];

  const fleet = await createFleet({
    count: EWONS,
    seed: SEED,
    stateStore: folderStore(join(demoFolder, 'devices')),
    platform: { deviceUrl: app.gatewayUrls.device },
  });
  const users: Promise<void>[] = [];
  try {
    await startFleet(fleet, administrator, view, signal);
    introduce(view, apiUrl, app);
    users.push(...startUsers(apiUrl, signal));
    const endsAt = seconds === null ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000;
    while (!signal.aborted && Date.now() < endsAt)
      await delay(Math.min(1000, endsAt - Date.now()), undefined, { signal }).catch(() => undefined);
    const missing = seconds === null ? [] : await unmet(view, administrator, interrupted);
    for (const what of missing) view.say(`NOT AS EXPECTED: ${what}`);
    return missing.length === 0 ? 0 : 1;
  } finally {
    end.abort();
    await Promise.allSettled(users);
    await fleet.closeAll();
    administrator.close();
    await Promise.allSettled(followers);
  }
}

/** What a demo of limited time must have shown, and did not. */
async function unmet(view: View, administrator: ApiClient, interrupted: AbortSignal): Promise<string[]> {
  const { seen } = view;
  const online = (await administrator.request(ONLINE, {})).ewons.totalCount ?? 0;
  const expectations: [boolean, string][] = [
    [online === EWONS, `${EWONS} Ewons online (${online} are)`],
    [seen.started > 0, 'a session was opened'],
    [seen.closed > 0, 'a session was left'],
    [(seen.refused.get('CONCURRENT_CONNECTION_LIMIT') ?? 0) > 0, 'somebody was refused for want of a connection'],
    [seen.mostInUse <= seen.total, `never more than ${seen.total} connections in use (${seen.mostInUse} were)`],
    [!interrupted.aborted, 'the demo ran its time'],
  ];
  return expectations.flatMap(([met, what]) => (met ? [] : [what]));
}

async function logIn(url: string): Promise<ApiClient> {
  const client = new ApiClient({ url });
  const { login } = await client.request(LOGIN, {
    input: { account: DEMO.account, ...DEMO.administrator, client: 'M2WEB' },
  });
  if (login.__typename !== 'LoginSuccess')
    throw new Error(
      `The demo's Administrator cannot log in: ${'message' in login ? login.message : login.__typename}. Is this the demo's database?`,
    );
  client.setToken(login.token);
  return client;
}

/** Registers the fleet with the GRK, approves it as its Administrator, and opens its tunnels. */
async function startFleet(fleet: Fleet, administrator: ApiClient, view: View, signal: AbortSignal): Promise<void> {
  const { account } = await administrator.request(ACCOUNT, {});
  const registrationKey = account?.autoRegistration?.registrationKey ?? '';
  view.say(`Starting ${fleet.devices.length} simulated Ewons …`);
  requireAll(await fleet.registerAll({ registrationKey }, { signal }), 'registered');

  const { waiting, pools } = await administrator.request(ACCOUNT, {});
  const targets = DEMO.pools.flatMap((name) => pools.nodes.filter((pool) => pool.name === name));
  for (const [index, ewon] of waiting.nodes.entries()) {
    const pool = targets[index % targets.length];
    const properties = { name: ewon.description ?? deviceProfile(SEED, index).name, poolIds: pool ? [pool.id] : null };
    const { approveEwon } = await administrator.request(APPROVE, { input: { ewonId: ewon.id, properties } });
    if (approveEwon.__typename !== 'ApproveEwonSuccess')
      throw new Error(`An Ewon could not be approved: ${approveEwon.message}`);
  }
  if (waiting.nodes.length > 0) view.say(`The Administrator approved ${waiting.nodes.length} Ewons.`);
  requireAll(await fleet.connectAll({ signal, withinMs: READY_WITHIN_MS }), 'online');
}

function requireAll(results: FleetResult[], what: string): void {
  for (const result of results) {
    if (result.outcome !== 'FAILED') continue;
    throw new Error(
      `${result.device.serialNumber} is not ${what}: ${messageOf(result.error)} If database and devices do not belong together, delete ${demoFolder} and start again.`,
    );
  }
}

function startUsers(apiUrl: string, signal: AbortSignal): Promise<void>[] {
  return DEMO.users.map(({ username }) =>
    new SimulatedUser({
      apiUrl,
      account: DEMO.account,
      username,
      password: DEMO.userPassword,
      stayMs: [4000, 9000],
      pauseMs: [500, 2500],
      keepAliveMs: 20_000,
    }).run(signal),
  );
}

function introduce(view: View, apiUrl: string, app: App): void {
  const { administrator, users, userPassword, account } = DEMO;
  view.say(`
  GraphiQL      ${apiUrl}
  M2web         ${app.url}/m2web   portal ${app.gatewayUrls.portal}
  device port   ${app.gatewayUrls.device}   tunnel port ${app.gatewayUrls.tunnel}
  account       ${account}
  Administrator ${administrator.username} / ${administrator.password}
  users         ${users.map(({ username }) => username).join(', ')} / ${userPassword}

  From another terminal, to the PLC behind an Ewon, with the password above:
    npm run ecatcher -- connect "<Ewon>" --account ${account} --username ${administrator.username} --wait 5m --forward 8080:10.0.0.20:80

  Paste into GraphiQL, after logging in with the query that stands there:
    subscription { connectionEvents { cursor events { __typename ... on ConnectionEventFacts { at ewonName } } } }
`);
}

/** Follows the connection events from the beginning of this run, going on from the cursor after a break. */
async function followEvents(client: ApiClient, view: View, signal: AbortSignal): Promise<void> {
  let after: string | null = null;
  await follow(signal, view, async () => {
    for await (const { connectionEvents } of client.subscribe(CONNECTION_EVENTS, { after }, { signal })) {
      for (const event of connectionEvents.events) view.event(event);
      after = connectionEvents.cursor;
    }
  });
}

async function followSlots(client: ApiClient, view: View, signal: AbortSignal): Promise<void> {
  await follow(signal, view, async () => {
    for await (const { slotUsage } of client.subscribe(SLOT_USAGE, {}, { signal })) view.usage(slotUsage);
  });
}

async function follow(signal: AbortSignal, view: View, read: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await read().catch((error: unknown) => {
      if (!signal.aborted)
        view.say(
          `A stream broke (${error instanceof ApiError ? error.code : messageOf(error)}); it goes on from where it was.`,
        );
    });
    await delay(RESUME_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** `60`, `60s`, `5m`: seconds. */
function readDuration(text: string): number {
  const [, number, unit] = /^(\d{1,5})(s|m)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new ConfigError(`--for is "${text}", which cannot be used: it must look like 60s or 5m.`);
  return Number(number) * (unit === 'm' ? 60 : 1);
}

/** A terminal's Ctrl-C reaches npm, tsx and this process, and some of them pass it on: what follows at once is the same one. */
const SAME_SIGNAL_MS = 1000;

function stopOnSignal(): AbortController {
  const stop = new AbortController();
  let stoppedAt = 0;
  // A closed terminal is a wish to stop as well, and what is written to it then goes nowhere.
  process.stdout.on('error', () => undefined);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stoppedAt === 0) stoppedAt = Date.now();
      else if (Date.now() - stoppedAt > SAME_SIGNAL_MS) process.exit(130);
      stop.abort();
    });
  }
  return stop;
}

main().then(
  (status) => process.exit(status),
  (error: NodeJS.ErrnoException) => {
    const readable =
      error instanceof ConfigError || error instanceof DatabaseError
        ? error.message
        : error.code === 'EADDRINUSE'
          ? `${error.message}: another process listens there. Set HTTP_PORT, DEVICE_PORT, TUNNEL_PORT or PORTAL_PORT (0 is any free one).`
          : messageOf(error);
    process.stderr.write(`The demo cannot go on: ${readable}\n`);
    process.exit(1);
  },
);
