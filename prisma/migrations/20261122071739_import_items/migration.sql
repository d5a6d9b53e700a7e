-- CreateEnum
CREATE TYPE "ImportReason" AS ENUM ('NOT_ACTIVE', 'NO_SERIAL_NUMBER', 'GONE', 'CHANGED', 'RIGHTS_CHANGED', 'INTERNAL_ERROR');

-- CreateEnum
CREATE TYPE "ImportOutcome" AS ENUM ('IMPORTED', 'SKIPPED', 'FAILED');

-- AlterTable
ALTER TABLE "ImportPreview" DROP COLUMN "ewons",
DROP COLUMN "results",
ADD COLUMN     "notListed" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "poolId" UUID,
ADD COLUMN     "runningUntil" TIMESTAMP(3),
ADD COLUMN     "sourceCredential" TEXT NOT NULL,
ADD COLUMN     "sourceUserId" UUID NOT NULL,
ADD COLUMN     "target" TEXT;

-- CreateTable
CREATE TABLE "ImportItem" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "previewId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "ewonId" UUID NOT NULL,
    "ewonNumber" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "serialNumber" TEXT,
    "outcome" "ImportOutcome",
    "reason" "ImportReason",
    "newName" TEXT,

    CONSTRAINT "ImportItem_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ImportItem_previewId_outcome_position_idx" ON "ImportItem"("previewId", "outcome", "position");

-- CreateIndex
CREATE UNIQUE INDEX "ImportItem_previewId_position_key" ON "ImportItem"("previewId", "position");

-- AddForeignKey
ALTER TABLE "ImportItem" ADD CONSTRAINT "ImportItem_previewId_fkey" FOREIGN KEY ("previewId") REFERENCES "ImportPreview"("id") ON DELETE CASCADE ON UPDATE CASCADE;
