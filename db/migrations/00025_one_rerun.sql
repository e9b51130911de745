-- +goose Up
-- A run has at most one repetition under way, whoever asks at the same time.
CREATE UNIQUE INDEX reruns_one_open ON optimization.reruns (tenant_id, run_id) WHERE state IN ('requested', 'running');

-- What the log holds about one object, without a walk through all of it.
CREATE INDEX audit_logs_object ON core.audit_logs (tenant_id, object_id, seq);
