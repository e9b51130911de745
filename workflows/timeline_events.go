package workflows

import (
	"cmp"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// take turns one event into a step, or closes the step that it belongs to.
// Workflow tasks are the engine's own business and no steps.
func (r *timelineReader) take(e *historypb.HistoryEvent) {
	for _, take := range []func(*historypb.HistoryEvent) bool{r.takeWorkflow, r.takeActivity, r.takeTimer, r.takeChild, r.takeMessage} {
		if take(e) {
			return
		}
	}
}

func (r *timelineReader) takeWorkflow(e *historypb.HistoryEvent) bool {
	over := func(state StepState) bool {
		r.begin(e, Step{Kind: StepEnd, State: state})
		return true
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		x := e.GetWorkflowExecutionStartedEventAttributes()
		r.before = x.GetContinuedExecutionRunId()
		if r.before == "" {
			r.begin(e, Step{Kind: StepStart, Name: x.GetWorkflowType().GetName(), State: StateDone, Attempts: int(x.GetAttempt())})
		}
		return true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		return over(StateDone)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return over(StateCancelled)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return over(StateTimedOut)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return over(StateContinued)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		r.begin(e, Step{Kind: StepEnd, State: StateFailed, Cause: r.cause(e.GetWorkflowExecutionFailedEventAttributes().GetFailure())})
		return true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
		r.begin(e, Step{Kind: StepCancel, State: StateDone})
		return true
	}
	return false
}

func (r *timelineReader) takeActivity(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		x := e.GetActivityTaskScheduledEventAttributes()
		r.byID[x.GetActivityId()] = len(r.steps)
		about := r.about(x.GetInput())
		r.begin(e, Step{Kind: StepActivity, Name: x.GetActivityType().GetName(), State: StateWaiting, Detail: about.Preset, Line: about.Line})
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		r.startActivity(e)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		r.end(e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId(), e, StateDone, nil)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		x := e.GetActivityTaskFailedEventAttributes()
		r.end(x.GetScheduledEventId(), e, StateFailed, x.GetFailure())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		x := e.GetActivityTaskTimedOutEventAttributes()
		r.end(x.GetScheduledEventId(), e, StateTimedOut, x.GetFailure())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		r.end(e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), e, StateCancelled, nil)
	default:
		return false
	}
	return true
}

// startActivity notes the attempt that ended. Temporal writes the start of an
// activity once, with the number of attempts and the failure before the last.
func (r *timelineReader) startActivity(e *historypb.HistoryEvent) {
	x := e.GetActivityTaskStartedEventAttributes()
	i, known := r.at[x.GetScheduledEventId()]
	if !known {
		return
	}
	moment := e.GetEventTime().AsTime()
	r.steps[i].Started, r.steps[i].State, r.steps[i].Attempts = &moment, StateRunning, int(x.GetAttempt())
	if f := x.GetLastFailure(); f != nil {
		r.steps[i].Cause = r.cause(f)
	}
}

func (r *timelineReader) takeTimer(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_TIMER_STARTED:
		x := e.GetTimerStartedEventAttributes()
		r.begin(e, Step{Kind: StepTimer, State: StateWaiting, Wait: x.GetStartToFireTimeout().AsDuration()})
	case enumspb.EVENT_TYPE_TIMER_FIRED:
		r.end(e.GetTimerFiredEventAttributes().GetStartedEventId(), e, StateDone, nil)
	case enumspb.EVENT_TYPE_TIMER_CANCELED:
		r.end(e.GetTimerCanceledEventAttributes().GetStartedEventId(), e, StateCancelled, nil)
	default:
		return false
	}
	return true
}

func (r *timelineReader) takeChild(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		x := e.GetStartChildWorkflowExecutionInitiatedEventAttributes()
		r.begin(e, Step{Kind: StepChild, Name: x.GetWorkflowType().GetName(), State: StateWaiting})
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
		r.end(e.GetStartChildWorkflowExecutionFailedEventAttributes().GetInitiatedEventId(), e, StateFailed, nil)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
		if i, known := r.at[e.GetChildWorkflowExecutionStartedEventAttributes().GetInitiatedEventId()]; known {
			moment := e.GetEventTime().AsTime()
			r.steps[i].Started, r.steps[i].State = &moment, StateRunning
		}
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		r.end(e.GetChildWorkflowExecutionCompletedEventAttributes().GetInitiatedEventId(), e, StateDone, nil)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
		x := e.GetChildWorkflowExecutionFailedEventAttributes()
		r.end(x.GetInitiatedEventId(), e, StateFailed, x.GetFailure())
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
		r.end(e.GetChildWorkflowExecutionCanceledEventAttributes().GetInitiatedEventId(), e, StateCancelled, nil)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
		r.end(e.GetChildWorkflowExecutionTimedOutEventAttributes().GetInitiatedEventId(), e, StateTimedOut, nil)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		r.end(e.GetChildWorkflowExecutionTerminatedEventAttributes().GetInitiatedEventId(), e, StateCancelled, nil)
	default:
		return false
	}
	return true
}

// takeMessage reads what came from outside: updates with whoever sent them,
// and signals.
func (r *timelineReader) takeMessage(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		r.acceptUpdate(e)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
		x := e.GetWorkflowExecutionUpdateCompletedEventAttributes()
		if f := x.GetOutcome().GetFailure(); f != nil {
			r.end(x.GetAcceptedEventId(), e, StateRefused, f)
		} else {
			r.end(x.GetAcceptedEventId(), e, StateDone, nil)
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		r.begin(e, Step{Kind: StepSignal, Name: e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName(), State: StateDone})
	default:
		return false
	}
	return true
}

// argument is what the arguments of activities and updates have in common, as
// far as people see it. Arguments that lack a field leave it empty.
type argument struct {
	ActorID              uuid.UUID
	Kind, Choice, Preset string
	Line                 int
}

// about reads the first argument of an activity or an update.
func (r *timelineReader) about(args *commonpb.Payloads) argument {
	var a argument
	if p := args.GetPayloads(); len(p) == 0 || r.client.options.DataConverter.FromPayload(p[0], &a) != nil {
		return argument{}
	}
	return a
}

// acceptUpdate tells who sent an update and what they chose.
func (r *timelineReader) acceptUpdate(e *historypb.HistoryEvent) {
	input := e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput()
	about := r.about(input.GetArgs())
	s := Step{Kind: StepUpdate, Name: input.GetName(), State: StateRunning, Detail: cmp.Or(about.Kind, about.Choice)}
	if about.ActorID != uuid.Nil {
		s.Actor = &about.ActorID
	}
	r.begin(e, s)
}
