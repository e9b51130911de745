package web

import (
	"encoding/json"
	"html/template"
	"time"

	"github.com/google/uuid"
)

// scheduleAlert is what the worker notes beside an alert about a schedule.
type scheduleAlert struct {
	ID          uuid.UUID       `json:"schedule_id"`
	Name        string          `json:"name"`
	Missed      int             `json:"missed"`
	Failures    int             `json:"failures"`
	Token       string          `json:"token"`
	EndedAt     time.Time       `json:"ended_at"`
	LastDue     time.Time       `json:"last_due"`
	ErrorKey    string          `json:"error_key"`
	ErrorDetail json.RawMessage `json:"error_detail"`
}

// text names the schedule and says what went wrong with it.
func (d scheduleAlert) text(p Page, kind string) template.HTML {
	l := p.Loc()
	switch kind {
	case "schedule_missed":
		return l.HTML("alerts.text.schedule_missed", "Name", d.Name, "Count", p.N("schedules.missed", d.Missed), "Due", l.Minute(d.LastDue))
	case "schedule_token":
		return l.HTML("alerts.text.schedule_token", "Name", d.Name, "Token", d.Token, "Ended", l.Minute(d.EndedAt))
	}
	return l.HTML("alerts.text.schedule_failing", "Name", d.Name, "Count", p.N("schedules.failures", d.Failures), "Reason", reasonOf(p, d.ErrorKey, d.ErrorDetail))
}
