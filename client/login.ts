import type { ApiClient } from './api-client.ts';
import { CodedError } from './errors.ts';
import type { EcatcherLoginMutation } from './gql/graphql.ts';
import { LOGIN, LOGOUT, RESEND_CODE, SUBMIT_CODE } from './operations.ts';

type Step = EcatcherLoginMutation['login'];
type Challenge = Extract<Step, { __typename: 'SecondFactorRequired' }>;

/** For the last words of a client that is told to stop. */
const FAREWELL_MS = 5000;

export interface Credentials {
  account: string;
  username: string;
  password: string;
}

/** What a person is told when a code is asked of him. */
export interface CodeRequest {
  method: Challenge['method'];
  /** The number or mail address that it was sent to, masked; null for an authenticator app. */
  sentTo: string | null;
  hasBackupNumber: boolean;
  mayRememberPc: boolean;
  /** Why the code before did not do; undefined the first time. */
  refused: string | undefined;
}

/** The answer: a code, or the wish for another one. */
export type CodeAnswer = { code: string } | { resend: 'PRIMARY' | 'BACKUP' };

export interface LoginOptions {
  /** Of a remembered PC: stands for the code (TFA-31). */
  deviceToken?: string | undefined;
  /** This PC needs no code from now on, where the account allows it (TFA-30). */
  rememberPc?: boolean | undefined;
  /** Asked until a code is right, the login is blocked, or it throws. Without it a login that needs a code is refused. */
  askCode?: ((request: CodeRequest) => Promise<CodeAnswer>) | undefined;
  signal?: AbortSignal | undefined;
}

export interface LoggedIn {
  token: string;
  /** ISO 8601 */
  expiresAt: string;
  /** The secret of this PC, when it is remembered from now on (TFA-32). */
  deviceToken: string | undefined;
}

/**
 * Logs in with the classic client, second factor included (AUTH-15, TFA-04); the client has the token from then on.
 *
 * @throws CodedError the code of the refusal, such as INVALID_CREDENTIALS, TWO_FACTOR_BLOCKED or TOO_MANY_REQUESTS;
 *   SECOND_FACTOR_REQUIRED without `askCode`; PASSWORD_CHANGE_REQUIRED and SECOND_FACTOR_ENROLMENT_REQUIRED for what has to be
 *   done elsewhere first; ApiError when the API cannot be asked
 */
export async function logIn(api: ApiClient, credentials: Credentials, options: LoginOptions = {}): Promise<LoggedIn> {
  const { deviceToken, signal } = options;
  api.setToken(undefined);
  const { login } = await api.request(
    LOGIN,
    { input: { ...credentials, client: 'ECATCHER', ...(deviceToken !== undefined && { deviceToken }) } },
    { signal },
  );
  const step = login.__typename === 'SecondFactorRequired' ? await giveCode(api, login, options) : login;
  if (step.__typename !== 'LoginSuccess') throw refusalOf(step);
  api.setToken(step.token);
  return { token: step.token, expiresAt: step.expiresAt, deviceToken: step.deviceToken ?? undefined };
}

/** Ends the login of the client's token, and with it its sessions (AUTH-19). Its token is forgotten in any case. */
export async function logOut(api: ApiClient): Promise<void> {
  try {
    await api.request(LOGOUT, {}, { timeoutMs: FAREWELL_MS });
  } finally {
    api.setToken(undefined);
  }
}

async function giveCode(api: ApiClient, challenge: Challenge, options: LoginOptions): Promise<Step> {
  const { askCode, rememberPc = false, signal } = options;
  if (askCode === undefined)
    throw new CodedError('SECOND_FACTOR_REQUIRED', 'The login needs the code of a second factor.');
  if (rememberPc && !challenge.mayRememberPc)
    throw new CodedError('REMEMBER_PC_NOT_ALLOWED', 'The account does not allow to remember this PC.');
  api.setToken(challenge.token);
  let { sentTo } = challenge;
  let refused: string | undefined;
  for (;;) {
    const { method, hasBackupNumber, mayRememberPc } = challenge;
    const answer = await askCode({ method, sentTo: sentTo ?? null, hasBackupNumber, mayRememberPc, refused });
    if ('resend' in answer) {
      const { resendLoginCode } = await api.request(RESEND_CODE, { input: { number: answer.resend } }, { signal });
      if ('sentTo' in resendLoginCode) sentTo = resendLoginCode.sentTo;
      refused = 'message' in resendLoginCode ? resendLoginCode.message : undefined;
      continue;
    }
    const { submitLoginCode } = await api.request(
      SUBMIT_CODE,
      { input: { code: answer.code, rememberPc } },
      { signal },
    );
    if (!('code' in submitLoginCode) || !MAY_TRY_AGAIN.includes(submitLoginCode.code)) return submitLoginCode;
    refused = submitLoginCode.message;
  }
}

const MAY_TRY_AGAIN = ['CODE_INVALID', 'CODE_EXPIRED'];

function refusalOf(step: Exclude<Step, { __typename: 'LoginSuccess' }>): CodedError {
  switch (step.__typename) {
    case 'PasswordChangeRequired': {
      const why = step.reason === 'EXPIRED' ? 'has expired' : 'has to be changed';
      return new CodedError(
        'PASSWORD_CHANGE_REQUIRED',
        `The password ${why}: change it in the API or the portal first.`,
      );
    }
    case 'SecondFactorEnrolmentRequired': {
      const methods = step.methods.join(', ');
      const message = `The account asks for a second factor (${methods}): set it up in the API or the portal first.`;
      return new CodedError('SECOND_FACTOR_ENROLMENT_REQUIRED', message);
    }
    case 'SecondFactorRequired':
      return new CodedError('SECOND_FACTOR_REQUIRED', 'The login needs the code of a second factor.');
    case 'TwoFactorBlockedError':
      return new CodedError(step.code, `${step.message} It ends at ${step.blockedUntil}.`);
    case 'TooManyRequestsError':
      return new CodedError(step.code, step.message, step.retryAfter);
    default:
      return new CodedError(step.code, step.message);
  }
}
