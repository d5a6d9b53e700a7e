import { randomUUID } from 'node:crypto';
import { createDevice, type Device } from '../../device-sim/device.ts';
import { deviceProfile } from '../../device-sim/fleet.ts';
import { createAccount } from '../../src/account/create.ts';
import type { DeviceFacts, EnrolmentProof } from '../../src/gateway/protocol.ts';
import type { Plan } from '../../src/generated/prisma/enums.ts';
import { ApiCaller, type Json } from './client.ts';
import { type ServerOptions, startServer, type TestServer } from './server.ts';

export const ADMIN_PASSWORD = 'Admin-pass-1';
export const USER_PASSWORD = 'User-pass-1';

export interface Person {
  id: string;
  username: string;
  api: ApiCaller;
}

export interface PoolRightsInput {
  poolId: string;
  administer?: boolean;
  modify?: boolean;
  connectEcatcher?: boolean;
  connectM2web?: boolean;
}

/** An account with its people and things, made through the API; only the plan is set beside it, as no ordinary login may. */
export class TestAccount {
  private constructor(
    readonly server: TestServer,
    readonly name: string,
    readonly id: string,
    readonly admin: Person,
  ) {}

  static async create(
    server: TestServer,
    plan: Plan = 'PRO',
    name = `acc-${randomUUID().slice(0, 8)}`,
  ): Promise<TestAccount> {
    const administrator = { username: 'admin', fullName: null, email: 'admin@example.com', password: ADMIN_PASSWORD };
    const { accountId } = await createAccount(
      server.app.platform,
      { name, company: 'Acme', administrator },
      { remoteAddress: 'test' },
      plan,
    );
    return new TestAccount(server, name, accountId, await logIn(server, name, 'admin', ADMIN_PASSWORD));
  }

  async pool(name: string): Promise<string> {
    const query =
      'mutation ($name: String!) { createPool(input: { name: $name }) { __typename ... on CreatePoolSuccess { pool { id } } ... on Error { code message } } }';
    return (await this.admin.api.succeed(query, { name })).pool.id;
  }

  async group(
    name: string,
    poolRights: PoolRightsInput[] = [],
    roles: {
      mayCreatePools?: boolean;
      mayCreateGroups?: boolean;
      smsSender?: boolean;
      mailSender?: boolean;
      managedById?: string;
    } = {},
  ): Promise<string> {
    const query =
      'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id } } ... on Error { code message } } }';
    return (await this.admin.api.succeed(query, { input: { name, poolRights, ...roles } })).group.id;
  }

  async user(username: string, groupIds: string[] = [], more: Record<string, unknown> = {}): Promise<Person> {
    const query =
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on CreateUserSuccess { user { id } } ... on Error { code message path } } }';
    const input = {
      username,
      email: `${username}@example.com`,
      password: USER_PASSWORD,
      passwordConfirmation: USER_PASSWORD,
      groupIds,
      ...more,
    };
    await this.admin.api.succeed(query, { input });
    return logIn(this.server, this.name, username, USER_PASSWORD);
  }

  /** The id of the default pool. */
  async defaultPool(): Promise<string> {
    const { pools } = await this.admin.api.run('{ pools { nodes { id isDefault } } }');
    return pools.nodes.find((pool: Json) => pool.isDefault).id;
  }

  async registrationKey(): Promise<string> {
    return (await this.admin.api.run('{ account { autoRegistration { registrationKey } } }')).account.autoRegistration
      .registrationKey;
  }

  /** A simulated device that has not registered. Serial numbers are unique in the test run. */
  device(facts: Partial<DeviceFacts> = {}, options: Partial<Parameters<typeof createDevice>[0]> = {}): Promise<Device> {
    return newDevice(this.server, facts, options);
  }

  /** A device that has registered with the GRK and was approved with these properties. It is not connected. */
  async ewon(
    properties: Record<string, unknown> = {},
    facts: Partial<DeviceFacts> = {},
    options: Partial<Parameters<typeof createDevice>[0]> = {},
  ): Promise<TestEwon> {
    const device = await this.device(facts, options);
    await device.register({ registrationKey: await this.registrationKey() } satisfies EnrolmentProof);
    const id = await this.ewonId(device);
    const query =
      'mutation ($input: ApproveEwonInput!) { approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id name } } ... on Error { code message } } }';
    const { ewon } = await this.admin.api.succeed(query, { input: { ewonId: id, properties } });
    return { id, name: ewon.name, device };
  }

  /** {@link ewon}, and online. */
  async onlineEwon(
    properties: Record<string, unknown> = {},
    facts: Partial<DeviceFacts> = {},
    options: Partial<Parameters<typeof createDevice>[0]> = {},
  ): Promise<TestEwon> {
    const ewon = await this.ewon(properties, facts, options);
    await ewon.device.connect();
    return ewon;
  }

  /** The id of the Ewon record that a registered device belongs to. */
  async ewonId(device: Device): Promise<string> {
    const { ewon } = await this.admin.api.run(
      'query ($serialNumber: SerialNumber!) { ewon(by: { serialNumber: $serialNumber }) { id } }',
      { serialNumber: device.serialNumber },
    );
    return ewon.id;
  }

  /** Sets the number of concurrent connections (PRO and LIGHT: 3 at first). */
  setSlots(count: number): Promise<Json> {
    const query =
      'mutation ($count: Int!) { setConcurrentConnections(input: { concurrentConnections: $count, acknowledgeContractChange: true }) { __typename ... on SetConcurrentConnectionsSuccess { slots { total } } ... on Error { code message } } }';
    return this.admin.api.succeed(query, { count });
  }

  /** The newest entries of the log, newest first, as the Administrator reads it. */
  async log(filter: Record<string, unknown> = {}, first = 100): Promise<Json[]> {
    const query =
      'query ($filter: LogFilter, $first: Int) { logEntries(filter: $filter, first: $first) { nodes { number at code text category severity trigger userReference userName ewonReference ewonName parameters { name value } } } }';
    return (await this.admin.api.run(query, { filter, first })).logEntries.nodes;
  }
}

export interface TestEwon {
  id: string;
  name: string;
  device: Device;
}

let devices = 0;
const seed = randomUUID();

/** A simulated device of no account. */
export function newDevice(
  server: TestServer,
  facts: Partial<DeviceFacts> = {},
  options: Partial<Parameters<typeof createDevice>[0]> = {},
): Promise<Device> {
  devices += 1;
  return createDevice({
    facts: { ...deviceProfile(seed, devices).facts, ...facts },
    platform: { deviceUrl: server.app.gatewayUrls.device, authority: server.app.platform.authority.certificatePem },
    reconnect: false,
    ...options,
  });
}

/** Logs in through the API. */
export async function logIn(
  server: TestServer,
  account: string,
  username: string,
  password: string,
  client = 'ECATCHER',
): Promise<Person> {
  const query =
    'mutation ($input: LoginInput!) { login(input: $input) { __typename ... on LoginSuccess { token viewer { user { id } } } ... on Error { code message } } }';
  const result = await new ApiCaller(server.url).succeed(query, { input: { account, username, password, client } });
  return { id: result.viewer.user.id, username, api: new ApiCaller(server.url, result.token) };
}

/** Opens a session and answers with the union's member: success or error. */
export const OPEN_SESSION = `mutation ($input: OpenSessionInput!) {
  openSession(input: $input) {
    __typename
    ... on OpenSessionSuccess { session { id reference state client userVpnAddress ewonVpnAddress slot { reserved group { name } } } tunnel { url token expiresAt } }
    ... on Error { code message path }
    ... on NoFreeSlotError { usage { total inUse free freeForViewer usableByViewer reservations { count inUse group { name } } } holders { userName since } queuePosition }
    ... on UserAlreadyConnectedError { session { id } }
  }
}`;

export const CLOSE_SESSION = `mutation ($sessionId: ID!) {
  closeSession(input: { sessionId: $sessionId }) { __typename ... on CloseSessionSuccess { session { id state closeReason } } ... on Error { code message } }
}`;

export const openSession = (
  person: Person,
  ewonId: string,
  more: Record<string, unknown> = {},
  init: { signal?: AbortSignal } = {},
): Promise<Json> => person.api.mutate(OPEN_SESSION, { input: { ewonId, ...more } }, init);

/** A server with one PRO account. */
export async function startWorld(
  options: ServerOptions = {},
  plan: Plan = 'PRO',
): Promise<{ server: TestServer; account: TestAccount }> {
  const server = await startServer(options);
  return { server, account: await TestAccount.create(server, plan) };
}
