package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/reliability"
)

// previewWait is how long a person waits for a preview before the page says
// that it takes too long.
const previewWait = 45 * time.Second

// PreviewInput asks what an edit of one asset would change, as of a moment.
type PreviewInput struct {
	TenantID uuid.UUID
	AssetID  uuid.UUID
	Change   reliability.Change
	At       time.Time
}

// PreviewID is the workflow id of a preview. The same edit of the same asset at
// the same moment is the same preview.
func PreviewID(in PreviewInput) (string, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("encode edit: %w", err)
	}
	digest := sha256.Sum256(text)
	return fmt.Sprintf("preview/%s/%s/%s", in.TenantID, in.AssetID, hex.EncodeToString(digest[:8])), nil
}

// EditPreview says what an edit would change: it scores the asset and plans the
// tenant's jobs without and with it. It changes nothing.
func EditPreview(ctx workflow.Context, in PreviewInput) (reliability.Preview, error) {
	var a *activities.Preview
	edit := activities.EditInput{TenantID: in.TenantID, AssetID: in.AssetID, Change: in.Change, At: in.At}
	var scores activities.ScoredEdit
	if err := workflow.ExecuteActivity(consult(ctx, "score the edit"), a.ScoreEdit, edit).Get(ctx, &scores); err != nil {
		return reliability.Preview{}, err
	}
	var preview reliability.Preview
	err := workflow.ExecuteActivity(consult(ctx, "plan with the edit"), a.PlanEdit, activities.PlanEditInput{EditInput: edit, Scores: scores}).Get(ctx, &preview)
	return preview, err
}

// PreviewEdit starts the preview of an edit and waits for it. Asking again for
// the same edit within a minute joins the preview that runs.
func (c *Client) PreviewEdit(ctx context.Context, tenant, asset uuid.UUID, change reliability.Change) (reliability.Preview, error) {
	in := PreviewInput{TenantID: tenant, AssetID: asset, Change: change, At: time.Now().UTC().Truncate(time.Minute)}
	return c.previewAt(ctx, in)
}

func (c *Client) previewAt(ctx context.Context, in PreviewInput) (reliability.Preview, error) {
	ctx, cancel := context.WithTimeout(withTenant(ctx, in.TenantID), previewWait)
	defer cancel()
	var preview reliability.Preview
	id, err := PreviewID(in)
	if err != nil {
		return preview, err
	}
	options := startOptions(in.TenantID, id)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	options.WorkflowExecutionTimeout = previewWait
	run, err := c.temporal.ExecuteWorkflow(ctx, options, EditPreview, in)
	if err == nil {
		err = run.Get(ctx, &preview)
	}
	if err != nil {
		return preview, fmt.Errorf("preview %s: %w", id, asFault(err))
	}
	return preview, nil
}
