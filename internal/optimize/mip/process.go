package mip

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/optria-iq/optria/internal/optimize/mip/wasm"
)

// solveChild starts this program again as a solver. A hang, a crash or a
// memory blow-up of the solver ends the child only.
func solveChild(ctx context.Context, m *Model, o Options, c *collector) error {
	c.best.Solver = "HiGHS " + wasm.Version + " (WebAssembly)"
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.Command(self) // #nosec G204 -- this program itself
	cmd.Env = append(os.Environ(), childVariable+"=1", "GOMAXPROCS=2")
	isolate(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open solver input: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("open solver output: %w", err)
	}
	stderr := &tail{}
	cmd.Stderr = stderr
	if err = cmd.Start(); err != nil {
		return fmt.Errorf("start solver: %w", err)
	}
	rq := newRequest(o)
	if o.Counted {
		rq.Step = m.step()
	}
	go feed(stdin, m, rq)
	done := make(chan struct{})
	stopped := make(chan bool, 1)
	go func() { stopped <- stopOnTime(ctx, cmd, stdin, o, done) }()
	last, pointErr := c.listen(stdout)
	waitErr := cmd.Wait()
	close(done)
	return c.conclude(last, <-stopped, pointErr, waitErr, stderr)
}

// feed sends the request. An error shows as the child's own complaint or its
// early end, so it is not reported twice.
func feed(w io.Writer, m *Model, rq request) {
	line, err := json.Marshal(rq)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	if err == nil {
		_ = m.encode(w)
	}
}

func newRequest(o Options) request {
	rq := request{CacheDir: cacheDir(), MemoryMiB: o.MemoryMiB, Integers: map[string]int{}, Options: map[string]any{}}
	for name, v := range o.values() {
		if i, ok := v.(int); ok {
			rq.Integers[name] = i
		} else {
			rq.Options[name] = v
		}
	}
	return rq
}

// values returns the options by their HiGHS names.
func (o Options) values() map[string]any {
	v := map[string]any{"random_seed": o.Seed, "mip_rel_gap": o.RelGap, "mip_abs_gap": o.AbsGap}
	v["time_limit"] = 1e6 // a limit must exist for a stop to reach the solver by its clock
	if o.TimeLimit > 0 {
		v["time_limit"] = o.TimeLimit.Seconds()
	}
	if o.MaxNodes > 0 {
		v["mip_max_nodes"] = o.MaxNodes
	}
	for name, x := range o.Extra {
		v[name] = x
	}
	return v
}

// stopOnTime asks the child to stop when ctx ends or its time is well over,
// kills it after the grace period, and says whether it was asked.
func stopOnTime(ctx context.Context, cmd *exec.Cmd, stdin io.Closer, o Options, done <-chan struct{}) bool {
	var over <-chan time.Time
	if o.TimeLimit > 0 && !o.Counted {
		over = time.After(o.TimeLimit + o.Grace)
	}
	select {
	case <-done:
		return false
	case <-ctx.Done():
	case <-over:
	}
	_ = stdin.Close() // the polite request; a child that is gone needs none
	select {
	case <-done:
	case <-time.After(o.Grace):
		kill(cmd)
	}
	return true
}

// listen reads messages until the child closes its output, and returns the
// final one and the first fault found in a point.
func (c *collector) listen(r io.Reader) (last message, fault error) {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for {
		var msg message
		if err := dec.Decode(&msg); err != nil {
			return last, fault // the end, or the torn line of a killed child
		}
		if len(msg.X) > 0 && (msg.Type == "incumbent" || usable(msg.Status)) {
			if err := c.point(msg.X); err != nil && fault == nil {
				fault = err
			}
		}
		if msg.Bound != nil {
			c.bound(*msg.Bound, msg.Nodes)
		}
		if msg.Type == "result" || msg.Type == "error" {
			last = msg
		}
	}
}

// usable says whether a result's point may be a solution at all; an
// infeasible or unbounded model comes with a meaningless one.
func usable(s Status) bool {
	return s == Optimal || s == TimeLimit || s == "interrupted" || s == "solution_limit" || s == "iteration_limit" || s == "objective_target"
}

// conclude judges how the child ended. One that was asked to stop before it
// had a result, perhaps while it was still receiving the model, counts as
// killed.
func (c *collector) conclude(last message, stopped bool, pointErr, waitErr error, stderr *tail) error {
	c.best.Status, c.best.RowDual, c.best.Work = last.Status, last.RowDual, last.Work
	switch {
	case last.Type == "result":
		if c.best.X == nil && last.Status == Optimal && pointErr != nil {
			return pointErr
		}
		return nil
	case stopped:
		c.best.Status = Killed
		return nil
	case last.Type == "error":
		return errors.New(last.Text)
	case waitErr != nil:
		return fmt.Errorf("solver process: %w: %s", waitErr, stderr.text)
	default:
		return errors.New("solver process ended without a result")
	}
}

// tail keeps the last bytes written to it.
type tail struct{ text []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if len(t.text) > 4096 {
		t.text = t.text[len(t.text)-4096:]
	}
	return len(p), nil
}
