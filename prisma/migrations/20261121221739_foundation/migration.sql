-- CreateEnum
CREATE TYPE "Plan" AS ENUM ('FREE', 'LIGHT', 'PRO');

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('ADMINISTRATOR', 'USER');

-- CreateEnum
CREATE TYPE "ClientKind" AS ENUM ('ECATCHER', 'ECATCHER_MOBILE', 'M2WEB');

-- CreateEnum
CREATE TYPE "EwonModel" AS ENUM ('COSY', 'COSY_PLUS', 'FLEXY');

-- CreateEnum
CREATE TYPE "RegistrationStatus" AS ENUM ('PENDING', 'PENDING_APPROVAL', 'ACTIVE');

-- CreateEnum
CREATE TYPE "WanType" AS ENUM ('ETHERNET', 'WIFI', 'CELLULAR');

-- CreateEnum
CREATE TYPE "FirewallLevel" AS ENUM ('STANDARD', 'HIGH', 'ENFORCED', 'ULTRA');

-- CreateEnum
CREATE TYPE "SessionState" AS ENUM ('OPEN', 'CLOSED');

-- CreateEnum
CREATE TYPE "SessionCloseReason" AS ENUM ('BY_USER', 'BY_ADMINISTRATOR', 'EWON_OFFLINE', 'USER_DISABLED', 'USER_EXPIRED', 'USER_DELETED', 'ACCESS_REVOKED', 'SESSION_EXPIRED', 'SWITCHED', 'IMPORTED', 'TIMEOUT');

-- CreateEnum
CREATE TYPE "LogCategory" AS ENUM ('USER', 'EWON', 'ACCOUNT', 'SECURITY', 'BILLING');

-- CreateEnum
CREATE TYPE "LogSeverity" AS ENUM ('INFO', 'WARNING', 'ERROR');

-- CreateEnum
CREATE TYPE "LogTrigger" AS ENUM ('USER', 'EWON', 'PLATFORM');

-- CreateEnum
CREATE TYPE "WaiterState" AS ENUM ('WAITING', 'SERVED', 'LEFT', 'EXPIRED');

-- CreateEnum
CREATE TYPE "VpnRange" AS ENUM ('USER', 'EWON');

-- CreateTable
CREATE TABLE "Account" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "company" TEXT NOT NULL,
    "street" TEXT,
    "postalCode" TEXT,
    "city" TEXT,
    "country" TEXT,
    "language" TEXT NOT NULL DEFAULT 'en',
    "timeZone" TEXT NOT NULL DEFAULT 'UTC',
    "internalReference" TEXT,
    "plan" "Plan" NOT NULL DEFAULT 'FREE',
    "createdAt" TIMESTAMP(3) NOT NULL,
    "logSeq" BIGINT NOT NULL DEFAULT 0,
    "logPurgedSeq" BIGINT NOT NULL DEFAULT 0,
    "concurrentConnections" INTEGER NOT NULL,
    "slotsChangedAt" TIMESTAMP(3) NOT NULL,
    "pendingSlots" INTEGER,
    "pendingSlotsAt" TIMESTAMP(3),
    "autoRegistrationEnabled" BOOLEAN NOT NULL DEFAULT true,
    "autoRegistrationPoolId" UUID,
    "registrationKeyEncrypted" TEXT NOT NULL,
    "registrationKeyHash" TEXT NOT NULL,
    "registrationKeyRenewedAt" TIMESTAMP(3) NOT NULL,
    "ewonFieldNames" TEXT[] DEFAULT ARRAY['Custom field 1', 'Custom field 2', 'Custom field 3']::TEXT[],
    "userFieldNames" TEXT[] DEFAULT ARRAY['Custom field 1', 'Custom field 2', 'Custom field 3']::TEXT[],

    CONSTRAINT "Account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RevokedRegistrationKey" (
    "keyHash" TEXT NOT NULL,
    "accountId" UUID NOT NULL,
    "revokedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "RevokedRegistrationKey_pkey" PRIMARY KEY ("keyHash")
);

-- CreateTable
CREATE TABLE "User" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "accountId" UUID NOT NULL,
    "username" TEXT NOT NULL,
    "usernameKey" TEXT NOT NULL,
    "fullName" TEXT,
    "email" TEXT NOT NULL,
    "description" TEXT,
    "customFields" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "passwordHash" TEXT,
    "passwordChangedAt" TIMESTAMP(3),
    "role" "Role" NOT NULL DEFAULT 'USER',
    "namePublic" BOOLEAN NOT NULL DEFAULT false,
    "mayEditOwn" BOOLEAN NOT NULL DEFAULT true,
    "forbidPasswordChange" BOOLEAN NOT NULL DEFAULT false,
    "disabledAt" TIMESTAMP(3),
    "expiresAt" TIMESTAMP(3),
    "failedLogins" INTEGER NOT NULL DEFAULT 0,
    "lockedUntil" TIMESTAMP(3),
    "createdAt" TIMESTAMP(3) NOT NULL,
    "lastLoginAt" TIMESTAMP(3),

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Login" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "client" "ClientKind" NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "lastUsedAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "revokedAt" TIMESTAMP(3),
    "remoteAddress" TEXT,
    "userAgent" TEXT,

    CONSTRAINT "Login_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Group" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "administrators" BOOLEAN NOT NULL DEFAULT false,
    "mayCreatePools" BOOLEAN NOT NULL DEFAULT false,
    "mayCreateGroups" BOOLEAN NOT NULL DEFAULT false,
    "adminOfItself" BOOLEAN NOT NULL DEFAULT false,
    "smsSender" BOOLEAN NOT NULL DEFAULT false,
    "mailSender" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Group_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "GroupMember" (
    "groupId" UUID NOT NULL,
    "userId" UUID NOT NULL,

    CONSTRAINT "GroupMember_pkey" PRIMARY KEY ("groupId","userId")
);

-- CreateTable
CREATE TABLE "GroupRight" (
    "groupId" UUID NOT NULL,
    "targetId" UUID NOT NULL,

    CONSTRAINT "GroupRight_pkey" PRIMARY KEY ("groupId","targetId")
);

-- CreateTable
CREATE TABLE "PoolRight" (
    "groupId" UUID NOT NULL,
    "poolId" UUID NOT NULL,
    "administer" BOOLEAN NOT NULL DEFAULT false,
    "modify" BOOLEAN NOT NULL DEFAULT false,
    "connectEcatcher" BOOLEAN NOT NULL DEFAULT false,
    "connectM2web" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "PoolRight_pkey" PRIMARY KEY ("groupId","poolId")
);

-- CreateTable
CREATE TABLE "Pool" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "isDefault" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Pool_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "EwonPool" (
    "ewonId" UUID NOT NULL,
    "poolId" UUID NOT NULL,

    CONSTRAINT "EwonPool_pkey" PRIMARY KEY ("ewonId","poolId")
);

-- CreateTable
CREATE TABLE "Ewon" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "description" TEXT,
    "customFields" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "registrationStatus" "RegistrationStatus" NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "registeredAt" TIMESTAMP(3),
    "activationKeyHash" TEXT,
    "serialNumber" TEXT,
    "model" "EwonModel",
    "firmwareVersion" TEXT,
    "firewallLevel" "FirewallLevel" NOT NULL DEFAULT 'STANDARD',
    "lanAddress" TEXT,
    "wanType" "WanType",
    "wanAddress" TEXT,
    "geolocationEnabled" BOOLEAN,
    "digitalInput" BOOLEAN,
    "gatewayId" UUID,
    "tunnelId" UUID,
    "onlineSince" TIMESTAMP(3),
    "lastSeenAt" TIMESTAMP(3),

    CONSTRAINT "Ewon_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Certificate" (
    "id" UUID NOT NULL,
    "ewonId" UUID,
    "serialNumber" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "publicKeyHash" TEXT NOT NULL,
    "pem" TEXT NOT NULL,
    "notBefore" TIMESTAMP(3) NOT NULL,
    "notAfter" TIMESTAMP(3) NOT NULL,
    "revokedAt" TIMESTAMP(3),
    "revokedReason" TEXT,

    CONSTRAINT "Certificate_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Slot" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "accountId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "groupId" UUID,
    "sessionId" UUID,

    CONSTRAINT "Slot_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Session" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "accountId" UUID NOT NULL,
    "userId" UUID,
    "userName" TEXT NOT NULL,
    "userNumber" INTEGER NOT NULL,
    "ewonId" UUID,
    "ewonName" TEXT NOT NULL,
    "ewonNumber" INTEGER NOT NULL,
    "loginId" UUID,
    "client" "ClientKind" NOT NULL,
    "state" "SessionState" NOT NULL DEFAULT 'OPEN',
    "exclusiveUserId" UUID,
    "slotGroupId" UUID,
    "takesSlot" BOOLEAN NOT NULL,
    "userVpnAddress" TEXT,
    "ewonVpnAddress" TEXT,
    "startedAt" TIMESTAMP(3) NOT NULL,
    "aliveUntil" TIMESTAMP(3) NOT NULL,
    "establishedAt" TIMESTAMP(3),
    "ticketHash" TEXT,
    "ticketExpiresAt" TIMESTAMP(3),
    "endedAt" TIMESTAMP(3),
    "closeReason" "SessionCloseReason",
    "closedById" UUID,
    "bytesIn" BIGINT NOT NULL DEFAULT 0,
    "bytesOut" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SlotWaiter" (
    "id" UUID NOT NULL,
    "number" BIGSERIAL NOT NULL,
    "accountId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "loginId" UUID NOT NULL,
    "state" "WaiterState" NOT NULL DEFAULT 'WAITING',
    "arrivedAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "aliveUntil" TIMESTAMP(3) NOT NULL,
    "sessionId" UUID,

    CONSTRAINT "SlotWaiter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "VpnAddress" (
    "address" BIGINT NOT NULL,
    "range" "VpnRange" NOT NULL,
    "userId" UUID,
    "ewonId" UUID,
    "inUse" BOOLEAN NOT NULL DEFAULT false,
    "lastUsedAt" TIMESTAMP(3),

    CONSTRAINT "VpnAddress_pkey" PRIMARY KEY ("address")
);

-- CreateTable
CREATE TABLE "LogEntry" (
    "accountId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "code" TEXT NOT NULL,
    "category" "LogCategory" NOT NULL,
    "severity" "LogSeverity" NOT NULL,
    "trigger" "LogTrigger" NOT NULL,
    "userId" UUID,
    "userNumber" INTEGER,
    "userName" TEXT,
    "ewonId" UUID,
    "ewonNumber" INTEGER,
    "ewonName" TEXT,
    "sessionId" UUID,
    "params" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "LogEntry_pkey" PRIMARY KEY ("accountId","seq")
);

-- CreateTable
CREATE TABLE "GatewayLease" (
    "id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "startedAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "GatewayLease_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "StoredResult" (
    "loginId" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "inputHash" TEXT NOT NULL,
    "result" JSONB,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "StoredResult_pkey" PRIMARY KEY ("loginId","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "Account_nameKey_key" ON "Account"("nameKey");

-- CreateIndex
CREATE UNIQUE INDEX "Account_registrationKeyHash_key" ON "Account"("registrationKeyHash");

-- CreateIndex
CREATE INDEX "Account_pendingSlotsAt_idx" ON "Account"("pendingSlotsAt");

-- CreateIndex
CREATE INDEX "RevokedRegistrationKey_accountId_idx" ON "RevokedRegistrationKey"("accountId");

-- CreateIndex
CREATE UNIQUE INDEX "User_number_key" ON "User"("number");

-- CreateIndex
CREATE UNIQUE INDEX "User_accountId_usernameKey_key" ON "User"("accountId", "usernameKey");

-- CreateIndex
CREATE UNIQUE INDEX "Login_tokenHash_key" ON "Login"("tokenHash");

-- CreateIndex
CREATE INDEX "Login_userId_idx" ON "Login"("userId");

-- CreateIndex
CREATE INDEX "Login_accountId_idx" ON "Login"("accountId");

-- CreateIndex
CREATE UNIQUE INDEX "Group_accountId_nameKey_key" ON "Group"("accountId", "nameKey");

-- CreateIndex
CREATE INDEX "GroupMember_userId_idx" ON "GroupMember"("userId");

-- CreateIndex
CREATE INDEX "GroupRight_targetId_idx" ON "GroupRight"("targetId");

-- CreateIndex
CREATE INDEX "PoolRight_poolId_idx" ON "PoolRight"("poolId");

-- CreateIndex
CREATE UNIQUE INDEX "Pool_accountId_nameKey_key" ON "Pool"("accountId", "nameKey");

-- CreateIndex
CREATE INDEX "EwonPool_poolId_idx" ON "EwonPool"("poolId");

-- CreateIndex
CREATE UNIQUE INDEX "Ewon_number_key" ON "Ewon"("number");

-- CreateIndex
CREATE UNIQUE INDEX "Ewon_activationKeyHash_key" ON "Ewon"("activationKeyHash");

-- CreateIndex
CREATE UNIQUE INDEX "Ewon_serialNumber_key" ON "Ewon"("serialNumber");

-- CreateIndex
CREATE INDEX "Ewon_gatewayId_idx" ON "Ewon"("gatewayId");

-- CreateIndex
CREATE UNIQUE INDEX "Ewon_accountId_nameKey_key" ON "Ewon"("accountId", "nameKey");

-- CreateIndex
CREATE UNIQUE INDEX "Certificate_fingerprint_key" ON "Certificate"("fingerprint");

-- CreateIndex
CREATE INDEX "Certificate_ewonId_idx" ON "Certificate"("ewonId");

-- CreateIndex
CREATE INDEX "Certificate_serialNumber_idx" ON "Certificate"("serialNumber");

-- CreateIndex
CREATE UNIQUE INDEX "Slot_sessionId_key" ON "Slot"("sessionId");

-- CreateIndex
CREATE UNIQUE INDEX "Slot_accountId_number_key" ON "Slot"("accountId", "number");

-- CreateIndex
CREATE UNIQUE INDEX "Session_number_key" ON "Session"("number");

-- CreateIndex
CREATE UNIQUE INDEX "Session_exclusiveUserId_key" ON "Session"("exclusiveUserId");

-- CreateIndex
CREATE UNIQUE INDEX "Session_ticketHash_key" ON "Session"("ticketHash");

-- CreateIndex
CREATE INDEX "Session_accountId_state_startedAt_id_idx" ON "Session"("accountId", "state", "startedAt", "id");

-- CreateIndex
CREATE INDEX "Session_ewonId_state_idx" ON "Session"("ewonId", "state");

-- CreateIndex
CREATE INDEX "Session_userId_state_idx" ON "Session"("userId", "state");

-- CreateIndex
CREATE INDEX "Session_loginId_idx" ON "Session"("loginId");

-- CreateIndex
CREATE INDEX "Session_state_aliveUntil_idx" ON "Session"("state", "aliveUntil");

-- CreateIndex
CREATE UNIQUE INDEX "SlotWaiter_number_key" ON "SlotWaiter"("number");

-- CreateIndex
CREATE INDEX "SlotWaiter_accountId_state_number_idx" ON "SlotWaiter"("accountId", "state", "number");

-- CreateIndex
CREATE INDEX "SlotWaiter_state_aliveUntil_idx" ON "SlotWaiter"("state", "aliveUntil");

-- CreateIndex
CREATE INDEX "SlotWaiter_userId_idx" ON "SlotWaiter"("userId");

-- CreateIndex
CREATE INDEX "SlotWaiter_ewonId_idx" ON "SlotWaiter"("ewonId");

-- CreateIndex
CREATE INDEX "SlotWaiter_loginId_idx" ON "SlotWaiter"("loginId");

-- CreateIndex
CREATE UNIQUE INDEX "VpnAddress_userId_key" ON "VpnAddress"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "VpnAddress_ewonId_key" ON "VpnAddress"("ewonId");

-- CreateIndex
CREATE INDEX "VpnAddress_range_userId_ewonId_address_idx" ON "VpnAddress"("range", "userId", "ewonId", "address");

-- CreateIndex
CREATE INDEX "VpnAddress_range_inUse_lastUsedAt_idx" ON "VpnAddress"("range", "inUse", "lastUsedAt");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_userId_seq_idx" ON "LogEntry"("accountId", "userId", "seq");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_ewonId_seq_idx" ON "LogEntry"("accountId", "ewonId", "seq");

-- CreateIndex
CREATE INDEX "GatewayLease_expiresAt_idx" ON "GatewayLease"("expiresAt");

-- CreateIndex
CREATE INDEX "StoredResult_createdAt_idx" ON "StoredResult"("createdAt");

-- AddForeignKey
ALTER TABLE "Account" ADD CONSTRAINT "Account_autoRegistrationPoolId_fkey" FOREIGN KEY ("autoRegistrationPoolId") REFERENCES "Pool"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RevokedRegistrationKey" ADD CONSTRAINT "RevokedRegistrationKey_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "User" ADD CONSTRAINT "User_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Login" ADD CONSTRAINT "Login_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Login" ADD CONSTRAINT "Login_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Group" ADD CONSTRAINT "Group_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupMember" ADD CONSTRAINT "GroupMember_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "Group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupMember" ADD CONSTRAINT "GroupMember_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupRight" ADD CONSTRAINT "GroupRight_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "Group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupRight" ADD CONSTRAINT "GroupRight_targetId_fkey" FOREIGN KEY ("targetId") REFERENCES "Group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PoolRight" ADD CONSTRAINT "PoolRight_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "Group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PoolRight" ADD CONSTRAINT "PoolRight_poolId_fkey" FOREIGN KEY ("poolId") REFERENCES "Pool"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Pool" ADD CONSTRAINT "Pool_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonPool" ADD CONSTRAINT "EwonPool_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonPool" ADD CONSTRAINT "EwonPool_poolId_fkey" FOREIGN KEY ("poolId") REFERENCES "Pool"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Ewon" ADD CONSTRAINT "Ewon_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Ewon" ADD CONSTRAINT "Ewon_gatewayId_fkey" FOREIGN KEY ("gatewayId") REFERENCES "GatewayLease"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Certificate" ADD CONSTRAINT "Certificate_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Slot" ADD CONSTRAINT "Slot_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Slot" ADD CONSTRAINT "Slot_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "Group"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Slot" ADD CONSTRAINT "Slot_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "Session"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_loginId_fkey" FOREIGN KEY ("loginId") REFERENCES "Login"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_closedById_fkey" FOREIGN KEY ("closedById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_slotGroupId_fkey" FOREIGN KEY ("slotGroupId") REFERENCES "Group"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SlotWaiter" ADD CONSTRAINT "SlotWaiter_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SlotWaiter" ADD CONSTRAINT "SlotWaiter_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SlotWaiter" ADD CONSTRAINT "SlotWaiter_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SlotWaiter" ADD CONSTRAINT "SlotWaiter_loginId_fkey" FOREIGN KEY ("loginId") REFERENCES "Login"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "VpnAddress" ADD CONSTRAINT "VpnAddress_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "VpnAddress" ADD CONSTRAINT "VpnAddress_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LogEntry" ADD CONSTRAINT "LogEntry_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "StoredResult" ADD CONSTRAINT "StoredResult_loginId_fkey" FOREIGN KEY ("loginId") REFERENCES "Login"("id") ON DELETE CASCADE ON UPDATE CASCADE;
