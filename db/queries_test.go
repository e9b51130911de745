package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// inTenant runs work and requires that it succeeds.
func inTenant(t *testing.T, d *db.DB, tenant uuid.UUID, work func(ctx context.Context, tx pgx.Tx, q *db.Queries)) {
	t.Helper()
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		work(ctx, tx, q)
		return nil
	}))
}

func TestSessions(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	store, ctx := d.Sessions(), t.Context()
	require.NoError(t, store.CommitCtx(ctx, "a", []byte("1"), time.Now().Add(time.Hour)))
	require.NoError(t, store.CommitCtx(ctx, "a", []byte("2"), time.Now().Add(time.Hour)))
	require.NoError(t, store.Commit("old", []byte("x"), time.Now().Add(-time.Second)))
	data, found, err := store.FindCtx(ctx, "a")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "2", string(data))
	for _, token := range []string{"old", "unknown"} {
		_, found, err = store.Find(token)
		require.NoError(t, err)
		require.False(t, found, token)
	}
	deleted, err := d.DeleteExpiredSessions(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, deleted)
	require.NoError(t, store.Delete("a"))
	_, found, err = store.FindCtx(ctx, "a")
	require.NoError(t, err)
	require.False(t, found)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = store.FindCtx(cancelled, "a")
	require.ErrorIs(t, err, context.Canceled)
}

func TestLoginDirectoryHasOneHome(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	first, second := addTenant(t, d, "FIRST"), addTenant(t, d, "SECOND")
	one, two := addUser(t, d, first, "sara"), addUser(t, d, second, "sara")
	add := func(tenant, user uuid.UUID, home bool) error {
		return d.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			_, err := q.AddLogin(ctx, tx, db.AddLoginParams{Email: "sara@example.com", TenantID: tenant, UserID: user, IsHome: home})
			return err
		})
	}
	require.NoError(t, add(first, one, true))
	require.Equal(t, fault.Conflict, fault.CodeOf(add(second, two, true)))
	require.Equal(t, fault.Invalid, fault.CodeOf(add(second, one, false)), "the account must be of that tenant")
	require.NoError(t, add(second, two, false))
	require.NoError(t, d.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		logins, err := q.FindLogins(ctx, tx, "sara@example.com")
		require.NoError(t, err)
		require.Len(t, logins, 2)
		require.Equal(t, first, logins[0].TenantID)
		return nil
	}))
}

func TestLockoutAndOneTimeCredential(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	user := addUser(t, d, tenant, "sara")
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		for n := range 3 {
			got, err := q.RecordLoginFailure(ctx, tx, db.RecordLoginFailureParams{TenantID: tenant, ID: user, AttemptLimit: 3, LockSeconds: 900})
			require.NoError(t, err)
			require.EqualValues(t, n+1, got.FailedAttempts)
			require.Equal(t, n == 2, got.LockedUntil != nil)
		}
		id, err := q.CreateOneTimeCredential(ctx, tx, db.CreateOneTimeCredentialParams{TenantID: tenant, UserID: user, Ciphertext: []byte("sealed"), CreatedBy: user})
		require.NoError(t, err)
		secret, err := q.RevealOneTimeCredential(ctx, tx, user, tenant, id)
		require.NoError(t, err)
		require.Equal(t, "sealed", string(secret.Ciphertext))
		_, err = q.RevealOneTimeCredential(ctx, tx, user, tenant, id)
		require.ErrorIs(t, err, pgx.ErrNoRows)
		changed, err := q.SetUserPassword(ctx, tx, db.SetUserPasswordParams{TenantID: tenant, ID: user, PasswordHash: "h"})
		require.NoError(t, err)
		require.EqualValues(t, 1, changed)
		account, err := q.GetUserByEmail(ctx, tx, tenant, "sara@example.com")
		require.NoError(t, err)
		require.Nil(t, account.LockedUntil)
		require.Zero(t, account.FailedAttempts)
	})
}

func TestAssetListSortsFiltersAndCounts(t *testing.T) {
	t.Parallel()
	d, _ := twoTenants(t) // alpha has one scored asset tagged "shared"
	inTenant(t, d, alpha, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		for _, tag := range []string{"P-100%", "P-101"} {
			require.NoError(t, q.UpsertAsset(ctx, tx, db.UpsertAssetParams{
				TenantID: alpha, ID: uuid.New(), SiteID: alpha, UnitID: alpha, Tag: tag, NameAr: "مضخة", NameEn: "Pump", SearchText: tag + " pump مضخة",
				ClassCode: "PU", Criticality: "B", WeibullBeta: 1, WeibullEtaDays: 100, AgeAsOf: time.Now(), Source: "manual",
			}))
		}
		list := func(p db.ListAssetsParams) (tags []string) {
			p.TenantID = alpha
			if p.PageSize == 0 {
				p.PageSize = 10
			}
			rows, err := q.ListAssets(ctx, tx, p)
			require.NoError(t, err)
			for _, r := range rows {
				tags = append(tags, r.Asset.Tag)
			}
			return tags
		}
		require.Equal(t, []string{"P-100%", "P-101", "shared"}, list(db.ListAssetsParams{Sort: "tag"}))
		require.Equal(t, []string{"shared", "P-101", "P-100%"}, list(db.ListAssetsParams{Sort: "tag", Descending: true}))
		require.Equal(t, []string{"shared", "P-100%", "P-101"}, list(db.ListAssetsParams{Sort: "risk", Descending: true}))
		require.Equal(t, []string{"shared", "P-100%", "P-101"}, list(db.ListAssetsParams{Sort: "health"}))
		require.Equal(t, []string{"shared", "P-100%", "P-101"}, list(db.ListAssetsParams{Sort: "criticality"}))
		require.Equal(t, []string{"P-100%", "P-101"}, list(db.ListAssetsParams{Search: "مضخة", Sort: "tag"}))
		require.Equal(t, []string{"P-100%"}, list(db.ListAssetsParams{Search: "%", Sort: "tag"}), "no wildcards")
		require.Equal(t, []string{"shared"}, list(db.ListAssetsParams{RiskLevel: 3}))
		require.Equal(t, []string{"P-100%", "P-101"}, list(db.ListAssetsParams{Criticality: "B"}))
		require.Empty(t, list(db.ListAssetsParams{SiteID: &beta}))
		page, err := q.ListAssets(ctx, tx, db.ListAssetsParams{TenantID: alpha, Sort: "tag", PageSize: 1, Skip: 1})
		require.NoError(t, err)
		require.Equal(t, "P-101", page[0].Asset.Tag)
		require.EqualValues(t, 3, page[0].Total)
		require.Nil(t, page[0].HealthScore)
	})
}

func TestCostModelsKeepTheirVersions(t *testing.T) {
	t.Parallel()
	d, _ := twoTenants(t) // alpha's asset has version 1 of kind failure
	inTenant(t, d, alpha, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		added, err := q.AddCostModel(ctx, tx, db.AddCostModelParams{TenantID: alpha, AssetID: alpha, Kind: "failure", DirectCost: 7, PlannedFactor: 1})
		require.NoError(t, err)
		require.EqualValues(t, 2, added.Version)
		_, err = q.AddCostModel(ctx, tx, db.AddCostModelParams{TenantID: alpha, AssetID: alpha, Kind: "maintenance"})
		require.NoError(t, err)
		current, err := q.ListCostModels(ctx, tx, alpha, []uuid.UUID{alpha})
		require.NoError(t, err)
		require.Len(t, current, 2)
		require.InDelta(t, 7, current[0].DirectCost, 0)
		all, err := q.ListCostModels(ctx, tx, alpha, nil)
		require.NoError(t, err)
		require.Equal(t, current, all, "nil names every asset")
		history, err := q.ListCostModelHistory(ctx, tx, alpha, alpha)
		require.NoError(t, err)
		require.Len(t, history, 3)
	})
}

func TestDatesKeepTheirDay(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	riyadh := time.FixedZone("AST", 3*3600)
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		require.NoError(t, q.UpsertEmbargo(ctx, tx, db.UpsertEmbargoParams{TenantID: tenant, ID: uuid.New(),
			FromDay: time.Date(2026, 3, 1, 0, 30, 0, 0, riyadh), ToDay: time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC), ReasonAr: "x", ReasonEn: "x"}))
		got, err := q.ListEmbargoes(ctx, tx, tenant)
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), got[0].FromDay)
		require.Equal(t, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), got[0].ToDay)
		require.Nil(t, got[0].SiteID)
	})
}

func TestBreakGlassLastsHalfAnHourAtMost(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant, actor := addTenant(t, d, "ACME"), uuid.New()
	grant := func(minutes int32) error {
		return d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			_, err := q.GrantBreakGlass(ctx, tx, db.GrantBreakGlassParams{TenantID: tenant, ActorID: actor, ActorName: "owner", Reason: "incident 4711", Minutes: minutes})
			return err
		})
	}
	require.Equal(t, fault.Invalid, fault.CodeOf(grant(31)))
	require.NoError(t, grant(30))
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		_, err := q.GetActiveBreakGlass(ctx, tx, tenant, actor)
		require.NoError(t, err)
		ended, err := q.EndBreakGlass(ctx, tx, tenant, actor)
		require.NoError(t, err)
		require.EqualValues(t, 1, ended)
		_, err = q.GetActiveBreakGlass(ctx, tx, tenant, actor)
		require.True(t, errors.Is(err, pgx.ErrNoRows))
	})
}
