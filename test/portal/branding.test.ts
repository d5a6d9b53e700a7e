import { Buffer } from 'node:buffer';
import { request as httpRequest } from 'node:http';
import { decode, encode } from 'fast-png';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setPlan } from '../../src/account/plan-change.ts';
import { Browser } from '../support/browser.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, openSession, type Person, startWorld, TestAccount } from '../support/world.ts';

const SET = `mutation ($input: SetBrandingFileInput!) { setBrandingFile(input: $input) { __typename
  ... on SetBrandingFileSuccess { account { brandingFiles { name path size uploadedAt } } }
  ... on Error { code message path } ... on BrandingFileError { problems { line message } } } }`;
const REMOVE = `mutation ($name: String!) { removeBrandingFile(input: { name: $name }) { __typename
  ... on RemoveBrandingFileSuccess { account { brandingFiles { name } } } ... on Error { code path } } }`;
const LOOK = `query ($account: String!) { branding(account: $account) { welcomeImage logoImage
  skin { background text accent banner bannerText fontFamily title } } }`;
const NOTHING = {
  welcomeImage: null,
  logoImage: null,
  skin: {
    ...{ background: null, text: null, accent: null, banner: null, bannerText: null },
    ...{ fontFamily: null, title: null },
  },
};
const SKIN = 'background = #102030\naccent = #ff8800\nbanner = #FFFFFF\nfont = georgia\ntitle = Pumps & <b>Co</b>\n';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let free: TestAccount;
let user: Person;
const anybody = () => new ApiCaller(server.url);

/** A picture of one grey. */
const png = (grey: number, width = 8, height = 4): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(encode({ width, height, channels: 1, depth: 8, data: new Uint8Array(width * height).fill(grey) }));

const set = async (name: string, content: string | Uint8Array<ArrayBuffer>, who = account.admin): Promise<Json> => {
  const { data, errors } = await who.api.upload(SET, { input: { name, content: new File([content], 'evil/../x') } });
  return data?.setBrandingFile ?? errors;
};
const remove = (name: string, who = account.admin): Promise<Json> => who.api.mutate(REMOVE, { name });
const look = async (name = account.name): Promise<Json> => (await anybody().run(LOOK, { account: name })).branding;
const files = async (who = account.admin): Promise<Json> =>
  (await who.api.run('{ account { brandingFiles { name path } } }')).account.brandingFiles;
const names = async (who?: Person): Promise<string[]> => (await files(who)).map(({ name }: Json) => name);
const changes = async (): Promise<string[]> =>
  (await account.log({ codes: ['BRANDING_CHANGED'] })).map(({ text }: Json) => text);

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { BRANDING_IMAGE_BYTES: '20000', BRANDING_SKIN_BYTES: '2000' } }));
  other = await TestAccount.create(server);
  free = await TestAccount.create(server, 'FREE');
  user = await account.user('plain', [await account.group('Plain')]);
});
afterAll(() => server.close());
beforeEach(async () => {
  for (const { name } of await files()) await remove(name);
});

describe('setting', () => {
  it('BRD-01 BRD-02 BRD-04 each of three files is set, replaced and removed alone, and logged', async () => {
    const logged = (await changes()).length;
    expect(await names()).toEqual([]);
    const first = await set('logo.png', png(7));
    expect(first.account.brandingFiles).toEqual([
      { name: 'logo.png', path: expect.any(String), size: expect.any(Number), uploadedAt: expect.any(String) },
    ]);
    await set('skin.ini', SKIN);
    await set('welcome.png', png(9));
    expect((await names()).sort()).toEqual(['logo.png', 'skin.ini', 'welcome.png']);
    const before = await look();
    const replaced = await set('logo.png', png(8));
    expect(replaced.account.brandingFiles).toHaveLength(3);
    const after = await look();
    expect(after).toEqual({ ...before, logoImage: expect.not.stringMatching(before.logoImage) });
    // The same again changes and logs nothing.
    await set('logo.png', png(8));
    expect(await look()).toEqual(after);
    expect((await remove('welcome.png')).account.brandingFiles).toHaveLength(2);
    expect(await look()).toEqual({ ...after, welcomeImage: null });
    expect((await remove('welcome.png')).__typename).toBe('RemoveBrandingFileSuccess');
    await remove('skin.ini');
    expect(await look()).toEqual({ ...NOTHING, logoImage: after.logoImage });
    const log = await changes();
    expect(log.slice(0, log.length - logged)).toEqual([
      'Branding changed: skin.ini removed',
      'Branding changed: welcome.png removed',
      'Branding changed: logo.png replaced',
      'Branding changed: welcome.png set',
      'Branding changed: skin.ini set',
      'Branding changed: logo.png set',
    ]);
  });

  it('BRD-04 of those who set one file at once the last wins, and the others stay untouched', async () => {
    await set('skin.ini', SKIN);
    const answers = await Promise.all([1, 2, 3, 4].map((grey) => set('logo.png', png(grey))));
    expect(answers.map(({ __typename }) => __typename)).toEqual(Array(4).fill('SetBrandingFileSuccess'));
    expect((await names()).sort()).toEqual(['logo.png', 'skin.ini']);
    await Promise.all([remove('logo.png'), remove('logo.png')]);
    expect(await names()).toEqual(['skin.ini']);
  });

  it('BRD-04 other names are refused; what the sender calls the file says nothing', async () => {
    for (const name of ['banner.png', 'Logo.png', 'LOGO_PNG', 'logo.png ', '../logo.png', '', '__proto__']) {
      const refused = { code: 'UNKNOWN_BRANDING_FILE', path: ['name'] };
      expect(await set(name, png(1)), name).toMatchObject(refused);
      expect(await remove(name), name).toMatchObject(refused);
    }
    expect(await names()).toEqual([]);
  });

  it('BRD-06 BRD-01 only Administrators on a plan with branding set files and see them', async () => {
    await set('logo.png', png(1));
    expect(await set('logo.png', png(2), user)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await remove('logo.png', user)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await files(user)).toBeNull();
    expect(await set('logo.png', png(2), free.admin)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    expect(await files(other.admin)).toEqual([]);
    await remove('logo.png', other.admin);
    expect(await names()).toEqual(['logo.png']);
    const { errors } = await anybody().upload(SET, { input: { name: 'logo.png', content: new File(['x'], 'x') } });
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('BRD-05 too large files, what is no PNG and a wrong skin are refused, with what is wrong', async () => {
    expect(await set('logo.png', new Uint8Array(20_001))).toMatchObject({ code: 'FILE_TOO_LARGE', path: ['content'] });
    expect(await set('skin.ini', '#'.repeat(2001))).toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(await set('skin.ini', '#'.repeat(2000))).toMatchObject({ __typename: 'SetBrandingFileSuccess' });
    expect(await set('logo.png', 'GIF89a')).toEqual({
      __typename: 'BrandingFileError',
      ...{ code: 'BRANDING_FILE_INVALID', path: ['content'] },
      message: 'It is not a PNG.',
      problems: [{ line: null, message: 'It is not a PNG.' }],
    });
    expect(await set('skin.ini', 'title = x\nbackground = url(x)\nscript = y')).toMatchObject({
      problems: [{ line: 2 }, { line: 3 }],
    });
    expect(await set('skin.ini', png(1))).toMatchObject({ code: 'BRANDING_FILE_INVALID' });
    expect(await set('welcome.png', SKIN)).toMatchObject({ code: 'BRANDING_FILE_INVALID' });
    expect(await names()).toEqual(['skin.ini']);
  });

  it('BRD-05 API-06 a request with files has a bound of its own and shows a login before it is read', async () => {
    /** Says how long its body will be, and begins it. */
    const announce = (bytes: number, more: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'multipart/form-data; boundary=x', 'content-length': bytes, ...more };
        const sent = httpRequest(`${server.url}/graphql`, { method: 'POST', headers, agent: false }, (response) => {
          resolve(response.statusCode ?? 0);
          sent.destroy();
        });
        sent.on('error', reject);
        sent.flushHeaders();
      });
    const authorization = `Bearer ${account.admin.api.token}`;
    expect(await announce(500, {})).toBe(401);
    expect(await announce(2 * 20_000 + 65_536 + 1, { authorization })).toBe(413);
    expect(await announce(1024 * 1024 + 1, { authorization, 'content-type': 'application/json' })).toBe(413);
    for (const body of ['no form', '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{\r\n--x--\r\n']) {
      const headers = { 'content-type': 'multipart/form-data; boundary=x', authorization };
      const answer = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
      expect(((await answer.json()) as Json).errors[0].extensions.code).toMatch(
        /^(BAD_REQUEST|GRAPHQL_VALIDATION_FAILED)$/,
      );
    }
    const text = await account.admin.api.send(SET, { input: { name: 'logo.png', content: 'text' } });
    expect(text.errors?.[0]?.extensions.code).toMatch(/^(VALIDATION_FAILED|GRAPHQL_VALIDATION_FAILED)$/);
  });
});

describe('reading', () => {
  it('BRD-06 anybody reads the look by the name of the account, and nothing else of it', async () => {
    await set('skin.ini', SKIN);
    await set('logo.png', png(5));
    const shown = {
      ...NOTHING,
      logoImage: expect.stringMatching(/^\/branding\/acc-[0-9a-f]{8}\/[0-9a-f]{64}\/logo\.png$/),
      skin: {
        ...NOTHING.skin,
        ...{ background: '#102030', accent: '#ff8800', banner: '#ffffff', fontFamily: 'Georgia, serif' },
        title: 'Pumps & <b>Co</b>',
      },
    };
    expect(await look()).toEqual(shown);
    expect(await look(account.name.toUpperCase())).toEqual(shown);
    for (const name of [other.name, free.name, 'no-such-account', '', 'x'.repeat(200)])
      expect(await look(name), name).toEqual(NOTHING);
  });

  it('BRD-06 images are served without a login, to be kept for ever and to be nothing but images', async () => {
    await set('logo.png', png(5));
    await set('skin.ini', SKIN);
    const [logo, skin] = await files();
    const at = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
    const answer = await at(logo.path);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(decode(new Uint8Array(await answer.arrayBuffer())).data[0]).toBe(5);
    expect((await at(logo.path, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })).status).toBe(304);
    expect((await (await at(logo.path, { method: 'HEAD' })).arrayBuffer()).byteLength).toBe(0);
    expect((await at(logo.path, { method: 'POST' })).status).toBe(405);
    const text = await at(skin.path);
    expect([text.headers.get('content-type'), await text.text()]).toEqual(['text/plain; charset=utf-8', SKIN]);

    const gone = await at(logo.path.replace(/[0-9a-f]{64}/, '0'.repeat(64)));
    const missing = { status: 404, text: await gone.text() };
    expect([gone.status, gone.headers.get('cache-control')]).toEqual([404, 'no-store']);
    for (const path of [
      logo.path.replace(account.name, other.name),
      logo.path.replace(account.name, 'no-such-account'),
      logo.path.replace(account.name, '%00'),
      logo.path.replace(account.name, '%ff'),
      logo.path.replace('logo.png', 'welcome.png'),
      logo.path.replace('logo.png', '..%2flogo.png'),
      '/branding',
    ]) {
      const refused = await at(path);
      expect({ status: refused.status, text: await refused.text() }, path).toEqual(missing);
    }
    await set('logo.png', png(6));
    expect((await at(logo.path)).status).toBe(404);
  });

  it('BRD-06 ACC-17 a plan without branding shows the standard look; what was set is there again with the next', async () => {
    const changing = await TestAccount.create(server);
    await set('logo.png', png(5), changing.admin);
    const { logoImage } = await look(changing.name);
    await setPlan(server.app.platform, changing.id, 'LIGHT');
    expect(await look(changing.name)).toEqual(NOTHING);
    expect((await fetch(`${server.url}${logoImage}`)).status).toBe(404);
    expect((await new Browser().ask(`${server.url}/m2web?account=${changing.name}`)).text).not.toContain('<img');
    expect(await names(changing.admin)).toEqual(['logo.png']);
    expect(await set('skin.ini', SKIN, changing.admin)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    await setPlan(server.app.platform, changing.id, 'PRO');
    expect((await look(changing.name)).logoImage).toBe(logoImage);
    await setPlan(server.app.platform, changing.id, 'FREE');
    expect((await remove('logo.png', changing.admin)).account.brandingFiles).toEqual([]);
  });
});

describe('the pages', () => {
  const page = async (name: string, browser = new Browser()) => browser.ask(`${server.url}/m2web?account=${name}`);
  const policy = (answer: { headers: NodeJS.Dict<string | string[]> }) =>
    String(answer.headers['content-security-policy']);

  it('M2W-05 BRD-02 BRD-04 the login form stands beside welcome.png under a banner with logo.png; without files all is standard', async () => {
    const standard = await page(account.name);
    expect(standard.text).not.toMatch(/<img|class="brand"|--/);
    expect(policy(standard)).not.toContain('img-src');
    const unknown = (await page('no-such-account')).text;
    expect((await page('%00')).status).toBe(200);
    expect(standard.text.replaceAll(account.name, 'no-such-account')).toBe(unknown);
    await set('skin.ini', SKIN);
    await set('welcome.png', png(1));
    await set('logo.png', png(2));
    const { welcomeImage, logoImage } = await look();
    const branded = await page(account.name);
    expect(branded.text.indexOf(`<img src="${logoImage}"`)).toBeGreaterThan(0);
    expect(branded.text.indexOf(`<img src="${welcomeImage}"`)).toBeGreaterThan(branded.text.indexOf(logoImage));
    expect(branded.text.indexOf('name="password"')).toBeGreaterThan(branded.text.indexOf(welcomeImage));
    expect(branded.text).toContain('--background: #102030; --scheme: dark; --text: #ffffff; --accent: #ff8800;');
    // Also where the login was refused.
    const refused = await new Browser().post(`${server.url}/m2web/login`, {
      ...{ account: account.name, username: 'admin', password: 'wrong' },
    });
    expect([refused.status, refused.text.includes(welcomeImage)]).toEqual([403, true]);
    await remove('welcome.png');
    expect((await page(account.name)).text).not.toContain('class="welcome"');
  });

  it('BRD-05 nothing gets into a page unescaped, and its policy lets in the two style sheets and own images alone', async () => {
    await set('skin.ini', SKIN);
    const skinned = await page(account.name);
    expect(skinned.text).not.toContain('<b>');
    expect(skinned.text).toContain('<title>Pumps &#38; &#60;b&#62;Co&#60;/b&#62;</title>');
    expect(skinned.text).toContain('<strong>Pumps &#38; &#60;b&#62;Co&#60;/b&#62;</strong>');
    expect(policy(skinned)).toMatch(
      /^default-src 'none'; style-src 'sha256-[^ ;]+' 'sha256-[^ ;]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    await set('logo.png', png(2));
    expect(policy(await page(account.name))).toContain("; img-src 'self'; ");
    const { createHash } = await import('node:crypto');
    const sheets = [...skinned.text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, sheet = '']) =>
      createHash('sha256').update(Buffer.from(sheet, 'latin1')).digest('base64'),
    );
    expect(policy(skinned).match(/sha256-[^']+/g)).toEqual(sheets.map((sheet) => `sha256-${sheet}`));
  });

  it('M2W-05 the pages after the login and the first page of a session carry the look too', async () => {
    await set('skin.ini', SKIN);
    await set('logo.png', png(2));
    const { logoImage } = await look();
    const browser = new Browser();
    const form = { account: account.name, username: 'admin', password: ADMIN_PASSWORD };
    const list = await browser.post(`${server.url}/m2web/login`, form, { follow: true });
    expect(list.text).toContain(`<img src="${logoImage}"`);
    expect((await browser.ask(`${server.url}/m2web/nothing`)).text).toContain('--accent: #ff8800');
    const out = await browser.post(`${server.url}/m2web/logout`, {}, { follow: true });
    expect([out.url, out.text.includes('name="password"')]).toEqual([
      `${server.url}/m2web?account=${account.name}`,
      true,
    ]);
    expect(out.text).toContain(`<img src="${logoImage}"`);

    const ewon = await account.onlineEwon({ name: 'Branded' });
    try {
      const { tunnel } = await openSession(account.admin, ewon.id, { client: 'M2WEB' });
      const portal = server.app.gatewayUrls.portal;
      const index = await browser.post(`${portal}/enter`, { ticket: tunnel.token }, { follow: true });
      const [, logo = ''] = /<img src="(logo\.png\?[0-9a-f]{64})"/.exec(index.text) ?? [];
      expect(index.text).toContain('--accent: #ff8800');
      const image = await browser.ask(new URL(logo, index.url).href);
      expect([image.status, image.headers['content-type']]).toEqual([200, 'image/png']);
      expect((await new Browser().ask(new URL(logo, index.url).href)).status).toBe(403);
      await remove('logo.png');
      expect((await browser.ask(new URL(logo, index.url).href)).status).toBe(404);
    } finally {
      await ewon.device.disconnect();
    }
  });
});
