package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/fault"
)

// KeyReleaseStands refuses to release a plan whose release is under way or done.
const KeyReleaseStands = "releases.stands"

// StartRelease writes down in the caller's transaction that a person wants the
// plan released, to a maintenance system or, without an integration, to work
// orders of the product alone. It returns the id of the release. A release that
// was undone begins anew under the same id; any other is a conflict.
func StartRelease(ctx context.Context, tx pgx.Tx, plan Plan, by uuid.UUID, integration *uuid.UUID) (uuid.UUID, error) {
	q := New()
	id, err := q.RequestRelease(ctx, tx, RequestReleaseParams{TenantID: plan.TenantID, PlanID: plan.ID, IntegrationID: integration, RequestedBy: by})
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, fault.New(fault.Conflict, KeyReleaseStands)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("request release: %w", err)
	}
	lines, err := q.ListNextReleaseKeys(ctx, tx, plan.TenantID, plan.ID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("list keys: %w", err)
	}
	for _, l := range lines {
		if err := q.RestartReleaseLine(ctx, tx, RestartReleaseLineParams{TenantID: plan.TenantID, ReleaseID: id, Line: l.Line, NextKey: l.NextKey}); err != nil {
			return uuid.Nil, fmt.Errorf("restart line %d: %w", l.Line, err)
		}
	}
	return id, nil
}
