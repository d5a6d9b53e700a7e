import { builder } from '../graphql/builder.ts';
import type { DownloadLink } from './links.ts';

/** An address by which a browser downloads a file. */
export const DownloadLinkType = builder.objectRef<DownloadLink>('DownloadLink').implement({
  description:
    'Where a file is downloaded by GET, without a token beside it: the address is the secret. It ends with the login that asked for it; the rights are those that its user has then.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Relative to the address of the API.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be used.' }),
  }),
});
