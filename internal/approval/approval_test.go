package approval_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/calendar"
)

func standard(t *testing.T) (*calendar.Calendar, func(string) time.Time) {
	t.Helper()
	days, err := calendar.New(calendar.SaudiStandard())
	require.NoError(t, err)
	return days, func(clock string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", clock, days.Location())
		require.NoError(t, err)
		return at
	}
}

func TestDeadlinesCountWorkingHours(t *testing.T) {
	t.Parallel()
	days, at := standard(t)
	rules := approval.Rules{DecisionHours: 8, ReminderHours: 4, ExpiryDays: 30}
	proposed := at("2026-12-03 13:00") // a Thursday, two hours before the weekend
	due, err := rules.Due(days, proposed)
	require.NoError(t, err)
	require.Equal(t, at("2026-12-06 13:00"), due, "the weekend does not count")
	d := rules.Deadlines(days, proposed, due)
	require.Equal(t, approval.Deadlines{Remind: at("2026-12-06 09:00"), Due: due, Expire: at("2027-01-02 13:00")}, d)
	rules.ReminderHours = 7
	require.Equal(t, at("2026-12-03 14:00"), rules.Deadlines(days, proposed, due).Remind, "back over the weekend")
	for _, none := range []float64{0, 8, 400} {
		rules.ReminderHours = none
		require.Zero(t, rules.Deadlines(days, proposed, due).Remind, "a reminder of %v hours is none", none)
	}
}

func TestDeputyStandsInForSomebodyElse(t *testing.T) {
	t.Parallel()
	launched, proposed, third := uuid.New(), uuid.New(), uuid.New()
	person, ok, _ := approval.StandsInFor([]uuid.UUID{launched, third}, launched, proposed)
	require.True(t, ok)
	require.Equal(t, third, person)
	_, ok, own := approval.StandsInFor([]uuid.UUID{launched, proposed}, launched, proposed)
	require.False(t, ok)
	require.True(t, own, "there is somebody, but the plan is theirs")
	_, ok, own = approval.StandsInFor(nil, launched, proposed)
	require.False(t, ok || own)
}

func TestContentIsHashedByItsValue(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	hash := func(input string, output string, left ...uuid.UUID) string {
		sum, err := approval.ContentSHA256([]byte(input), json.RawMessage(output), left)
		require.NoError(t, err)
		return string(sum)
	}
	base := hash("in", `{"cost": 1.50, "jobs": [1, 2]}`, a, b)
	require.Equal(t, base, hash("in", `{"jobs":[1,2],"cost":1.50}`, b, a, b), "spelling and order of the lines left out do not count")
	for name, other := range map[string]string{
		"another input": hash("on", `{"cost": 1.50, "jobs": [1, 2]}`, a, b), "another number": hash("in", `{"cost": 1.51, "jobs": [1, 2]}`, a, b),
		"another order of jobs": hash("in", `{"cost": 1.50, "jobs": [2, 1]}`, a, b), "another line left out": hash("in", `{"cost": 1.50, "jobs": [1, 2]}`, a),
	} {
		require.NotEqual(t, base, other, name)
	}
	_, err := approval.ContentSHA256(nil, json.RawMessage(`{`), nil)
	require.Error(t, err)
}
