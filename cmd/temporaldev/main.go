// Command temporaldev is a single-process Temporal development server: the
// four services of a Temporal cluster on one SQLite database, with the web
// interface beside them. It is a module of its own, because the server's
// dependencies have no place in the product's build.
//
// It accepts "server start-dev" in front of its flags, so that it can stand in
// for the Temporal command line wherever that is started as a process (for
// example by testsuite.StartDevServer of the Go SDK).
//
// It has no authentication: it listens on loopback and is meant for
// development and tests, never for production.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/server/temporal"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "temporaldev:", err)
		os.Exit(1)
	}
}

// run starts the server and the web interface and stops both on SIGINT or
// SIGTERM.
func run(args []string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	opts, err := parse(args)
	if err != nil {
		return err
	}
	if err := prepare(&opts); err != nil {
		return err
	}
	server, err := newServer(opts)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	fmt.Printf("Temporal server %s on %s\n", serverVersion(), opts.address())
	stopUI := startUI(opts)

	<-stop
	stopUI()
	return stopServer(server)
}

func stopServer(server temporal.Server) error {
	if err := server.Stop(); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	return nil
}
