package main

import (
	"testing"

	"go.temporal.io/server/common/dynamicconfig"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"server", "start-dev", "--ip", "127.0.0.1", "--port", "7300", "--namespace", "a", "--namespace", "b", "--headless",
		"--sqlite-pragma", "journal_mode=WAL", "--search-attribute", "TenantId=Keyword",
		"--dynamic-config-value", "matching.numTaskqueueReadPartitions=4",
		"--dynamic-config-value", `history.longPollExpirationInterval="5s"`, "--log-format", "pretty",
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.uiPort != 8300 || len(o.namespaces) != 2 || !o.headless || o.pragmas["journal_mode"] != "WAL" || len(o.searchAttributes) != 1 {
		t.Errorf("options: %+v", o)
	}
	for key, want := range map[string]any{
		"matching.numTaskqueueReadPartitions": 4,
		"history.longPollExpirationInterval":  "5s",
		"matching.enableFairness":             true,
	} {
		if got := o.dynamic[dynamicconfig.MakeKey(key)]; got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"an unknown flag":         {"--nope"},
		"a stray argument":        {"start"},
		"a bare string as JSON":   {"--dynamic-config-value", "a=2s"},
		"an unknown pragma":       {"--sqlite-pragma", "cache_size=1"},
		"an unknown type":         {"--search-attribute", "TenantId=Word"},
		"a host name as address":  {"--ip", "localhost"},
		"a dynamic key by itself": {"--dynamic-config-value", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(args); err == nil {
				t.Error("accepted")
			}
		})
	}
}
