-- name: ListShifts :many
SELECT * FROM core.shifts WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY code;

-- name: UpsertShift :exec
INSERT INTO core.shifts (tenant_id, id, code, name_ar, name_en, start_minute, minutes, days_on, days_off, anchor)
VALUES (@tenant_id, @id, @code, @name_ar, @name_en, @start_minute, @minutes, sqlc.narg('days_on'), sqlc.narg('days_off'), sqlc.narg('anchor'))
ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, name_ar = excluded.name_ar, name_en = excluded.name_en,
  start_minute = excluded.start_minute, minutes = excluded.minutes, days_on = excluded.days_on, days_off = excluded.days_off, anchor = excluded.anchor;

-- name: SetTechnicianDuty :exec
-- Where a technician starts from, the shift, and the overtime at most per shift.
UPDATE core.technicians SET home_site_id = @home_site_id, shift_id = sqlc.narg('shift_id'), overtime_hours = @overtime_hours
WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListTechnicianSkills :many
SELECT t.technician_id, t.level, s.code FROM core.technician_skills t
JOIN core.skills s ON s.tenant_id = t.tenant_id AND s.id = t.skill_id
WHERE t.tenant_id = @tenant_id ORDER BY t.technician_id, s.code;

-- name: UpsertTechnicianSkill :exec
INSERT INTO core.technician_skills (tenant_id, technician_id, skill_id, level) VALUES (@tenant_id, @technician_id, @skill_id, @level)
ON CONFLICT (tenant_id, technician_id, skill_id) DO UPDATE SET level = excluded.level;

-- name: ListTravelTimes :many
SELECT from_site_id, to_site_id, minutes FROM core.travel_times WHERE tenant_id = @tenant_id ORDER BY from_site_id, to_site_id;

-- name: UpsertTravelTime :exec
INSERT INTO core.travel_times (tenant_id, from_site_id, to_site_id, minutes) VALUES (@tenant_id, @from_site_id, @to_site_id, @minutes)
ON CONFLICT (tenant_id, from_site_id, to_site_id) DO UPDATE SET minutes = excluded.minutes;

-- name: ListOpenWorkRequests :many
-- Work requests to be done before the end of a horizon; overdue ones count.
SELECT w.*, s.code AS skill_code FROM core.work_requests w
JOIN core.skills s ON s.tenant_id = w.tenant_id AND s.id = w.skill_id
WHERE w.tenant_id = @tenant_id AND w.state = 'open' AND w.earliest < @until
ORDER BY w.earliest, w.id;

-- name: SeedWorkRequest :exec
INSERT INTO core.work_requests (tenant_id, id, asset_id, title_ar, title_en, kind, skill_id, skill_level, hours, crew_size, earliest, latest)
VALUES (@tenant_id, @id, @asset_id, @title_ar, @title_en, @kind, @skill_id, @skill_level, @hours, @crew_size, @earliest, @latest)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: ListDispatchOrders :many
-- Open work orders that begin before the end of a horizon.
SELECT w.id, w.number, w.asset_id, w.title_ar, w.title_en, w.start_on, w.due_on, w.status, w.technician_id, w.crew_hours
FROM core.work_orders w
WHERE w.tenant_id = @tenant_id AND w.status IN ('open', 'in_progress') AND w.start_on < @until::date
ORDER BY w.start_on, w.number;

-- name: ListInspectionAlerts :many
-- Open alerts about assets, the newest of each asset.
SELECT DISTINCT ON (a.asset_id) a.id, a.asset_id, a.severity, a.raised_at
FROM core.alerts a
WHERE a.tenant_id = @tenant_id AND a.closed_at IS NULL AND a.asset_id IS NOT NULL
ORDER BY a.asset_id, a.raised_at DESC;
