package recurrence

import (
	"time"

	"github.com/google/uuid"
)

// Kinds of recurring work.
const (
	KindOptimization = "optimization"
	KindSweep        = "sweep"
	KindReport       = "report"
)

// Kinds lists the kinds of recurring work.
func Kinds() []string { return []string{KindOptimization, KindSweep, KindReport} }

// Who starts the work of a schedule.
const (
	Internal = "internal" // the platform
	External = "external" // a scheduler of the customer's own, by the API
)

// Causes of a firing.
const (
	Due      = "due"
	CatchUp  = "catch_up"
	Manual   = "manual"
	Backfill = "backfill"
	Outside  = "external"
)

// States of a firing. One that is started and has no starting time waits for
// its turn.
const (
	Started = "started"
	Done    = "done"
	Failed  = "failed"
	Skipped = "skipped"
	Missed  = "missed"
)

// Trigger is what the workflow engine has to know of a schedule: when to start,
// not what. Gone takes it away.
type Trigger struct {
	TenantID, ID uuid.UUID
	Cron, Zone   string
	Window       time.Duration // catch-up window
	Paused       bool
	From         time.Time // no start before, zero for none
	Gone         bool
}

// Firing names one start of a schedule. By is the person who asks for it, in
// whose name its run is then recorded; nil for what is started by itself.
type Firing struct {
	TenantID, ScheduleID uuid.UUID
	DueAt                time.Time
	Cause                string
	By                   *uuid.UUID `json:",omitempty"`
}
