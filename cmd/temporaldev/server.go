package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	loopback    = "127.0.0.1"
)

// serverVersion is the version of the Temporal server that is linked in.
func serverVersion() string { return headers.ServerVersion }

// newServer writes the schema and the namespaces where they are missing and
// returns the four services, ready to start.
func newServer(o options) (temporal.Server, error) {
	store := sqlStore(o)
	if err := initialise(o, store); err != nil {
		return nil, err
	}
	ports, err := servicePorts(o)
	if err != nil {
		return nil, err
	}
	logger := newLogger(o)
	server, err := temporal.NewServer(
		temporal.WithConfig(serverConfig(o, store, ports)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(ports)),
		temporal.WithLogger(logger),
		temporal.WithNamespaceLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithDynamicConfigClient(o.dynamic),
	)
	if err != nil {
		return nil, fmt.Errorf("configure server: %w", err)
	}
	return server, nil
}

func newLogger(o options) log.Logger {
	if o.logLevel == "never" {
		return log.NewNoopLogger()
	}
	format := "json"
	if o.logFormat == "pretty" || o.logFormat == "text" {
		format = "console"
	}
	return log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: true, Level: o.logLevel, Format: format}))
}

// sqlStore describes the SQLite database, in memory or in a file. A database
// in memory is named after the process, which keeps the shared cache private.
func sqlStore(o options) *config.SQL {
	store := &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      o.dbFilename,
		ConnectAttributes: map[string]string{"mode": "rwc"},
	}
	if o.dbFilename == "" {
		store.DatabaseName = "temporaldev-" + strconv.Itoa(os.Getpid())
		store.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	}
	for name, value := range o.pragmas {
		store.ConnectAttributes["_"+name] = value
	}
	return store
}

// initialise creates schema and namespaces. An existing file is left as it is:
// search attributes of its namespaces are added through the API.
func initialise(o options, store *config.SQL) error {
	if o.dbFilename != "" {
		_, err := os.Stat(o.dbFilename)
		if errors.Is(err, fs.ErrNotExist) {
			err = sqlite.SetupSchema(store)
		}
		if err != nil {
			return fmt.Errorf("set up %s: %w", o.dbFilename, err)
		}
	}
	namespaces := make([]*sqlite.NamespaceConfig, 0, len(o.namespaces))
	for _, name := range o.namespaces {
		namespace, err := sqlite.NewNamespaceConfig(clusterName, name, false, o.searchAttributes)
		if err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
		namespaces = append(namespaces, namespace)
	}
	if err := sqlite.CreateNamespaces(store, namespaces...); err != nil {
		return fmt.Errorf("create namespaces: %w", err)
	}
	return nil
}

// servicePorts gives the frontend its chosen port and the others free ones.
func servicePorts(o options) (map[primitives.ServiceName]int, error) {
	ports := map[primitives.ServiceName]int{primitives.FrontendService: o.port}
	for _, name := range []primitives.ServiceName{primitives.HistoryService, primitives.MatchingService, primitives.WorkerService} {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		ports[name] = port
	}
	return ports, nil
}

func staticHosts(ports map[primitives.ServiceName]int) map[primitives.ServiceName]static.Hosts {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(ports))
	for name, port := range ports {
		self := net.JoinHostPort(loopback, strconv.Itoa(port))
		hosts[name] = static.Hosts{Self: self, All: []string{self}}
	}
	return hosts
}

// serverConfig is a cluster of one process: one shard, one store, all services
// on loopback, no archival.
func serverConfig(o options, store *config.SQL, ports map[primitives.ServiceName]int) *config.Config {
	frontend := net.JoinHostPort(loopback, strconv.Itoa(o.port))
	return &config.Config{
		Global: config.Global{
			Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback},
			Metrics: &metrics.Config{Prometheus: &metrics.PrometheusConfig{
				ListenAddress: net.JoinHostPort(loopback, strconv.Itoa(o.metricsPort)),
				HandlerPath:   "/metrics",
			}},
		},
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services(o, ports),
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		PublicClient: config.PublicClient{HostPort: frontend},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
}

func services(o options, ports map[primitives.ServiceName]int) map[string]config.Service {
	all := make(map[string]config.Service, len(ports))
	for name, port := range ports {
		rpc := config.RPC{GRPCPort: port, BindOnLocalHost: true}
		if name == primitives.FrontendService {
			rpc.BindOnLocalHost = false
			rpc.BindOnIP = o.ip
			rpc.HTTPPort = o.httpPort
		}
		all[string(name)] = config.Service{RPC: rpc}
	}
	return all
}
