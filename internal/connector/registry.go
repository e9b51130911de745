package connector

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/netguard"
)

// New opens a connector from settings that its spec has accepted, with
// defaults filled in. It must not reach for the network: connecting is the
// business of the first call that needs it, and of Test. Every connection is
// made with dialer, which refuses addresses that the deployment does not allow.
type New func(config Config, secrets Secrets, dialer *net.Dialer) (Connector, error)

type entry struct {
	spec Spec
	open New
}

// registry is written by init functions only and read afterwards, so it needs
// no lock.
var registry = map[string]entry{}

// Register makes a kind known. It is called from init functions and panics on
// a duplicate or a malformed spec, which are mistakes of the programmer.
func Register(spec Spec, open New) {
	if spec.Kind == "" || open == nil {
		panic("connector: register without kind or constructor")
	}
	if _, taken := registry[spec.Kind]; taken {
		panic(fmt.Sprintf("connector: kind %q registered twice", spec.Kind))
	}
	seen := map[string]bool{}
	for _, field := range spec.Fields {
		if seen[field.Key] || field.Key == "" {
			panic(fmt.Sprintf("connector: kind %q: field %q empty or twice", spec.Kind, field.Key))
		}
		if field.Type == Password && !field.Secret {
			panic(fmt.Sprintf("connector: kind %q: password %q is not secret", spec.Kind, field.Key))
		}
		seen[field.Key] = true
	}
	registry[spec.Kind] = entry{spec: spec, open: open}
}

// Specs returns the registered kinds in alphabetical order.
func Specs() []Spec {
	specs := make([]Spec, 0, len(registry))
	for e := range maps.Values(registry) {
		specs = append(specs, e.spec)
	}
	slices.SortFunc(specs, func(a, b Spec) int { return strings.Compare(a.Kind, b.Kind) })
	return specs
}

// Lookup returns the spec of a kind.
func Lookup(kind string) (Spec, bool) {
	e, ok := registry[kind]
	return e.spec, ok
}

// Open validates the settings and opens a connector. Bad settings give a fault
// of code Invalid whose fields FieldErrors returns. dialer is that of package
// netguard wherever tenants choose the address; without one only public
// addresses are reached.
func Open(kind string, config Config, secrets Secrets, dialer *net.Dialer) (Connector, error) {
	e, ok := registry[kind]
	if !ok {
		return nil, fault.New(fault.NotFound, KeyUnknownKind).With("kind", kind)
	}
	problems := e.spec.Validate(config)
	maps.Copy(problems, e.spec.ValidateSecrets(secrets))
	if len(problems) > 0 {
		return nil, configFault(problems)
	}
	if dialer == nil {
		dialer = netguard.Guard{}.Dialer()
	}
	opened, err := e.open(e.spec.WithDefaults(config), secrets, dialer)
	if err != nil {
		return nil, fmt.Errorf("open %s connector: %w", kind, err)
	}
	return opened, nil
}
