package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// api is a product that answers calls in turn, the last answer for ever.
type api struct {
	*httptest.Server
	mu      sync.Mutex
	answers []reply
	calls   []call
}

type reply struct {
	status int
	text   string
}

type call struct {
	what, token, key string
	body             map[string]any
}

func newAPI(t *testing.T, answers ...reply) *api {
	t.Helper()
	a := &api{answers: answers}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{what: r.Method + " " + r.URL.Path, token: r.Header.Get("Authorization"), key: r.Header.Get("Idempotency-Key")}
		if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&c.body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.calls = append(a.calls, c)
		answer := a.answers[0]
		if len(a.answers) > 1 {
			a.answers = a.answers[1:]
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write([]byte(answer.text))
	}))
	t.Cleanup(a.Close)
	return a
}

const made = `{"id": "4d0a0000-0000-4000-8000-000000000001"}`

// ask runs the command and returns what it printed.
func (a *api) ask(t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	var said, seen strings.Builder
	err = askForRun(t.Context(), append([]string{"--url", a.URL + "/"}, args...), &said, &seen)
	return said.String(), seen.String(), err
}

var planning = []string{"--problem", "maintenance_prioritization", "--title", "nightly", "--start", "2027-01-01", "--days", "14"}

// It is not parallel, nor are those below: they read the environment.
func TestRunAsksOnceThroughAnOutage(t *testing.T) {
	t.Setenv("OPTRIA_TOKEN", " from-the-environment\n")
	a := newAPI(t, reply{http.StatusServiceUnavailable, ""}, reply{http.StatusAccepted, made})
	out, _, err := a.ask(t, append(planning, "--schedule", "Nightly", "--key", "nightly-2027-01-01")...)
	require.NoError(t, err)
	require.Equal(t, "4d0a0000-0000-4000-8000-000000000001\n", out)
	want := call{what: "POST /api/v1/runs", token: "Bearer from-the-environment", key: "nightly-2027-01-01",
		body: map[string]any{"problem": "maintenance_prioritization", "title": "nightly", "start": "2027-01-01", "days": 14.0, "schedule": "Nightly"}}
	require.Equal(t, []call{want, want}, a.calls, "the repetition carries the same key")

	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("from-a-file\n"), 0o600))
	request := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, os.WriteFile(request, []byte(`{"problem": "spare_parts", "days": 90}`), 0o600))
	b := newAPI(t, reply{http.StatusAccepted, made})
	for range 2 {
		_, _, err = b.ask(t, "--token-file", file, "--file", request)
		require.NoError(t, err)
	}
	require.Equal(t, "Bearer from-a-file", b.calls[0].token)
	require.Equal(t, map[string]any{"problem": "spare_parts", "days": 90.0}, b.calls[0].body)
	require.GreaterOrEqual(t, len(b.calls[0].key), 8)
	require.NotEqual(t, b.calls[0].key, b.calls[1].key, "without a key each call is a run of its own")
}

func TestRunWaitsForTheEnd(t *testing.T) {
	t.Setenv("OPTRIA_TOKEN", "token")
	for state, code := range map[string]int{"done": 0, "failed": exitRunFailed, "cancelled": exitRunFailed, "running": exitWaited} {
		a := newAPI(t, reply{http.StatusAccepted, made}, reply{http.StatusOK, `{"state": "` + state + `"}`})
		out, progress, err := a.ask(t, append(planning, "--wait", "--timeout", "300ms")...)
		require.Contains(t, out, "4d0a", state)
		require.Equal(t, state+"\n", progress)
		require.Equal(t, "GET /api/v1/runs/4d0a0000-0000-4000-8000-000000000001", a.calls[1].what)
		require.Empty(t, a.calls[1].key)
		if code == 0 {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, errExit(code), err, state)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	t.Setenv("OPTRIA_TOKEN", "token")
	refused := `{"title": "Check the fields", "errors": [{"location": "body.schedule", "message": "There is no schedule Nightly"}]}`
	a := newAPI(t, reply{http.StatusUnprocessableEntity, refused})
	out, _, err := a.ask(t, planning...)
	require.ErrorContains(t, err, "422 Check the fields\n  body.schedule: There is no schedule Nightly")
	require.Empty(t, out)
	require.Len(t, a.calls, 1, "asking again would not help")
	for name, args := range map[string][]string{
		"no work": {}, "both": append([]string{"--file", "x.json"}, planning...), "a word too many": append(planning, "now"), "no such file": {"--file", "/nowhere/run.json"},
	} {
		_, _, err := a.ask(t, args...)
		require.Error(t, err, name)
	}
	require.Error(t, askForRun(t.Context(), append([]string{"--url", "ftp://optria.example"}, planning...), &strings.Builder{}, &strings.Builder{}))
	t.Setenv("OPTRIA_TOKEN", "")
	_, _, err = a.ask(t, planning...)
	require.ErrorContains(t, err, "--token-file")
	require.Len(t, a.calls, 1, "nothing is sent without a token")
}
