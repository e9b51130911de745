// Package schedule makes and changes the recurring work of a tenant, for the
// pages and for the API. It holds the rules that both obey: who may make whose
// schedule, what one may ask for, and what goes into the audit log.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/integration"
)

// Bounds of a schedule.
const (
	MaxName   = 120
	MaxNote   = 500
	MaxWindow = 10080 // minutes of the catch-up window
	MaxPerOne = 200   // schedules of a tenant
)

// Message keys of the refusals.
const (
	KeyNameTaken  = "schedules.error.name_taken"
	KeyOwner      = "schedules.error.owner"
	KeyOwnOnly    = "schedules.error.own_only"
	KeyAccount    = "schedules.error.account"
	KeyToken      = "schedules.error.token"
	KeyWindow     = "schedules.error.window"
	KeyStart      = "schedules.error.start"
	KeyTooMany    = "schedules.error.too_many"
	KeyNote       = "schedules.error.note"
	KeyUntil      = "schedules.error.until"
	KeyNotPaused  = "schedules.error.not_paused"
	KeyExternal   = "schedules.error.external"
	KeyRequired   = "field.required"
	KeyLong       = "field.long"
	KeyChoice     = "field.choice"
	KeyProblem    = "scenarios.error.problem"
	auditedObject = "schedule"
)

// Draft is a schedule as asked for. Request is read for kind optimization.
type Draft struct {
	Name, Trigger, Kind string
	Request             recurrence.Request
	Cron, Zone          string
	Exclusions          []recurrence.Exclusion
	Overlap             string
	WindowMinutes       int
	PauseOnFailure      bool
	Owner, Account      uuid.UUID
	Token               *uuid.UUID
}

// Problem is what is wrong with a field: a message key with its arguments in
// pairs.
type Problem struct {
	Key  string
	Args []any
}

// Invalid is a draft that was refused, by field: name, trigger, kind, cron,
// zone, exclusions, overlap, window, owner, account, token, start, or a field
// of the request as the rules of runs name it.
type Invalid struct{ Fields map[string]Problem }

// Error implements error.
func (e *Invalid) Error() string { return fmt.Sprintf("%d invalid fields", len(e.Fields)) }

// Editor changes schedules inside the caller's transaction.
type Editor struct {
	Tx     pgx.Tx
	Q      *db.Queries
	Origin integration.Origin
	Who    access.Principal
	Now    time.Time
}

// MayManage reports whether somebody may change a schedule: administrators any,
// engineers those that they own.
func MayManage(who access.Principal, owner uuid.UUID) bool {
	return who.Can(access.ManageSchedules) && !who.Service && (All(who) || owner == who.UserID)
}

// All reports whether somebody may change every schedule of the tenant.
func All(who access.Principal) bool { return who.Can(access.ManageUsers) && !who.Service }

// Create adds a schedule under an id that was chosen with the empty form, so
// that a form sent twice makes one.
func (e Editor) Create(ctx context.Context, id uuid.UUID, d Draft) (db.Schedule, error) {
	request, err := e.check(ctx, &d)
	if err != nil {
		return db.Schedule{}, err
	}
	many, err := e.Q.CountSchedules(ctx, e.Tx, e.Origin.Tenant)
	if err != nil {
		return db.Schedule{}, err
	}
	if many >= MaxPerOne {
		return db.Schedule{}, &Invalid{map[string]Problem{"name": {KeyTooMany, []any{"Max", MaxPerOne}}}}
	}
	excluded, err := json.Marshal(orEmpty(d.Exclusions))
	if err != nil {
		return db.Schedule{}, fmt.Errorf("encode exclusions: %w", err)
	}
	row, err := e.Q.AddSchedule(ctx, e.Tx, db.AddScheduleParams{TenantID: e.Origin.Tenant, ID: id, Name: d.Name, Trigger: d.Trigger, Kind: d.Kind, Request: request,
		Cron: d.Cron, TimeZone: d.Zone, Exclusions: excluded, Overlap: d.Overlap, CatchUpMinutes: int32(d.WindowMinutes), //nolint:gosec // checked
		PauseOnFailure: d.PauseOnFailure, OwnerID: d.Owner, AccountID: d.Account, TokenID: d.Token, CreatedBy: e.Who.UserID})
	if errors.Is(err, pgx.ErrNoRows) {
		return e.Q.GetSchedule(ctx, e.Tx, e.Origin.Tenant, id)
	}
	if err != nil {
		return row, named(err)
	}
	return row, e.audit(ctx, "schedule.created", row.ID, nil, recorded(row))
}

// Update changes a schedule.
func (e Editor) Update(ctx context.Context, id uuid.UUID, d Draft) (db.Schedule, error) {
	before, err := e.lock(ctx, id)
	if err != nil {
		return before, err
	}
	request, err := e.check(ctx, &d)
	if err != nil {
		return before, err
	}
	excluded, err := json.Marshal(orEmpty(d.Exclusions))
	if err != nil {
		return before, fmt.Errorf("encode exclusions: %w", err)
	}
	row, err := e.Q.SaveSchedule(ctx, e.Tx, db.SaveScheduleParams{TenantID: e.Origin.Tenant, ID: id, Name: d.Name, Trigger: d.Trigger, Kind: d.Kind, Request: request,
		Cron: d.Cron, TimeZone: d.Zone, Exclusions: excluded, Overlap: d.Overlap, CatchUpMinutes: int32(d.WindowMinutes), //nolint:gosec // checked
		PauseOnFailure: d.PauseOnFailure, OwnerID: d.Owner, AccountID: d.Account, TokenID: d.Token})
	if err != nil {
		return row, named(err)
	}
	return row, e.audit(ctx, "schedule.changed", id, recorded(before), recorded(row))
}

// Pause lets a schedule rest, until a moment or until somebody resumes it.
func (e Editor) Pause(ctx context.Context, id uuid.UUID, note string, until *time.Time) (db.Schedule, error) {
	before, err := e.lock(ctx, id)
	if err != nil {
		return before, err
	}
	note = strings.TrimSpace(note)
	if utf8.RuneCountInString(note) > MaxNote {
		return before, &Invalid{map[string]Problem{"note": {KeyNote, []any{"Max", MaxNote}}}}
	}
	if until != nil && (!until.After(e.Now) || until.After(e.Now.AddDate(2, 0, 0))) {
		return before, &Invalid{map[string]Problem{"until": {Key: KeyUntil}}}
	}
	row, err := e.Q.PauseSchedule(ctx, e.Tx, db.PauseScheduleParams{TenantID: e.Origin.Tenant, ID: id, PausedUntil: until, PauseNote: note})
	if err != nil {
		return row, err
	}
	return row, e.audit(ctx, "schedule.paused", id, map[string]any{"paused": before.Paused, "until": before.PausedUntil},
		map[string]any{"paused": true, "until": row.PausedUntil, "note": row.PauseNote})
}

// Resume ends a pause. Due times that passed meanwhile are not made up for.
func (e Editor) Resume(ctx context.Context, id uuid.UUID) (db.Schedule, error) {
	before, err := e.lock(ctx, id)
	if err != nil {
		return before, err
	}
	if !before.Paused {
		return before, fault.New(fault.Conflict, KeyNotPaused)
	}
	row, err := e.Q.ResumeSchedule(ctx, e.Tx, e.Now, e.Origin.Tenant, id)
	if err != nil {
		return row, err
	}
	return row, e.audit(ctx, "schedule.resumed", id, map[string]any{"paused": true, "until": before.PausedUntil, "note": before.PauseNote}, map[string]any{"paused": false})
}

// Archive ends a schedule and the alerts about it; its history stays.
func (e Editor) Archive(ctx context.Context, id uuid.UUID) (db.Schedule, error) {
	before, err := e.lock(ctx, id)
	if err != nil {
		return before, err
	}
	row, err := e.Q.ArchiveSchedule(ctx, e.Tx, e.Origin.Tenant, id)
	if err != nil {
		return row, err
	}
	if _, err := e.Q.ClearScheduleAlerts(ctx, e.Tx, e.Origin.Tenant, id); err != nil {
		return row, fmt.Errorf("clear alerts of schedule: %w", err)
	}
	return row, e.audit(ctx, "schedule.archived", id, recorded(before), nil)
}

// Trigger notes that somebody starts a schedule by hand, in their own name; the
// caller starts it after the commit.
func (e Editor) Trigger(ctx context.Context, id uuid.UUID) (recurrence.Firing, error) {
	s, err := e.lock(ctx, id)
	if err != nil {
		return recurrence.Firing{}, err
	}
	if s.Trigger == recurrence.External {
		return recurrence.Firing{}, fault.New(fault.Conflict, KeyExternal)
	}
	f := recurrence.Firing{TenantID: s.TenantID, ScheduleID: id, DueAt: e.Now.UTC().Truncate(time.Second), Cause: recurrence.Manual, By: &e.Who.UserID}
	return f, e.audit(ctx, "schedule.triggered", id, nil, map[string]any{"at": f.DueAt})
}

// lock holds a schedule that the editor may change. Others are told that it is
// not theirs, because everybody who reads results may see it.
func (e Editor) lock(ctx context.Context, id uuid.UUID) (db.Schedule, error) {
	s, err := e.Q.LockSchedule(ctx, e.Tx, e.Origin.Tenant, id)
	switch {
	case err != nil:
		return s, err
	case s.ArchivedAt != nil:
		return s, fault.New(fault.NotFound, "error.404.text")
	case !MayManage(e.Who, s.OwnerID):
		return s, fault.New(fault.Forbidden, KeyOwnOnly)
	}
	return s, nil
}

func (e Editor) audit(ctx context.Context, action string, id uuid.UUID, before, after any) error {
	return e.Origin.Audit(ctx, e.Tx, db.Entry{Action: action, ObjectType: auditedObject, ObjectID: id.String(), Before: before, After: after})
}

// recorded is a schedule as the audit log keeps it.
func recorded(s db.Schedule) map[string]any {
	return map[string]any{"name": s.Name, "trigger": s.Trigger, "kind": s.Kind, "request": s.Request, "cron": s.Cron, "time_zone": s.TimeZone,
		"exclusions": s.Exclusions, "overlap": s.Overlap, "catch_up_minutes": s.CatchUpMinutes, "pause_on_failure": s.PauseOnFailure,
		"owner_id": s.OwnerID, "account_id": s.AccountID, "token_id": s.TokenID}
}

// named turns a name that is taken into what is wrong with the field.
func named(err error) error {
	var f *fault.Error
	if errors.As(db.Fault(err), &f) && f.Key == "db.duplicate" {
		return &Invalid{map[string]Problem{"name": {Key: KeyNameTaken}}}
	}
	return err
}

func orEmpty(x []recurrence.Exclusion) []recurrence.Exclusion {
	if x == nil {
		return []recurrence.Exclusion{}
	}
	return x
}

// contains reports whether a choice is one of those offered.
func contains(offered []string, v string) bool { return slices.Contains(offered, v) }
