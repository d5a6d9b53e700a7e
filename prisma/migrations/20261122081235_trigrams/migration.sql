-- Part of PostgreSQL, and trusted: any role with CREATE on the database may create it. To create tables in a schema is not enough.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateIndex
CREATE INDEX "Ewon_text_idx" ON "Ewon" USING GIN ("nameKey" gin_trgm_ops, "description" gin_trgm_ops, "serialNumber" gin_trgm_ops, "custom1" gin_trgm_ops, "custom2" gin_trgm_ops, "custom3" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "User_text_idx" ON "User" USING GIN ("usernameKey" gin_trgm_ops, "fullName" gin_trgm_ops, "email" gin_trgm_ops, "description" gin_trgm_ops, "custom1" gin_trgm_ops, "custom2" gin_trgm_ops, "custom3" gin_trgm_ops);
