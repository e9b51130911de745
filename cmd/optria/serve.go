package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/config"
	_ "github.com/optria-iq/optria/internal/connector/all"
	_ "github.com/optria-iq/optria/internal/optimize/all"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/workflows"
)

// parts are what the web tier and the worker share.
type parts struct {
	config config.Config
	log    *slog.Logger
	db     *db.DB
	client *workflows.Client
	box    *secret.Box
}

func (p parts) close() {
	p.client.Close()
	p.db.Close()
}

func open(ctx context.Context, d db.Config) (parts, error) {
	c, log, err := setup()
	if err != nil {
		return parts{}, err
	}
	box, err := secret.Open(ctx, c.SecretKeyset, secret.Encryption{URI: c.SecretKEK, Token: c.SecretKEKToken})
	if err != nil {
		return parts{}, fmt.Errorf("OPTRIA_SECRET_KEYSET: %w", err)
	}
	database, err := db.Open(ctx, c.DatabaseURL, d)
	if err != nil {
		return parts{}, fmt.Errorf("open database: %w", err)
	}
	client, err := workflows.Dial(ctx, workflows.ClientOptions{PayloadKey: c.PayloadKey, Logger: log})
	if err != nil {
		database.Close()
		return parts{}, fmt.Errorf("open workflow client: %w", err)
	}
	return parts{c, log, database, client, box}, nil
}

func runWeb(ctx context.Context, _ []string) error {
	p, err := open(ctx, db.Config{MinIdleConns: 2})
	if err != nil {
		return err
	}
	defer p.close()
	server, err := web.New(web.Deps{Config: p.config, DB: p.db, Workflows: p.client, Box: p.box, Dialer: p.config.Connectors.Dialer(), Log: p.log})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx) })
	if p.config.CodecAddress != "" && p.config.TemporalUI != nil {
		g.Go(func() error { return serveCodec(ctx, p, server) })
	}
	return g.Wait()
}

// serveCodec lets the Temporal UI of platform owners read payloads.
func serveCodec(ctx context.Context, p parts, server *web.Server) error {
	h := &http.Server{Addr: p.config.CodecAddress, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		Handler: server.CodecHandler(p.client.Codec())}
	done := make(chan error, 1)
	go func() { done <- h.ListenAndServe() }()
	select {
	case err := <-done:
		return fmt.Errorf("payload codec server: %w", err)
	case <-ctx.Done():
		return h.Close()
	}
}

func runWorker(ctx context.Context, _ []string) error {
	p, err := open(ctx, db.Config{StatementTimeout: -1})
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.client.Bootstrap(ctx); err != nil {
		return fmt.Errorf("prepare Temporal: %w", err)
	}
	if err := p.client.EnsureUpkeepSchedule(ctx); err != nil {
		return fmt.Errorf("prepare upkeep: %w", err)
	}
	if err := p.client.EnsureDeliverySchedule(ctx); err != nil {
		return fmt.Errorf("prepare deliveries: %w", err)
	}
	post, err := mailing(p.config)
	if err != nil {
		return err
	}
	set := activities.NewSet(activities.Deps{DB: p.db, Box: p.box, Dialer: p.config.Connectors.Dialer(), Starter: p.client, SolverThreads: p.config.SolverThreads, Mail: post})
	if err := set.EnsureSchedules(ctx); err != nil {
		return fmt.Errorf("prepare schedules: %w", err)
	}
	if err := set.EnsureRecurring(ctx); err != nil {
		p.log.Error("the workflow engine does not know all schedules yet", "error", err)
	}
	p.log.Info("worker polling")
	return workflows.NewWorkers(p.client, set).Run(ctx)
}
