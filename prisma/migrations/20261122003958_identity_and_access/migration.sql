-- CreateEnum
CREATE TYPE "SecondFactorMethod" AS ENUM ('SMS', 'EMAIL', 'APP');

-- CreateEnum
CREATE TYPE "SecondFactorState" AS ENUM ('DISABLED', 'PENDING_ENROLMENT', 'ENABLED');

-- CreateEnum
CREATE TYPE "LoginStage" AS ENUM ('CODE', 'ENROLMENT', 'PASSWORD_CHANGE', 'OPEN');

-- CreateEnum
CREATE TYPE "ChallengePurpose" AS ENUM ('LOGIN', 'ENROL_MOBILE', 'ENROL_BACKUP_MOBILE', 'ENROL_EMAIL', 'ENROL_APP', 'CONFIRM_IDENTITY');

-- CreateEnum
CREATE TYPE "MessageChannel" AS ENUM ('MAIL', 'SMS');

-- CreateEnum
CREATE TYPE "MessageState" AS ENUM ('QUEUED', 'SENT', 'FAILED');

-- AlterTable
ALTER TABLE "Account" ADD COLUMN     "backupRequiredForAdministrators" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "mobileRequiredAtCreation" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "passwordExpiryChangedAt" TIMESTAMP(3),
ADD COLUMN     "passwordExpiryDays" INTEGER,
ADD COLUMN     "passwordHistory" INTEGER,
ADD COLUMN     "passwordMinLength" INTEGER NOT NULL DEFAULT 8,
ADD COLUMN     "passwordNeedsDigit" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "passwordNeedsDigitOrSpecial" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "passwordNeedsLetter" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "passwordNeedsSpecial" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "rememberPcAllowed" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "rememberPcDays" INTEGER,
ADD COLUMN     "twoFactorByDefault" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "twoFactorRequired" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "Login" ADD COLUMN     "backupCodeUsed" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "confirmedAt" TIMESTAMP(3),
ADD COLUMN     "secondFactorAt" TIMESTAMP(3),
ADD COLUMN     "stage" "LoginStage" NOT NULL DEFAULT 'OPEN';

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "backupMobile" TEXT,
ADD COLUMN     "invitationAcceptedAt" TIMESTAMP(3),
ADD COLUMN     "invitationExpiresAt" TIMESTAMP(3),
ADD COLUMN     "invitationHash" TEXT,
ADD COLUMN     "invitationSentAt" TIMESTAMP(3),
ADD COLUMN     "mayRememberPc" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "mobile" TEXT,
ADD COLUMN     "mustChangePassword" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "recoveryExpiresAt" TIMESTAMP(3),
ADD COLUMN     "recoveryHash" TEXT,
ADD COLUMN     "secondFactorBlockedUntil" TIMESTAMP(3),
ADD COLUMN     "secondFactorFailures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "secondFactorMethod" "SecondFactorMethod",
ADD COLUMN     "secondFactorState" "SecondFactorState" NOT NULL DEFAULT 'DISABLED',
ADD COLUMN     "totpLastStep" BIGINT,
ADD COLUMN     "totpSecretEncrypted" TEXT;

-- CreateTable
CREATE TABLE "PasswordRecord" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "setAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "PasswordRecord_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "BackupCode" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "codeEncrypted" TEXT NOT NULL,
    "codeHash" TEXT NOT NULL,
    "usedAt" TIMESTAMP(3),

    CONSTRAINT "BackupCode_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RememberedPc" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "lastUsedAt" TIMESTAMP(3) NOT NULL,
    "userAgent" TEXT,

    CONSTRAINT "RememberedPc_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Challenge" (
    "loginId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "purpose" "ChallengePurpose" NOT NULL,
    "method" "SecondFactorMethod" NOT NULL,
    "target" TEXT,
    "codeHash" TEXT,
    "secretEncrypted" TEXT,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "sends" INTEGER NOT NULL DEFAULT 0,
    "lastSentAt" TIMESTAMP(3),

    CONSTRAINT "Challenge_pkey" PRIMARY KEY ("loginId")
);

-- CreateTable
CREATE TABLE "LoginFailure" (
    "id" UUID NOT NULL,
    "remoteAddress" TEXT NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "LoginFailure_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AddressBan" (
    "remoteAddress" TEXT NOT NULL,
    "bannedAt" TIMESTAMP(3) NOT NULL,
    "failures" INTEGER NOT NULL,

    CONSTRAINT "AddressBan_pkey" PRIMARY KEY ("remoteAddress")
);

-- CreateTable
CREATE TABLE "Message" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "userId" UUID,
    "channel" "MessageChannel" NOT NULL,
    "template" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "paramsEncrypted" TEXT,
    "state" "MessageState" NOT NULL DEFAULT 'QUEUED',
    "createdAt" TIMESTAMP(3) NOT NULL,
    "dueAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claimedUntil" TIMESTAMP(3),
    "sentAt" TIMESTAMP(3),
    "lastError" TEXT,

    CONSTRAINT "Message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "DueWork" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subjectId" UUID NOT NULL,
    "dueAt" TIMESTAMP(3) NOT NULL,
    "retryAt" TIMESTAMP(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lastError" TEXT,

    CONSTRAINT "DueWork_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ClockOffset" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "aheadMs" BIGINT NOT NULL,

    CONSTRAINT "ClockOffset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiToken" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "poolId" UUID,
    "tokenHash" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "renewedAt" TIMESTAMP(3) NOT NULL,
    "lastUsedOn" DATE,

    CONSTRAINT "ApiToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SupportAccess" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "userId" UUID,
    "groupId" UUID,
    "poolId" UUID,
    "engineer" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "revokedAt" TIMESTAMP(3),
    "passwordsChangedAt" TIMESTAMP(3),

    CONSTRAINT "SupportAccess_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OneTimeSecret" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "recipientId" UUID NOT NULL,
    "senderName" TEXT NOT NULL,
    "contentEncrypted" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "readAt" TIMESTAMP(3),

    CONSTRAINT "OneTimeSecret_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "PasswordRecord_userId_setAt_idx" ON "PasswordRecord"("userId", "setAt");

-- CreateIndex
CREATE UNIQUE INDEX "BackupCode_userId_codeHash_key" ON "BackupCode"("userId", "codeHash");

-- CreateIndex
CREATE UNIQUE INDEX "RememberedPc_tokenHash_key" ON "RememberedPc"("tokenHash");

-- CreateIndex
CREATE INDEX "RememberedPc_userId_idx" ON "RememberedPc"("userId");

-- CreateIndex
CREATE INDEX "Challenge_userId_idx" ON "Challenge"("userId");

-- CreateIndex
CREATE INDEX "LoginFailure_remoteAddress_at_idx" ON "LoginFailure"("remoteAddress", "at");

-- CreateIndex
CREATE INDEX "LoginFailure_at_idx" ON "LoginFailure"("at");

-- CreateIndex
CREATE INDEX "Message_state_dueAt_idx" ON "Message"("state", "dueAt");

-- CreateIndex
CREATE INDEX "Message_accountId_createdAt_id_idx" ON "Message"("accountId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "DueWork_dueAt_idx" ON "DueWork"("dueAt");

-- CreateIndex
CREATE INDEX "DueWork_accountId_idx" ON "DueWork"("accountId");

-- CreateIndex
CREATE UNIQUE INDEX "DueWork_kind_subjectId_key" ON "DueWork"("kind", "subjectId");

-- CreateIndex
CREATE UNIQUE INDEX "ApiToken_tokenHash_key" ON "ApiToken"("tokenHash");

-- CreateIndex
CREATE INDEX "ApiToken_poolId_idx" ON "ApiToken"("poolId");

-- CreateIndex
CREATE UNIQUE INDEX "ApiToken_accountId_nameKey_key" ON "ApiToken"("accountId", "nameKey");

-- CreateIndex
CREATE UNIQUE INDEX "SupportAccess_userId_key" ON "SupportAccess"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "SupportAccess_groupId_key" ON "SupportAccess"("groupId");

-- CreateIndex
CREATE UNIQUE INDEX "SupportAccess_poolId_key" ON "SupportAccess"("poolId");

-- CreateIndex
CREATE INDEX "SupportAccess_accountId_createdAt_id_idx" ON "SupportAccess"("accountId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "OneTimeSecret_accountId_createdAt_id_idx" ON "OneTimeSecret"("accountId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "OneTimeSecret_recipientId_idx" ON "OneTimeSecret"("recipientId");

-- CreateIndex
CREATE INDEX "Login_revokedAt_expiresAt_idx" ON "Login"("revokedAt", "expiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "User_invitationHash_key" ON "User"("invitationHash");

-- CreateIndex
CREATE UNIQUE INDEX "User_recoveryHash_key" ON "User"("recoveryHash");

-- CreateIndex
CREATE INDEX "User_expiresAt_idx" ON "User"("expiresAt");

-- AddForeignKey
ALTER TABLE "PasswordRecord" ADD CONSTRAINT "PasswordRecord_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "BackupCode" ADD CONSTRAINT "BackupCode_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RememberedPc" ADD CONSTRAINT "RememberedPc_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Challenge" ADD CONSTRAINT "Challenge_loginId_fkey" FOREIGN KEY ("loginId") REFERENCES "Login"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Challenge" ADD CONSTRAINT "Challenge_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DueWork" ADD CONSTRAINT "DueWork_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiToken" ADD CONSTRAINT "ApiToken_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiToken" ADD CONSTRAINT "ApiToken_poolId_fkey" FOREIGN KEY ("poolId") REFERENCES "Pool"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SupportAccess" ADD CONSTRAINT "SupportAccess_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SupportAccess" ADD CONSTRAINT "SupportAccess_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SupportAccess" ADD CONSTRAINT "SupportAccess_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "Group"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SupportAccess" ADD CONSTRAINT "SupportAccess_poolId_fkey" FOREIGN KEY ("poolId") REFERENCES "Pool"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OneTimeSecret" ADD CONSTRAINT "OneTimeSecret_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OneTimeSecret" ADD CONSTRAINT "OneTimeSecret_recipientId_fkey" FOREIGN KEY ("recipientId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
