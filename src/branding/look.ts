import { createHash } from 'node:crypto';
import { PLANS } from '../account/plans.ts';
import type { Platform } from '../context.ts';
import { nameKey } from '../ewons/rules.ts';
import type { BrandingFileName, Plan } from '../generated/prisma/enums.ts';
import { fileNameOf } from './rules.ts';
import { readSkin, type Skin, STANDARD_SKIN } from './skin.ts';

/** Below which the files are read from the HTTP port, without a login (BRD-06). */
export const BRANDING_PATH = '/branding';

/** How the portal looks for an account; images are paths on the HTTP port. */
export interface Look {
  welcomeImage: string | null;
  logoImage: string | null;
  skin: Readonly<Skin>;
}

/** Of an account that has set nothing, of one whose plan has no branding, and of none: these three are not told apart. */
export const STANDARD_LOOK: Look = { welcomeImage: null, logoImage: null, skin: STANDARD_SKIN };

/** Plans whose accounts have a look of their own. What an account had set stays while it is on another plan. */
export const BRANDED_PLANS = (Object.keys(PLANS) as Plan[]).filter((plan) => PLANS[plan].portalBranding);

/** The look of an account by its name (BRD-06). */
export async function lookOf({ db, log }: Pick<Platform, 'db' | 'log'>, accountName: string): Promise<Look> {
  const key = nameKey(accountName);
  // Postgres has no text with a zero in it.
  if (key === '' || key.length > 100 || key.includes('\0')) return STANDARD_LOOK;
  // The images stay where they are.
  const files = await db.$queryRaw<{ name: BrandingFileName; sha256: string; skin: Uint8Array | null }[]>`
    SELECT f."name"::text AS "name", f."sha256", CASE WHEN f."name" = 'SKIN_INI' THEN f."content" END AS "skin"
    FROM "BrandingFile" f JOIN "Account" a ON a."id" = f."accountId"
    WHERE a."nameKey" = ${key} AND a."plan"::text = ANY(${BRANDED_PLANS})`;
  const pathOf = (name: BrandingFileName): string | null => {
    const file = files.find((one) => one.name === name);
    return file ? brandingPath(accountName, name, file.sha256) : null;
  };
  const content = files.find(({ skin }) => skin !== null)?.skin;
  let skin: Readonly<Skin> = STANDARD_SKIN;
  try {
    if (content) skin = readSkin(content);
  } catch (error) {
    // It was checked when it was set, perhaps by another version.
    log.warn({ err: error, accountName }, 'A skin can no longer be read');
  }
  return { welcomeImage: pathOf('WELCOME_PNG'), logoImage: pathOf('LOGO_PNG'), skin };
}

/** Where a file is read. With its hash in it, so that it can be kept for ever and another version has another path. */
export const brandingPath = (accountName: string, name: BrandingFileName, sha256: string): string =>
  `${BRANDING_PATH}/${encodeURIComponent(nameKey(accountName))}/${sha256}/${fileNameOf(name)}`;

export const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
