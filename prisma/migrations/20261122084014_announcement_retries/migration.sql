-- AlterTable
ALTER TABLE "Announcement" ADD COLUMN     "failedAccountIds" UUID[] DEFAULT ARRAY[]::UUID[],
ADD COLUMN     "retries" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "retryAt" TIMESTAMP(3);
