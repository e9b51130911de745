package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// A poller counts as present when it asked for work within pollerFresh, a bit
// more than one long poll. Upkeep counts as stuck when its schedule has not
// started it within upkeepFresh: it skips while a round hangs for want of
// workers.
const (
	pollerFresh = 90 * time.Second
	upkeepFresh = 3*time.Minute + upkeepEvery
)

// Liveness is what can be said about the workers from outside.
type Liveness struct {
	Pollers    map[string]int // workers present per queue
	LastUpkeep time.Time      // zero before the first round
	Problems   []string       // empty when all is well, for operators
}

// Healthy reports whether every queue is polled and upkeep is not stuck.
func (l Liveness) Healthy() bool { return len(l.Problems) == 0 }

// Alive asks Temporal who polls the queues and when upkeep last started. The
// error means that Temporal itself does not answer.
func (c *Client) Alive(ctx context.Context) (Liveness, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	alive := Liveness{Pollers: map[string]int{}}
	for _, queue := range []string{QueueControl, QueueIngest, QueueScoring, QueueSolve, QueueTraining} {
		n, err := c.pollers(ctx, queue)
		if err != nil {
			return alive, fmt.Errorf("look for workers: %w", asFault(err))
		}
		alive.Pollers[queue] = n
		if n == 0 {
			alive.Problems = append(alive.Problems, "no worker polls "+queue)
		}
	}
	if err := c.upkeepAge(ctx, &alive); err != nil {
		return alive, fmt.Errorf("look for upkeep: %w", asFault(err))
	}
	slices.Sort(alive.Problems)
	return alive, nil
}

// pollers counts fresh pollers of a queue. On the control queue the scarcer of
// workflow and activity pollers counts, because both are needed.
func (c *Client) pollers(ctx context.Context, queue string) (int, error) {
	n, err := c.pollersOf(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil || queue != QueueControl {
		return n, err
	}
	deciders, err := c.pollersOf(ctx, queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	return min(n, deciders), err
}

func (c *Client) pollersOf(ctx context.Context, queue string, kind enumspb.TaskQueueType) (int, error) {
	described, err := c.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: c.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL}, TaskQueueType: kind,
	})
	if err != nil {
		return 0, err
	}
	fresh := 0
	for _, p := range described.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerFresh {
			fresh++
		}
	}
	return fresh, nil
}

// upkeepAge notes the last start of upkeep and whether it is overdue. Before
// the first round the age of the schedule counts.
func (c *Client) upkeepAge(ctx context.Context, alive *Liveness) error {
	described, err := c.temporal.ScheduleClient().GetHandle(ctx, UpkeepID).Describe(ctx)
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		alive.Problems = append(alive.Problems, "upkeep has no schedule")
		return nil
	}
	if err != nil {
		return err
	}
	since := described.Info.CreatedAt
	if recent := described.Info.RecentActions; len(recent) > 0 {
		alive.LastUpkeep = recent[len(recent)-1].ActualTime
		since = alive.LastUpkeep
	}
	if time.Since(since) > upkeepFresh {
		alive.Problems = append(alive.Problems, "upkeep has not started since "+since.UTC().Format(time.RFC3339))
	}
	return nil
}
