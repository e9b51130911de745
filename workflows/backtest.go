package workflows

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// backtestLimit is how long the search of a whole backtest may take.
const backtestLimit = 30 * time.Minute

// BacktestInput starts one backtest, whose row already exists.
type BacktestInput struct {
	TenantID   uuid.UUID
	BacktestID uuid.UUID
}

func (in BacktestInput) tenant() uuid.UUID { return in.TenantID }

// BacktestID is the workflow id of a backtest.
func BacktestID(tenant, backtest uuid.UUID) string {
	return fmt.Sprintf("backtest/%s/%s", tenant, backtest)
}

// DecisionBacktest replays the decisions of a past period. A replay that fails
// is written to its row with the reason.
func DecisionBacktest(ctx workflow.Context, in BacktestInput) error {
	var a *activities.Backtest
	ref := activities.BacktestRef{TenantID: in.TenantID, BacktestID: in.BacktestID}
	err := workflow.ExecuteActivity(replay(ctx, backtestLimit, "replay decisions"), a.ReplayDecisions, ref).Get(ctx, nil)
	if err == nil {
		return nil
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	failed := activities.FailedBacktest{BacktestRef: ref, Cause: activities.DetailOf(err)}
	if closeErr := workflow.ExecuteActivity(record(cleanup, "close backtest"), a.FailBacktest, failed).Get(cleanup, nil); closeErr != nil {
		return closeErr
	}
	return err
}

// StartBacktest starts the workflow of a backtest whose row exists; see
// StartOptimization.
func (c *Client) StartBacktest(ctx context.Context, tenant, backtest uuid.UUID) error {
	return c.start(ctx, tenant, BacktestID(tenant, backtest), DecisionBacktest, BacktestInput{TenantID: tenant, BacktestID: backtest})
}
