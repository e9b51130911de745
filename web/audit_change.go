package web

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// auditChange is one value before and after an event; an empty text means it
// was not there.
type auditChange struct {
	Name, Before, After string
	Same                bool
}

// Bounds of what one event shows: values and the length of each.
const (
	maxChanges = 60
	maxValue   = 300
)

// auditChanges compares the states around an event value by value.
func auditChanges(before, after json.RawMessage) []auditChange {
	old, fresh := map[string]string{}, map[string]string{}
	flatten(old, "", before)
	flatten(fresh, "", after)
	var names []string
	for name := range old {
		names = append(names, name)
	}
	for name := range fresh {
		if _, known := old[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > maxChanges {
		names = names[:maxChanges]
	}
	out := make([]auditChange, 0, len(names))
	for _, name := range names {
		out = append(out, auditChange{Name: name, Before: bounded(old[name], maxValue), After: bounded(fresh[name], maxValue), Same: old[name] == fresh[name]})
	}
	return out
}

// flatten writes the values of a JSON object under dotted names. Lists stay
// one value, because a change of a list is read as a whole.
func flatten(into map[string]string, prefix string, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil && object != nil {
		for name, v := range object {
			flatten(into, strings.TrimPrefix(prefix+"."+name, "."), v)
		}
		return
	}
	if prefix == "" {
		prefix = "value"
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		into[prefix] = text
		return
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		into[prefix] = strings.Join(list, ", ")
		return
	}
	into[prefix] = string(raw)
}

// An export is bounded; it is read in pages so that the database never builds
// it as a whole.
const (
	exportRows = 10_000
	exportPage = 1_000
)

// exportAudit sends the filtered log as CSV with its hashes, newest first.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) error {
	f := readAuditFilter(r.URL.Query(), access.From(r.Context()))
	var rows []db.AuditLog
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		f.params.PageSize = exportPage
		for len(rows) < exportRows {
			page, err := q.ListAuditLogs(ctx, tx, f.params)
			if err != nil {
				return fmt.Errorf("read audit log: %w", err)
			}
			rows = append(rows, page...)
			if len(page) < exportPage {
				break
			}
			f.params.BeforeSeq = page[len(page)-1].Seq
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "audit.exported", ObjectType: "audit", ObjectID: strconv.Itoa(len(rows))})
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit-`+time.Now().In(riyadhZone).Format(time.DateOnly)+`.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	return writeAuditCSV(w, rows)
}

func writeAuditCSV(w http.ResponseWriter, rows []db.AuditLog) error {
	if _, err := w.Write([]byte("\ufeff")); err != nil { // spreadsheets read Arabic as UTF-8 only with this mark
		return fmt.Errorf("send export: %w", err)
	}
	c := csv.NewWriter(w)
	lines := [][]string{{"seq", "occurred_at", "actor_kind", "actor_id", "actor_name", "action", "object_type", "object_id", "before", "after", "remote_addr", "request_id", "prev_hash", "hash"}}
	for _, x := range rows {
		actor := ""
		if x.ActorID != nil {
			actor = x.ActorID.String()
		}
		lines = append(lines, []string{strconv.FormatInt(x.Seq, 10), x.OccurredAt.UTC().Format(time.RFC3339Nano), x.ActorKind, actor, inert(x.ActorName), inert(x.Action),
			inert(x.ObjectType), inert(x.ObjectID), inert(string(x.BeforeState)), inert(string(x.AfterState)), x.RemoteAddr, inert(x.RequestID), hex.EncodeToString(x.PrevHash), hex.EncodeToString(x.Hash)})
	}
	if err := c.WriteAll(lines); err != nil {
		return fmt.Errorf("send export: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet from running a text as a formula.
func inert(v string) string {
	if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
		return "'" + v
	}
	return v
}
