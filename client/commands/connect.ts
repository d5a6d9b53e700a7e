import { parseArgs } from 'node:util';
import { type Command, parseDuration, readText, type Surroundings, usageError } from '../command-line.ts';
import { Connection, readSession } from '../connection.ts';
import { deadline } from '../deadline.ts';
import { readCertificate } from '../device-port.ts';
import { CodedError, codeOf, messageOf } from '../errors.ts';
import { findEwon } from '../ewons.ts';
import { Forward, type ForwardRule, parseForward } from '../forward.ts';
import { StreamRefusal } from '../session-tunnel.ts';
import { COMMON, configOf, LOGIN, withLogin } from './common.ts';

const TIMEOUT_MS = 15_000;
/** How often a running connection writes down how it stands. */
const NOTE_MS = 2000;

const options = {
  forward: {
    type: 'string',
    multiple: true,
    short: 'f',
    value: '<port:address:port>',
    help: 'Local port, and address and port behind the Ewon, as 1502:10.0.0.20:502; several times for several. Listens on 127.0.0.1, or as 0.0.0.0:1502:10.0.0.20:502 elsewhere.',
  },
  wait: {
    type: 'string',
    value: '<time>',
    default: '0s',
    help: 'How long to wait for a connection when none is free.',
  },
  switch: { type: 'boolean', help: 'Ends your present session first.' },
  for: { type: 'string', value: '<time>', help: 'End after this time, such as 60s or 5m; otherwise Ctrl-C ends it.' },
  ca: {
    type: 'string',
    value: '<file>',
    help: 'PEM of the authority of the platform. Else the one met first is kept in the config folder and trusted from then on.',
  },
  ...LOGIN,
  ...COMMON,
} as const;

export const connect: Command = {
  operands: '<ewon>',
  summary:
    'Opens a session to an Ewon, by name, reference or serial number, and leads local ports to what lies behind it.',
  details:
    'Ends with status 0 when you end it (Ctrl-C, SIGTERM, --for), and 1 when the session is refused or ends otherwise.\n' +
    'With --json every event is a line of JSON on standard output.',
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [wanted, ...rest] = positionals;
    if (wanted === undefined || rest.length > 0) throw usageError('connect needs one Ewon.');
    const waitSeconds = Math.ceil(parseDuration(values.wait, 'wait') / 1000);
    const forMs = values.for === undefined ? undefined : parseDuration(values.for, 'for');
    const rules = (values.forward ?? []).map(ruleOf);
    const ca = values.ca === undefined ? undefined : await readCa(values.ca);
    const config = configOf(values, surroundings);
    const { signal } = surroundings;
    const say = speaker(surroundings, values.json === true);
    // First of all, so that a port that is taken costs neither a login nor a connection.
    await using forwards = await listen(rules, say);
    return await withLogin(values, surroundings, async ({ api }) => {
      const ewon = await findEwon(api, wanted, signal);
      let origin: string | undefined;
      const authorityOf = async (of: string) => {
        origin = of;
        return ca ?? config.authorityOf(of, TIMEOUT_MS);
      };
      let connection: Connection;
      try {
        connection = await Connection.open(api, {
          ewonId: ewon.id,
          waitSeconds,
          switch: values.switch === true,
          authorityOf,
          onQueue: (position) =>
            say({ event: 'queued', position }, `Waiting for a connection: place ${position} in the queue.`),
          timeoutMs: TIMEOUT_MS,
          signal,
        });
      } catch (error) {
        if (codeOf(error) === 'USER_ALREADY_CONNECTED' && !values.switch)
          throw new CodedError('USER_ALREADY_CONNECTED', `${messageOf(error)} With --switch it is ended first.`);
        throw origin === undefined || ca !== undefined
          ? error
          : await config.explainDistrust(error, origin, TIMEOUT_MS);
      }
      using until = deadline(forMs, signal);
      try {
        forwards.leadInto(connection);
        const note = () => config.setRunning(runningOf(connection, forwards.list)).catch(() => undefined);
        await note();
        const noting = setInterval(() => void note(), NOTE_MS);
        tellBeginning(connection, forwards.list, say);
        try {
          await endOf(connection, until.signal, say);
        } finally {
          clearInterval(noting);
        }
      } finally {
        await forwards.close();
        await connection.close();
        await config.removeRunning(process.pid);
      }
      const { ended, bytesIn, bytesOut } = connection;
      const session = await readSession(api, connection.session.id).catch(() => undefined);
      const { code = 'BY_CLIENT', reason = code } = ended ?? {};
      const why = code === 'BY_CLIENT' ? 'The session is closed' : `The session has ended: ${reason}`;
      say(
        { event: 'ended', code, reason, bytesIn, bytesOut, session: session ?? null },
        `${why}${code === 'BY_CLIENT' || code === 'SESSION_CLOSED' ? '' : ` (${code})`}. ${bytesIn} bytes to the Ewon, ${bytesOut} bytes back.`,
      );
      return code === 'BY_CLIENT' ? 0 : 1;
    });
  },
};

type Say = (event: { event: string; [name: string]: unknown }, text: string) => void;

/** Events: for people on standard error, for programs as lines of JSON on standard output. */
const speaker =
  ({ stdout, stderr }: Surroundings, json: boolean): Say =>
  (event, text) => {
    if (json) stdout.write(`${JSON.stringify(event)}\n`);
    else stderr.write(`${text}\n`);
  };

/** Local ports that listen before there is a connection; what comes meanwhile waits for it. */
class Forwards implements AsyncDisposable {
  readonly list: Forward[] = [];
  readonly #present: Promise<Connection>;
  #connection: Connection | undefined;
  #arrived: (connection: Connection) => void = () => undefined;

  constructor() {
    this.#present = new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** @throws CodedError `LISTEN_FAILED` */
  async add(rule: ForwardRule, say: Say): Promise<void> {
    const forward = await Forward.listen(rule, async (target, { signal }) => {
      const connection = await orAborted(this.#present, signal);
      return await connection.openStream(target, { signal });
    });
    this.list.push(forward);
    const target = nameOf(rule);
    forward.on('refused', (error) => tellRefusal(target, error, say));
    forward.on('closed', (error) => {
      if (error === undefined || this.#connection?.ended !== undefined) return;
      const message = messageOf(error);
      say({ event: 'cut', target, code: codeOf(error), message }, `${target}: ${message}`);
    });
  }

  leadInto(connection: Connection): void {
    this.#connection = connection;
    this.#arrived(connection);
  }

  async close(): Promise<void> {
    await Promise.all(this.list.map((forward) => forward.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Begins to listen on all ports, or on none. @throws CodedError `LISTEN_FAILED` */
async function listen(rules: readonly ForwardRule[], say: Say): Promise<Forwards> {
  const forwards = new Forwards();
  try {
    for (const rule of rules) await forwards.add(rule, say);
  } catch (error) {
    await forwards.close();
    throw error;
  }
  return forwards;
}

/** A firewall's refusal is told by what decided; its sentence says the same with more words. */
function tellRefusal(target: string, error: CodedError, say: Say): void {
  const { level, rule, reason } = error instanceof StreamRefusal ? error.verdict : {};
  const { code, message } = error;
  say(
    { event: 'refused', target, code, level, rule, reason, message },
    rule === undefined
      ? `${target} refused: ${message} (${code})`
      : `${target} refused by the firewall: ${level}, ${rule}, ${reason} (${code})`,
  );
}

/** What the promise brings, unless the signal ends the wait. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    void promise.then((value) => {
      signal.removeEventListener('abort', leave);
      resolve(value);
    });
  });
}

function tellBeginning(connection: Connection, forwards: Forward[], say: Say): void {
  const { reference, ewonName, userVpnAddress, ewonVpnAddress } = connection.session;
  const listening = forwards.map((forward) => ({ listen: listenerOf(forward), target: nameOf(forward.rule) }));
  say(
    {
      event: 'connected',
      session: reference,
      sessionId: connection.session.id,
      ewon: ewonName,
      userVpnAddress,
      ewonVpnAddress,
      forwards: listening,
    },
    [
      `Connected to ${ewonName} (${reference}).`,
      ...listening.map(({ listen, target }) => `${listen} leads to ${target}.`),
      ...(listening.length === 0
        ? ['No port is forwarded: --forward 1502:10.0.0.20:502 leads local port 1502 to port 502 of 10.0.0.20.']
        : []),
      'Ctrl-C ends it.',
    ].join('\n'),
  );
}

/** Resolves when the connection has ended, or somebody wants it to. */
function endOf(connection: Connection, signal: AbortSignal, say: Say): Promise<void> {
  connection.on('lost', ({ code, reason }) =>
    say({ event: 'lost', code, reason }, `The tunnel broke (${code}); it is opened again.`),
  );
  connection.on('restored', () => say({ event: 'restored' }, 'The tunnel is open again.'));
  return new Promise((resolve) => {
    connection.once('end', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted || connection.ended !== undefined) resolve();
  });
}

function runningOf(connection: Connection, forwards: Forward[]) {
  return {
    pid: process.pid,
    startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    ewon: connection.session.ewonName,
    session: connection.session.reference,
    state: connection.tunnel.ended === undefined ? ('CONNECTED' as const) : ('RECONNECTING' as const),
    forwards: forwards.map((forward) => ({
      listen: listenerOf(forward),
      target: nameOf(forward.rule),
      connections: forward.connections,
    })),
    bytesIn: connection.bytesIn,
    bytesOut: connection.bytesOut,
  };
}

const nameOf = ({ target: { address, port } }: ForwardRule): string => `${address}:${port}`;
const listenerOf = ({ rule: { host }, port }: Forward): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

function ruleOf(text: string): ForwardRule {
  try {
    return parseForward(text);
  } catch (error) {
    throw usageError(`--forward ${messageOf(error)}`);
  }
}

async function readCa(file: string): Promise<string> {
  const pem = await readText(file, 'ca');
  if (readCertificate(pem) === undefined) throw usageError(`--ca ${file} holds no certificate in PEM.`);
  return pem;
}
