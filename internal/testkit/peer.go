package testkit

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peerStart is how long a counterpart may take until it is ready: seconds of
// a processor, which a busy machine spreads over minutes.
const peerStart = 3 * time.Minute

// Program is a counterpart of a connector that runs as a process of its own.
// It can be killed and started again on the same address.
type Program struct {
	t       testing.TB
	args    []string
	env     []string
	dir     string
	ready   string
	command *exec.Cmd
	exited  chan struct{}
}

// Node starts a script of the folder peers with Node.js and waits until it
// prints a line that begins with READY. Settings go through the environment,
// as NAME=value. It is killed at the end of the test.
func Node(t testing.TB, script string, env ...string) *Program {
	t.Helper()
	if _, err := os.Stat(filepath.Join(PeersDir(), "node_modules")); err != nil {
		t.Fatalf("counterparts are not installed (make deps installs them): %v", err)
	}
	return Start(t, PeersDir(), "READY", []string{"node", script}, env...)
}

// PeersDir is the folder of the counterparts that run on Node.js.
func PeersDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "peers")
}

// Start runs a program in a folder and waits until one of its lines contains
// ready; empty does not wait.
func Start(t testing.TB, dir, ready string, args []string, env ...string) *Program {
	t.Helper()
	p := &Program{t: t, args: args, env: env, dir: dir, ready: ready}
	t.Cleanup(p.Kill) // also of one that does not get ready
	p.Restart()
	return p
}

// Kill ends the program at once and waits for its end.
func (p *Program) Kill() {
	if p.command == nil {
		return
	}
	_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) // gone already is as good
	<-p.exited
	p.command = nil
}

// Pause stops the program without closing its connections; Resume lets it run.
func (p *Program) Pause()  { p.signal(syscall.SIGSTOP) }
func (p *Program) Resume() { p.signal(syscall.SIGCONT) }

func (p *Program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.command.Process.Pid, s); err != nil {
		p.t.Fatalf("signal %s: %v", p.args[0], err)
	}
}

// Restart starts the program, or starts it again after Kill.
func (p *Program) Restart() {
	p.t.Helper()
	p.Kill()
	p.command = exec.Command(p.args[0], p.args[1:]...) // #nosec G204 -- a program that the test names
	p.command.Dir, p.command.Env = p.dir, append(os.Environ(), p.env...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		p.t.Fatalf("pipe: %v", err)
	}
	p.command.Stdout, p.command.Stderr = in, in
	if err := p.command.Start(); err != nil {
		p.t.Fatalf("start %s (make deps installs it): %v", p.args[0], err)
	}
	_ = in.Close()
	p.exited = make(chan struct{})
	lines := make(chan string, 1024)
	go readLines(out, lines)
	go func(command *exec.Cmd, exited chan struct{}) {
		_ = command.Wait()
		close(exited)
	}(p.command, p.exited)
	p.awaitReady(lines)
}

// readLines keeps the program from blocking on its output; what nobody reads
// is dropped.
func readLines(out *os.File, lines chan<- string) {
	defer close(lines)
	defer out.Close()
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		select {
		case lines <- scanner.Text():
		default:
		}
	}
}

func (p *Program) awaitReady(lines <-chan string) {
	p.t.Helper()
	if p.ready == "" {
		return
	}
	var seen []string
	timeout := time.After(peerStart)
	for {
		select {
		case line, more := <-lines:
			if !more {
				p.t.Fatalf("%s ended before it was ready:\n%s", strings.Join(p.args, " "), strings.Join(seen, "\n"))
			}
			if strings.Contains(line, p.ready) {
				return
			}
			seen = append(seen, line)
		case <-timeout:
			p.t.Fatalf("%s is not ready after %s:\n%s", strings.Join(p.args, " "), peerStart, strings.Join(seen, "\n"))
		}
	}
}

// FreePort returns a port of the loopback interface that nothing listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
