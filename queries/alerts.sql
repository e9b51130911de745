-- name: CountOpenAlerts :one
SELECT count(*) FROM core.alerts WHERE tenant_id = @tenant_id AND closed_at IS NULL;

-- name: RaiseAlert :one
-- Opens an alert or moves the open one of the same key forward. fresh tells a
-- new alert from a moved one.
INSERT INTO core.alerts AS a (tenant_id, asset_id, integration_id, kind, severity, dedupe_key, detail, raised_at, last_seen_at)
VALUES (@tenant_id, sqlc.narg('asset_id'), sqlc.narg('integration_id'), @kind, @severity, @dedupe_key, @detail, @at, @at)
ON CONFLICT (tenant_id, dedupe_key) WHERE closed_at IS NULL
DO UPDATE SET last_seen_at = excluded.last_seen_at, severity = excluded.severity, detail = excluded.detail
RETURNING (a.xmax = 0)::boolean AS fresh;

-- name: ReopenAlerts :many
-- Opens alerts anew that cleared within a day before their cause came back,
-- instead of raising another one, and counts the occurrence.
UPDATE core.alerts l SET state = 'new', closed_at = NULL, occurrences = l.occurrences + 1, last_seen_at = @at
WHERE l.tenant_id = @tenant_id AND l.id IN (
  SELECT DISTINCT ON (c.dedupe_key) c.id FROM core.alerts c
  WHERE c.tenant_id = @tenant_id AND c.dedupe_key = ANY (@keys::text[]) AND c.state = 'cleared' AND c.closed_at > CAST(@at AS timestamptz) - interval '24 hours'
    AND NOT EXISTS (SELECT FROM core.alerts o WHERE o.tenant_id = c.tenant_id AND o.dedupe_key = c.dedupe_key AND o.closed_at IS NULL)
  ORDER BY c.dedupe_key, c.closed_at DESC, c.id)
RETURNING l.dedupe_key;

-- name: ClearAlerts :execrows
-- Closes the open alerts of the given keys because their cause is gone.
UPDATE core.alerts SET state = 'cleared', closed_at = @at
WHERE tenant_id = @tenant_id AND closed_at IS NULL AND dedupe_key = ANY (@keys::text[]);

-- name: ClearScheduleAlerts :execrows
-- Closes the open alerts about a schedule that is no more.
UPDATE core.alerts SET state = 'cleared', closed_at = now()
WHERE tenant_id = @tenant_id AND closed_at IS NULL AND kind IN ('schedule_missed', 'schedule_failing', 'schedule_token')
  AND dedupe_key = kind || ':' || CAST(@schedule_id AS uuid);

-- name: ListJudgedAlerts :many
-- Keys of alerts that a person judged false or expected within a day: they are
-- not raised again so soon.
SELECT dedupe_key FROM core.alerts
WHERE tenant_id = @tenant_id AND state IN ('false', 'expected') AND closed_at > CAST(@at AS timestamptz) - interval '24 hours'
  AND dedupe_key = ANY (@keys::text[]);

-- name: OpenAlerts :many
-- The newest open alerts, of one asset when it is named, with the names of
-- what they concern.
SELECT sqlc.embed(l), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en,
  coalesce(i.name, '')::text AS integration, count(*) OVER () AS total
FROM core.alerts l
LEFT JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
LEFT JOIN core.integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
WHERE l.tenant_id = @tenant_id AND l.closed_at IS NULL
  AND (sqlc.narg('asset_id')::uuid IS NULL OR l.asset_id = sqlc.narg('asset_id')::uuid)
ORDER BY l.severity DESC, l.raised_at DESC, l.id LIMIT @page_size;

-- name: LockAlert :one
SELECT * FROM core.alerts WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: AlertPage :many
-- One page of alerts with the names of what they concern, open ones first.
-- state 'open' stands for every alert that is not closed.
SELECT sqlc.embed(l), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en,
  coalesce(i.name, '')::text AS integration, count(*) OVER () AS total
FROM core.alerts l
LEFT JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
LEFT JOIN core.integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
WHERE l.tenant_id = @tenant_id
  AND (@state::text = '' OR l.state = @state::text OR (@state::text = 'open' AND l.closed_at IS NULL))
  AND (@kind::text = '' OR l.kind = @kind::text)
  AND (@severity::int = 0 OR l.severity >= @severity::int)
  AND (sqlc.narg('asset_id')::uuid IS NULL OR l.asset_id = sqlc.narg('asset_id')::uuid)
  AND (@search::text = '' OR strpos(a.search_text, @search::text) > 0)
ORDER BY l.closed_at IS NOT NULL, CASE WHEN l.closed_at IS NULL THEN l.severity ELSE 0 END DESC, l.raised_at DESC, l.id
LIMIT @page_size OFFSET @skip;

-- name: AlertDetail :one
SELECT sqlc.embed(l), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en,
  coalesce(i.name, '')::text AS integration,
  coalesce(k.name_ar, '')::text AS acknowledged_ar, coalesce(k.name_en, '')::text AS acknowledged_en,
  coalesce(c.name_ar, '')::text AS closed_ar, coalesce(c.name_en, '')::text AS closed_en
FROM core.alerts l
LEFT JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
LEFT JOIN core.integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
LEFT JOIN core.users k ON k.tenant_id = l.tenant_id AND k.id = l.acknowledged_by
LEFT JOIN core.users c ON c.tenant_id = l.tenant_id AND c.id = l.closed_by
WHERE l.tenant_id = @tenant_id AND l.id = @id;

-- name: AlertLabels :many
-- The verdicts on an alert, newest first.
SELECT sqlc.embed(b), u.name_ar, u.name_en FROM ai.labels b
JOIN core.users u ON u.tenant_id = b.tenant_id AND u.id = b.given_by
WHERE b.tenant_id = @tenant_id AND b.alert_id = @alert_id ORDER BY b.given_at DESC, b.id;

-- name: AddLabel :exec
INSERT INTO ai.labels (tenant_id, alert_id, asset_id, verdict, reason_code, note, episode_from, episode_to, score, detail, given_by)
VALUES (@tenant_id, @alert_id, @asset_id, @verdict, @reason_code, @note, @episode_from, @episode_to, @score, @detail, @given_by);

-- name: JudgeAlert :execrows
-- Who acknowledges or confirms takes notice of an open alert; a judgement that
-- there is nothing to do closes it.
UPDATE core.alerts SET state = @state::text,
  acknowledged_at = coalesce(acknowledged_at, now()), acknowledged_by = coalesce(acknowledged_by, @actor_id::uuid),
  closed_at = CASE WHEN @state::text IN ('false', 'expected') THEN now() ELSE closed_at END,
  closed_by = CASE WHEN @state::text IN ('false', 'expected') THEN @actor_id::uuid ELSE closed_by END
WHERE tenant_id = @tenant_id AND id = @id AND closed_at IS NULL;

-- name: APIAlerts :many
-- One page of alerts, newest first, after an alert that was already given.
SELECT sqlc.embed(l), coalesce(a.tag, '')::text AS tag FROM core.alerts l
LEFT JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id
  AND (@state::text = '' OR l.state = @state::text OR (@state::text = 'open' AND l.closed_at IS NULL))
  AND (@kind::text = '' OR l.kind = @kind::text)
  AND (sqlc.narg('asset_id')::uuid IS NULL OR l.asset_id = sqlc.narg('asset_id')::uuid)
  AND (sqlc.narg('before_at')::timestamptz IS NULL OR (l.raised_at, l.id) < (sqlc.narg('before_at')::timestamptz, @before_id::uuid))
ORDER BY l.raised_at DESC, l.id DESC LIMIT @page_size;
