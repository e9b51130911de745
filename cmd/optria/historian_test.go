package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/testkit"
)

// The commands of the historian answer on a database without readings, and
// refuse what they cannot understand before they touch one.
func TestHistorianCommands(t *testing.T) {
	t.Setenv("OPTRIA_DB_URL", testkit.Database(t, testkit.Template{Key: "db", Build: db.Prepare}))
	dir, today := t.TempDir(), time.Now().UTC().Format(time.DateOnly)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"status"}, 0, ""},
		{[]string{"pack"}, 0, ""},
		{[]string{"archive", "--before", today, "--dir", dir}, 0, ""},
		{[]string{"archive", "--before", "yesterday", "--dir", dir}, 1, "--before must be a day"},
		{[]string{"archive", "--before", today}, 1, "--dir is missing"},
		{[]string{"restore", "--day", today, "--dir", dir}, 1, "historian.nothing_archived"},
		{[]string{"purge"}, 1, "use: optria historian"},
		{nil, 1, "use: optria historian"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"historian"}, c.args...), &stdout, &stderr)
		require.Equal(t, c.code, code, "%v: %s", c.args, stderr.String())
		require.Contains(t, stderr.String(), c.says)
	}
}
