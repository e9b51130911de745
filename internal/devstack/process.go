// Package devstack runs what the product needs around it on a developer's
// machine and in tests: a private PostgreSQL server, a Temporal development
// server, and the product's own processes, all supervised and all gone when
// the process that started them is gone.
//
// It is development tooling and the stated exception to the rule that internal
// packages do not know the database driver.
package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Back-off between restarts of a child: it doubles from the first to the last
// and starts over once a child has run for a while.
const (
	firstPause  = 200 * time.Millisecond
	lastPause   = 10 * time.Second
	steadyAfter = 30 * time.Second
)

// defaultGrace is how long a child may take to stop before it is killed.
const defaultGrace = 10 * time.Second

// Process describes a child to keep alive.
type Process struct {
	// Name stands in front of every line that the child prints.
	Name string
	// Path is the program, Args its arguments without the program's name.
	Path string
	Args []string
	// Env is the whole environment; nil inherits that of this process.
	Env []string
	// Dir is the working directory; empty inherits.
	Dir string
	// Log receives the child's output line by line; nil discards it.
	Log io.Writer
	// StopSignal asks the child to stop; SIGTERM when zero. The kernel sends
	// it as well when this process dies (on Linux).
	StopSignal syscall.Signal
	// Grace is how long the child may take to stop; ten seconds when zero.
	Grace time.Duration
	// User runs the child under another account; nil keeps this one.
	User *syscall.Credential
}

// Supervised is a child that is restarted when it dies.
type Supervised struct {
	process Process
	output  *lineWriter
	cancel  context.CancelFunc
	done    chan struct{}

	mu       sync.Mutex
	pid      int
	restarts int
}

// Supervise starts p and restarts it with a growing pause whenever it dies,
// until ctx ends or Stop is called. An error means that the first start was
// not possible at all, for example because the program does not exist.
func Supervise(ctx context.Context, p Process) (*Supervised, error) {
	if p.StopSignal == 0 {
		p.StopSignal = syscall.SIGTERM
	}
	if p.Grace == 0 {
		p.Grace = defaultGrace
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Supervised{process: p, output: newLineWriter(p.Name, p.Log), cancel: cancel, done: make(chan struct{})}
	first := make(chan error, 1)
	go s.keep(ctx, first)
	if err := <-first; err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	return s, nil
}

// Stop asks the child to stop, kills it when it does not within its grace
// period, and returns when it is gone. It may be called more than once.
func (s *Supervised) Stop() {
	s.cancel()
	<-s.done
}

// Done is closed when the child is gone for good.
func (s *Supervised) Done() <-chan struct{} { return s.done }

// PID is the process id of the running child, or 0 between two.
func (s *Supervised) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Restarts counts how often the child was started again.
func (s *Supervised) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

// LastLines returns the end of the child's output, for an error message.
func (s *Supervised) LastLines() string { return s.output.tail() }

// keep runs child after child. It stays on one operating-system thread,
// because the kernel's parent-death signal follows the thread that forked.
func (s *Supervised) keep(ctx context.Context, first chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	pause := firstPause
	for {
		started := time.Now()
		cmd := s.command()
		err := cmd.Start()
		if err == nil {
			s.setPID(cmd.Process.Pid)
		}
		if first != nil {
			first <- err
			first = nil
			if err != nil {
				return
			}
		}
		if err == nil {
			err = s.attend(ctx, cmd)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > steadyAfter {
			pause = firstPause
		}
		s.output.line(fmt.Sprintf("died (%v), starting again in %v", err, pause))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
	}
}

func (s *Supervised) command() *exec.Cmd {
	cmd := exec.Command(s.process.Path, s.process.Args...) // #nosec G204 -- running the given program is this type's purpose
	cmd.Env, cmd.Dir = s.process.Env, s.process.Dir
	cmd.Stdout, cmd.Stderr = s.output, s.output
	cmd.SysProcAttr = processAttributes(s.process.StopSignal, s.process.User)
	// Grandchildren may hold the output open; do not wait for them for ever.
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// attend waits for the child and, when ctx ends first, stops it.
func (s *Supervised) attend(ctx context.Context, cmd *exec.Cmd) error {
	defer s.setPID(0)
	stopped := context.AfterFunc(ctx, func() { s.stop(cmd.Process) })
	defer stopped()
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}

// stop sends the stop signal and, after the grace period, kills the child's
// whole process group.
func (s *Supervised) stop(process *os.Process) {
	if err := process.Signal(s.process.StopSignal); err != nil {
		return
	}
	select {
	case <-s.done:
	case <-time.After(s.process.Grace):
		s.output.line("did not stop in time, killing it")
		if err := syscall.Kill(-process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.output.line(fmt.Sprintf("kill: %v", err))
		}
	}
}

func (s *Supervised) setPID(pid int) {
	s.mu.Lock()
	s.pid = pid
	s.mu.Unlock()
}

// tailLines is how many lines of output an error message can quote.
const tailLines = 12

// lineWriter prefixes lines with a name, hands each over in one write, and
// keeps the last few.
type lineWriter struct {
	prefix string
	out    io.Writer

	mu      sync.Mutex
	pending []byte
	last    []string
}

func newLineWriter(name string, out io.Writer) *lineWriter {
	if out == nil {
		out = io.Discard
	}
	return &lineWriter{prefix: name + " | ", out: out}
}

// Write takes output in pieces of any size. It never fails: a broken log must
// not stop the child.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, p...)
	for {
		i := strings.IndexByte(string(w.pending), '\n')
		if i < 0 {
			return len(p), nil
		}
		w.emit(strings.TrimRight(string(w.pending[:i]), "\r"))
		w.pending = w.pending[i+1:]
	}
}

func (w *lineWriter) line(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.emit(text)
}

func (w *lineWriter) emit(text string) {
	w.last = append(w.last, text)
	if len(w.last) > tailLines {
		w.last = w.last[1:]
	}
	// The log is for people; an error of it is not the child's.
	_, _ = io.WriteString(w.out, w.prefix+text+"\n")
}

func (w *lineWriter) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.last, "\n")
}
