package main

import (
	"fmt"
	"net"
	"os"
	"strconv"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves the web interface on loopback and returns the function that
// stops it. The interface shows every tenant and has no sign-in of its own, so
// it never listens on another address.
func startUI(o options) (stop func()) {
	if o.headless {
		return func() {}
	}
	ui := uiserver.NewServer(server_options.WithConfigProvider(uiConfig(o)))
	go func() {
		if err := ui.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "temporaldev: web interface:", err)
		}
	}()
	fmt.Printf("Temporal web interface on http://%s%s\n", net.JoinHostPort(loopback, strconv.Itoa(o.uiPort)), o.uiPublicPath)
	return ui.Stop
}

func uiConfig(o options) *uiconfig.Config {
	return &uiconfig.Config{
		TemporalGRPCAddress: o.address(),
		Host:                loopback,
		Port:                o.uiPort,
		PublicPath:          o.uiPublicPath,
		EnableUI:            true,
		DefaultNamespace:    o.namespaces[0],
		DisableNewsFetch:    true,
		DisableWriteActions: o.uiReadOnly,
		HideLogs:            true,
		// The codec server knows its readers by the session of the product.
		Codec: uiconfig.Codec{Endpoint: o.uiCodecEndpoint, IncludeCredentials: true},
		// The interface is reached over plain HTTP on loopback.
		CORS: uiconfig.CORS{CookieInsecure: true, AllowOrigins: []string{"http://" + net.JoinHostPort("localhost", strconv.Itoa(o.uiPort))}},
	}
}
