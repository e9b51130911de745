-- name: GetGovernance :one
-- How a tenant decides: what it has set, or the standard. The defaults are those
-- of the table.
SELECT coalesce(g.decision_hours, 8)::float8 AS decision_hours, coalesce(g.reminder_hours, 4)::float8 AS reminder_hours,
  coalesce(g.expiry_days, 30)::int AS expiry_days, coalesce(g.require_endorsement, false)::boolean AS require_endorsement,
  g.escalate_to, coalesce(g.material_change_sar, 0)::float8 AS material_change_sar, g.updated_at,
  coalesce(u.name_ar, '')::text AS updated_ar, coalesce(u.name_en, '')::text AS updated_en
FROM core.tenants t
LEFT JOIN core.governance g ON g.tenant_id = t.id
LEFT JOIN core.users u ON u.tenant_id = t.id AND u.id = g.updated_by
WHERE t.id = @tenant_id;

-- name: SaveGovernance :exec
INSERT INTO core.governance (tenant_id, decision_hours, reminder_hours, expiry_days, require_endorsement, escalate_to, material_change_sar, updated_by)
VALUES (@tenant_id, @decision_hours, @reminder_hours, @expiry_days, @require_endorsement, sqlc.narg('escalate_to'), @material_change_sar, @updated_by::uuid)
ON CONFLICT (tenant_id) DO UPDATE SET decision_hours = excluded.decision_hours, reminder_hours = excluded.reminder_hours,
  expiry_days = excluded.expiry_days, require_endorsement = excluded.require_endorsement, escalate_to = excluded.escalate_to,
  material_change_sar = excluded.material_change_sar, updated_by = excluded.updated_by, updated_at = now();

-- name: ListPeople :many
-- Active people of a tenant with their roles; service accounts are none.
SELECT id, name_ar, name_en, roles FROM core.users
WHERE tenant_id = @tenant_id AND is_active AND archived_at IS NULL AND NOT 'service_account' = ANY (roles)
ORDER BY name_en, id;

-- name: ListDelegations :many
-- Delegations that run or lie ahead, then those that ended, newest first. With
-- about, those that this person gave or holds.
SELECT d.id, d.from_user, d.to_user, d.starts_at, d.ends_at, d.reason, d.created_by, d.created_at, d.revoked_at,
  (d.revoked_at IS NULL AND d.ends_at > now())::boolean AS open, (d.revoked_at IS NULL AND now() >= d.starts_at AND now() < d.ends_at)::boolean AS active,
  f.name_ar AS from_ar, f.name_en AS from_en, t.name_ar AS to_ar, t.name_en AS to_en
FROM core.delegations d
JOIN core.users f ON f.tenant_id = d.tenant_id AND f.id = d.from_user
JOIN core.users t ON t.tenant_id = d.tenant_id AND t.id = d.to_user
WHERE d.tenant_id = @tenant_id
  AND (sqlc.narg('about')::uuid IS NULL OR d.from_user = sqlc.narg('about')::uuid OR d.to_user = sqlc.narg('about')::uuid)
ORDER BY (d.revoked_at IS NULL AND d.ends_at > now()) DESC, d.starts_at DESC, d.id LIMIT 200;

-- name: GetDelegation :one
SELECT * FROM core.delegations WHERE tenant_id = @tenant_id AND id = @id;

-- name: AddDelegation :one
INSERT INTO core.delegations (tenant_id, from_user, to_user, starts_at, ends_at, reason, created_by)
VALUES (@tenant_id, @from_user, @to_user, @starts_at, @ends_at, @reason, @created_by)
RETURNING id;

-- name: RevokeDelegation :execrows
UPDATE core.delegations SET revoked_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND revoked_at IS NULL AND ends_at > now();

-- name: ListDelegators :many
-- Active people for whom a person may decide now, with their roles.
SELECT DISTINCT u.id, u.name_ar, u.name_en, u.roles FROM core.delegations d
JOIN core.users u ON u.tenant_id = d.tenant_id AND u.id = d.from_user
WHERE d.tenant_id = @tenant_id AND d.to_user = @to_user AND d.revoked_at IS NULL AND now() >= d.starts_at AND now() < d.ends_at
  AND u.is_active AND u.archived_at IS NULL AND NOT 'service_account' = ANY (u.roles)
ORDER BY u.id;

-- name: ListActiveDelegations :many
-- Who may decide now in whose place.
SELECT d.from_user, d.to_user FROM core.delegations d
WHERE d.tenant_id = @tenant_id AND d.revoked_at IS NULL AND now() >= d.starts_at AND now() < d.ends_at
ORDER BY d.from_user, d.to_user;
