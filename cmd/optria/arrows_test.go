package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/optria-iq/optria/"

// forbidden lists the arrows that docs/ARCHITECTURE.md does not draw: a
// package below from may not import one below to.
var forbidden = []struct{ from, to, why string }{
	{"workflows", "db", "workflows are deterministic and reach data through activities"},
	{"workflows", "web", "workflows do not know who watches them"},
	{"workflows", "internal/optimize", "solving belongs in activities"},
	{"workflows", "internal/scoring", "scoring belongs in activities"},
	{"web", "activities", "the web tier starts workflows, it does not do their work"},
	{"activities", "web", "activities do not know the web tier"},
	{"db", "web", "the database layer is below the web tier"},
	{"db", "workflows", "the database layer is below workflows"},
	{"internal", "db", "engines are pure"},
	{"internal", "web", "engines are pure"},
	{"internal", "workflows", "engines are pure"},
	{"internal", "activities", "engines are pure"},
}

// outside lists libraries that engines may not use, with the rooms excepted.
var outside = map[string][]string{
	"go.temporal.io/":          {"internal/testkit", "internal/devstack"},
	"github.com/jackc/pgx":     {"internal/testkit", "internal/devstack", "internal/connector/sqldb"},
	"github.com/go-chi/":       nil,
	"github.com/gopcua/":       {"internal/connector/opcua"},
	"github.com/chromedp/":     {"internal/testkit"},
	"github.com/alexedwards/":  nil,
	"github.com/danielgtaylor": nil,
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	require.NoError(t, err)
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

func below(path, room string) bool {
	return path == module+room || strings.HasPrefix(path, module+room+"/")
}

func TestArrows(t *testing.T) {
	t.Parallel()
	all := packages(t)
	require.Greater(t, len(all), 20)
	for _, p := range all {
		for _, imported := range p.Imports {
			for _, f := range forbidden {
				require.False(t, below(p.ImportPath, f.from) && below(imported, f.to), "%s imports %s: %s", p.ImportPath, imported, f.why)
			}
			if !below(p.ImportPath, "internal") {
				continue
			}
			for library, rooms := range outside {
				allowed := false
				for _, room := range rooms {
					allowed = allowed || below(p.ImportPath, room)
				}
				require.False(t, strings.HasPrefix(imported, library) && !allowed, "%s imports %s: engines are pure", p.ImportPath, imported)
			}
		}
	}
}
