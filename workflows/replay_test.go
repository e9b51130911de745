package workflows

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// recordVariable makes the end-to-end tests write the histories that the
// replay test reads. Set it on the released commit, not on a branch: the
// fixtures stand for workflows that are open while a new version is rolled out.
const recordVariable = "OPTRIA_RECORD_REPLAY"

var triggerNow = client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}

// TestReplay runs every recorded history through the workflow code of today.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/replay/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	recorded := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotContains(t, string(text), "cheapest", "payloads and summaries of %s are encrypted", file)
		recorded[string(firstType.FindSubmatch(text)[1])] = true
	}
	for _, name := range []string{"Ingest", "Backfill", "Discovery", "ScoringSweep", "Optimization", "PlanApproval", "Release", "ReleasePreview", "ReconcileOrders", "EditPreview", "ModelTraining", "ModelUpkeep", "DecisionBacktest", "RecurringStart", "Rerun", deliveriesType, upkeepType} {
		require.True(t, recorded[name], "no history of %s", name)
	}
	codec, err := NewCodec(testKey)
	require.NoError(t, err)
	data, failures := converters(codec)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
				DataConverter: data, FailureConverter: failures,
				ContextPropagators: []workflow.ContextPropagator{tenantPropagator{}},
				Interceptors:       []interceptor.WorkerInterceptor{&tenantGuard{}},
			})
			require.NoError(t, err)
			RegisterWorkflows(replayer)
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), file))
		})
	}
}

// firstType finds the type in the first event of a history.
var firstType = regexp.MustCompile(`"workflowType":\s*\{\s*"name":\s*"(\w+)"`)

// identity is how workers and clients sign events, and sticky the name of a
// worker's own queue; both name their machine.
var (
	identity = regexp.MustCompile(`("(?:identity|workerIdentity)":\s*)"[^"]*"`)
	sticky   = regexp.MustCompile(`("name":\s*")[^":]+(:[0-9a-f-]{36}")`)
)

// record writes the history of a workflow as a fixture when asked to.
func (p *platform) record(name, workflowID string) {
	p.t.Helper()
	if os.Getenv(recordVariable) == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	require.Eventually(p.t, func() bool {
		running, err := p.client.Running(ctx, workflowID)
		return err == nil && !running
	}, 20*time.Second, 100*time.Millisecond, "%s ends", workflowID)
	events := p.client.temporal.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var history historypb.History
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(p.t, err)
		history.Events = append(history.Events, event)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&history)
	require.NoError(p.t, err)
	text = identity.ReplaceAll(text, []byte(`$1"test"`))
	text = sticky.ReplaceAll(text, []byte(`${1}test$2`))
	require.NoError(p.t, os.MkdirAll("testdata/replay", 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join("testdata/replay", name+".json"), append(text, '\n'), 0o644))
}

// recordPrefix records the newest workflow that a schedule started.
func (p *platform) recordPrefix(name, prefix string) {
	p.t.Helper()
	if os.Getenv(recordVariable) == "" {
		return
	}
	var id string
	p.eventually(func() bool {
		listed, err := p.client.temporal.ListWorkflow(p.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: p.client.Namespace(), PageSize: 1, Query: `WorkflowId STARTS_WITH "` + prefix + `" AND ExecutionStatus = "Completed"`,
		})
		if err != nil || len(listed.GetExecutions()) == 0 {
			return false
		}
		id = listed.GetExecutions()[0].GetExecution().GetWorkflowId()
		return true
	}, name+" is visible")
	p.record(name, id)
}
