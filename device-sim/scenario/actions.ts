import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchAuthority } from '../../client/device-port.ts';
import { CodedError } from '../../client/errors.ts';
import { CREATE_M2U_LINK, SEND_OFFLINE, SET_FIREWALL_LEVEL, WAKE_UP } from '../account-operations.ts';
import type { Device } from '../device.ts';
import { tryToEnrolAs } from '../impostor.ts';
import { accepted } from '../patience.ts';
import type { SimulatedUser } from '../users.ts';
import type { ActionName, ActionOf } from './format.ts';
import { msOf } from './time.ts';
import { addUser, mustRefuse, until, type World } from './world.ts';

/** What one device or one user does in a step; done when its effect can be seen. */
export type Deed = () => Promise<unknown>;

/** What an action makes of what belongs to it: a deed for each device or user. */
type Acts = { [Name in ActionName]: (world: World, argument: ActionOf<Name>, withinMs: number) => Deed[] };

/** The address of a support engineer must lie in a domain of the support organisation (SUP-04). */
const SUPPORT_DOMAIN = 'hms.se';

const ACTS: Acts = {
  // ── Devices ────────────────────────────────────────────────────────────────────────────────────────────────────────
  register: (world, names) =>
    each(world, names, async (device, name) => {
      const registrationKey = await world.administrator.registrationKey();
      await device.register({ registrationKey }, { description: name, signal: world.signal });
    }),
  approve: (world, names) =>
    each(world, names, async (device, name) => {
      const { id } = await world.states.of(device);
      await world.administrator.approve(id, { properties: { name } });
    }),
  connect: (world, argument, withinMs) => {
    const { devices, refused } =
      typeof argument === 'string' || Array.isArray(argument) ? { devices: argument, refused: undefined } : argument;
    return each(world, devices, (device) => refusedOr(refused, () => device.connect({ withinMs })));
  },
  disconnect: (world, names, withinMs) =>
    each(world, names, async (device) => {
      await device.disconnect();
      await world.states.until(device, 'OFFLINE', withinMs);
    }),
  vanish: (world, names, withinMs) =>
    each(world, names, async (device) => {
      device.vanish();
      await world.states.until(device, 'OFFLINE', withinMs);
    }),
  'power-off': (world, names, withinMs) => each(world, names, (device) => powerOff(world, device, withinMs)),
  flap: (world, { devices, times }, withinMs) =>
    each(world, devices, async (device) => {
      for (let time = 0; time < times; time++) {
        await powerOff(world, device, withinMs);
        await device.connect({ withinMs });
        world.summary.count('reconnects');
      }
    }),
  'slow-link': (world, { devices, bytesPerSecond, latency }) =>
    each(world, devices, async (device) =>
      device.setFaults({
        link: {
          ...(bytesPerSecond !== undefined && { bytesPerSecond }),
          ...(latency !== undefined && { latencyMs: msOf(latency) }),
        },
      }),
    ),
  'good-link': (world, names) => each(world, names, async (device) => device.setFaults({ link: null })),
  'delay-keep-alives': (world, { devices, by }) =>
    each(world, devices, async (device) => device.setFaults({ keepAliveDelayMs: msOf(by) })),
  'skew-clock': (world, { devices, by }) =>
    each(world, devices, async (device) => device.setFaults({ clockSkewMs: msOf(by) })),
  garbage: (world, names, withinMs) =>
    each(world, names, async (device) => {
      const closed = once(device, 'closed', { signal: AbortSignal.timeout(withinMs) });
      device.sendGarbage();
      await closed;
      // It was told not to come again by itself, or it does.
      if (device.tunnelState === 'closed') await world.states.until(device, 'OFFLINE', withinMs);
      else await device.waitFor('online', withinMs);
    }),
  firmware: (world, { devices, version }) => each(world, devices, (device) => device.updateFirmware(version)),
  'digital-input': (world, { devices, on }, withinMs) =>
    each(world, devices, async (device) => {
      device.setDigitalInput(on);
      if (device.remoteAccessForbidden) await world.states.until(device, 'OFFLINE', withinMs);
      // It had been held back, and comes again.
      else if (device.tunnelState !== 'closed') await world.states.until(device, 'ONLINE', withinMs);
    }),
  'push-data': (world, { devices, tag, values, refused }) =>
    each(world, devices, (device) =>
      refusedOr(refused, () => device.pushData(values.map((value) => ({ tag, value })))),
    ),
  'send-sms': (world, { devices, user, to, text, refused }) =>
    each(world, devices, (device) => refusedOr(refused, () => device.sendSms({ ...sender(world, user), to, text }))),
  'send-mail': (world, { devices, user, to, subject, text, refused }) =>
    each(world, devices, (device) =>
      refusedOr(refused, () => device.sendMail({ ...sender(world, user), to, subject, text })),
    ),
  m2u: (world, { devices, link, payload, contentType, refused }) =>
    each(world, devices, (device) => refusedOr(refused, () => device.relay(link, payload, { contentType }))),
  geolocation: (world, { devices, on }) =>
    each(world, devices, async (device) => device.report({ geolocationEnabled: on })),
  updates: (world, { devices, are }) => each(world, devices, async (device) => device.setFaults({ updates: are })),
  impostor: (world, { of, refused }) =>
    each(world, of, async (device) => {
      const { platform, authority, administrator } = world;
      const proof = { registrationKey: await administrator.registrationKey() };
      const code = await tryToEnrolAs(device.serialNumber, { deviceUrl: platform.deviceUrl, authority, proof });
      mustBe(refused, code);
    }),
  'wrong-certificate': (world, { devices, kind, refused }) =>
    each(world, devices, async (device) => mustBe(refused, await reasonOf(world, await device.tryConnectWith(kind)))),
  replace: (world, { device, by }) =>
    each(world, by, async (fresh) => {
      const old = world.devices.get(device);
      if (old === undefined) return;
      const [waiting, replaced] = await Promise.all([world.states.of(fresh), world.states.of(old)]);
      await world.administrator.approve(waiting.id, { replace: replaced.id });
    }),

  // ── Users ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  login: (world, argument) => {
    const { users, refused } = withRefusal(argument);
    return everybody(world, users, (user) => refusedOr(refused, () => user.logIn(world.signal)));
  },
  logout: (world, names) => everybody(world, names, (user) => user.leave()),
  open: (world, { users, devices, refused }) =>
    pairs(world, users, devices, async (user, device) => {
      const { id } = await world.states.of(device);
      await refusedOr(refused, () => user.open(id, { signal: world.signal }));
    }),
  queue: (world, { users, devices, wait }, withinMs) =>
    pairs(world, users, devices, async (user, device, name) => {
      const { id } = await world.states.of(device);
      let settled = false;
      const waiting = user.open(id, { waitSeconds: msOf(wait) / 1000, signal: world.signal }).then(
        () => undefined,
        (error: unknown) => error,
      );
      void waiting.then(() => {
        settled = true;
      });
      world.waiting.set(name, waiting);
      const inQueue = async () => settled || (await user.isWaiting(world.signal));
      await until(`${name} stands in the queue`, inQueue, withinMs, world.signal);
    }),
  served: (world, argument, withinMs) => {
    const { users, refused } = withRefusal(argument);
    return everybody(world, users, (_user, name) => refusedOr(refused, () => served(world, name, withinMs)));
  },
  traffic: (world, { users, to, bytes, refused }) =>
    everybody(world, users, (user) =>
      refusedOr(refused, async () => {
        await user.move(to, bytes, world.signal);
        world.summary.count('bytes echoed', bytes);
      }),
    ),
  close: (world, names) =>
    everybody(world, names, async (user) => {
      const code = await user.closeSession();
      if (code !== undefined) throw new CodedError(code, `The session of ${user.username} had ended before: ${code}.`);
    }),
  'wake-up': (world, { user, devices, refused, answers }, withinMs) =>
    each(world, devices, async (device) => {
      const { id: ewonId } = await world.states.of(device);
      await refusedOr(refused, async () => {
        const answer = await personOf(world, user).request(WAKE_UP, { input: { ewonId } }, world.signal);
        accepted(answer.wakeUpEwon, 'WakeUpEwonSuccess');
        if (answers) await world.states.until(device, 'ONLINE', withinMs);
      });
    }),
  'send-offline': (world, { user, devices, refused }, withinMs) =>
    each(world, devices, async (device) => {
      const { id: ewonId } = await world.states.of(device);
      await refusedOr(refused, async () => {
        const answer = await personOf(world, user).request(SEND_OFFLINE, { input: { ewonId } }, world.signal);
        accepted(answer.sendEwonOffline, 'SendEwonOfflineSuccess');
        await world.states.until(device, 'OFFLINE', withinMs);
      });
    }),

  // ── Administrator and platform ─────────────────────────────────────────────────────────────────────────────────────
  firewall: (world, { devices, level }) =>
    each(world, devices, async (device) => {
      const { id: ewonId } = await world.states.of(device);
      const { setFirewallLevel } = await world.administrator.request(SET_FIREWALL_LEVEL, { input: { ewonId, level } });
      accepted(setFirewallLevel, 'SetFirewallLevelSuccess');
    }),
  'm2u-link': (world, { name, url, refused }) => [
    () =>
      refusedOr(refused, async () => {
        const { createM2uLink } = await world.administrator.request(CREATE_M2U_LINK, { input: { name, url } });
        accepted(createM2uLink, 'CreateM2uLinkSuccess');
      }),
  ],
  slots: (world, count) => [() => world.administrator.setSlots(count)],
  'grant-support': (world, argument, withinMs) => [() => grantSupport(world, argument, withinMs)],
  'restart-gateway': (world, how, withinMs) => [() => restart(world, how, withinMs)],
};

/** The deeds of one action. */
export const deedsOf = <Name extends ActionName>(
  world: World,
  name: Name,
  argument: ActionOf<Name>,
  withinMs: number,
): Deed[] => (ACTS[name] as Acts[Name])(world, argument, withinMs);

// ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

type Names = string | string[];

function each(world: World, names: Names, act: (device: Device, name: string) => Promise<unknown>): Deed[] {
  return world.plan.devicesOf(names).map((name) => () => act(deviceOf(world, name), name));
}

function everybody(world: World, names: Names, act: (user: SimulatedUser, name: string) => Promise<unknown>): Deed[] {
  return world.plan.usersOf(names).map((name) => () => act(personOf(world, name), name));
}

/** Each user with a device: the first with the first, and from the beginning again when there are more users. */
function pairs(
  world: World,
  users: Names,
  devices: Names,
  act: (user: SimulatedUser, device: Device, name: string) => Promise<unknown>,
): Deed[] {
  const targets = world.plan.devicesOf(devices);
  return world.plan.usersOf(users).map((name, index) => {
    const target = targets[index % targets.length] ?? '';
    return () => act(personOf(world, name), deviceOf(world, target), name);
  });
}

function deviceOf({ devices }: World, name: string): Device {
  const device = devices.get(name);
  if (device === undefined) throw new CodedError('NOT_FOUND', `There is no device ${name}.`);
  return device;
}

function personOf({ users }: World, name: string): SimulatedUser {
  const user = users.get(name);
  if (user === undefined) throw new CodedError('NOT_FOUND', `There is no user ${name} yet.`);
  return user;
}

const sender = (world: World, user: string) => ({
  username: personOf(world, user).username,
  password: world.password,
});

function withRefusal(argument: Names | { users: Names; refused?: string | undefined }) {
  return typeof argument === 'string' || Array.isArray(argument)
    ? { users: argument, refused: undefined }
    : { users: argument.users, refused: argument.refused };
}

// ── What ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const refusedOr = (code: string | undefined, act: () => Promise<unknown>): Promise<unknown> =>
  code === undefined ? act() : mustRefuse(code, act);

function mustBe(expected: string, code: string): void {
  if (code !== expected) throw new CodedError(code, `Expected ${expected}, but it was refused with ${code}.`);
}

/** The end of a refused connection can overtake the alert that says why; that the platform is there is asked then. */
async function reasonOf({ platform, signal }: World, reason: string): Promise<string> {
  if (reason !== 'UNREACHABLE') return reason;
  await fetchAuthority(platform.deviceUrl, { timeoutMs: 15_000, signal });
  return 'CERTIFICATE_REFUSED';
}

async function powerOff({ states }: World, device: Device, withinMs: number): Promise<void> {
  device.vanish({ destroy: true });
  await states.until(device, 'OFFLINE', withinMs);
}

/** What came of waiting in the queue. @throws CodedError the code of the refusal, `TIMEOUT` */
async function served({ waiting, signal }: World, name: string, withinMs: number): Promise<void> {
  const promise = waiting.get(name);
  if (promise === undefined) throw new CodedError('NOT_WAITING', `${name} does not stand in the queue.`);
  const settled = new AbortController();
  const late = delay(withinMs, 'late', { signal: AbortSignal.any([settled.signal, signal]) }).catch(() => 'late');
  const error = await Promise.race([promise, late]);
  settled.abort();
  signal.throwIfAborted();
  if (error === 'late') throw new CodedError('TIMEOUT', `${name} was not served within ${withinMs / 1000} s.`);
  waiting.delete(name);
  if (error !== undefined) throw error;
}

async function grantSupport(world: World, argument: ActionOf<'grant-support'>, withinMs: number): Promise<void> {
  const { administrator, plan, states, signal, password } = world;
  const { engineer, devices, days } = argument;
  const email = `${engineer}@${SUPPORT_DOMAIN}`;
  const ewons = await Promise.all(plan.devicesOf(devices).map((name) => states.of(deviceOf(world, name))));
  // A simulated engineer reads no mail at each login.
  await administrator.grantSupport({ email, ewonIds: ewons.map(({ id }) => id), days, codeByEmail: false });
  const invited = async () => {
    const invitation = await administrator.acceptInvitation(email, password);
    if (invitation !== undefined) addUser(world, engineer, invitation.username);
    return invitation !== undefined;
  };
  await until(`${engineer} is invited`, invited, withinMs, signal);
}

async function restart({ platform, devices }: World, how: 'ORDERLY' | 'KILLED', withinMs: number): Promise<void> {
  if (platform.restart === undefined)
    throw new CodedError('NOT_POSSIBLE', 'Only a platform that the scenario started itself can be restarted by it.');
  const online = [...devices.values()].filter(({ tunnelState }) => tunnelState === 'online');
  await platform.restart(how);
  await Promise.all(online.map((device) => device.waitFor('online', withinMs)));
}
