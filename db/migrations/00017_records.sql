-- +goose Up
-- Where a reading of records stands that was interrupted, so that the next
-- turn goes on from there: what it reads, since when, and the source's cursor.
ALTER TABLE core.integrations
  ADD COLUMN records_state jsonb;
