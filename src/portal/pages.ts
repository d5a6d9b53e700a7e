import type { ServerResponse } from 'node:http';
import { type Look, lookOf, STANDARD_LOOK } from '../branding/look.ts';
import type { Platform } from '../context.ts';
import type { ErrorCode } from '../errors.ts';
import type { LanProtocol } from '../generated/prisma/client.ts';
import { html, sendPage } from './html.ts';
import { LOGO_PAGE, targetPath, type WebTarget } from './paths.ts';
import type { PortalSession } from './sessions.ts';

/** Where the answers of the portal itself carry their code, to be told from those of a target. */
const CODE_HEADER = 'talkgate-code';

const STATUS: Partial<Record<ErrorCode, number>> = {
  VALIDATION_FAILED: 400,
  UNAUTHENTICATED: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  SESSION_CLOSED: 410,
  STREAM_FORBIDDEN: 403,
  TOO_MANY_STREAMS: 429,
  EWON_OFFLINE: 503,
  LAN_DEVICE_REFUSED: 502,
  LAN_DEVICE_UNREACHABLE: 502,
  LAN_CONNECTION_LOST: 502,
  DEVICE_BUSY: 502,
  LAN_DEVICE_TIMEOUT: 504,
};

/** Tells why there is nothing to see. */
export function sendRefusal(response: ServerResponse, code: ErrorCode, message: string): void {
  const status = STATUS[code] ?? 500;
  sendPage(response, {
    status,
    title: 'talkgate',
    body: html`<main><h1>${status === 410 ? 'This session is over' : 'This did not work'}</h1>
<p>${message}</p><p class="quiet">${code}</p></main>`,
    headers: { [CODE_HEADER]: code },
  });
}

const WHY_OVER: Partial<Record<NonNullable<PortalSession['ended']>, string>> = {
  BY_USER: 'You have left it.',
  BY_ADMINISTRATOR: 'An Administrator has closed it.',
  EWON_OFFLINE: 'The Ewon went offline.',
  TIMEOUT: 'It was not used for too long.',
  SESSION_EXPIRED: 'Your login has ended.',
  ACCESS_REVOKED: 'You may no longer connect to the Ewon.',
};

/** The answer 410 for whatever is below the path of a session that is over, with its close reason (CON-09). */
export function sendOver(response: ServerResponse, { ended, ewon }: PortalSession): void {
  const why = ended === null ? undefined : WHY_OVER[ended];
  sendRefusal(
    response,
    'SESSION_CLOSED',
    `The session to ${ewon.name} has ended (${ended ?? 'SESSION_CLOSED'}). ${why ?? ''} Open a new one.`,
  );
}

/** A server behind an Ewon that a browser can open (M2W-10). */
interface WebServer {
  name: string;
  description: string | null;
  target: WebTarget;
}

interface Declared {
  lanAddress: string | null;
  lanDevices: { name: string; description: string | null; address: string; ports: DeclaredPort[] }[];
  services: ({ name: string; description: string | null } & DeclaredPort)[];
}
type DeclaredPort = { port: number; protocol: LanProtocol };

/** What is declared of an Ewon, for {@link webServersOf}. */
export const DECLARED = {
  lanAddress: true,
  lanDevices: {
    orderBy: [{ name: 'asc' as const }, { id: 'asc' as const }],
    select: {
      name: true,
      description: true,
      address: true,
      ports: { orderBy: [{ port: 'asc' as const }, { id: 'asc' as const }], select: { port: true, protocol: true } },
    },
  },
  services: {
    orderBy: [{ port: 'asc' as const }, { id: 'asc' as const }],
    select: { name: true, description: true, port: true, protocol: true },
  },
};

/** The declared services and LAN devices that speak HTTP or HTTPS. */
export function webServersOf({ lanAddress, lanDevices, services }: Declared): WebServer[] {
  const own = lanAddress?.split('/')[0];
  const all = [
    ...(own === undefined ? [] : services.map((service) => ({ ...service, address: own }))),
    ...lanDevices.flatMap(({ ports, ...device }) => ports.map((port) => ({ ...device, ...port }))),
  ];
  return all.flatMap(({ name, description, address, port, protocol }) =>
    protocol === 'HTTP' || protocol === 'HTTPS'
      ? [{ name, description, target: { address, port, tls: protocol === 'HTTPS' } }]
      : [],
  );
}

/** The look of the account that the session is of (M2W-05). */
export async function lookOfSession({ db, log }: Platform, { session }: PortalSession): Promise<Look> {
  const account = await db.account.findUnique({ where: { id: session.accountId }, select: { name: true } });
  return account ? lookOf({ db, log }, account.name) : STANDARD_LOOK;
}

/** The first page of a session: what there is to open. */
export async function sendIndex(ctx: Platform, response: ServerResponse, portal: PortalSession): Promise<void> {
  const { ewon } = portal;
  const look = await lookOfSession(ctx, portal);
  // The portal is an origin of its own, and its pages load nothing from elsewhere.
  const logoImage = look.logoImage === null ? null : `${LOGO_PAGE}?${look.logoImage.split('/').at(-2)}`;
  const declared = await ctx.db.ewon.findUnique({ where: { id: ewon.id }, select: DECLARED });
  const servers = declared ? webServersOf(declared) : [];
  sendPage(response, {
    title: ewon.name,
    look: { ...look, welcomeImage: null, logoImage },
    body: html`<header><h1>${ewon.name}</h1>
<form method="post" action="leave"><button>Leave</button></form></header>
<main>
<h2>Web pages of the Ewon and its LAN devices</h2>
${
  servers.length === 0
    ? html`<p>None is declared.</p>`
    : html`<table><tr><th>Name<th>Address<th>Description</tr>
${servers.map(
  ({ name, description, target }) =>
    html`<tr><td><a href="./${targetPath(target)}/">${name}</a><td>${targetPath(target)}<td>${description}</tr>
`,
)}</table>`
}
<h2>Another address</h2>
<form method="get" action="go">
<input name="address" required placeholder="10.0.0.20" aria-label="Address">
<input name="port" required value="80" inputmode="numeric" aria-label="Port">
<label><input type="checkbox" name="https" value="1"> HTTPS</label>
<button>Open</button>
</form>
</main>`,
  });
}
