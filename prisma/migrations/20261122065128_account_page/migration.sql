-- CreateEnum
CREATE TYPE "BrandingFileName" AS ENUM ('WELCOME_PNG', 'LOGO_PNG', 'SKIN_INI');

-- CreateEnum
CREATE TYPE "PatchState" AS ENUM ('PENDING', 'REQUESTED', 'UPDATED', 'SKIPPED', 'FAILED');

-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "LedgerKind" ADD VALUE 'PAYMENT';
ALTER TYPE "LedgerKind" ADD VALUE 'SMS_PACKAGE';
ALTER TYPE "LedgerKind" ADD VALUE 'MONTHLY_FEE';
ALTER TYPE "LedgerKind" ADD VALUE 'CONNECTIONS';
ALTER TYPE "LedgerKind" ADD VALUE 'TRAFFIC';
ALTER TYPE "LedgerKind" ADD VALUE 'DATA_POINTS';
ALTER TYPE "LedgerKind" ADD VALUE 'MAIL';

-- AlterTable
ALTER TABLE "Account" ADD COLUMN     "geolocationEnabled" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "openMonth" TEXT,
ADD COLUMN     "remoteManagement" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "smsUnits" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "trialEndsAt" TIMESTAMP(3),
ADD COLUMN     "trialStartedAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "Ewon" ADD COLUMN     "custom1" TEXT,
ADD COLUMN     "custom2" TEXT,
ADD COLUMN     "custom3" TEXT;

-- AlterTable
ALTER TABLE "LedgerEntry" ADD COLUMN     "key" TEXT;

-- AlterTable
ALTER TABLE "Usage" ADD COLUMN     "bytes" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "custom1" TEXT,
ADD COLUMN     "custom2" TEXT,
ADD COLUMN     "custom3" TEXT;

-- CreateTable
CREATE TABLE "MonthlyReport" (
    "accountId" UUID NOT NULL,
    "month" TEXT NOT NULL,
    "from" TIMESTAMP(3) NOT NULL,
    "to" TIMESTAMP(3) NOT NULL,
    "closedAt" TIMESTAMP(3) NOT NULL,
    "facts" JSONB NOT NULL,

    CONSTRAINT "MonthlyReport_pkey" PRIMARY KEY ("accountId","month")
);

-- CreateTable
CREATE TABLE "ConnectionReportLine" (
    "accountId" UUID NOT NULL,
    "month" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "userName" TEXT NOT NULL,
    "userNumber" INTEGER NOT NULL,
    "ewonName" TEXT NOT NULL,
    "ewonNumber" INTEGER NOT NULL,
    "client" "ClientKind" NOT NULL,
    "startedAt" TIMESTAMP(3) NOT NULL,
    "endedAt" TIMESTAMP(3) NOT NULL,
    "bytesIn" BIGINT NOT NULL,
    "bytesOut" BIGINT NOT NULL,

    CONSTRAINT "ConnectionReportLine_pkey" PRIMARY KEY ("accountId","month","number")
);

-- CreateTable
CREATE TABLE "Contact" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "phone" TEXT,
    "function" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Contact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Announcement" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "doneAccountId" UUID,
    "finishedAt" TIMESTAMP(3),
    "accounts" INTEGER NOT NULL DEFAULT 0,
    "mails" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "Announcement_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "M2uLink" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "nameKey" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "M2uLink_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "BrandingFile" (
    "accountId" UUID NOT NULL,
    "name" "BrandingFileName" NOT NULL,
    "content" BYTEA NOT NULL,
    "sha256" TEXT NOT NULL,
    "uploadedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "BrandingFile_pkey" PRIMARY KEY ("accountId","name")
);

-- CreateTable
CREATE TABLE "ApiUsage" (
    "accountId" UUID NOT NULL,
    "day" DATE NOT NULL,
    "calls" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "ApiUsage_pkey" PRIMARY KEY ("accountId","day")
);

-- CreateTable
CREATE TABLE "PatchCampaign" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "finishedAt" TIMESTAMP(3),

    CONSTRAINT "PatchCampaign_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "EwonPatch" (
    "campaignId" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "state" "PatchState" NOT NULL DEFAULT 'PENDING',
    "fromVersion" TEXT,
    "reason" TEXT,
    "at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "EwonPatch_pkey" PRIMARY KEY ("campaignId","ewonId")
);

-- CreateTable
CREATE TABLE "ImportPreview" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "sourceId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "ticketHash" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "usedAt" TIMESTAMP(3),
    "ewons" JSONB NOT NULL,
    "results" JSONB NOT NULL DEFAULT '[]',

    CONSTRAINT "ImportPreview_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Contact_accountId_createdAt_id_idx" ON "Contact"("accountId", "createdAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Announcement_key_key" ON "Announcement"("key");

-- CreateIndex
CREATE INDEX "Announcement_finishedAt_idx" ON "Announcement"("finishedAt");

-- CreateIndex
CREATE UNIQUE INDEX "M2uLink_accountId_nameKey_key" ON "M2uLink"("accountId", "nameKey");

-- CreateIndex
CREATE INDEX "ApiUsage_day_idx" ON "ApiUsage"("day");

-- CreateIndex
CREATE UNIQUE INDEX "PatchCampaign_key_key" ON "PatchCampaign"("key");

-- CreateIndex
CREATE INDEX "PatchCampaign_finishedAt_idx" ON "PatchCampaign"("finishedAt");

-- CreateIndex
CREATE INDEX "EwonPatch_ewonId_idx" ON "EwonPatch"("ewonId");

-- CreateIndex
CREATE INDEX "EwonPatch_accountId_idx" ON "EwonPatch"("accountId");

-- CreateIndex
CREATE INDEX "EwonPatch_campaignId_state_idx" ON "EwonPatch"("campaignId", "state");

-- CreateIndex
CREATE UNIQUE INDEX "ImportPreview_ticketHash_key" ON "ImportPreview"("ticketHash");

-- CreateIndex
CREATE INDEX "ImportPreview_accountId_idx" ON "ImportPreview"("accountId");

-- CreateIndex
CREATE INDEX "ImportPreview_sourceId_idx" ON "ImportPreview"("sourceId");

-- CreateIndex
CREATE INDEX "ImportPreview_expiresAt_idx" ON "ImportPreview"("expiresAt");

-- CreateIndex
CREATE INDEX "Ewon_accountId_createdAt_id_idx" ON "Ewon"("accountId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Ewon_accountId_serialNumber_id_idx" ON "Ewon"("accountId", "serialNumber", "id");

-- CreateIndex
CREATE INDEX "Ewon_accountId_firmwareVersion_id_idx" ON "Ewon"("accountId", "firmwareVersion", "id");

-- CreateIndex
CREATE INDEX "Ewon_accountId_custom1_id_idx" ON "Ewon"("accountId", "custom1", "id");

-- CreateIndex
CREATE INDEX "Ewon_accountId_custom2_id_idx" ON "Ewon"("accountId", "custom2", "id");

-- CreateIndex
CREATE INDEX "Ewon_accountId_custom3_id_idx" ON "Ewon"("accountId", "custom3", "id");

-- CreateIndex
CREATE UNIQUE INDEX "LedgerEntry_accountId_key_key" ON "LedgerEntry"("accountId", "key");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_at_idx" ON "LogEntry"("accountId", "at");

-- CreateIndex
CREATE INDEX "Session_accountId_startedAt_id_idx" ON "Session"("accountId", "startedAt", "id");

-- CreateIndex
CREATE INDEX "Session_accountId_endedAt_id_idx" ON "Session"("accountId", "endedAt", "id");

-- CreateIndex
CREATE INDEX "User_accountId_createdAt_id_idx" ON "User"("accountId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "User_accountId_fullName_id_idx" ON "User"("accountId", "fullName", "id");

-- CreateIndex
CREATE INDEX "User_accountId_email_id_idx" ON "User"("accountId", "email", "id");

-- CreateIndex
CREATE INDEX "User_accountId_lastLoginAt_id_idx" ON "User"("accountId", "lastLoginAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "User_accountId_custom1_id_idx" ON "User"("accountId", "custom1", "id");

-- CreateIndex
CREATE INDEX "User_accountId_custom2_id_idx" ON "User"("accountId", "custom2", "id");

-- CreateIndex
CREATE INDEX "User_accountId_custom3_id_idx" ON "User"("accountId", "custom3", "id");

-- AddForeignKey
ALTER TABLE "MonthlyReport" ADD CONSTRAINT "MonthlyReport_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ConnectionReportLine" ADD CONSTRAINT "ConnectionReportLine_accountId_month_fkey" FOREIGN KEY ("accountId", "month") REFERENCES "MonthlyReport"("accountId", "month") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Contact" ADD CONSTRAINT "Contact_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "M2uLink" ADD CONSTRAINT "M2uLink_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "BrandingFile" ADD CONSTRAINT "BrandingFile_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiUsage" ADD CONSTRAINT "ApiUsage_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonPatch" ADD CONSTRAINT "EwonPatch_campaignId_fkey" FOREIGN KEY ("campaignId") REFERENCES "PatchCampaign"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonPatch" ADD CONSTRAINT "EwonPatch_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonPatch" ADD CONSTRAINT "EwonPatch_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ImportPreview" ADD CONSTRAINT "ImportPreview_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ImportPreview" ADD CONSTRAINT "ImportPreview_sourceId_fkey" FOREIGN KEY ("sourceId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The custom values move from a list to a column each.
UPDATE "User" SET "custom1" = NULLIF("customFields"[1], ''), "custom2" = NULLIF("customFields"[2], ''), "custom3" = NULLIF("customFields"[3], '')
WHERE cardinality("customFields") > 0;
UPDATE "Ewon" SET "custom1" = NULLIF("customFields"[1], ''), "custom2" = NULLIF("customFields"[2], ''), "custom3" = NULLIF("customFields"[3], '')
WHERE cardinality("customFields") > 0;
ALTER TABLE "User" DROP COLUMN "customFields";
ALTER TABLE "Ewon" DROP COLUMN "customFields";

-- Usage is counted in the month that it is in the time zone of the account, whose end is due work.
UPDATE "Account" SET "openMonth" = to_char(CURRENT_TIMESTAMP AT TIME ZONE "timeZone", 'YYYY-MM');
ALTER TABLE "Account" ALTER COLUMN "openMonth" SET NOT NULL;
INSERT INTO "DueWork" ("id", "accountId", "kind", "subjectId", "dueAt")
SELECT gen_random_uuid(), "id", 'MONTH_END', "id",
  ((date_trunc('month', CURRENT_TIMESTAMP AT TIME ZONE "timeZone") + interval '1 month') AT TIME ZONE "timeZone") AT TIME ZONE 'UTC'
FROM "Account";

-- An account has at least one contact (CTC-03): its first Administrator.
INSERT INTO "Contact" ("id", "accountId", "name", "email", "createdAt")
SELECT gen_random_uuid(), a."id", COALESCE(u."fullName", u."username"), u."email", u."createdAt"
FROM "Account" a
JOIN LATERAL (
  SELECT * FROM "User" WHERE "accountId" = a."id"
  ORDER BY ("role" = 'ADMINISTRATOR' OR EXISTS (
    SELECT 1 FROM "GroupMember" m JOIN "Group" g ON g."id" = m."groupId" WHERE m."userId" = "User"."id" AND g."administrators"
  )) DESC, "number" LIMIT 1
) u ON true;
