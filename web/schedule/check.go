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
	"github.com/optria-iq/optria/internal/runs"
)

// check applies the rules to a draft and returns its request as stored. An
// Invalid error lists everything that is wrong.
func (e Editor) check(ctx context.Context, d *Draft) (json.RawMessage, error) {
	d.Name, d.Cron = strings.TrimSpace(d.Name), strings.Join(strings.Fields(d.Cron), " ")
	wrong := d.plain()
	if err := e.checkRule(ctx, *d, wrong); err != nil {
		return nil, err
	}
	if err := e.checkAccounts(ctx, *d, wrong); err != nil {
		return nil, err
	}
	request := json.RawMessage(`{}`)
	if d.Kind == recurrence.KindOptimization {
		var err error
		if request, err = e.checkRequest(ctx, *d, wrong); err != nil {
			return nil, err
		}
	}
	if len(wrong) > 0 {
		return nil, &Invalid{wrong}
	}
	return request, nil
}

// plain checks what needs no look at the database.
func (d Draft) plain() map[string]Problem {
	wrong := map[string]Problem{}
	switch n := utf8.RuneCountInString(d.Name); {
	case n == 0:
		wrong["name"] = Problem{Key: KeyRequired}
	case n > MaxName:
		wrong["name"] = Problem{KeyLong, []any{"Max", MaxName}}
	}
	for field, ok := range map[string]bool{
		"trigger": d.Trigger == recurrence.Internal || d.Trigger == recurrence.External,
		"kind":    contains(recurrence.Kinds(), d.Kind), "overlap": contains(recurrence.Overlaps(), d.Overlap),
	} {
		if !ok {
			wrong[field] = Problem{Key: KeyChoice}
		}
	}
	if d.Trigger == recurrence.External && d.Kind != recurrence.KindOptimization {
		wrong["trigger"] = Problem{Key: "schedules.error.external_kind"}
	}
	if d.WindowMinutes < 1 || d.WindowMinutes > MaxWindow {
		wrong["window"] = Problem{KeyWindow, []any{"Max", MaxWindow / 60}}
	}
	return wrong
}

// checkRule compiles the rule by the calendar of the tenant.
func (e Editor) checkRule(ctx context.Context, d Draft, wrong map[string]Problem) error {
	calendar, err := db.TenantCalendar(ctx, e.Tx, e.Origin.Tenant)
	if err != nil {
		return err
	}
	rule, err := recurrence.New(d.Cron, d.Zone, d.Exclusions, calendar)
	if err == nil {
		err = recurrence.CheckHolidays(d.Exclusions, calendar)
	}
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		field := "cron"
		switch f.Key {
		case recurrence.KeyZone:
			field = "zone"
		case recurrence.KeyExclusion, recurrence.KeyRange, recurrence.KeyHoliday:
			field = "exclusions"
		}
		wrong[field] = Problem{f.Key, pairs(f.Args)}
	case err != nil:
		return err
	case len(rule.Next(e.Now, 1)) == 0:
		wrong["exclusions"] = Problem{Key: "schedules.exclude.all"}
	}
	return nil
}

func pairs(args map[string]any) []any {
	var out []any
	for name, value := range args {
		out = append(out, name, value)
	}
	return out
}

// checkAccounts wants an owner who may run the work, a service account that is
// in use, and a token of that account.
func (e Editor) checkAccounts(ctx context.Context, d Draft, wrong map[string]Problem) error {
	owner, found, err := e.user(ctx, d.Owner)
	if err != nil {
		return err
	}
	need := access.ManageSchedules
	if capability, known := runs.CapabilityOf(d.Request.Problem); known && d.Kind == recurrence.KindOptimization {
		need = capability
	}
	able := found && slices.ContainsFunc(owner.Roles, func(r string) bool { return access.Allows(access.Role(r), need) })
	switch {
	case !able:
		wrong["owner"] = Problem{Key: KeyOwner}
	case !MayManage(e.Who, d.Owner):
		wrong["owner"] = Problem{Key: KeyOwnOnly}
	}
	account, found, err := e.user(ctx, d.Account)
	if err != nil {
		return err
	}
	if !found || !slices.Contains(account.Roles, string(access.ServiceAccount)) {
		wrong["account"] = Problem{Key: KeyAccount}
	}
	if d.Token == nil {
		return nil
	}
	token, err := e.Q.GetAPIToken(ctx, e.Tx, e.Origin.Tenant, *d.Token)
	if err != nil && fault.CodeOf(db.Fault(err)) != fault.NotFound {
		return err
	}
	if err != nil || token.APIToken.UserID != d.Account || token.APIToken.RevokedAt != nil || d.Trigger != recurrence.External {
		wrong["token"] = Problem{Key: KeyToken}
	}
	return nil
}

// user loads an account that is in use.
func (e Editor) user(ctx context.Context, id uuid.UUID) (db.User, bool, error) {
	u, err := e.Q.GetUser(ctx, e.Tx, e.Origin.Tenant, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return u, false, nil
	}
	return u, err == nil && u.IsActive && u.ArchivedAt == nil, err
}

// checkRequest applies the rules of runs to the request as if it were due now.
func (e Editor) checkRequest(ctx context.Context, d Draft, wrong map[string]Problem) (json.RawMessage, error) {
	if need, known := runs.CapabilityOf(d.Request.Problem); !known || !e.Who.Can(need) {
		wrong["problem"] = Problem{Key: KeyProblem}
		return nil, nil
	}
	if !contains(recurrence.StartRules(), d.Request.Start) {
		wrong["start"] = Problem{Key: KeyStart}
		return nil, nil
	}
	today := e.Now.UTC().Truncate(24 * time.Hour)
	scope, err := db.RunScope(ctx, e.Tx, e.Origin.Tenant, today)
	if err != nil {
		return nil, err
	}
	first, err := d.Request.First(e.Now, e.Now, time.UTC)
	if err != nil {
		return nil, err
	}
	title := d.Name
	if title == "" {
		title = "–" // the name is reported by itself
	}
	_, mistakes := d.Request.For(first, title).Check(scope)
	for _, m := range mistakes {
		wrong[m.Field] = Problem{m.Key, m.Args}
	}
	request, err := json.Marshal(d.Request)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return request, nil
}
