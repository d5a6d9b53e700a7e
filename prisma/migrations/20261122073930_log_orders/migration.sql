-- CreateIndex
CREATE INDEX "LogEntry_accountId_code_seq_category_severity_trigger_idx" ON "LogEntry"("accountId", "code", "seq", "category", "severity", "trigger");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_category_seq_severity_trigger_idx" ON "LogEntry"("accountId", "category", "seq", "severity", "trigger");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_severity_seq_category_trigger_idx" ON "LogEntry"("accountId", "severity", "seq", "category", "trigger");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_trigger_seq_category_severity_idx" ON "LogEntry"("accountId", "trigger", "seq", "category", "severity");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_userName_seq_category_severity_trigger_idx" ON "LogEntry"("accountId", "userName", "seq", "category", "severity", "trigger");

-- CreateIndex
CREATE INDEX "LogEntry_accountId_ewonName_seq_category_severity_trigger_idx" ON "LogEntry"("accountId", "ewonName", "seq", "category", "severity", "trigger");
