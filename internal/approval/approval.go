// Package approval holds the rules of deciding on a plan that web tier,
// activities and workflow share: until when a decision is due, when people are
// reminded, when a plan expires, who stands in for whom, and the hash of what
// is decided on. It is pure.
package approval

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/calendar"
)

// Rules say how a tenant decides. Hours are working hours of its calendar, days
// are calendar days.
type Rules struct {
	DecisionHours, ReminderHours float64
	ExpiryDays                   int
}

// Deadlines are the moments that the wait for a decision passes through. No
// reminder is due when Remind is zero.
type Deadlines struct {
	Remind, Due, Expire time.Time
}

// Due returns the moment until which a plan proposed at a time is to be
// decided. It fails with code Invalid when the calendar has no working time.
func (r Rules) Due(c *calendar.Calendar, proposed time.Time) (time.Time, error) {
	return c.AddWorkingHours(proposed, hours(r.DecisionHours))
}

// Deadlines returns the moments of a plan whose due time is set. A reminder
// that would come before the proposal itself is left out.
func (r Rules) Deadlines(c *calendar.Calendar, proposed, due time.Time) Deadlines {
	d := Deadlines{Due: due, Expire: proposed.AddDate(0, 0, r.ExpiryDays)}
	if r.ReminderHours <= 0 || c.WorkingBetween(proposed, due) <= hours(r.ReminderHours) {
		return d
	}
	d.Remind = c.SubtractWorkingHours(due, hours(r.ReminderHours))
	return d
}

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// StandsInFor picks the person in whose place a deputy may approve a plan: the
// first of those who gave their approvals away and neither launched nor
// proposed it. ok is false when there is none; then eyes tells that there was
// somebody, but the plan is their own.
func StandsInFor(from []uuid.UUID, launched, proposed uuid.UUID) (person uuid.UUID, ok, eyes bool) {
	i := slices.IndexFunc(from, func(id uuid.UUID) bool { return id != launched && id != proposed })
	if i < 0 {
		return uuid.Nil, false, len(from) > 0
	}
	return from[i], true, false
}

// ContentSHA256 is the hash of what a plan asks to be decided on: the hash of
// the run's input, the verified output, and the ids of the recommendations that
// the proposer left out. The output counts by its value, not by its spelling:
// members in order of their names, numbers as they are written.
func ContentSHA256(input []byte, output json.RawMessage, withheld []uuid.UUID) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("read output: %w", err)
	}
	ids := make([]string, len(withheld))
	for i, id := range withheld {
		ids[i] = id.String()
	}
	slices.Sort(ids)
	text, err := json.Marshal(struct {
		Input    string   `json:"input_sha256"`
		Output   any      `json:"output"`
		Withheld []string `json:"withheld"`
	}{fmt.Sprintf("%x", input), value, slices.Compact(ids)})
	if err != nil {
		return nil, fmt.Errorf("encode content: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
