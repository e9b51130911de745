package devstack_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/devstack"
)

// log is a writer that tests can read while children write.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestMain(m *testing.M) {
	if os.Getenv("DEVSTACK_PARENT") != "" {
		parent()
	}
	os.Exit(m.Run())
}

// parent supervises a child, prints its process id and waits to be killed.
func parent() {
	s, err := devstack.Supervise(context.Background(), devstack.Process{Name: "child", Path: "/bin/sleep", Args: []string{"300"}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.PID())
	<-s.Done()
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestSuperviseRestartsAKilledChild(t *testing.T) {
	t.Parallel()
	out := new(log)
	s, err := devstack.Supervise(t.Context(), devstack.Process{
		Name: "child", Path: "/bin/sh", Args: []string{"-c", "echo ready; exec sleep 300"}, Log: out,
	})
	require.NoError(t, err)
	ready := func(times int) func() bool {
		return func() bool { return strings.Count(out.String(), "child | ready\n") == times }
	}
	for round := range 2 {
		require.Eventually(t, ready(round+1), 10*time.Second, 5*time.Millisecond)
		require.NoError(t, syscall.Kill(s.PID(), syscall.SIGKILL))
	}
	require.Eventually(t, ready(3), 10*time.Second, 5*time.Millisecond)
	require.Equal(t, 2, s.Restarts())
	require.Contains(t, out.String(), "child | died (signal: killed)")

	last := s.PID()
	s.Stop()
	s.Stop()
	require.False(t, alive(last))
	require.Zero(t, s.PID())
}

func TestSuperviseKillsAStubbornChild(t *testing.T) {
	t.Parallel()
	out := new(log)
	s, err := devstack.Supervise(t.Context(), devstack.Process{
		Name: "stubborn", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"},
		Log: out, Grace: 200 * time.Millisecond,
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "ready") }, 10*time.Second, 5*time.Millisecond)
	pid := s.PID()
	s.Stop()
	require.False(t, alive(pid))
	require.Contains(t, out.String(), "did not stop in time")
}

func TestSuperviseReportsAMissingProgram(t *testing.T) {
	t.Parallel()
	_, err := devstack.Supervise(t.Context(), devstack.Process{Name: "ghost", Path: "/does/not/exist"})
	require.ErrorContains(t, err, "start ghost")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSuperviseStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := devstack.Supervise(ctx, devstack.Process{Name: "child", Path: "/bin/sleep", Args: []string{"300"}})
	require.NoError(t, err)
	pid := s.PID()
	cancel()
	<-s.Done()
	require.False(t, alive(pid))
}

// A child must not outlive a supervisor that is killed without warning.
func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DEVSTACK_PARENT=1")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var child int
	_, err = fmt.Fscan(stdout, &child)
	require.NoError(t, err)
	require.True(t, alive(child))

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return gone(child) }, 10*time.Second, 5*time.Millisecond)
}

// gone reports whether a process ended; one that waits to be reaped by init has.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
