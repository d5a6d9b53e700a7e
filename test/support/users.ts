import type { ApiCaller, Json } from './client.ts';
import type { Person } from './world.ts';

const USER = `user { id reference username fullName displayName email description status disabledReason lockedUntil expiresAt
  isTemporary nameIsPublic mayEditOwnProperties forbidPasswordChange mustChangePassword passwordExpiresAt invitationSentAt
  invitationExpiresAt invitationAcceptedAt role groups { id name } customFields { label value } viewerCan createdAt
  vpn { state address current } }`;
const POLICY = '... on PasswordPolicyError { violations }';
const CONFIRMATION = '... on ConfirmationRequiredError { sessions { id state } openLogins }';
const LINK = 'accountName username';

/** What each mutation about users answers, besides its errors. */
const ANSWERS = {
  createUser: [USER, POLICY],
  duplicateUser: [USER, POLICY],
  updateUser: [USER, ''],
  setUserPassword: [USER, POLICY],
  forcePasswordChange: [USER, ''],
  disableUser: [USER, CONFIRMATION],
  enableUser: [USER, ''],
  deleteUser: ['deletedUserId', CONFIRMATION],
  inviteUser: [USER, ''],
  acceptInvitation: [LINK, POLICY],
  requestPasswordRecovery: ['requested', '... on TooManyRequestsError { retryAfter }'],
  recoverPassword: [LINK, POLICY],
} as const;
export type UserMutation = keyof typeof ANSWERS;

/** Runs one of the mutations about users and answers with the union's member. */
export function change(who: Person | ApiCaller, name: UserMutation, input: object): Promise<Json> {
  const [success, error] = ANSWERS[name];
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${success} }
    ... on Error { code message path } ... on ValidationError { inputViolations { path message } } ${error} } }`;
  return ('api' in who ? who.api : who).mutate(query, { input });
}

/** The user as somebody sees him; null when he does not. */
export const read = async (who: Person, by: object): Promise<Json> =>
  (await who.api.run(`query ($by: UserBy!) { user(by: $by) { ${USER.slice('user {'.length)} }`, { by })).user;
