-- CreateEnum
CREATE TYPE "ConnectionMode" AS ENUM ('PERMANENT', 'ON_DEMAND');

-- CreateEnum
CREATE TYPE "DigitalInputPolicy" AS ENUM ('IGNORE', 'ON_ENABLES', 'ON_DISABLES');

-- CreateEnum
CREATE TYPE "LanProtocol" AS ENUM ('TCP', 'UDP', 'HTTP', 'HTTPS', 'VNC', 'RDP');

-- CreateEnum
CREATE TYPE "LedgerKind" AS ENUM ('CREDIT', 'SMS');

-- AlterTable
ALTER TABLE "Ewon" ADD COLUMN     "connectionMode" "ConnectionMode" NOT NULL DEFAULT 'PERMANENT',
ADD COLUMN     "digitalInputPolicy" "DigitalInputPolicy",
ADD COLUMN     "latitude" DOUBLE PRECISION,
ADD COLUMN     "longitude" DOUBLE PRECISION,
ADD COLUMN     "offlineTunnelId" UUID,
ADD COLUMN     "wakeUpNumber" TEXT,
ADD COLUMN     "wakingUntil" TIMESTAMP(3),
ADD COLUMN     "wokenAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "GatewayLease" ADD COLUMN     "portalUrl" TEXT;

-- CreateTable
CREATE TABLE "LanDevice" (
    "id" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "address" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "LanDevice_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LanPort" (
    "id" UUID NOT NULL,
    "deviceId" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "port" INTEGER NOT NULL,
    "protocol" "LanProtocol" NOT NULL,

    CONSTRAINT "LanPort_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "EwonService" (
    "id" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "port" INTEGER NOT NULL,
    "protocol" "LanProtocol" NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "EwonService_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "DataPoint" (
    "number" BIGSERIAL NOT NULL,
    "accountId" UUID NOT NULL,
    "ewonId" UUID NOT NULL,
    "tag" TEXT NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "receivedAt" TIMESTAMP(3) NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "good" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "DataPoint_pkey" PRIMARY KEY ("number")
);

-- CreateTable
CREATE TABLE "Usage" (
    "accountId" UUID NOT NULL,
    "month" TEXT NOT NULL,
    "sms" INTEGER NOT NULL DEFAULT 0,
    "mails" INTEGER NOT NULL DEFAULT 0,
    "dataPoints" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "Usage_pkey" PRIMARY KEY ("accountId","month")
);

-- CreateTable
CREATE TABLE "LedgerEntry" (
    "id" UUID NOT NULL,
    "accountId" UUID NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "kind" "LedgerKind" NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "description" TEXT NOT NULL,

    CONSTRAINT "LedgerEntry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "LanDevice_ewonId_idx" ON "LanDevice"("ewonId");

-- CreateIndex
CREATE INDEX "LanPort_deviceId_idx" ON "LanPort"("deviceId");

-- CreateIndex
CREATE UNIQUE INDEX "LanPort_ewonId_address_port_protocol_key" ON "LanPort"("ewonId", "address", "port", "protocol");

-- CreateIndex
CREATE UNIQUE INDEX "EwonService_ewonId_port_protocol_key" ON "EwonService"("ewonId", "port", "protocol");

-- CreateIndex
CREATE INDEX "DataPoint_accountId_number_idx" ON "DataPoint"("accountId", "number");

-- CreateIndex
CREATE INDEX "DataPoint_receivedAt_idx" ON "DataPoint"("receivedAt");

-- CreateIndex
CREATE UNIQUE INDEX "DataPoint_ewonId_tag_at_key" ON "DataPoint"("ewonId", "tag", "at");

-- CreateIndex
CREATE INDEX "LedgerEntry_accountId_at_id_idx" ON "LedgerEntry"("accountId", "at", "id");

-- AddForeignKey
ALTER TABLE "LanDevice" ADD CONSTRAINT "LanDevice_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LanPort" ADD CONSTRAINT "LanPort_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "LanDevice"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LanPort" ADD CONSTRAINT "LanPort_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EwonService" ADD CONSTRAINT "EwonService_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DataPoint" ADD CONSTRAINT "DataPoint_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DataPoint" ADD CONSTRAINT "DataPoint_ewonId_fkey" FOREIGN KEY ("ewonId") REFERENCES "Ewon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Usage" ADD CONSTRAINT "Usage_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LedgerEntry" ADD CONSTRAINT "LedgerEntry_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;
