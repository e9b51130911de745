-- +goose Up
-- A what-if run takes the stored input of the run behind a scenario, forces
-- decisions upon it and solves the scenario's preset again, so that the two
-- verified plans differ by the price of the decisions alone.
ALTER TABLE optimization.optimization_runs
  ADD COLUMN based_on uuid,
  ADD COLUMN what_if jsonb,
  ADD CONSTRAINT optimization_runs_based_on_fkey FOREIGN KEY (tenant_id, based_on) REFERENCES optimization.optimization_scenarios (tenant_id, id),
  ADD CONSTRAINT optimization_runs_what_if_check CHECK ((based_on IS NULL) = (what_if IS NULL) AND (what_if IS NULL OR jsonb_typeof(what_if) = 'array'));
CREATE INDEX optimization_runs_based_on ON optimization.optimization_runs (tenant_id, based_on) WHERE based_on IS NOT NULL;
