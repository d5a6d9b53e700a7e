import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as the server took it. */
interface ReceivedMail {
  from: string;
  to: string[];
  raw: string;
}

/** A real SMTP server that can be told to misbehave. */
export interface MailServer {
  url: string;
  received: ReceivedMail[];
  /** What it does with the next mails. */
  behave(how: 'take' | 'refuse recipient' | 'busy' | 'slow' | 'hang'): void;
  /** Mails that it has read, whatever it answered. */
  readonly read: number;
  close(): Promise<void>;
  /** Opens again on the same port, after `close`. */
  open(): Promise<void>;
}

/** A slow server answers after this. */
const SLOW_MS = 300;

const answer = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });

export async function startMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  let read = 0;
  let behaviour: Parameters<MailServer['behave']>[0] = 'take';
  let server: SMTPServer;
  const start = async (port: number) => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      closeTimeout: 10,
      onRcptTo: (_address, _session, done) =>
        done(behaviour === 'refuse recipient' ? answer(550, 'No such mailbox; your code was 1234567') : null),
      onData: (stream, session, done) => {
        let raw = '';
        stream.on('data', (chunk: Buffer) => {
          raw += chunk.toString();
        });
        stream.on('end', () => {
          read += 1;
          if (behaviour === 'hang') return;
          if (behaviour === 'busy') return done(answer(451, 'Come again'));
          const { mailFrom, rcptTo } = session.envelope;
          const take = () => {
            received.push({
              from: mailFrom ? mailFrom.address : '',
              to: rcptTo.map(({ address }) => address),
              raw,
            });
            done();
          };
          setTimeout(take, behaviour === 'slow' ? SLOW_MS : 0);
        });
      },
    });
    server.on('error', () => undefined);
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
  };
  await start(0);
  // biome-ignore lint/style/noNonNullAssertion: started above
  const { port } = server!.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    get read() {
      return read;
    },
    behave: (how) => {
      behaviour = how;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
    open: () => start(port),
  };
}

/** A request to the SMS service. */
interface ReceivedSms {
  headers: IncomingHttpHeaders;
  body: string;
}

/** An HTTP server that takes text messages and answers with a status that can be set. */
export interface SmsService {
  url: string;
  received: ReceivedSms[];
  answer(status: number): void;
  close(): Promise<void>;
}

export async function startSmsService(): Promise<SmsService> {
  const received: ReceivedSms[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status).end(`refused: ${body}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`,
    received,
    answer: (next) => {
      status = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
