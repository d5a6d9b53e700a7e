-- AlterTable
ALTER TABLE "Message" ADD COLUMN     "charge" JSONB;

-- AlterTable
ALTER TABLE "Usage" ADD COLUMN     "smsPaid" INTEGER NOT NULL DEFAULT 0;
