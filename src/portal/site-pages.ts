import { customValues } from '../account/custom-fields.ts';
import type { Look } from '../branding/look.ts';
import type { LoginStage } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';
import { displayName } from '../users/rules.ts';
import type { ListedEwon, PortalEwon } from './ewons.ts';
import { type Html, html, type Page } from './html.ts';
import { mapOf } from './map.ts';
import { webServersOf } from './pages.ts';
import { targetPath } from './paths.ts';

/** Path of the pages by which browsers come to the portal. */
export const SITE_PATH = '/m2web';

const failure = (message: string | null): Html | null =>
  message === null ? null : html`<p class="error">${message}</p>`;

/** Asks for account, user name and password (AUTH-01). */
export const loginPage = (look: Look, account: string, message: string | null, status = 200): Page => {
  const form = html`<div><h1>M2web</h1>${failure(message)}
<form class="fields" method="post" action="${SITE_PATH}/login">
<label>Account <input name="account" required maxlength="100" value="${account}" autocomplete="organization"></label>
<label>User name <input name="username" required maxlength="100" autocomplete="username"></label>
<label>Password <input name="password" type="password" required maxlength="200" autocomplete="current-password"></label>
<button>Log in</button>
</form></div>`;
  // BRD-02: the image stands left of the form.
  const body =
    look.welcomeImage === null
      ? html`<main>${form}</main>`
      : html`<main class="welcome"><img src="${look.welcomeImage}" alt="">${form}</main>`;
  return { status, title: 'M2web', body };
};

/** What a login still waits for (AUTH-15). */
export function stagePage(stage: Exclude<LoginStage, 'OPEN'>, message: string | null, status = 200): Page {
  const parts = {
    CODE: html`<p>Give the code of your second factor: the one that was sent to you, of your authenticator app, or a backup code.</p>
<form class="fields" method="post" action="${SITE_PATH}/code">
<label>Code <input name="code" required maxlength="20" autocomplete="one-time-code" autofocus></label>
<label><span><input type="checkbox" name="remember" value="1"> Remember this PC, if the account allows it</span></label>
<button>Go on</button>
</form>
<p><form method="post" action="${SITE_PATH}/resend"><button name="number" value="PRIMARY">Send another code</button>
<button name="number" value="BACKUP">Send it to the backup number</button></form></p>`,
    ENROLMENT: html`<p>Your account asks for a second factor, which is not set up yet. Set it up with Ecatcher or another
client of your account, then log in here.</p>`,
    PASSWORD_CHANGE: html`<p>Choose a new password before you go on.</p>
<form class="fields" method="post" action="${SITE_PATH}/password">
<label>New password <input name="password" type="password" required maxlength="200" autocomplete="new-password"></label>
<label>Once more <input name="confirmation" type="password" required maxlength="200" autocomplete="new-password"></label>
<button>Change it</button>
</form>`,
  };
  return {
    status,
    title: 'M2web',
    body: html`<main><h1>M2web</h1>${failure(message)}${parts[stage]}
<p><form method="post" action="${SITE_PATH}/logout"><button>Start again</button></form></p></main>`,
  };
}

const banner = (actor: Actor, title: string): Html => html`<header><h1>${title}</h1>
<p>${actor.accountName}, ${displayName(actor)} <form method="post" action="${SITE_PATH}/logout"><button>Log out</button></form></p>
</header>
<nav><a href="${SITE_PATH}">Ewons</a> · <a href="${SITE_PATH}/map">Map</a></nav>`;

/** The Ewons that the user may use through M2web (M2W-02). */
export function listPage(
  actor: Actor,
  ewons: readonly ListedEwon[],
  { search, next }: { search: string; next: number | null },
): Page {
  return {
    title: 'M2web: Ewons',
    body: html`${banner(actor, 'Ewons')}
<main>
<p><form method="get" action="${SITE_PATH}"><input name="q" value="${search}" maxlength="64" aria-label="Part of the name"> <button>Search</button></form></p>
${
  ewons.length === 0
    ? html`<p>There is no Ewon that you may use through M2web.</p>`
    : html`<table><tr><th>Name<th>Status<th>Description<th></tr>
${ewons.map(
  (
    ewon,
  ) => html`<tr><td><a href="${SITE_PATH}/ewons/${ewon.reference}">${ewon.name}</a><td>${ewon.status}<td>${ewon.description}<td>${actions(ewon)}</tr>
`,
)}</table>`
}
${next !== null && html`<p><a href="${SITE_PATH}?page=${next}&q=${encodeURIComponent(search)}">More</a></p>`}
</main>`,
  };
}

/** M2W-04 */
export const mapPage = (actor: Actor, ewons: readonly ListedEwon[]): Page => ({
  title: 'M2web: map',
  body: html`${banner(actor, 'Map')}<main>${mapOf(ewons)}</main>`,
});

/** One Ewon with its LAN devices and services (M2W-10). */
export function ewonPage(actor: Actor, ewon: PortalEwon, message: string | null, status = 200): Page {
  const servers = webServersOf(ewon);
  const values = customValues(ewon);
  const fields = ewon.account.ewonFieldNames.flatMap((label, index) =>
    values[index] ? [{ label, value: values[index] }] : [],
  );
  return {
    status,
    title: `M2web: ${ewon.name}`,
    body: html`${banner(actor, ewon.name)}
<main>${failure(message)}
<p>${ewon.reference}, ${ewon.status} ${actions(ewon)}</p>
<p>${ewon.description}</p>
${fields.length > 0 && html`<table>${fields.map(({ label, value }) => html`<tr><th>${label}<td>${value}</tr>`)}</table>`}
<h2>Web pages</h2>
${
  servers.length === 0
    ? html`<p>No web page is declared.</p>`
    : html`<table>${servers.map(
        ({ name, description, target }) =>
          html`<tr><td>${opening(ewon, name, `${targetPath(target)}/`)}<td>${targetPath(target)}<td>${description}</tr>
`,
      )}</table>`
}
<h2>LAN devices and services</h2>
<table>
${ewon.services.map(
  ({ name, port, protocol }) => html`<tr><td>${name}<td>port ${port}, ${protocol}<td>service of the Ewon</tr>
`,
)}
${ewon.lanDevices.map(
  ({
    name,
    address,
    ports,
  }) => html`<tr><td>${name}<td>${address}<td>${ports.map(({ port, protocol }) => `${port} ${protocol}`).join(', ')}</tr>
`,
)}
</table>
</main>`,
  };
}

function actions(ewon: ListedEwon): Html | null {
  if (ewon.gatewayId !== null)
    return html`${opening(ewon, 'Open', '')}${ewon.connectionMode === 'ON_DEMAND' && verb(ewon, 'offline', 'Send offline')}`;
  return ewon.connectionMode === 'ON_DEMAND' ? verb(ewon, 'wake', 'Wake up') : null;
}

const opening = (
  { reference }: ListedEwon,
  label: string,
  to: string,
): Html => html`<form method="post" action="${SITE_PATH}/open">
<input type="hidden" name="ewon" value="${reference}"><input type="hidden" name="to" value="${to}"><button>${label}</button></form>`;

const verb = (
  { reference }: ListedEwon,
  name: string,
  label: string,
): Html => html` <form method="post" action="${SITE_PATH}/${name}">
<input type="hidden" name="ewon" value="${reference}"><button>${label}</button></form>`;

/** Hands the ticket of a session to the portal: by itself where scripts run, else by one more click. */
export const handOverPage = (ewon: ListedEwon, portalUrl: string, ticket: string, to: string): Page => ({
  title: ewon.name,
  body: html`<main><h1>${ewon.name}</h1>
<form method="post" action="${portalUrl}">
<input type="hidden" name="ticket" value="${ticket}"><input type="hidden" name="to" value="${to}">
<button autofocus>Go on to ${ewon.name}</button>
</form></main>`,
  script: 'document.forms[0].submit()',
  formOrigins: [new URL(portalUrl).origin],
});

/** Goes on with a request that this site has made, so that its strict cookie is sent (SameSite). */
export const goOnPage = (): Page => ({
  title: 'M2web',
  body: html`<main><p><a href="${SITE_PATH}">Go on</a></p></main>`,
  refresh: SITE_PATH,
});

export const refusalPage = (status: number, message: string): Page => ({
  status,
  title: 'M2web',
  body: html`<main><h1>M2web</h1>${failure(message)}<p><a href="${SITE_PATH}">Back</a></p></main>`,
});
