// Package seed fills a database with the platform tenant and the
// demonstration tenants. It may run again at any time: what exists stays.
package seed

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/demo"
)

// Options say what to seed.
type Options struct {
	Epoch    time.Time     // when the scripted degradations reach their end; the first run keeps it
	History  time.Duration // telemetry before the epoch
	Period   time.Duration // between samples of the history
	Password string        // of every demonstration account
	Only     []string      // codes of the tenants to seed; empty seeds all
	Log      *slog.Logger
}

// Login is one account that may sign in.
type Login struct {
	Tenant, Role, Name, Email string
}

// Result is what there is after seeding.
type Result struct {
	Logins []Login
	Epochs map[uuid.UUID]time.Time // by tenant: the epoch its telemetry was made for
}

// platformID and ownerID are stable, so that seeding twice meets itself.
var (
	platformID = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://optria-iq.example/platform"))
	ownerID    = uuid.NewSHA1(platformID, []byte("owner"))
)

// OwnerEmail is the address of the first platform owner of a demonstration.
const OwnerEmail = "owner@optria.example"

// Run seeds the platform tenant, the tenants and 90 days or so of telemetry,
// Tenants are filled side by side.
func Run(ctx context.Context, d *db.DB, o Options) (Result, error) {
	result := Result{Epochs: map[uuid.UUID]time.Time{}}
	content, err := demo.Load()
	if err != nil {
		return result, fmt.Errorf("load demo content: %w", err)
	}
	hash, err := argon2id.CreateHash(o.Password, argon2id.DefaultParams)
	if err != nil {
		return result, fmt.Errorf("hash demo password: %w", err)
	}
	owner := demo.Person{ID: ownerID, Role: string(access.PlatformOwner), Email: OwnerEmail, Name: demo.Text{AR: "مالك المنصة", EN: "Platform owner"}}
	if _, err := EnsurePlatform(ctx, d); err != nil {
		return result, err
	}
	if err := addPeople(ctx, d, platformID, []demo.Person{owner}, hash); err != nil {
		return result, err
	}
	result.Logins = []Login{{"PLATFORM", owner.Role, owner.Name.EN, owner.Email}}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range content.Tenants {
		if !wanted(o.Only, t.Code) {
			continue
		}
		for _, p := range t.People {
			result.Logins = append(result.Logins, Login{t.Code, p.Role, p.Name.EN, p.Email})
		}
		g.Go(func() error {
			epoch, err := tenant(ctx, d, t, hash, o)
			if err != nil {
				return fmt.Errorf("seed %s: %w", t.Code, err)
			}
			mu.Lock()
			defer mu.Unlock()
			result.Epochs[t.ID] = epoch
			return nil
		})
	}
	return result, g.Wait()
}

func wanted(only []string, code string) bool {
	for _, c := range only {
		if c == code {
			return true
		}
	}
	return len(only) == 0
}

// EnsurePlatform creates the reserved tenant of platform owners and returns
// its id.
func EnsurePlatform(ctx context.Context, d *db.DB) (uuid.UUID, error) {
	return platformID, createTenant(ctx, d, db.CreateTenantParams{ID: platformID, Code: "PLATFORM", Kind: "platform", NameAr: "منصة أوبتريا", NameEn: "OPTRIA platform",
		Industry: "other", CalendarProfile: "SA-STD", TimeZone: "Asia/Riyadh", Currency: "SAR", Settings: json.RawMessage(`{}`)})
}

func createTenant(ctx context.Context, d *db.DB, p db.CreateTenantParams) error {
	return d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.CreateTenant(ctx, tx, p); err != nil && err != pgx.ErrNoRows {
			return fmt.Errorf("create tenant %s: %w", p.Code, err)
		}
		return nil
	})
}

// progress is what a tenant's settings remember of its seeding.
type progress struct {
	Epoch time.Time `json:"demo_epoch"`
	Done  bool      `json:"demo_seeded"`
	// Running says that the operating data is there; tenants that were seeded
	// before it existed get it at the next start.
	Running bool `json:"demo_running"`
	// Lives says the same of completed lives.
	Lives bool `json:"demo_lives"`
	// Schedules says the same of recurring work.
	Schedules bool `json:"demo_schedules"`
}

// tenant seeds one demonstration customer. The epoch of the first run is kept
// in the tenant's settings, because every reading depends on it.
func tenant(ctx context.Context, d *db.DB, t *demo.Tenant, hash string, o Options) (time.Time, error) {
	state := progress{Epoch: o.Epoch.UTC().Truncate(time.Second)}
	settings, err := json.Marshal(state)
	if err != nil {
		return state.Epoch, err
	}
	err = createTenant(ctx, d, db.CreateTenantParams{ID: t.ID, Code: t.Code, Kind: "customer", NameAr: t.Name.AR, NameEn: t.Name.EN, Industry: t.Industry,
		CalendarProfile: t.Calendar.Profile, TimeZone: t.Calendar.TimeZone, Currency: "SAR", Synthetic: true, Settings: settings})
	if err != nil {
		return state.Epoch, err
	}
	var row db.Tenant
	err = d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.GetTenant(ctx, tx, t.ID)
		return err
	})
	if err != nil {
		return state.Epoch, err
	}
	if err := json.Unmarshal(row.Settings, &state); err != nil {
		return state.Epoch, fmt.Errorf("read settings: %w", err)
	}
	if !state.Done {
		if err := seedPlant(ctx, d, t, hash, state.Epoch, o); err != nil {
			return state.Epoch, err
		}
	}
	if state.Done && state.Running && state.Lives && state.Schedules {
		return state.Epoch, nil
	}
	if !state.Running {
		if err := running(ctx, d, t, state.Epoch); err != nil {
			return state.Epoch, fmt.Errorf("operating data: %w", err)
		}
	}
	if !state.Lives {
		if err := past(ctx, d, t, state.Epoch, o); err != nil {
			return state.Epoch, fmt.Errorf("past lives: %w", err)
		}
	}
	if !state.Schedules {
		if err := schedules(ctx, d, t); err != nil {
			return state.Epoch, fmt.Errorf("schedules: %w", err)
		}
	}
	return state.Epoch, finish(ctx, d, row, state)
}

// seedPlant writes people, plant and telemetry.
func seedPlant(ctx context.Context, d *db.DB, t *demo.Tenant, hash string, epoch time.Time, o Options) error {
	if err := addPeople(ctx, d, t.ID, t.People, hash); err != nil {
		return err
	}
	signals, err := plant(ctx, d, t, epoch)
	if err != nil {
		return err
	}
	return history(ctx, d, t, signals, epoch, o)
}

// finish notes in the tenant's settings what is there, and keeps the others.
func finish(ctx context.Context, d *db.DB, row db.Tenant, state progress) error {
	kept := map[string]any{}
	if err := json.Unmarshal(row.Settings, &kept); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	kept["demo_epoch"], kept["demo_seeded"], kept["demo_running"], kept["demo_lives"], kept["demo_schedules"] = state.Epoch, true, true, true, true
	settings, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.UpdateTenant(ctx, tx, db.UpdateTenantParams{TenantID: row.ID, NameAr: row.NameAr, NameEn: row.NameEn, Industry: row.Industry,
			CalendarProfile: row.CalendarProfile, TimeZone: row.TimeZone, Currency: row.Currency, Settings: settings})
		return err
	})
}
