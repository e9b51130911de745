// Package workflows orchestrates: ingest polling, scoring sweeps, optimization
// runs, plan approvals, release to work orders and upkeep. Its code is
// deterministic and free of side effects; activities do the work.
//
// This file is the contract between those who start workflows (web, cmd),
// those who run them (worker) and those who watch them.
package workflows

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/activities"
)

// Task queues, one per class of work, so that long solves never hold up polling.
const (
	QueueControl  = "optria-control"
	QueueIngest   = "optria-ingest"
	QueueStream   = "optria-stream"
	QueueScoring  = "optria-scoring"
	QueueSolve    = "optria-solve"
	QueueTraining = "optria-training"
)

// TenantAttribute is the search attribute that carries the tenant id.
const TenantAttribute = "TenantId"

// Queries, updates and signals.
const (
	UpdateStop   = "stop"   // Optimization: stop searching and keep the best plans
	UpdateDecide = "decide" // PlanApproval: endorse, object, approve or return
)

// Error types that callers tell apart.
const (
	ErrAlreadyDecided = "PlanAlreadyDecided"
	ErrFourEyes       = "FourEyes"
	ErrInvalid        = "Invalid"
	ErrForbidden      = "Forbidden"
	ErrTenantMissing  = "TenantMissing"
)

// IngestInput names the integration that Ingest, Backfill or Discovery is about.
type IngestInput struct {
	TenantID      uuid.UUID
	IntegrationID uuid.UUID
}

// IngestResult says what a run wrote.
type IngestResult struct {
	Written, Rejected int64
	Status            string // ok, partial or failed
}

// SweepInput starts a scoring sweep of a tenant. AsOf zero means now, for the
// assets that have something new; as of a given moment, or with Every, all are
// scored. The other fields are set when a sweep goes on as a new run.
type SweepInput struct {
	TenantID uuid.UUID
	AsOf     time.Time
	Every    bool
	SweepID  uuid.UUID              // record of the sweep, nil at the beginning
	After    uuid.UUID              // assets up to this one are done
	Totals   activities.BatchResult // what was done so far
}

// SweepResult says what a sweep scored.
type SweepResult struct {
	SweepID                        uuid.UUID
	Assets, Greyed, Alerts, Failed int
}

// OptimizationInput starts one optimization run, whose row already exists.
type OptimizationInput struct {
	TenantID uuid.UUID
	RunID    uuid.UUID
}

// ApprovalInput starts the approval of one plan, whose row already exists.
type ApprovalInput struct {
	TenantID uuid.UUID
	PlanID   uuid.UUID
}

// Decision kinds, as stored in plan_decisions.
const (
	Endorsed = "endorsed"
	Objected = "objected"
	Approved = "approved"
	Returned = "returned"
)

// Decision is the argument of UpdateDecide. An approval may hold jobs of the
// plan back, for a reason. Approvals and endorsements carry the hash of what was
// seen. In whose place a deputy decides follows from the delegations, not from here.
type Decision struct {
	ActorID       uuid.UUID
	Service       bool // came in as a service account: never accepted
	Kind          string
	Comment       string
	Withheld      []uuid.UUID // ids of recommendations
	HoldReason    string
	ContentSHA256 []byte
}

// PlanState is the answer to UpdateDecide and the workflow's memory.
type PlanState struct {
	State string // proposed, approved, returned or expired
	Seq   int    // decisions taken so far
}

// ReleaseInput turns an approved plan into work orders.
type ReleaseInput struct {
	TenantID uuid.UUID
	PlanID   uuid.UUID
}

// IngestID is the workflow id of an integration's polling.
func IngestID(tenant, integration uuid.UUID) string {
	return fmt.Sprintf("ingest/%s/%s", tenant, integration)
}

// SweepID is the workflow id prefix of a tenant's scoring sweeps.
func SweepID(tenant uuid.UUID) string { return fmt.Sprintf("scoring/%s", tenant) }

// OptimizationID is the workflow id of a run.
func OptimizationID(tenant, run uuid.UUID) string {
	return fmt.Sprintf("optimization/%s/%s", tenant, run)
}

// ApprovalID is the workflow id of a plan's approval.
func ApprovalID(tenant, plan uuid.UUID) string { return fmt.Sprintf("approval/%s/%s", tenant, plan) }

// ReleaseID is the workflow id of a plan's release.
func ReleaseID(tenant, plan uuid.UUID) string { return fmt.Sprintf("release/%s/%s", tenant, plan) }

// UpkeepID is the id of the one upkeep schedule.
const UpkeepID = "upkeep/platform"
