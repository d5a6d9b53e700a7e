import { createClient, type Client as SocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

// Answers are read freely: what a test expects of them, it asserts.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export interface GraphQLAnswer {
  data?: Json;
  errors?: {
    message: string;
    path?: (string | number)[];
    extensions: { code: string; requestId?: string; [name: string]: unknown };
  }[];
}

/** A caller of the API over HTTP and WebSocket. */
export class ApiCaller {
  constructor(
    readonly url: string,
    readonly token: string | null = null,
  ) {}

  /** The whole answer, errors included. */
  async send(
    query: string,
    variables: Record<string, unknown> = {},
    init: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<GraphQLAnswer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...init.headers,
      },
      body: JSON.stringify({ query, variables }),
      ...(init.signal && { signal: init.signal }),
    });
    return (await response.json()) as GraphQLAnswer;
  }

  /** {@link send} for variables with files among them (graphql-multipart-request-spec). */
  async upload(query: string, variables: Record<string, unknown>): Promise<GraphQLAnswer> {
    const files: [path: string, file: File][] = [];
    const find = (value: unknown, path: string): void => {
      if (value instanceof File) files.push([path, value]);
      else if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) find(inner, `${path}.${key}`);
    };
    find(variables, 'variables');
    const withoutFiles = (_key: string, value: unknown) => (value instanceof File ? null : value);
    const body = new FormData();
    body.set('operations', JSON.stringify({ query, variables }, withoutFiles));
    body.set('map', JSON.stringify(Object.fromEntries(files.map(([path], index) => [index, [path]]))));
    for (const [index, [, file]] of files.entries()) body.set(String(index), file);
    const headers: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {};
    const response = await fetch(`${this.url}/graphql`, { method: 'POST', headers, body });
    return (await response.json()) as GraphQLAnswer;
  }

  /** The data of an operation that must have no top-level error. */
  async run(
    query: string,
    variables: Record<string, unknown> = {},
    init: { signal?: AbortSignal } = {},
  ): Promise<Json> {
    const answer = await this.send(query, variables, init);
    if (answer.errors) throw new Error(`Unexpected errors: ${JSON.stringify(answer.errors)}`);
    return answer.data;
  }

  /** The one field of a mutation: its success or its error, told apart by `__typename`. */
  async mutate(
    query: string,
    variables: Record<string, unknown> = {},
    init: { signal?: AbortSignal } = {},
  ): Promise<Json> {
    const data = await this.run(query, variables, init);
    const [result] = Object.values(data);
    return result;
  }

  /** Like {@link mutate}, for a mutation that must succeed. */
  async succeed(query: string, variables: Record<string, unknown> = {}): Promise<Json> {
    const result = await this.mutate(query, variables);
    if (!String(result.__typename).endsWith('Success')) throw new Error(`Refused: ${JSON.stringify(result)}`);
    return result;
  }

  /** A WebSocket of its own for subscriptions. */
  socket(): SocketClient {
    return createClient({
      url: `${this.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazyCloseTimeout: 0,
      ...(this.token && { connectionParams: { authorization: `Bearer ${this.token}` } }),
    });
  }

  /** {@link subscribe} over server-sent events. */
  stream(query: string, variables: Record<string, unknown> = {}): EventStream {
    return new EventStream(this.url, this.token, query, variables);
  }

  /** Begins a subscription and gathers what comes. */
  subscribe(query: string, variables: Record<string, unknown> = {}): Subscription {
    return new Subscription(this.socket(), query, variables);
  }
}

/** The messages of a subscription, in a queue that can be waited for. */
export class Subscription {
  readonly received: Json[] = [];
  errors: GraphQLAnswer['errors'];
  ended = false;
  closeCode: number | null = null;
  private readonly waiters = new Set<() => void>();
  private readonly unsubscribe: () => void;
  private socket: WebSocket | null = null;

  constructor(
    private readonly client: SocketClient,
    query: string,
    variables: Record<string, unknown>,
  ) {
    client.on('connected', (socket) => {
      this.socket = socket as WebSocket;
    });
    client.on('closed', (event) => {
      this.closeCode = (event as { code: number }).code;
      this.notify();
    });
    this.unsubscribe = client.subscribe<Json>(
      { query, variables },
      {
        next: (message) => {
          if (message.errors) this.errors = message.errors as never;
          else this.received.push(message.data);
          this.notify();
        },
        error: (error) => {
          if (Array.isArray(error)) this.errors = error as never;
          this.ended = true;
          this.notify();
        },
        complete: () => {
          this.ended = true;
          this.notify();
        },
      },
    );
  }

  private notify(): void {
    for (const waiter of this.waiters) waiter();
  }

  /** Resolves when the condition holds; rejects after the time with what was received. */
  waitFor(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.waiters.delete(check);
        settle();
      };
      const check = () => condition() && done(resolve);
      const timer = setTimeout(
        () =>
          done(() =>
            reject(
              new Error(
                `No ${what} within ${timeoutMs} ms; received ${JSON.stringify(this.received).slice(0, 2000)}, errors ${JSON.stringify(this.errors)}`,
              ),
            ),
          ),
        timeoutMs,
      );
      this.waiters.add(check);
      check();
    });
  }

  /** Breaks the connection without a word, as a network does. */
  cut(): void {
    this.socket?.terminate();
  }

  /** Leaves, and closes the socket. */
  async leave(): Promise<void> {
    this.unsubscribe();
    await this.client.dispose();
  }
}

/** A subscription over server-sent events, with the same face as `Subscription`. */
export class EventStream {
  readonly received: Json[] = [];
  errors: GraphQLAnswer['errors'];
  ended = false;
  status: number | null = null;
  private readonly gone = new AbortController();

  constructor(url: string, token: string | null, query: string, variables: Record<string, unknown> = {}) {
    this.read(url, token, query, variables).then(
      () => {
        this.ended = true;
      },
      () => {
        this.ended = true;
      },
    );
  }

  private async read(url: string, token: string | null, query: string, variables: Record<string, unknown>) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: this.gone.signal,
    });
    this.status = response.status;
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) this.take(event);
    }
  }

  private take(event: string): void {
    const data = /^data: ?(.+)$/m.exec(event)?.[1];
    if (!/^event: next$/m.test(event) || data === undefined) return;
    const message = JSON.parse(data) as GraphQLAnswer;
    if (message.errors) this.errors = message.errors;
    else this.received.push(message.data);
  }

  waitFor(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<unknown> {
    return eventually(
      `${what} (received ${this.received.length}, errors ${JSON.stringify(this.errors)})`,
      condition,
      (holds) => holds,
      timeoutMs,
    );
  }

  /** Breaks the connection, as a network does; a leaving client does the same. */
  cut(): void {
    this.gone.abort();
  }

  async leave(): Promise<void> {
    this.cut();
    await this.waitFor('end', () => this.ended);
  }
}

/** Asks again until the condition holds; rejects after the time. For what no stream tells. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T> | T,
  holds: (value: T) => boolean,
  timeoutMs = 10_000,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > until)
      throw new Error(`${what}: not within ${timeoutMs} ms; last ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
