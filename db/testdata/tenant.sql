-- One row in every business table. {id} is the tenant and every id in it,
-- {private} a text that only this tenant may read, {signal} its signal.
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', '{code}', '{tenant}', '{tenant}', 'power');
INSERT INTO core.users (tenant_id, id, email, username, name_ar, name_en, password_hash, roles)
  VALUES ('{id}', '{id}', 'shared@example.com', 'shared', '{private}', '{private}', '{private}', '{viewer}');
INSERT INTO core.users (tenant_id, id, email, username, name_ar, name_en, password_hash, roles)
  VALUES ('{id}', '{other}', 'other@example.com', 'other', '{private}', '{private}', '{private}', '{tenant_admin}');
INSERT INTO core.one_time_credentials (tenant_id, id, user_id, ciphertext, created_by) VALUES ('{id}', '{id}', '{id}', convert_to('{private}', 'UTF8'), '{id}');
INSERT INTO core.break_glass_grants (tenant_id, id, actor_id, actor_name, reason, expires_at) VALUES ('{id}', '{id}', '{id}', '{private}', '{private} long enough', now() + interval '20 minutes');
INSERT INTO core.api_tokens (tenant_id, id, user_id, name, scopes, token_hash, created_by, expires_at) VALUES ('{id}', '{id}', '{id}', '{private}', '{read:results}', 'shared', '{id}', now() + interval '1 day');
INSERT INTO core.sso_identity_providers (tenant_id, id, name, protocol, issuer, client_id) VALUES ('{id}', '{id}', 'shared', 'oidc', '{private}', 'shared');
INSERT INTO core.audit_logs (tenant_id, seq, occurred_at, actor_kind, actor_name, action, object_type, object_id, prev_hash, hash) VALUES ('{id}', 1, now(), 'system', '{private}', 'shared', 'shared', 'shared', '', '');
INSERT INTO core.audit_heads (tenant_id, seq, hash) VALUES ('{id}', 1, '{private}');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'shared', '{private}', '{private}');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'shared', '{private}', '{private}');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'shared', '{private}', '{private}');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id) VALUES ('{id}', '{id}', '{id}', '{id}', 'shared', '{private}', '{private}', 'shared', 'shared', 'A', '{id}');
INSERT INTO core.asset_components (tenant_id, id, asset_id, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', '{private}', '{private}');
INSERT INTO core.asset_failure_modes (tenant_id, id, asset_id, component_id, code, name_ar, name_en, severity, occurrence, detectability) VALUES ('{id}', '{id}', '{id}', '{id}', 'shared', '{private}', '{private}', 1, 1, 1);
INSERT INTO core.redundancy_groups (tenant_id, id, site_id, name_ar, name_en, max_out) VALUES ('{id}', '{id}', '{id}', '{private}', '{private}', 1);
INSERT INTO core.redundancy_group_members (tenant_id, group_id, asset_id) VALUES ('{id}', '{id}', '{id}');
INSERT INTO core.crews (tenant_id, id, skill_id, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', '{private}', '{private}');
INSERT INTO core.technicians (tenant_id, id, crew_id, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', '{private}', '{private}');
INSERT INTO core.shared_resources (tenant_id, id, site_id, code, name_ar, name_en, units_available) VALUES ('{id}', '{id}', '{id}', 'shared', '{private}', '{private}', 1);
INSERT INTO core.asset_resource_needs (tenant_id, asset_id, resource_id, units) VALUES ('{id}', '{id}', '{id}', 1);
INSERT INTO core.calendars (tenant_id, id, profile, overrides) VALUES ('{id}', '{id}', 'shared', '{"x": "{private}"}');
INSERT INTO core.embargoes (tenant_id, id, site_id, from_day, to_day, reason_ar, reason_en) VALUES ('{id}', '{id}', '{id}', '2026-01-01', '2026-01-02', '{private}', '{private}');
INSERT INTO core.integrations (tenant_id, id, name, kind, endpoint) VALUES ('{id}', '{id}', 'shared', 'shared', '{private}');
INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ('{id}', '{id}', 'shared', convert_to('{private}', 'UTF8'));
INSERT INTO core.integration_syncs (tenant_id, id, integration_id, started_at, finished_at, status, error) VALUES ('{id}', '{id}', '{id}', now(), now(), 'ok', '{private}');
INSERT INTO telemetry.signals (tenant_id, id, asset_id, component_id, metric, name_ar, name_en) VALUES ('{id}', {signal}, '{id}', '{id}', 'shared', '{private}', '{private}');
SELECT telemetry.ensure_partitions(current_date, current_date + 1);
INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id) VALUES (date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', 424242, '{id}', {signal});
INSERT INTO telemetry.signal_latest (tenant_id, signal_id, ts, value, quality) VALUES ('{id}', {signal}, now(), 424242, 0);
INSERT INTO core.integration_mappings (tenant_id, id, integration_id, external_tag, asset_id, component_id, signal_id, source_unit) VALUES ('{id}', '{id}', '{id}', 'shared', '{id}', '{id}', {signal}, '{private}');
INSERT INTO ai.models (tenant_id, id, kind, version, metrics) VALUES ('{id}', '{id}', 'shared', 'shared', '{"x": "{private}"}');
INSERT INTO ai.scoring_sweeps (tenant_id, id, as_of, workflow_id) VALUES ('{id}', '{id}', '2026-01-01Z', '{private}');
INSERT INTO ai.asset_scores (tenant_id, asset_id, as_of, sweep_id, model_id, health_score, failure_probability_7, failure_probability_30, failure_probability_90,
    failure_probability_30_lo, failure_probability_30_hi, rul_days, rul_lo_days, rul_hi_days, anomaly_flag, anomaly_score, evidence_factor,
    production_risk_sar, production_risk_lo_sar, production_risk_hi_sar, production_risk_index, risk_level, coverage, trusted, confidence, detail)
  VALUES ('{id}', '{id}', '2026-01-01Z', '{id}', '{id}', 50, 0.1, 0.2, 0.3, 0.1, 0.3, 10, 5, 20, false, 0, 1, 1, 1, 1, 1, 3, 1, true, 1, '{"x": "{private}"}');
INSERT INTO ai.asset_score_latest (tenant_id, asset_id, as_of) VALUES ('{id}', '{id}', '2026-01-01Z');
INSERT INTO core.alerts (tenant_id, id, asset_id, signal_id, integration_id, kind, severity, dedupe_key, detail, raised_at, last_seen_at) VALUES ('{id}', '{id}', '{id}', {signal}, '{id}', 'shared', 1, 'shared', '{"x": "{private}"}', now(), now());
INSERT INTO optimization.optimization_cost_models (tenant_id, id, asset_id, kind, direct_cost) VALUES ('{id}', '{id}', '{id}', 'failure', 424242);
INSERT INTO optimization.optimization_runs (tenant_id, id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days) VALUES ('{id}', '{id}', 'maintenance_prioritization', '{private}', '{id}', 'shared-key', '{}', '{}', '2026-01-01', 30);
INSERT INTO optimization.run_events (tenant_id, run_id, stage, kind) VALUES ('{id}', '{id}', '{private}', 'stage');
INSERT INTO optimization.optimization_scenarios (tenant_id, id, run_id, preset, status, objective, verified, seconds, total_cost, risk_cost, downtime_hours, labour_hours, actions_planned, actions_deferred, output)
  VALUES ('{id}', '{id}', '{id}', 'balanced', 'optimal', 1, true, 1, 1, 1, 1, 1, 1, 1, '{"x": "{private}"}');
INSERT INTO optimization.optimization_recommendations (tenant_id, id, scenario_id, asset_id, rank, decision, start_on, end_on, skill_code, planned_cost, expected_cost, value_at_stake, failure_probability)
  VALUES ('{id}', '{id}', '{id}', '{id}', 1, 'do', '2026-01-01', '2026-01-02', '{private}', 1, 1, 1, 0.1);
INSERT INTO optimization.plans (tenant_id, id, run_id, scenario_id, launched_by, proposed_by, note, due_at) VALUES ('{id}', '{id}', '{id}', '{id}', '{id}', '{id}', '{private}', now() + interval '1 day');
INSERT INTO optimization.plan_decisions (tenant_id, id, plan_id, launched_by, proposed_by, actor_id, kind, comment) VALUES ('{id}', '{id}', '{id}', '{id}', '{id}', '{other}', 'endorsed', '{private}');
INSERT INTO core.work_orders (tenant_id, id, number, plan_id, recommendation_id, asset_id, title_ar, title_en, start_on, due_on, technician_id) VALUES ('{id}', '{id}', 1, '{id}', '{id}', '{id}', '{private}', '{private}', '2026-01-01', '2026-01-02', '{id}');
INSERT INTO core.shifts (tenant_id, id, code, name_ar, name_en, start_minute, minutes) VALUES ('{id}', '{id}', 'shared', '{private}', '{private}', 420, 480);
UPDATE core.technicians SET home_site_id = '{id}', shift_id = '{id}' WHERE tenant_id = '{id}';
INSERT INTO core.technician_skills (tenant_id, technician_id, skill_id, level) VALUES ('{id}', '{id}', '{id}', 1);
INSERT INTO core.travel_times (tenant_id, from_site_id, to_site_id, minutes) VALUES ('{id}', '{id}', '{id}', 424242);
INSERT INTO core.production_targets (tenant_id, id, site_id, code, name_ar, name_en, unit, shortfall_sar) VALUES ('{id}', '{id}', '{id}', 'shared', '{private}', '{private}', 'MWh', 424242);
INSERT INTO core.production_target_hours (tenant_id, target_id, hour, quantity) VALUES ('{id}', '{id}', 0, 424242);
INSERT INTO core.energy_tariffs (tenant_id, site_id, hour, sar_per_mwh) VALUES ('{id}', '{id}', 0, 424242);
INSERT INTO core.asset_operations (tenant_id, asset_id, target_id, load_min, load_rated, load_max) VALUES ('{id}', '{id}', '{id}', 1, 2, 424242);
INSERT INTO core.work_requests (tenant_id, id, asset_id, title_ar, title_en, kind, skill_id, hours, earliest, latest) VALUES ('{id}', '{id}', '{id}', '{private}', '{private}', 'corrective', '{id}', 1, '2026-01-01Z', '2026-01-02Z');
INSERT INTO optimization.optimization_runs (tenant_id, id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days, based_on, what_if)
  VALUES ('{id}', '{other}', 'maintenance_prioritization', '{private}', '{id}', 'shared-what-if', '{}', '{}', '2026-01-01', 30, '{id}', '[]');
INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour, mean_value, samples, stale) VALUES ('{id}', {signal}, '2026-01-01Z', 424242, 1, false);
INSERT INTO core.asset_lives (tenant_id, id, asset_id, ended_at, life_days, ended_by, mode_id, work_order_id, note, recorded_by) VALUES ('{id}', '{id}', '{id}', '2026-01-01Z', 100, 'failure', '{id}', '{id}', '{private}', '{id}');
INSERT INTO core.asset_inspections (tenant_id, id, asset_id, inspected_at, grade, note, inspected_by) VALUES ('{id}', '{id}', '{id}', '2026-01-01Z', 0.5, '{private}', '{id}');
INSERT INTO ai.training_runs (tenant_id, id, kind, reason, candidate_id, workflow_id, requested_by) VALUES ('{id}', '{id}', 'shared', 'manual', '{id}', '{private}', '{id}');
INSERT INTO ai.drift_checks (tenant_id, id, model_id, checked_at, input_drift, residual_drift, alarm, detail) VALUES ('{id}', '{id}', '{id}', '2026-01-01Z', 0.1, 0.1, false, '{"x": "{private}"}');
INSERT INTO ai.labels (tenant_id, id, alert_id, asset_id, verdict, note, episode_from, episode_to, given_by) VALUES ('{id}', '{id}', '{id}', '{id}', 'confirmed', '{private}', '2026-01-01Z', '2026-01-02Z', '{id}');
INSERT INTO ai.asset_baselines (tenant_id, asset_id, version, learned_from, learned_to, rows_used, artefact) VALUES ('{id}', '{id}', 1, '2026-01-01Z', '2026-01-02Z', 1, convert_to('{private}', 'UTF8'));
INSERT INTO telemetry.rollup_progress (tenant_id, marked_from) VALUES ('{id}', '2026-01-01');
INSERT INTO core.integration_nodes (tenant_id, integration_id, address, name, leaf, seen_at) VALUES ('{id}', '{id}', 'shared', '{private}', true, now());
INSERT INTO core.integration_backfills (tenant_id, id, integration_id, cause, from_ts, to_ts, reached_ts, error) VALUES ('{id}', '{id}', '{id}', 'outage', now() - interval '1 hour', now(), now(), '{private}');
INSERT INTO core.integration_messages (tenant_id, id, integration_id, message_id, digest, size_bytes, body) VALUES ('{id}', '{id}', '{id}', 'shared', '', 1, convert_to('{private}', 'UTF8'));
INSERT INTO core.external_assets (tenant_id, integration_id, external_id, kind, name, seen_at, asset_id) VALUES ('{id}', '{id}', 'shared', 'equipment', '{private}', now(), '{id}');
INSERT INTO core.external_orders (tenant_id, integration_id, external_id, kind, title, state, seen_at, asset_id) VALUES ('{id}', '{id}', 'shared', 'order', '{private}', 'open', now(), '{id}');
INSERT INTO telemetry.signal_minutes (tenant_id, signal_id, minute, mean_value, samples) VALUES ('{id}', {signal}, '2026-01-01Z', 424242, 1);
INSERT INTO telemetry.signal_days (tenant_id, signal_id, day, samples, steps, readings) VALUES ('{id}', {signal}, '2026-01-01', 1, '{0}', '{424242}');
INSERT INTO telemetry.historian_days (tenant_id, day, late, packed_at, samples) VALUES ('{id}', '2026-01-01', false, '2026-01-04Z', 1);
INSERT INTO telemetry.historian_archives (tenant_id, partition, day, rows, digest, file, file_bytes, file_sha256, verified_at) VALUES ('{id}', 'shared', '2025-01-01', 424242, 1, '{private}', 1, sha256('{private}'), now());
INSERT INTO core.integration_absences (tenant_id, mapping_id, since) VALUES ('{id}', '{id}', '2026-01-01Z');
INSERT INTO core.governance (tenant_id, escalate_to, updated_by, material_change_sar) VALUES ('{id}', '{id}', '{id}', 424242);
INSERT INTO core.delegations (tenant_id, id, from_user, to_user, starts_at, ends_at, reason, created_by) VALUES ('{id}', '{id}', '{id}', '{other}', now(), now() + interval '1 day', '{private}', '{id}');
INSERT INTO optimization.plan_comments (tenant_id, id, scenario_id, recommendation_id, plan_id, author_id, body) VALUES ('{id}', '{id}', '{id}', '{id}', '{id}', '{id}', '{private}');
INSERT INTO optimization.plan_withheld (tenant_id, plan_id, recommendation_id, stage, reason, actor_id) VALUES ('{id}', '{id}', '{id}', 'proposal', '{private}', '{id}');
INSERT INTO optimization.releases (tenant_id, id, plan_id, integration_id, requested_by) VALUES ('{id}', '{id}', '{id}', '{id}', '{id}');
INSERT INTO optimization.release_lines (tenant_id, release_id, line, recommendation_id, asset_id, action, idempotency_key, external_id, planned_start, planned_end) VALUES ('{id}', '{id}', 1, '{id}', '{id}', 'create', 'SHARED', '{private}', '2026-01-01Z', '2026-01-02Z');
INSERT INTO optimization.release_events (tenant_id, release_id, line, kind, actor_id, detail) VALUES ('{id}', '{id}', 1, 'written', '{id}', '{"x": "{private}"}');
INSERT INTO core.schedules (tenant_id, id, name, kind, cron, time_zone, pause_note, owner_id, account_id, created_by) VALUES ('{id}', '{id}', 'shared', 'sweep', '0 5 * * *', 'Asia/Riyadh', '{private}', '{id}', '{id}', '{id}');
INSERT INTO core.schedule_firings (tenant_id, id, schedule_id, due_at, cause, state, run_id, workflow_id) VALUES ('{id}', '{id}', '{id}', '2026-01-01Z', 'due', 'done', '{id}', '{private}');
INSERT INTO core.reports (tenant_id, id, schedule_id, from_day, to_day, content) VALUES ('{id}', '{id}', '{id}', '2026-01-01', '2026-01-07', '{"x": "{private}"}');
INSERT INTO core.idempotent_requests (tenant_id, account_id, key, operation, request_sha256, body) VALUES ('{id}', '{id}', 'shared-key', 'shared', sha256('{private}'), convert_to('{private}', 'UTF8'));
INSERT INTO core.events (tenant_id, id, kind, object_type, object_id, dedupe_key, payload) VALUES ('{id}', '{id}', 'plan.proposed', 'plan', '{id}', 'shared', '{"x": "{private}"}');
INSERT INTO core.notifications (tenant_id, id, event_id, user_id) VALUES ('{id}', '{id}', '{id}', '{id}');
INSERT INTO core.notification_settings (tenant_id, user_id, muted) VALUES ('{id}', '{id}', '{run.finished}');
INSERT INTO core.webhooks (tenant_id, id, name, url, kinds, secret, created_by) VALUES ('{id}', '{id}', '{private}', 'https://hooks.example', '{plan.proposed}', '', '{id}');
INSERT INTO core.deliveries (tenant_id, id, event_id, webhook_id, last_error) VALUES ('{id}', '{id}', '{id}', '{id}', '{private}');
INSERT INTO optimization.snapshots (tenant_id, sha256, content, size_bytes) VALUES ('{id}', sha256('shared'), convert_to('{private}', 'UTF8'), 1);
INSERT INTO optimization.reruns (tenant_id, id, run_id, requested_by, result) VALUES ('{id}', '{id}', '{id}', '{id}', '{"x": "{private}"}');
INSERT INTO optimization.dossiers (tenant_id, id, plan_id, format, language, sha256, audit_seq, created_by) VALUES ('{id}', '{id}', '{id}', 'html', 'ar', sha256('{private}'), 1, '{id}');
INSERT INTO core.audit_roots (tenant_id, day, last_seq, rows, root) VALUES ('{id}', '2026-01-01', 1, 1, sha256('{private}'));
INSERT INTO optimization.backtests (tenant_id, id, requested_by, from_day, to_day, step_days, horizon_days, result) VALUES ('{id}', '{id}', '{id}', '2025-01-01', '2025-12-31', 7, 30, '{"x": "{private}"}');
