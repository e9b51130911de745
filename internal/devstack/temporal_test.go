package devstack_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/devstack"
)

func TestTemporalStartsAttachesAndStops(t *testing.T) {
	t.Parallel()
	binary, err := devstack.LocateTemporal()
	require.NoError(t, err, "make test builds it")
	out := new(log)
	dir := t.TempDir()
	server, err := devstack.StartTemporal(t.Context(), devstack.TemporalConfig{Binary: binary, Dir: dir, Namespace: "optria", Log: out})
	require.NoError(t, err, out.String())
	t.Cleanup(server.Stop)
	require.FileExists(t, filepath.Join(dir, "temporal-1.32.db"))
	require.Contains(t, out.String(), "temporal | Temporal server 1.32")

	reply, err := http.Get(server.UIURL() + "/namespaces/optria/workflows")
	require.NoError(t, err)
	require.NoError(t, reply.Body.Close())
	require.Equal(t, http.StatusOK, reply.StatusCode)

	port, err := strconv.Atoi(server.Address()[strings.LastIndexByte(server.Address(), ':')+1:])
	require.NoError(t, err)
	second, err := devstack.StartTemporal(t.Context(), devstack.TemporalConfig{Binary: "/does/not/exist", Port: port, Headless: true})
	require.NoError(t, err)
	second.Stop()
	require.Equal(t, server.Address(), second.Address())

	server.Stop()
	_, err = http.Get(server.UIURL())
	require.Error(t, err)
}

func TestTemporalThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "temporaldev")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho no luck today\nexit 3\n"), 0o755))
	_, err := devstack.StartTemporal(t.Context(), devstack.TemporalConfig{Binary: script, Ephemeral: true, Headless: true})
	require.ErrorContains(t, err, "no luck today")
}
