package workflows

import "go.temporal.io/sdk/worker"

// upkeepType is the registered name of Upkeep, which works for the platform.
const upkeepType = "Upkeep"

// RegisterWorkflows makes every workflow known to a worker or a replayer.
func RegisterWorkflows(r worker.WorkflowRegistry) {
	r.RegisterWorkflow(Ingest)
	r.RegisterWorkflow(Backfill)
	r.RegisterWorkflow(Discovery)
	r.RegisterWorkflow(ScoringSweep)
	r.RegisterWorkflow(Optimization)
	r.RegisterWorkflow(PlanApproval)
	r.RegisterWorkflow(Release)
	r.RegisterWorkflow(ReleasePreview)
	r.RegisterWorkflow(ReconcileOrders)
	r.RegisterWorkflow(EditPreview)
	r.RegisterWorkflow(ModelTraining)
	r.RegisterWorkflow(ModelUpkeep)
	r.RegisterWorkflow(DecisionBacktest)
	r.RegisterWorkflow(RecurringStart)
	r.RegisterWorkflow(Rerun)
	r.RegisterWorkflow(Upkeep)
	r.RegisterWorkflow(Deliveries)
}
