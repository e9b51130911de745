package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// patient retries until its caller gives up by time, ever more slowly.
func patient(attempts int32) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: attempts,
	}
}

// record is for short database work that must happen in the end, such as
// closing a run: it keeps trying for a quarter of an hour.
func record(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueControl, StartToCloseTimeout: 30 * time.Second, ScheduleToCloseTimeout: 15 * time.Minute,
		RetryPolicy: patient(0), DisableEagerExecution: true, Summary: summary,
	})
}

// answer is for database work that a person waits for: it gives up after
// twenty seconds, so that the page can say what happened.
func answer(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueControl, StartToCloseTimeout: 10 * time.Second, ScheduleToCloseTimeout: 20 * time.Second,
		RetryPolicy: patient(0), Summary: summary,
	})
}

// settle is for a person's decision. Its row and the memory of the workflow must
// move together: an attempt whose report was lost has moved the row on, and only
// another attempt can say so. It therefore tries until there is an outcome,
// however long the database is away. The person's client stops waiting before;
// the same update asked for again gets the outcome.
func settle(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueControl, StartToCloseTimeout: 10 * time.Second, RetryPolicy: patient(0), Summary: summary,
	})
}

// consult is for a short computation that a person waits for: seconds of one
// core on the control queue, where no long search is ahead of it, and no more
// than one repetition.
func consult(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueControl, StartToCloseTimeout: 25 * time.Second, ScheduleToCloseTimeout: 40 * time.Second,
		RetryPolicy: patient(2), DisableEagerExecution: true, Summary: summary,
	})
}

// inquire is for asking a source what a person waits for: on the queue of those
// who talk to sources, in time for the page, and no more than one repetition.
func inquire(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueIngest, StartToCloseTimeout: 25 * time.Second, ScheduleToCloseTimeout: 40 * time.Second,
		RetryPolicy: patient(2), DisableEagerExecution: true, Summary: summary,
	})
}

// poll is for reading a plant system: few attempts, because the schedule comes
// again within a minute, and a heartbeat per batch.
func poll(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueIngest, StartToCloseTimeout: 3 * time.Minute, HeartbeatTimeout: 45 * time.Second,
		RetryPolicy: patient(2), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// writeBack is for one order in a maintenance system: what passes by itself is
// tried again for a minute, then a person decides. A heartbeat every few seconds
// lets another worker take the line over soon when its own is gone.
func writeBack(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueIngest, StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 30 * time.Second, RetryPolicy: patient(6), WaitForCancellation: true,
		DisableEagerExecution: true, Summary: summary,
	})
}

// follow is for streaming: an activity of hours that deals with the failures of
// its source by itself. It heartbeats every few seconds, so that another worker
// takes over soon when its own is gone, and it is tried for ever, because a
// database that is away comes back.
func follow(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueStream, StartToCloseTimeout: 7 * time.Hour, HeartbeatTimeout: 20 * time.Second,
		RetryPolicy: patient(0), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// list is for listing a source's tree: minutes, a heartbeat per folder.
func list(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueIngest, StartToCloseTimeout: 15 * time.Minute, HeartbeatTimeout: 2 * time.Minute,
		RetryPolicy: patient(2), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// score is for one batch of assets: minutes at most, a heartbeat per asset.
func score(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueScoring, StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 45 * time.Second,
		RetryPolicy: patient(4), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// solve is for searches: the time limit of a run is a budget of work, which a
// slow or busy machine takes several times as long for; a short heartbeat
// timeout so that a crash or a cancellation shows within seconds, and a few
// attempts that each resume from the last plan.
func solve(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueSolve, StartToCloseTimeout: 12*limit + 8*time.Minute, HeartbeatTimeout: 10 * time.Second,
		RetryPolicy: patient(4), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// replay is for many short searches in a row: a heartbeat after each, so that an
// attempt goes on where the last one was when its worker is gone.
func replay(ctx workflow.Context, limit time.Duration, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueSolve, StartToCloseTimeout: limit, HeartbeatTimeout: time.Minute,
		RetryPolicy: patient(4), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// survey is for the rounds of Upkeep: one attempt, because the next round
// comes in a minute.
func survey(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueControl, StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: time.Minute,
		RetryPolicy: patient(1), DisableEagerExecution: true, Summary: summary,
	})
}

// attend is for a turn of deliveries: a minute of waiting for others, with a
// heartbeat every few seconds, so that another worker takes over soon when its
// own is gone.
func attend(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueStream, StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: 30 * time.Second,
		RetryPolicy: patient(3), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}
