import type { Platform } from '../context.ts';

/** A link into the user interface. The token stands in the fragment, which browsers do not send to servers (AUTH-24). */
export const linkTo = ({ config }: Platform, page: 'invitation' | 'recovery', token: string): string => {
  const base = config.publicUrl ?? `http://${config.publicHost}:${config.ports.http}`;
  return `${base}/${page}#${token}`;
};
