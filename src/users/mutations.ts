import { ConfirmationRequiredError, TooManyRequestsError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { PasswordPolicyError } from '../passwords/policy.ts';
import { deleteUser, disableUser, enableUser } from './access.ts';
import { forcePasswordChange, setUserPassword, updateUser } from './change.ts';
import {
  AcceptInvitationInput,
  CreateUserInput,
  DeleteUserInput,
  DisableUserInput,
  DuplicateUserInput,
  EnableUserInput,
  ForcePasswordChangeInput,
  InviteUserInput,
  newUser,
  RecoverPasswordInput,
  RequestPasswordRecoveryInput,
  SetUserPasswordInput,
  UpdateUserInput,
  userProperties,
} from './inputs.ts';
import { INVITATION, inviteUser } from './invitations.ts';
import { type PasswordOwner, setPasswordByLink } from './password-link.ts';
import { RECOVERY, requestPasswordRecovery } from './recovery.ts';
import { createUser, duplicateUser } from './service.ts';

/** `<Verb>Success` with the user as he is afterwards. */
const userSuccess = (name: string, text: string) =>
  builder.objectRef<{ userId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      user: t.prismaField({
        type: 'User',
        description: 'The user as he is now.',
        resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
      }),
    }),
  });

const CreateUserSuccess = userSuccess(
  'CreateUserSuccess',
  'The user was created, and may log in unless he is PENDING.',
);
const DuplicateUserSuccess = userSuccess('DuplicateUserSuccess', 'The copy was created, and may log in.');
const UpdateUserSuccess = userSuccess('UpdateUserSuccess', 'The changes count from his next request on (GRP-21).');
const SetUserPasswordSuccess = userSuccess(
  'SetUserPasswordSuccess',
  'The password is set; he is unlocked (AUTH-10) and his logins have ended (AUTH-20).',
);
const ForcePasswordChangeSuccess = userSuccess(
  'ForcePasswordChangeSuccess',
  'He chooses a new password at his next login; present logins go on.',
);
const DisableUserSuccess = userSuccess(
  'DisableUserSuccess',
  'His logins have ended and his sessions are closed (USR-28).',
);
const EnableUserSuccess = userSuccess('EnableUserSuccess', 'He may log in again, with all settings as they were.');
const InviteUserSuccess = userSuccess('InviteUserSuccess', 'The mail is on its way; the link before it is void.');

const DeleteUserSuccess = builder.objectRef<{ userId: string }>('DeleteUserSuccess').implement({
  description: 'The user is gone; the log keeps his name and reference.',
  fields: (t) => ({ deletedUserId: t.exposeID('userId', { description: 'The id that he had.' }) }),
});

/** Where a link in a mail leads to: the normal login (INV-10). */
const linkSuccess = (name: string, text: string) =>
  builder.objectRef<PasswordOwner>(name).implement({
    description: text,
    fields: (t) => ({
      accountName: t.exposeString('accountName', { description: 'The account to log in to.' }),
      username: t.exposeString('username', { description: 'The user name to log in with.' }),
    }),
  });
const AcceptInvitationSuccess = linkSuccess(
  'AcceptInvitationSuccess',
  'The password is set and the user ENABLED (INV-04); now he logs in, with second factor where he has one.',
);
const RecoverPasswordSuccess = linkSuccess(
  'RecoverPasswordSuccess',
  'The password is set, and all his logins have ended (AUTH-20); now he logs in, with second factor where he has one.',
);

const RequestPasswordRecoverySuccess = builder.objectRef<object>('RequestPasswordRecoverySuccess').implement({
  description: 'Always the same, whether or not there is such a user (AUTH-13).',
  fields: (t) => ({ requested: t.boolean({ description: 'Always true.', resolve: () => true }) }),
});

const entered = (input: { password: string; passwordConfirmation: string }) => ({
  value: input.password,
  confirmation: input.passwordConfirmation,
});

builder.mutationFields((t) => ({
  createUser: t.withAuth({ loggedIn: true }).field({
    type: CreateUserSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Creates a user, wholly or not at all (USR-10), with a password or by invitation. Needs administrator rights or the management of all named groups (USR-12). Errors: FORBIDDEN, NOT_FOUND, USERNAME_IN_USE, USER_NEEDS_A_GROUP, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH, INVALID_PHONE_NUMBER, MOBILE_REQUIRED, BACKUP_NUMBER_SAME_AS_PRIMARY, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: CreateUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({ userId: await createUser(ctx, newUser(input)) }),
  }),
  duplicateUser: t.withAuth({ loggedIn: true }).field({
    type: DuplicateUserSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Creates a user like another one (USR-32 to USR-35): groups or role, permissions, custom fields, description and full name are copied; numbers, second factor, VPN address and expiration date are not. Needs DUPLICATE. Errors: NOT_FOUND, FORBIDDEN, USERNAME_IN_USE, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: DuplicateUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      userId: await duplicateUser(ctx, keyOf('User', input.userId), {
        username: input.username,
        email: input.email ?? null,
        password: entered(input),
      }),
    }),
  }),
  updateUser: t.withAuth({ loggedIn: true }).field({
    type: UpdateUserSuccess,
    errors: {},
    description:
      'Changes properties, permissions, access rights and expiration date of a user (USR-20, GRP-19, USR-37). Needs MODIFY, MODIFY_OWN or MODIFY_RIGHTS. Errors: NOT_FOUND, FORBIDDEN, USERNAME_IN_USE, USER_NEEDS_A_GROUP, LAST_ADMINISTRATOR, SELF_NOT_ALLOWED, PLAN_FEATURE_NOT_AVAILABLE, REAUTHENTICATION_REQUIRED, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: UpdateUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await updateUser(ctx, userId, userProperties(input.properties));
      return { userId };
    },
  }),
  setUserPassword: t.withAuth({ loggedIn: true }).field({
    type: SetUserPasswordSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Sets the password of another user (USR-21). Needs SET_PASSWORD. Errors: NOT_FOUND, FORBIDDEN, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: SetUserPasswordInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await setUserPassword(ctx, userId, entered(input));
      return { userId };
    },
  }),
  forcePasswordChange: t.withAuth({ loggedIn: true }).field({
    type: ForcePasswordChangeSuccess,
    errors: {},
    description:
      'Makes a user choose a new password at his next login (USR-22). Needs FORCE_PASSWORD_CHANGE. Errors: NOT_FOUND, FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: ForcePasswordChangeInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await forcePasswordChange(ctx, userId);
      return { userId };
    },
  }),
  disableUser: t.withAuth({ loggedIn: true }).field({
    type: DisableUserSuccess,
    errors: { types: [ConfirmationRequiredError] },
    description:
      'Blocks the access of a user without deleting anything (USR-26 to USR-28). Needs DISABLE. Errors: NOT_FOUND, SELF_NOT_ALLOWED, FORBIDDEN, CONFIRMATION_REQUIRED, LAST_ADMINISTRATOR, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: DisableUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await disableUser(ctx, userId, input.confirm);
      return { userId };
    },
  }),
  enableUser: t.withAuth({ loggedIn: true }).field({
    type: EnableUserSuccess,
    errors: {},
    description:
      'Restores the access of a disabled user (USR-26). Needs ENABLE. Errors: NOT_FOUND, FORBIDDEN, USER_EXPIRED, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: EnableUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await enableUser(ctx, userId);
      return { userId };
    },
  }),
  deleteUser: t.withAuth({ loggedIn: true }).field({
    type: DeleteUserSuccess,
    errors: { types: [ConfirmationRequiredError] },
    description:
      'Removes a user from the account (USR-30). Needs DELETE. Errors: NOT_FOUND, SELF_NOT_ALLOWED, FORBIDDEN, CONFIRMATION_REQUIRED, LAST_ADMINISTRATOR, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: DeleteUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deleteUser(ctx, keyOf('User', input.userId), input.confirm);
      return { userId: input.userId };
    },
  }),
  inviteUser: t.withAuth({ loggedIn: true }).field({
    type: InviteUserSuccess,
    errors: {},
    description:
      'Sends a new invitation to an existing user, whose status stays as it is (INV-06). Needs INVITE. Errors: NOT_FOUND, FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: InviteUserInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await inviteUser(ctx, userId);
      return { userId };
    },
  }),
  acceptInvitation: t.field({
    type: AcceptInvitationSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Accepts an invitation and sets the password, without login (INV-03, INV-10). Errors: INVITATION_INVALID, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH.',
    args: { input: t.arg({ type: AcceptInvitationInput, required: true }) },
    resolve: (_root, { input }, ctx) => setPasswordByLink(ctx, INVITATION, input.token, entered(input)),
  }),
  requestPasswordRecovery: t.field({
    type: RequestPasswordRecoverySuccess,
    errors: { types: [TooManyRequestsError] },
    description:
      'Mails a link for a new password to the user that this means, if he may choose one (AUTH-12, AUTH-14), without login. The answer is the same for everybody; how often is limited by address. Errors: TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: RequestPasswordRecoveryInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await requestPasswordRecovery(ctx, input, ctx);
      return {};
    },
  }),
  recoverPassword: t.field({
    type: RecoverPasswordSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Sets a new password by the link of a recovery mail, without login (AUTH-13). Errors: RECOVERY_INVALID, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH.',
    args: { input: t.arg({ type: RecoverPasswordInput, required: true }) },
    resolve: (_root, { input }, ctx) => setPasswordByLink(ctx, RECOVERY, input.token, entered(input)),
  }),
}));
