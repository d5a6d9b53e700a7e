-- AlterTable
ALTER TABLE "Account" ADD COLUMN     "portalOrigins" TEXT[] DEFAULT ARRAY[]::TEXT[];
