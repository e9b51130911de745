package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
)

// KeyNoHistory is the message key of a workflow that Temporal does not know:
// it never started, or its history is kept no longer.
const KeyNoHistory = "history.gone"

// timelineEvents is from how many events on no older run of a workflow is read;
// what is left out is said to be.
const timelineEvents = 4000

// timelineRuns bounds how many runs of one workflow are read, from the newest
// back: a workflow that continues as new leaves one behind each time.
const timelineRuns = 8

// StepKind says what a step of a timeline is.
type StepKind string

// Kinds of steps. The beginning and the end of the workflow itself are steps.
const (
	StepStart    StepKind = "start"
	StepActivity StepKind = "activity"
	StepTimer    StepKind = "timer"
	StepUpdate   StepKind = "update"
	StepSignal   StepKind = "signal"
	StepChild    StepKind = "child"
	StepCancel   StepKind = "cancel"
	StepEnd      StepKind = "end"
)

// StepState says how a step stands.
type StepState string

// States of steps.
const (
	StateWaiting   StepState = "waiting"
	StateRunning   StepState = "running"
	StateDone      StepState = "done"
	StateFailed    StepState = "failed"
	StateTimedOut  StepState = "timed_out"
	StateCancelled StepState = "cancelled"
	StateRefused   StepState = "refused"
	StateContinued StepState = "continued"
)

// Step is one thing that a workflow did or met. Name is the type of the
// activity or child, or the name of the update or signal. Cause is
// why the last attempt failed, if one did.
type Step struct {
	Kind        StepKind
	Name        string
	State       StepState
	At          time.Time
	Started     *time.Time // of the last attempt
	Ended       *time.Time
	Attempts    int
	NextAttempt *time.Time // when it is tried again, of a step that waits after a failure
	Wait        time.Duration
	Actor       *uuid.UUID // who sent an update
	Detail      string     // what was decided by an update, or the objective that is searched for
	Line        int        // of a release, 0 for none
	Cause       *activities.ErrorDetail
}

// Timeline is the history of one workflow in the order in which its steps
// began.
type Timeline struct {
	Open  bool
	Steps []Step
	Cut   bool // older runs of the workflow were left out
}

// Timeline reads the history of a workflow and decodes what people may see of
// it. It fails with NotFound when Temporal does not know the workflow, and
// with Unavailable when it does not answer. Callers read the row that names
// the workflow under its tenant first: the id is not a permission.
func (c *Client) Timeline(ctx context.Context, workflowID string) (Timeline, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	var t Timeline
	described, err := c.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return t, timelineFault(err)
	}
	info := described.GetWorkflowExecutionInfo()
	t.Open = info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	run, events := info.GetExecution().GetRunId(), 0
	for range timelineRuns {
		r := newTimelineReader(c)
		if err := r.read(ctx, workflowID, run); err != nil {
			return t, timelineFault(err)
		}
		if len(t.Steps) == 0 {
			r.pending(described.GetPendingActivities())
		}
		t.Steps = append(r.steps, t.Steps...)
		events += r.events
		if run = r.before; run == "" || events >= timelineEvents {
			break
		}
	}
	t.Cut = run != ""
	return t, nil
}

func timelineFault(err error) error {
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return fault.Wrap(fault.NotFound, KeyNoHistory, err)
	}
	return fmt.Errorf("read history: %w", asFault(err))
}

// timelineReader turns the events of one run into steps.
type timelineReader struct {
	client *Client
	steps  []Step
	at     map[int64]int  // step by the event that began it
	byID   map[string]int // step by the id of an activity
	events int
	before string // the run that this one continued
}

func newTimelineReader(c *Client) *timelineReader {
	return &timelineReader{client: c, at: map[int64]int{}, byID: map[string]int{}}
}

// read takes a run from its beginning to its end. The engine bounds the length
// of a run, and asks long ones to go on as a new one.
func (r *timelineReader) read(ctx context.Context, workflowID, run string) error {
	var events client.HistoryEventIterator = r.client.temporal.GetWorkflowHistory(ctx, workflowID, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return err
		}
		r.events++
		r.take(event)
	}
	return nil
}

// begin adds a step that an event began.
func (r *timelineReader) begin(e *historypb.HistoryEvent, s Step) {
	s.At = e.GetEventTime().AsTime()
	r.at[e.GetEventId()] = len(r.steps)
	r.steps = append(r.steps, s)
}

// end closes the step that another event began.
func (r *timelineReader) end(began int64, e *historypb.HistoryEvent, state StepState, f *failurepb.Failure) {
	i, known := r.at[began]
	if !known {
		return
	}
	moment := e.GetEventTime().AsTime()
	r.steps[i].State, r.steps[i].Ended = state, &moment
	if f != nil {
		r.steps[i].Cause = r.cause(f)
	}
}

// cause reads the fault out of a failure. Texts of errors stay where they are:
// people see the reason in their language.
func (r *timelineReader) cause(f *failurepb.Failure) *activities.ErrorDetail {
	detail := activities.DetailOf(r.client.options.FailureConverter.FailureToError(f))
	return &detail
}

// pending completes the activities that have not ended by what only the
// server knows: their attempts, the last failure and when they are tried again.
func (r *timelineReader) pending(all []*workflowpb.PendingActivityInfo) {
	for _, p := range all {
		i, known := r.byID[p.GetActivityId()]
		if !known || r.steps[i].Ended != nil {
			continue
		}
		s := &r.steps[i]
		s.Attempts = int(p.GetAttempt())
		if p.GetState() != enumspb.PENDING_ACTIVITY_STATE_SCHEDULED {
			s.State = StateRunning
			if started := p.GetLastStartedTime(); started != nil {
				moment := started.AsTime()
				s.Started = &moment
			}
		} else if next := p.GetScheduledTime(); next != nil && s.Attempts > 1 {
			moment := next.AsTime()
			s.NextAttempt = &moment
			s.Attempts-- // the next one is counted already
		}
		if f := p.GetLastFailure(); f != nil {
			s.Cause = r.cause(f)
		}
	}
}
