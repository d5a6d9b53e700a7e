import { ApiCaller, type Json } from './client.ts';
import type { TestAccount } from './world.ts';
import { USER_PASSWORD } from './world.ts';

/** Every member of LoginResult. */
const LOGIN_STEP = `
  __typename
  ... on LoginSuccess { token expiresAt deviceToken deviceTokenExpiresAt viewer { user { id username } } }
  ... on SecondFactorRequired { token expiresAt method sentTo codeExpiresAt hasBackupNumber mayRememberPc }
  ... on SecondFactorEnrolmentRequired { token expiresAt methods hasMobile }
  ... on PasswordChangeRequired { token expiresAt reason }
  ... on TwoFactorBlockedError { blockedUntil }
  ... on TooManyRequestsError { retryAfter }
  ... on Error { code message path }`;

/** One step of a login, and the caller that its token makes. */
export interface Step {
  answer: Json;
  /** With the token of the step; without one where it was refused. */
  api: ApiCaller;
}

const step = (url: string, answer: Json): Step => ({ answer, api: new ApiCaller(url, answer.token ?? null) });

/** Gives account, user name and password. */
export async function beginLogin(
  account: TestAccount,
  username: string,
  more: { password?: string; client?: string; deviceToken?: string } = {},
): Promise<Step> {
  const { url } = account.server;
  const query = `mutation ($input: LoginInput!) { login(input: $input) { ${LOGIN_STEP} } }`;
  const input = { account: account.name, username, password: USER_PASSWORD, ...more };
  return step(url, await new ApiCaller(url).mutate(query, { input }));
}

/** Gives the second factor. */
export async function submitCode(api: ApiCaller, code: string, rememberPc = false): Promise<Step> {
  const query = `mutation ($input: SubmitLoginCodeInput!) { submitLoginCode(input: $input) { ${LOGIN_STEP} } }`;
  return step(api.url, await api.mutate(query, { input: { code, rememberPc } }));
}

/** Goes on after an enrolment or a change of password. */
export const continueLogin = async (api: ApiCaller): Promise<Step> =>
  step(api.url, await api.mutate(`mutation { continueLogin { ${LOGIN_STEP} } }`));

export const resendCode = (api: ApiCaller, number = 'PRIMARY'): Promise<Json> =>
  api.mutate(
    'mutation ($number: CodeNumber!) { resendLoginCode(input: { number: $number }) { __typename ... on ResendLoginCodeSuccess { sentTo codeExpiresAt } ... on TooManyRequestsError { retryAfter } ... on Error { code } } }',
    { number },
  );

export const startEnrolment = (api: ApiCaller, input: Record<string, unknown>): Promise<Json> =>
  api.mutate(
    `mutation ($input: StartSecondFactorEnrolmentInput!) { startSecondFactorEnrolment(input: $input) { __typename
      ... on StartSecondFactorEnrolmentSuccess { method sentTo expiresAt authenticator { secret uri qrCode } }
      ... on TooManyRequestsError { retryAfter } ... on Error { code path } } }`,
    { input },
  );

export const confirmEnrolment = (api: ApiCaller, code: string): Promise<Json> =>
  api.mutate(
    'mutation ($code: String!) { confirmSecondFactorEnrolment(input: { code: $code }) { __typename ... on ConfirmSecondFactorEnrolmentSuccess { active missing } ... on Error { code } } }',
    { code },
  );

export const setSecondFactor = (api: ApiCaller, input: Record<string, unknown>): Promise<Json> =>
  api.mutate(
    `mutation ($input: SetSecondFactorInput!) { setSecondFactor(input: $input) { __typename
      ... on SetSecondFactorSuccess { user { secondFactor { state method } } } ... on Error { code path } ... on ValidationError { inputViolations { path } } } }`,
    { input },
  );

/** A mutation about one user that answers with him: disable, reset, withdraw. */
export const aboutUser = (api: ApiCaller, mutation: string, userId: string): Promise<Json> =>
  api.mutate(
    `mutation ($userId: ID!) { ${mutation}(input: { userId: $userId }) { __typename ... on Error { code } } }`,
    { userId },
  );

export const updatePolicy = (api: ApiCaller, input: Record<string, unknown>): Promise<Json> =>
  api.mutate(
    `mutation ($input: UpdateSecondFactorPolicyInput!) { updateSecondFactorPolicy(input: $input) { __typename
      ... on UpdateSecondFactorPolicySuccess { policy { onByDefault required rememberPcAllowed rememberPcDays rememberPcPreset mobileRequiredAtCreation backupRequiredForAdministrators inUse } }
      ... on Error { code path } ... on ValidationError { inputViolations { path message } } } }`,
    { input },
  );

export const confirmIdentity = (api: ApiCaller, password: string, code?: string): Promise<Json> =>
  api.mutate(
    `mutation ($input: ConfirmIdentityInput!) { confirmIdentity(input: $input) { __typename ... on ConfirmIdentitySuccess { confirmedUntil } ... on TwoFactorBlockedError { blockedUntil } ... on Error { code path } } }`,
    { input: { password, code } },
  );

/** A user's second factor as a caller sees it. */
export const readSecondFactor = async (api: ApiCaller, userId: string): Promise<Json> =>
  (
    await api.run(
      `query ($id: ID!) { node(id: $id) { ... on User { secondFactor { state method mobile { masked number } backupMobile { masked number } blockedUntil mayRememberPc backupCodesLeft rememberedPcs { userAgent expiresAt } } } } }`,
      { id: userId },
    )
  ).node?.secondFactor;
