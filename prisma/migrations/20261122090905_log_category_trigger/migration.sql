-- CreateIndex
CREATE INDEX "LogEntry_accountId_category_trigger_seq_severity_idx" ON "LogEntry"("accountId", "category", "trigger", "seq", "severity");
