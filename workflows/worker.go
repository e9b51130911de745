package workflows

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/optria-iq/optria/activities"
)

// drain is how long a stopping worker lets activities finish. A solve that is
// cut off resumes elsewhere from what it heartbeat last.
const drain = 10 * time.Second

// heartbeatAtMost is the longest time between two heartbeats that reach the
// server, and so about how long a cancellation takes to arrive.
const heartbeatAtMost = 2 * time.Second

// concurrency is the number of activities at a time per queue: solves and
// scores keep a core busy each, polls and control work wait for others, and a
// stream waits for its source most of the time.
var concurrency = map[string]int{QueueControl: 16, QueueIngest: 8, QueueStream: 250, QueueScoring: 2, QueueSolve: 2, QueueTraining: 1}

// Workers polls the queues of one process.
type Workers struct {
	queues []worker.Worker
	fatal  chan error
}

// NewWorkers assembles one worker per queue. Workflows run on the control
// queue only; activities run where their options send them.
func NewWorkers(c *Client, set *activities.Set) *Workers {
	w := &Workers{fatal: make(chan error, len(concurrency))}
	for _, queue := range []string{QueueControl, QueueIngest, QueueStream, QueueScoring, QueueSolve, QueueTraining} {
		options := worker.Options{
			MaxConcurrentActivityExecutionSize: concurrency[queue],
			MaxConcurrentActivityTaskPollers:   2,
			MaxConcurrentWorkflowTaskPollers:   4,
			DisableWorkflowWorker:              queue != QueueControl,
			WorkerStopTimeout:                  drain,
			DisableRegistrationAliasing:        true,
			MaxHeartbeatThrottleInterval:       heartbeatAtMost,
			Interceptors:                       []interceptor.WorkerInterceptor{&tenantGuard{}, &activities.Faults{}},
			OnFatalError:                       func(err error) { w.fatal <- fmt.Errorf("worker of %s: %w", queue, err) },
		}
		q := worker.New(c.temporal, queue, options)
		if queue == QueueControl {
			RegisterWorkflows(q)
		}
		set.Register(q)
		w.queues = append(w.queues, q)
	}
	return w
}

// Run polls until the context ends, then lets running activities finish for a
// short while. It returns an error when a worker cannot go on.
func (w *Workers) Run(ctx context.Context) error {
	started := 0
	defer func() {
		for _, q := range w.queues[:started] {
			q.Stop()
		}
	}()
	for _, q := range w.queues {
		if err := q.Start(); err != nil {
			return fmt.Errorf("start worker: %w", err)
		}
		started++
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.fatal:
		return err
	}
}
