import { ApiClient, type RequestOptions, type TypedDocument } from '../client/api-client.ts';
import { CodedError, codeOf } from '../client/errors.ts';
import type {
  CreateGroupInput,
  CreateUserInput,
  EwonPropertiesInput,
  GrantSupportAccessInput,
  SimEwonStatesQuery,
} from '../client/gql/graphql.ts';
import {
  ACCEPT_INVITATION,
  ACCOUNT,
  ADVANCE_CLOCK,
  APPROVE,
  CLOCK,
  CREATE_ACCOUNT,
  CREATE_GROUP,
  CREATE_POOL,
  CREATE_USER,
  EWON_STATES,
  GRANT_SUPPORT,
  LOG_ENTRIES,
  type LogEntryNode,
  OPEN_SESSIONS,
  OPERATOR_CREATE_ACCOUNT,
  OUTBOX,
  SET_SLOTS,
} from './account-operations.ts';
import { LOGIN } from './operations.ts';
import { accepted, patiently } from './patience.ts';

export type EwonState = SimEwonStatesQuery['ewons']['nodes'][number];

export interface AdministratorOptions {
  /** `http://localhost:4000/graphql` */
  apiUrl: string;
  account: string;
  username: string;
  password: string;
  timeoutMs?: number;
  /** How long it obeys a platform that asks to come later. */
  patienceMs?: number;
  signal?: AbortSignal | undefined;
}

/** The Administrator of a simulated account, through the API. A login that has ended is made anew. */
export class Administrator {
  readonly #options: AdministratorOptions;
  readonly #api: ApiClient;
  #loggedIn = false;

  constructor(options: AdministratorOptions) {
    this.#options = options;
    this.#api = new ApiClient({ url: options.apiUrl, timeoutMs: options.timeoutMs ?? 60_000 });
  }

  get account(): string {
    return this.#options.account;
  }

  /**
   * Makes the account with this Administrator: by the operator's door on any plan, else as anybody may, on FREE.
   *
   * @throws CodedError `ACCOUNT_NAME_TAKEN` and whatever else the platform refuses with
   */
  async createAccount(plan: 'FREE' | 'LIGHT' | 'PRO', operator?: { url: string; token: string }): Promise<void> {
    const { account: name, username, password } = this.#options;
    const email = `${username}@example.com`;
    if (operator !== undefined) {
      const door = new ApiClient({ url: operator.url, token: operator.token });
      const administrator = { username, email, password };
      const input = { name, company: name, plan, administrator };
      accepted((await door.request(OPERATOR_CREATE_ACCOUNT, { input })).createAccount, 'CreateAccountSuccess');
      return;
    }
    if (plan !== 'FREE')
      throw new CodedError('OPERATOR_NEEDED', `Only the operator makes an account on ${plan}: set OPERATOR_TOKEN.`);
    await this.#patiently(async () => {
      const input = { name, company: name, username, email, password };
      accepted((await this.#api.request(CREATE_ACCOUNT, { input })).createAccount, 'CreateAccountSuccess');
    });
  }

  /** Logs in, again when it was logged in: before time passes that would end the login. */
  async logIn(): Promise<void> {
    const { account, username, password } = this.#options;
    await this.#patiently(async () => {
      this.#api.setToken(undefined);
      const input = { account, username, password, client: 'M2WEB' as const };
      const { login } = await this.#api.request(LOGIN, { input });
      if (!('token' in login)) throw refusalOf(login);
      this.#api.setToken(login.token);
    });
    this.#loggedIn = true;
  }

  /** Any request with its login. @throws ApiError */
  async request<Result, Variables>(
    query: TypedDocument<Result, Variables>,
    variables: Variables,
    options: RequestOptions = {},
  ): Promise<Result> {
    if (!this.#loggedIn) await this.logIn();
    const given = { signal: this.#options.signal, ...options };
    try {
      return await this.#api.request(query, variables, given);
    } catch (error) {
      if (!['UNAUTHENTICATED', 'LOGIN_EXPIRED'].includes(codeOf(error))) throw error;
      await this.logIn();
      return this.#api.request(query, variables, given);
    }
  }

  async registrationKey(): Promise<string> {
    const { account } = await this.request(ACCOUNT, {});
    const key = account?.autoRegistration?.registrationKey;
    if (key === undefined) throw new CodedError('FORBIDDEN', `${this.account} shows no registration key.`);
    return key;
  }

  /** The ids of the pools by name; the default pool is under the empty name too. */
  async pools(): Promise<Map<string, string>> {
    const { pools } = await this.request(ACCOUNT, {});
    return new Map(
      pools.nodes.flatMap(({ id, name, isDefault }) => [
        [name, id] as const,
        ...(isDefault ? [['', id] as const] : []),
      ]),
    );
  }

  async createPool(name: string): Promise<string> {
    const { createPool } = await this.request(CREATE_POOL, { input: { name } });
    return accepted(createPool, 'CreatePoolSuccess').pool.id;
  }

  async createGroup(input: CreateGroupInput): Promise<string> {
    const { createGroup } = await this.request(CREATE_GROUP, { input });
    return accepted(createGroup, 'CreateGroupSuccess').group.id;
  }

  async createUser({ username, password, ...more }: Partial<CreateUserInput> & { username: string; password: string }) {
    const input = { email: `${username}@example.com`, ...more, username, password, passwordConfirmation: password };
    await this.#patiently(async () => {
      accepted((await this.request(CREATE_USER, { input })).createUser, 'CreateUserSuccess');
    });
  }

  async setSlots(concurrentConnections: number): Promise<void> {
    const input = { concurrentConnections, acknowledgeContractChange: true };
    const { setConcurrentConnections } = await this.request(SET_SLOTS, { input });
    accepted(setConcurrentConnections, 'SetConcurrentConnectionsSuccess');
  }

  async slots(): Promise<number> {
    return (await this.request(ACCOUNT, {})).account?.slots.total ?? 0;
  }

  /** Takes a waiting Ewon into the account, as a new one or in the place of another (GRK-18, GRK-19). */
  async approve(ewonId: string, how: { properties: EwonPropertiesInput } | { replace: string }): Promise<void> {
    const { approveEwon } = await this.request(APPROVE, { input: { ewonId, ...how } });
    accepted(approveEwon, 'ApproveEwonSuccess');
  }

  /** All Ewons of the account by serial number. */
  async ewons(): Promise<Map<string, EwonState>> {
    const found = new Map<string, EwonState>();
    for (let after: string | null = null; ; ) {
      const { ewons }: SimEwonStatesQuery = await this.request(EWON_STATES, { after });
      for (const ewon of ewons.nodes) if (ewon.serialNumber !== null) found.set(ewon.serialNumber, ewon);
      if (!ewons.pageInfo.hasNextPage) return found;
      after = ewons.pageInfo.endCursor;
    }
  }

  /** How many sessions are open. */
  async openSessions(): Promise<number> {
    return (await this.request(OPEN_SESSIONS, {})).sessions.totalCount;
  }

  /** The log's entries behind a cursor, oldest first; all without one. */
  async logAfter(cursor: string | undefined): Promise<LogEntryNode[]> {
    const entries: LogEntryNode[] = [];
    for (let before = cursor; ; ) {
      const last = 500;
      const { nodes } = (await this.request(LOG_ENTRIES, { last, before: before ?? null })).logEntries;
      const page = [...nodes].reverse();
      entries.push(...page);
      before = page.at(-1)?.cursor ?? before;
      if (page.length < last) return entries;
    }
  }

  async grantSupport(input: GrantSupportAccessInput): Promise<void> {
    accepted((await this.request(GRANT_SUPPORT, { input })).grantSupportAccess, 'GrantSupportAccessSuccess');
  }

  // ── Simulation mode ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The platform's clock. @throws ApiError when the platform does not run in simulation mode */
  async clock(): Promise<Date> {
    return new Date((await this.request(CLOCK, {})).clock.now);
  }

  /** Moves the platform's clock on; what falls due on the way is done when it returns (CLK-03). */
  async advanceTo(to: Date): Promise<void> {
    const input = { to: to.toISOString() };
    accepted(
      (await this.request(ADVANCE_CLOCK, { input }, { timeoutMs: 600_000 })).advanceClock,
      'AdvanceClockSuccess',
    );
    // Hours may have passed, and with them the login.
    await this.logIn();
  }

  /** Takes an invitation from the outbox and accepts it with a password (INV-04). Undefined while none has been sent. */
  async acceptInvitation(recipient: string, password: string): Promise<{ username: string } | undefined> {
    const { simulatedMessages } = await this.request(OUTBOX, { filter: { recipient, template: 'INVITATION' } });
    const link = simulatedMessages.nodes[0]?.parameters.find(({ name }) => name === 'link')?.value;
    const token = link?.split('#')[1];
    if (token === undefined) return undefined;
    const anybody = new ApiClient({ url: this.#options.apiUrl });
    const input = { token, password, passwordConfirmation: password };
    return accepted((await anybody.request(ACCEPT_INVITATION, { input })).acceptInvitation, 'AcceptInvitationSuccess');
  }

  #patiently<T>(act: () => Promise<T>): Promise<T> {
    const { patienceMs = 60_000, signal } = this.#options;
    return patiently(act, { withinMs: patienceMs, signal });
  }
}

/** A login that gave no token: a refusal, or a step more that a simulated Administrator does not take. */
function refusalOf(login: { __typename: string }): CodedError {
  const { code, message, retryAfter } = login as { code?: string; message?: string; retryAfter?: number };
  return code === undefined
    ? new CodedError(login.__typename, `The platform answers with ${login.__typename}.`)
    : new CodedError(code, message ?? code, retryAfter);
}
