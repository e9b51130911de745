-- +goose Up
-- needed of installed: how many of the group must run for full production, of
-- how many there are. Installed ones that are not assets of their own count as
-- running. NULL where nobody has said: then max_out of the members may fail.
ALTER TABLE core.redundancy_groups
  ADD COLUMN needed int CHECK (needed > 0),
  ADD COLUMN installed int CHECK (installed > 0),
  ADD CHECK (needed <= installed);
