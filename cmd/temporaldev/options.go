package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// options is the command line, checked.
type options struct {
	ip               string
	port             int
	uiPort           int
	httpPort         int
	metricsPort      int
	headless         bool
	uiReadOnly       bool
	uiCodecEndpoint  string
	uiPublicPath     string
	dbFilename       string
	logLevel         string
	logFormat        string
	namespaces       []string
	pragmas          map[string]string
	dynamic          dynamicconfig.StaticClient
	searchAttributes map[string]enumspb.IndexedValueType
}

// address is the host and port of the gRPC frontend.
func (o options) address() string { return net.JoinHostPort(o.ip, strconv.Itoa(o.port)) }

// uiOffset is the distance between the gRPC port and the port of the web
// interface when only the former is chosen.
const uiOffset = 1000

// parse reads the command line. A leading "server start-dev" is accepted and
// ignored.
func parse(args []string) (options, error) {
	if len(args) >= 2 && args[0] == "server" && args[1] == "start-dev" {
		args = args[2:]
	}
	o := options{
		pragmas:          map[string]string{},
		dynamic:          tuned(),
		searchAttributes: map[string]enumspb.IndexedValueType{},
	}
	flags := flag.NewFlagSet("temporaldev", flag.ContinueOnError)
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if rest := flags.Args(); len(rest) > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", rest[0])
	}
	if net.ParseIP(o.ip) == nil {
		return options{}, fmt.Errorf("--ip %q is not an IP address", o.ip)
	}
	if len(o.namespaces) == 0 {
		o.namespaces = []string{"default"}
	}
	if o.uiPort == 0 {
		o.uiPort = o.port + uiOffset
	}
	return o, nil
}

// define declares the flags. Those of the Temporal command line keep its names.
func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.ip, "ip", "127.0.0.1", "address of the gRPC frontend")
	flags.IntVar(&o.port, "port", 7233, "port of the gRPC frontend")
	flags.IntVar(&o.uiPort, "ui-port", 0, "port of the web interface (default: --port plus 1000)")
	flags.IntVar(&o.httpPort, "http-port", 0, "port of the HTTP API (default: a free one)")
	flags.IntVar(&o.metricsPort, "metrics-port", 0, "port of the metrics (default: a free one)")
	flags.BoolVar(&o.headless, "headless", false, "without the web interface")
	flags.BoolVar(&o.uiReadOnly, "ui-read-only", false, "web interface without actions that change workflows")
	flags.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "codec server that decodes payloads in the web interface")
	flags.StringVar(&o.uiPublicPath, "ui-public-path", "", "path prefix of the web interface")
	flags.StringVar(&o.dbFilename, "db-filename", "", "SQLite file (default: in memory)")
	flags.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn, error or never")
	flags.StringVar(&o.logFormat, "log-format", "json", "json or pretty")
	flags.Func("namespace", "namespace to create; may be repeated (default: default)", func(v string) error {
		o.namespaces = append(o.namespaces, v)
		return nil
	})
	flags.Func("sqlite-pragma", "NAME=VALUE; may be repeated", o.setPragma)
	flags.Func("dynamic-config-value", "KEY=JSON; may be repeated", o.setDynamic)
	flags.Func("search-attribute", "NAME=TYPE for the new namespaces; may be repeated", o.setSearchAttribute)
}

func (o *options) setPragma(v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || (name != "journal_mode" && name != "synchronous") {
		return fmt.Errorf("want journal_mode=VALUE or synchronous=VALUE")
	}
	o.pragmas[name] = value
	return nil
}

func (o *options) setDynamic(v string) error {
	key, text, ok := strings.Cut(v, "=")
	if !ok {
		return fmt.Errorf("want KEY=JSON")
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("%s: %w (a string needs quotes)", key, err)
	}
	// The server's converters expect whole numbers as integers.
	if f, isNumber := value.(float64); isNumber && f == float64(int(f)) {
		value = int(f)
	}
	o.dynamic[dynamicconfig.MakeKey(key)] = value
	return nil
}

func (o *options) setSearchAttribute(v string) error {
	name, kind, ok := strings.Cut(v, "=")
	if !ok {
		return fmt.Errorf("want NAME=TYPE")
	}
	t, err := enumspb.IndexedValueTypeFromString(kind)
	if err != nil {
		return fmt.Errorf("type of %s: %w", name, err)
	}
	o.searchAttributes[name] = t
	return nil
}

// tuned is the dynamic configuration that suits one process with one history
// shard: fairness between tenants on, one partition per task queue (several
// halve the fairness), task queues polled without the pauses that are meant
// for a large cluster, and a short history long poll, so that a client that
// misses a closing event waits two seconds and not twenty.
func tuned() dynamicconfig.StaticClient {
	values := map[string]any{
		"matching.enableFairness":                                true,
		"matching.numTaskqueueReadPartitions":                    1,
		"matching.numTaskqueueWritePartitions":                   1,
		"history.transferProcessorMaxPollRPS":                    1000,
		"history.timerProcessorMaxPollRPS":                       1000,
		"history.visibilityProcessorMaxPollRPS":                  1000,
		"history.outboundProcessorMaxPollRPS":                    1000,
		"history.longPollExpirationInterval":                     "2s",
		"system.forceSearchAttributesCacheRefreshOnRead":         true,
		"frontend.enableServerVersionCheck":                      false,
		"frontend.namespaceRPS.visibility":                       100,
		"frontend.namespaceRPS.namespaceReplicationInducingAPIs": 100,
	}
	static := dynamicconfig.StaticClient{}
	for key, value := range values {
		static[dynamicconfig.MakeKey(key)] = value
	}
	return static
}

// prepare chooses the free ports, refuses taken ones with a plain message and
// makes sure that the directory of the database exists.
func prepare(o *options) error {
	wanted := []int{o.port}
	if !o.headless {
		wanted = append(wanted, o.uiPort)
	}
	for _, port := range wanted {
		listener, err := net.Listen("tcp", net.JoinHostPort(o.ip, strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("port %d is taken: %w", port, err)
		}
		if err := listener.Close(); err != nil {
			return fmt.Errorf("probe port %d: %w", port, err)
		}
	}
	for _, port := range []*int{&o.metricsPort, &o.httpPort} {
		if *port != 0 {
			continue
		}
		free, err := freePort()
		if err != nil {
			return err
		}
		*port = free
	}
	return ensureDatabaseDirectory(o.dbFilename)
}

func ensureDatabaseDirectory(file string) error {
	i := strings.LastIndexByte(file, os.PathSeparator)
	if i <= 0 {
		return nil
	}
	if err := os.MkdirAll(file[:i], 0o750); err != nil {
		return fmt.Errorf("create directory of the database: %w", err)
	}
	return nil
}

// freePort asks the kernel for a loopback port that nothing listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("release port %d: %w", port, err)
	}
	return port, nil
}
