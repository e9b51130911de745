package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Telemetry that a demonstration starts with.
const (
	demoHistory = 90 * 24 * time.Hour
	demoPeriod  = 30 * time.Minute
)

// databaseURL is the one setting that migrate, seed and audit need.
func databaseURL() (string, error) {
	if url := os.Getenv("OPTRIA_DB_URL"); url != "" {
		return url, nil
	}
	return "", errors.New("OPTRIA_DB_URL is not set: give a PostgreSQL connection string")
}

func runMigrate(ctx context.Context, _ []string) error {
	url, err := databaseURL()
	if err != nil {
		return err
	}
	return migrate(ctx, url)
}

func migrate(ctx context.Context, url string) error {
	if err := db.Bootstrap(ctx, url); err != nil {
		return fmt.Errorf("prepare roles: %w", err)
	}
	n, err := db.Migrate(ctx, url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	slog.Info("schema up to date", "migrations_applied", n)
	return nil
}

func runSeed(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	dir := flags.String("data-dir", dataDir(), "folder that keeps the demonstration password")
	if err := flags.Parse(args); err != nil {
		return err
	}
	url, err := databaseURL()
	if err != nil {
		return err
	}
	_, err = seedDemo(ctx, url, *dir)
	return err
}

func dataDir() string {
	if dir := os.Getenv("OPTRIA_DATA_DIR"); dir != "" {
		return dir
	}
	return ".optria"
}

// demoAccess is what the demonstration prints for people to sign in with.
type demoAccess struct {
	seed.Result
	password string
}

func seedDemo(ctx context.Context, url, dir string) (demoAccess, error) {
	password, err := kept(filepath.Join(dir, "demo-password"), func() (string, error) { return "Optria-" + rand.Text()[:12], nil })
	if err != nil {
		return demoAccess{}, err
	}
	d, err := db.Open(ctx, url, db.Config{StatementTimeout: -1})
	if err != nil {
		return demoAccess{}, fmt.Errorf("open database: %w", err)
	}
	defer d.Close()
	seeded, err := seed.Run(ctx, d, seed.Options{Epoch: time.Now(), History: demoHistory, Period: demoPeriod, Password: password, Log: slog.Default()})
	return demoAccess{seeded, password}, err
}

// kept reads a generated value from a file, or makes and keeps it.
func kept(path string, generate func() (string, error)) (string, error) {
	raw, err := os.ReadFile(path) // #nosec G304 -- a file of the operator's own data folder
	if err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	value, err := generate()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("keep %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep %s: %w", path, err)
	}
	return value, nil
}

func (a demoAccess) print(w *tabwriter.Writer) {
	fmt.Fprintln(w, "  TENANT\tROLE\tNAME\tE-MAIL")
	for _, l := range a.Logins {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", l.Tenant, l.Role, l.Name, l.Email)
	}
	_ = w.Flush()
}

// runUser creates a platform owner with a one-time password.
func runUser(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("user", flag.ContinueOnError)
	email := flags.String("email", "", "e-mail address of the platform owner")
	if err := flags.Parse(args); err != nil {
		return err
	}
	address := strings.ToLower(strings.TrimSpace(*email))
	if !strings.Contains(address, "@") {
		return errors.New("--email must be an e-mail address")
	}
	url, err := databaseURL()
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer d.Close()
	password := rand.Text()
	if err := createOwner(ctx, d, address, password); err != nil {
		return err
	}
	fmt.Printf("Platform owner %s created.\nOne-time password: %s\nIt must be changed at the first sign-in and is not shown again.\n", address, password)
	return nil
}

func createOwner(ctx context.Context, d *db.DB, email, password string) error {
	hash, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return err
	}
	platform, err := seed.EnsurePlatform(ctx, d)
	if err != nil {
		return err
	}
	id := uuid.New()
	err = d.InTenant(ctx, platform, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: platform, ID: id, Email: email, Username: email, NameAr: email, NameEn: email,
			PasswordHash: &hash, Roles: []string{string(access.PlatformOwner)}, MustChangePassword: true, Language: "ar"})
		if err != nil {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{TenantID: platform, Actor: db.SystemActor("optria user"), Action: "user.created", ObjectType: "user", ObjectID: id.String()})
	})
	if fault.CodeOf(err) == fault.Conflict {
		return fmt.Errorf("%s has an account already", email)
	}
	if err != nil {
		return err
	}
	return d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.AddLogin(ctx, tx, db.AddLoginParams{Email: email, TenantID: platform, UserID: id, IsHome: true})
		return err
	})
}
