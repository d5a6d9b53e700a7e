import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { deadline } from './deadline.ts';
import { CodedError, messageOf } from './errors.ts';

/**
 * A GraphQL document that knows the types of its result and variables: what the client preset of GraphQL Code Generator makes
 * (`TypedDocumentString`).
 */
export interface TypedDocument<Result, Variables> {
  toString(): string;
  __apiType?: (variables: Variables) => Result;
}

/** An error of the API outside a result union, or why the API could not be asked. */
export class ApiError extends CodedError {
  override readonly name = 'ApiError';
  constructor(
    /** A code of the platform's catalogue; `UNREACHABLE`, `TIMEOUT`, `CONNECTION_LOST` or `ANSWER_INVALID`. */
    code: string,
    message: string,
    /** What came with the code: `requestId`, or the `cursor` from which a stream goes on. */
    readonly extensions: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    const { retryAfter } = extensions;
    super(code, message, typeof retryAfter === 'number' ? retryAfter : undefined, options);
  }
}

export interface ApiClientOptions {
  /** `http://localhost:4000/graphql` */
  url: string;
  /** Of a login; can be set later. */
  token?: string;
  /** For a request, the opening of the WebSocket, and each sign of life on it. */
  timeoutMs?: number;
}

export interface RequestOptions {
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** Speaks to the API as any client does: queries and mutations by HTTP, subscriptions by one WebSocket. */
export class ApiClient {
  readonly #url: string;
  readonly #timeoutMs: number;
  #token: string | undefined;
  #subscriptions: Client | undefined;

  constructor({ url, token, timeoutMs = 30_000 }: ApiClientOptions) {
    this.#url = url;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /** The bearer token from now on. An open WebSocket is closed, since it belongs to the login before. */
  setToken(token: string | undefined): void {
    this.#token = token;
    this.close();
  }

  /**
   * Runs a query or mutation. Members of a result union that are errors are results.
   *
   * @throws ApiError; the reason of `signal` when that ended it
   */
  async request<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    { timeoutMs = this.#timeoutMs, signal }: RequestOptions = {},
  ): Promise<Result> {
    using limit = deadline(timeoutMs, signal);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json;q=0.9',
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify({ query: document.toString(), variables }),
        signal: limit.signal,
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (limit.passed) throw new ApiError('TIMEOUT', `${this.#url} did not answer within ${timeoutMs / 1000} s.`);
      const cause = (error as Error).cause ?? error;
      throw new ApiError('UNREACHABLE', `${this.#url} cannot be reached: ${messageOf(cause)}.`, {}, { cause });
    }
    return this.#resultOf<Result>(parseAnswer(text), response.status);
  }

  /**
   * Runs a subscription until the server completes it, the caller leaves the loop, or `signal` ends it. It is not opened again
   * after a failure: only the caller knows the cursor from which to go on.
   *
   * @throws ApiError; `extensions.cursor` where the server gives one
   */
  async *subscribe<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Result, void, void> {
    this.#subscriptions ??= this.#openSubscriptions();
    const events = this.#subscriptions.iterate({
      query: document.toString(),
      variables: variables as Record<string, unknown>,
    });
    const stop = () => void events.return?.();
    if (signal?.aborted) return;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for await (const event of events) yield this.#resultOf<Result>(event as Answer);
    } catch (error) {
      throw subscriptionError(this.#url, error);
    } finally {
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    void this.#subscriptions?.dispose();
    this.#subscriptions = undefined;
  }

  #openSubscriptions(): Client {
    const timeoutMs = this.#timeoutMs;
    let silence: NodeJS.Timeout | undefined;
    const client: Client = createClient({
      url: this.#url.replace(/^http/, 'ws'),
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string | string[]) {
          super(url, protocols, { handshakeTimeout: timeoutMs, perMessageDeflate: false });
        }
      },
      connectionParams: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      connectionAckWaitTimeout: timeoutMs,
      retryAttempts: 0,
      keepAlive: timeoutMs,
      on: {
        ping: (received) => {
          if (!received) silence = setTimeout(() => client.terminate(), timeoutMs);
        },
        pong: () => clearTimeout(silence),
        closed: () => clearTimeout(silence),
      },
    });
    return client;
  }

  #resultOf<Result>(answer: Answer | undefined, status?: number): Result {
    const error = answer?.errors?.[0];
    if (error !== undefined)
      throw new ApiError(String(error.extensions?.code ?? 'ANSWER_INVALID'), error.message, error.extensions);
    if (answer?.data == null) {
      throw new ApiError(
        'ANSWER_INVALID',
        `${this.#url} gave an answer that is not GraphQL${status === undefined ? '' : ` (status ${status})`}.`,
      );
    }
    return answer.data as Result;
  }
}

interface Answer {
  data?: unknown;
  errors?: GraphQlError[];
}
interface GraphQlError {
  message: string;
  extensions?: Record<string, unknown>;
}

function parseAnswer(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

/** graphql-ws rejects with GraphQL errors, a close event, or an error of its own. */
function subscriptionError(url: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const [first] = Array.isArray(error) ? (error as GraphQlError[]) : [];
  if (first !== undefined)
    return new ApiError(String(first.extensions?.code ?? 'ANSWER_INVALID'), first.message, first.extensions);
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (code === 4401 || code === 4403)
    return new ApiError('UNAUTHENTICATED', `The login is not or no longer valid: ${reason || code}.`);
  if (typeof code === 'number')
    return new ApiError('CONNECTION_LOST', `${url} ended the stream with code ${code}${reason ? `: ${reason}` : ''}.`);
  return new ApiError('UNREACHABLE', `${url} cannot be reached: ${messageOf(error)}.`, {}, { cause: error });
}
