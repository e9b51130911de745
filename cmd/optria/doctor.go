package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/internal/devstack"
	"github.com/optria-iq/optria/internal/mail"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/workflows"
)

// finding is one line of the doctor's report. Mend says what to do about Err.
type finding struct {
	what string
	err  error
	mend string
}

// runDoctor checks this machine and its configuration. Exit code 1 means that
// something needs mending.
func runDoctor(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	keyset := flags.Bool("new-keyset", false, "print a new value for OPTRIA_SECRET_KEYSET and stop")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *keyset {
		k, err := secret.GenerateKeyset()
		if err != nil {
			return err
		}
		fmt.Println(k)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	bad := 0
	for _, f := range append(examineConfig(ctx), examineMachine(ctx)...) {
		if f.err == nil {
			fmt.Printf("ok    %s\n", f.what)
			continue
		}
		bad++
		fmt.Printf("MEND  %s: %v\n      → %s\n", f.what, f.err, f.mend)
	}
	if bad > 0 {
		return errExit(1)
	}
	return nil
}

// examineConfig looks at what web and worker need. Without any setting the
// machine is meant for `optria dev`, which makes its own.
func examineConfig(ctx context.Context) []finding {
	if os.Getenv("OPTRIA_DB_URL") == "" && os.Getenv("JWT_SECRET_KEY") == "" {
		return []finding{{what: "configuration: none set, `optria dev` makes its own"}}
	}
	c, err := config.Load(os.Getenv)
	out := []finding{{"configuration", err, "set the named variables; README.md lists each with its effect"}}
	if c.DatabaseURL != "" {
		out = append(out, finding{"database", examineDatabase(ctx, c.DatabaseURL), "check OPTRIA_DB_URL, then run `optria migrate`"})
	}
	if err != nil {
		return out
	}
	_, boxErr := secret.Open(ctx, c.SecretKeyset, secret.Encryption{URI: c.SecretKEK, Token: c.SecretKEKToken})
	out = append(out, finding{"credential keyset", boxErr, "make one with `optria doctor --new-keyset`; under OPTRIA_SECRET_KEK_URI it must be one that `optria secrets rotate` printed"})
	out = append(out, examineMail(ctx, c.Mail))
	return append(out, finding{"Temporal", examineTemporal(ctx, c), "check TEMPORAL_ADDRESS and that `optria worker` runs"})
}

// examineMail signs in to the mail server and sends nothing.
func examineMail(ctx context.Context, server mail.Settings) finding {
	if !server.On() {
		return finding{what: "e-mail: off, people are notified within the product; OPTRIA_SMTP_URL switches it on"}
	}
	return finding{"e-mail through " + server.String(), server.Reach(ctx),
		"check host, port, tls, user and password of OPTRIA_SMTP_URL, and that this machine may connect to the port"}
}

func examineDatabase(ctx context.Context, url string) error {
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	pending, err := d.Pending(ctx)
	if err == nil && pending {
		return errors.New("migrations wait to be applied")
	}
	return err
}

func examineTemporal(ctx context.Context, c config.Config) error {
	client, err := workflows.Dial(ctx, workflows.ClientOptions{PayloadKey: c.PayloadKey})
	if err != nil {
		return err
	}
	defer client.Close()
	alive, err := client.Alive(ctx)
	if err == nil && !alive.Healthy() {
		return fmt.Errorf("%v", alive.Problems)
	}
	return err
}

// examineMachine looks at the programs of the development stack and lets both
// engines check themselves.
func examineMachine(ctx context.Context) []finding {
	out := []finding{
		{"AI service", scoring.SelfCheck(ctx), "this build is broken: report it"},
		{"optimization engine", optimize.SelfCheck(ctx), "give the process at least 1 GiB of memory and a writable cache folder (OPTRIA_CACHE_DIR)"},
	}
	if os.Getenv("TEMPORAL_ADDRESS") == "" {
		_, err := devstack.LocateTemporal()
		out = append(out, finding{"Temporal development server", err, "run `make deps`, or set TEMPORAL_ADDRESS"})
	}
	if os.Getenv("OPTRIA_DB_URL") == "" {
		_, err := devstack.LocatePostgres(ctx)
		out = append(out, finding{"PostgreSQL programs", err, "run `make deps`, or set OPTRIA_DB_URL"})
	}
	return out
}
