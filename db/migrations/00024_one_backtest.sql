-- +goose Up
-- A tenant has at most one backtest under way, whoever asks at the same time.
CREATE UNIQUE INDEX backtests_one_open ON optimization.backtests (tenant_id) WHERE state IN ('requested', 'running');
