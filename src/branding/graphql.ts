import { accountSuccess } from '../account/success.ts';
import { AppError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorRef } from '../graphql/errors.ts';
import { brandingPath, type Look, lookOf } from './look.ts';
import { BrandingFileError, type FileProblem, fileNameOf } from './rules.ts';
import { listBrandingFiles, removeBrandingFile, type StoredFile, setBrandingFile } from './service.ts';
import type { Skin } from './skin.ts';

const color = 'as `#rrggbb`; null is that of the standard look.';

const BrandingSkinType = builder.objectRef<Readonly<Skin>>('BrandingSkin').implement({
  description: 'Colours, font and title of the portal: what `skin.ini` says, checked (BRD-05).',
  fields: (t) => ({
    background: t.exposeString('background', { nullable: true, description: `Of the page, ${color}` }),
    text: t.exposeString('text', { nullable: true, description: `Of the text, ${color}` }),
    accent: t.exposeString('accent', { nullable: true, description: `Of links and buttons, ${color}` }),
    banner: t.exposeString('banner', { nullable: true, description: `Behind the banner, ${color}` }),
    bannerText: t.exposeString('bannerText', { nullable: true, description: `Of the text in the banner, ${color}` }),
    fontFamily: t.exposeString('fontFamily', {
      nullable: true,
      description: 'A list of font families for CSS, as `Georgia, serif`, of a fixed set; null is the standard one.',
    }),
    title: t.exposeString('title', {
      nullable: true,
      description: 'Text of the banner, 1–60 characters: a value, not markup; null is none.',
    }),
  }),
});

const BrandingType = builder.objectRef<Look>('Branding').implement({
  description: 'How the portal looks for an account (BRD-01). What is null is as in the standard look (BRD-04).',
  fields: (t) => ({
    welcomeImage: t.exposeString('welcomeImage', {
      nullable: true,
      description:
        '`welcome.png`, left of the login form (BRD-02): a path relative to the address of the API, good without a login and for ever, since another version has another path.',
    }),
    logoImage: t.exposeString('logoImage', {
      nullable: true,
      description: '`logo.png`, in the banner of each page; as `welcomeImage`.',
    }),
    skin: t.field({
      type: BrandingSkinType,
      description: 'Colours, font and title.',
      resolve: ({ skin }) => skin,
    }),
  }),
});

builder.queryField('branding', (t) =>
  t.field({
    type: BrandingType,
    description:
      'The look of the portal for an account, by its name (BRD-06). Needs no login, since login pages need it. An account without a look, one whose plan has none, and no account give the standard look: all null.',
    args: { account: t.arg.string({ required: true, description: 'The account’s name, without regard to case.' }) },
    resolve: (_root, { account }, ctx) => {
      if (ctx.apiToken) throw new AppError('FORBIDDEN', 'An API token only reads Ewons and their data (TOK-13).');
      return lookOf(ctx, account);
    },
  }),
);

const BrandingFileType = builder.objectRef<StoredFile & { accountName: string }>('BrandingFile').implement({
  description: 'One of the three files that make the account’s look of the portal (BRD-02).',
  fields: (t) => ({
    name: t.string({
      description: '`welcome.png`, `logo.png` or `skin.ini`.',
      resolve: ({ name }) => fileNameOf(name),
    }),
    path: t.string({
      description:
        'Where it is read, relative to the address of the API; without a login, while the plan has branding.',
      resolve: ({ accountName, name, sha256 }) => brandingPath(accountName, name, sha256),
    }),
    size: t.expose('size', {
      type: 'ByteCount',
      description: 'As stored: an image is written anew from its pixels, so it may differ from what was sent.',
    }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When this version was set.' }),
  }),
});

builder.prismaObjectFields('Account', (t) => ({
  brandingFiles: t.field({
    type: [BrandingFileType],
    nullable: true,
    description:
      'The files that are set, at most three (BRD-04). They stay while the plan has no branding, and show nothing then. Null for all but Administrators.',
    select: { id: true, name: true },
    resolve: async ({ id, name: accountName }, _args, ctx) =>
      ctx.actor?.administrator ? (await listBrandingFiles(ctx, id)).map((file) => ({ ...file, accountName })) : null,
  }),
}));

const FileProblemType = builder.objectRef<FileProblem>('BrandingFileProblem').implement({
  description: 'One thing that is wrong with a file.',
  fields: (t) => ({
    line: t.exposeInt('line', { nullable: true, description: 'From 1; null where it is about the whole file.' }),
    message: t.exposeString('message', { description: 'What is expected, in English.' }),
  }),
});

builder.objectType(BrandingFileError, {
  name: 'BrandingFileError',
  description: 'The file is not what its name says (BRD-05). Nothing was done.',
  interfaces: [ErrorRef],
  fields: (t) => ({
    problems: t.field({
      type: [FileProblemType],
      description: 'What is wrong, at least one; of `skin.ini` all of it with its lines, up to 20.',
      resolve: ({ problems }) => [...problems],
    }),
  }),
});

const NAME = '`welcome.png`, `logo.png` or `skin.ini`, exactly; the name that the file has at its sender says nothing.';

const SetBrandingFileInput = builder.inputType('SetBrandingFileInput', {
  description: 'A file, and which one it is.',
  fields: (t) => ({
    name: t.string({ required: true, description: NAME }),
    content: t.field({
      type: 'Upload',
      required: true,
      description:
        'PNG of at most BRANDING_IMAGE_BYTES (1 MB) and BRANDING_IMAGE_PIXELS (4 million), or text of at most BRANDING_SKIN_BYTES (64 KB).',
    }),
  }),
});

const RemoveBrandingFileInput = builder.inputType('RemoveBrandingFileInput', {
  description: 'Which file.',
  fields: (t) => ({
    name: t.string({ required: true, description: '`welcome.png`, `logo.png` or `skin.ini`, exactly.' }),
  }),
});

const SetBrandingFileSuccess = accountSuccess('SetBrandingFileSuccess', 'It counts for the next page that is sent.');
const RemoveBrandingFileSuccess = accountSuccess(
  'RemoveBrandingFileSuccess',
  'The file is not there; the standard look is in its place.',
);

builder.mutationFields((t) => ({
  setBrandingFile: t.withAuth({ loggedIn: true }).field({
    type: SetBrandingFileSuccess,
    errors: { types: [BrandingFileError] },
    description:
      'Sets or replaces one of the three files of the portal’s look (BRD-01 to BRD-05), in a multipart request. Administrators on PRO. Errors: BRANDING_FILE_INVALID, FILE_TOO_LARGE, FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, UNKNOWN_BRANDING_FILE.',
    args: { input: t.arg({ type: SetBrandingFileInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setBrandingFile(ctx, input.name, input.content);
      return {};
    },
  }),
  removeBrandingFile: t.withAuth({ loggedIn: true }).field({
    type: RemoveBrandingFileSuccess,
    errors: {},
    description:
      'Removes one of the three files of the portal’s look, if it is there (BRD-04). Administrators on any plan. Errors: FORBIDDEN, UNKNOWN_BRANDING_FILE.',
    args: { input: t.arg({ type: RemoveBrandingFileInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await removeBrandingFile(ctx, input.name);
      return {};
    },
  }),
}));
