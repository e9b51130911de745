// Package connectortest is the contract of connectors in executable form. Every
// registered connector has to pass it, against a simulator or a peer.
package connectortest

import (
	"context"
	"math"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Fixture is what the test needs to know about one kind: settings that work,
// tags that carry readings, and a window in which each has at least two.
type Fixture struct {
	Config  connector.Config
	Secrets connector.Secrets
	Dialer  *net.Dialer // nil for kinds that open no connection to this machine
	Tags    []string
	Since   time.Time
	Until   time.Time
	Draft   connector.WorkOrderDraft // for kinds that write orders: one that the source takes
	Message connector.Message        // for kinds that receive: one with readings of every tag within the window
}

// Run checks one registered kind against the contract.
func Run(t *testing.T, kind string, fixture Fixture) {
	t.Helper()
	spec, ok := connector.Lookup(kind)
	require.True(t, ok, "kind %q is not registered", kind)
	t.Run("described", func(t *testing.T) { described(t, spec) })
	t.Run("bad settings", func(t *testing.T) { badSettings(t, spec, fixture) })

	opened, err := connector.Open(kind, fixture.Config, fixture.Secrets, fixture.Dialer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	require.Equal(t, kind, opened.Kind())
	if tester, can := opened.(connector.Tester); can {
		t.Run("test", func(t *testing.T) { tests(t, tester) })
	}
	if browser, can := opened.(connector.Browser); can {
		t.Run("browse", func(t *testing.T) { browses(t, browser, fixture) })
	}
	if poller, can := opened.(connector.Poller); can {
		t.Run("poll", func(t *testing.T) { reads(t, poller.Poll, fixture) })
	}
	if backfiller, can := opened.(connector.Backfiller); can {
		t.Run("backfill", func(t *testing.T) { reads(t, backfiller.Backfill, fixture) })
	}
	if sampler, can := opened.(connector.Sampler); can {
		t.Run("sample", func(t *testing.T) { samples(t, sampler, fixture) })
	}
	if subscriber, can := opened.(connector.Subscriber); can {
		t.Run("subscribe", func(t *testing.T) { subscribes(t, subscriber, fixture) })
	}
	if receiver, can := opened.(connector.Receiver); can {
		t.Run("receive", func(t *testing.T) { receives(t, receiver, fixture) })
	}
	if reader, can := opened.(connector.AssetReader); can {
		t.Run("assets", func(t *testing.T) { readsAssets(t, reader) })
	}
	if reader, can := opened.(connector.WorkOrderReader); can {
		t.Run("orders", func(t *testing.T) { readsOrders(t, reader) })
	}
	if writer, can := opened.(connector.WorkOrderWriter); can {
		t.Run("write", func(t *testing.T) { writesOrders(t, writer, fixture.Draft) })
	}
}

func described(t *testing.T, spec connector.Spec) {
	require.NotEmpty(t, spec.NameKey)
	require.NotEmpty(t, spec.DescriptionKey)
	for _, field := range spec.Fields {
		require.NotEmpty(t, field.LabelKey, field.Key)
		if field.Type == connector.Choice {
			require.NotEmpty(t, field.Enum, field.Key)
		}
	}
}

func badSettings(t *testing.T, spec connector.Spec, fixture Fixture) {
	refused := func(config connector.Config, secrets connector.Secrets, key, want string) {
		_, err := connector.Open(spec.Kind, config, secrets, fixture.Dialer)
		require.Error(t, err, key)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), key)
		require.Equal(t, want, connector.FieldErrors(err)[key], key)
	}
	refused(with(fixture.Config, "no_such_field", "x"), fixture.Secrets, "no_such_field", connector.ErrUnknown)
	for _, field := range spec.Fields {
		if field.Secret {
			refused(with(fixture.Config, field.Key, "in the clear"), fixture.Secrets, field.Key, connector.ErrUnknown)
			continue
		}
		for value, want := range wrongValues(field) {
			refused(with(fixture.Config, field.Key, value), fixture.Secrets, field.Key, want)
		}
	}
}

// wrongValues returns values that a field must refuse, with the message key.
func wrongValues(field connector.Field) map[any]string {
	wrong := map[any]string{}
	if field.Required {
		wrong[nil] = connector.ErrRequired
	}
	switch field.Type {
	case connector.Number, connector.Integer:
		wrong["twelve"] = connector.ErrType
		if field.Min != nil {
			wrong[*field.Min-1] = connector.ErrMin
		}
		if field.Max != nil {
			wrong[*field.Max+1] = connector.ErrMax
		}
	case connector.Object:
		wrong["text"] = connector.ErrObject
	case connector.Choice:
		wrong["no such choice"] = connector.ErrChoice
	case connector.URL:
		wrong["not an address"] = connector.ErrURL
	case connector.Instant:
		wrong["yesterday"] = connector.ErrInstant
	default:
		wrong[3.5] = connector.ErrType
	}
	return wrong
}

func with(config connector.Config, key string, value any) connector.Config {
	changed := connector.Config{}
	for k, v := range config {
		changed[k] = v
	}
	changed[key] = value
	return changed
}

func tests(t *testing.T, tester connector.Tester) {
	order := []string{connector.StepName, connector.StepTCP, connector.StepSecure, connector.StepSession, connector.StepBrowse, connector.StepRead}
	steps := tester.Test(t.Context())
	require.NotEmpty(t, steps)
	at := -1
	for _, step := range steps {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
		require.Empty(t, step.Code)
		next := indexOf(order, step.Name)
		require.Greater(t, next, at, "step %q unknown or out of order", step.Name)
		at = next
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	steps = tester.Test(cancelled)
	require.False(t, steps[len(steps)-1].OK, "a cancelled test must not pass")
	require.NotEmpty(t, steps[len(steps)-1].Code)
}

func indexOf(order []string, name string) int {
	for i, step := range order {
		if step == name {
			return i
		}
	}
	return -1
}

func browses(t *testing.T, browser connector.Browser, fixture Fixture) {
	leaves := map[string]bool{}
	open := []string{""}
	for len(open) > 0 && len(leaves) < 10_000 {
		nodes, err := browser.Browse(t.Context(), open[0])
		require.NoError(t, err)
		open = open[1:]
		for _, node := range nodes {
			require.NotEmpty(t, node.Name)
			if node.Leaf {
				require.False(t, leaves[node.Address], "%s listed twice", node.Address)
				leaves[node.Address] = true
				continue
			}
			open = append(open, node.Address)
		}
	}
	for _, tag := range fixture.Tags {
		require.True(t, leaves[tag], "tag %s cannot be browsed to", tag)
	}
	_, err := browser.Browse(t.Context(), "no/such/node")
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

type read func(context.Context, connector.PollRequest) (connector.Batch, error)

func reads(t *testing.T, read read, fixture Fixture) {
	request := connector.PollRequest{Tags: fixture.Tags, Since: fixture.Since, Until: fixture.Until}
	whole := drain(t, read, request)
	require.GreaterOrEqual(t, len(whole), 2*len(fixture.Tags))
	require.Equal(t, whole, drain(t, read, request), "the same window must give the same readings")
	ascending(t, whole)

	paged := request
	paged.Limit = max(1, len(whole)/7)
	require.ElementsMatch(t, whole, drain(t, read, paged), "pages must add up to the window")

	unknown := request
	unknown.Tags = append([]string{"no such tag"}, fixture.Tags...)
	batch, err := read(t.Context(), unknown)
	require.NoError(t, err, "an unknown tag must not hold up the others")
	require.NotEmpty(t, batch.Readings)
	require.NotEmpty(t, batch.Notices)
	require.Contains(t, batch.Notices[0].Tags, "no such tag")

	backwards := request
	backwards.Since, backwards.Until = request.Until, request.Since
	_, err = read(t.Context(), backwards)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = read(cancelled, request)
	require.ErrorIs(t, err, context.Canceled)
}

// drain reads pages until the window is exhausted.
func drain(t *testing.T, read read, request connector.PollRequest) []connector.Reading {
	var all []connector.Reading
	until := request.Until
	for {
		batch, err := read(t.Context(), request)
		require.NoError(t, err)
		require.False(t, batch.Watermark.Before(request.Since), "watermark went back")
		require.False(t, batch.Watermark.After(until), "watermark ran ahead")
		all = append(all, comparable(t, batch.Readings)...)
		if !batch.More {
			require.True(t, batch.Watermark.Equal(until), "a finished window must end at its end")
			return all
		}
		require.True(t, batch.Watermark.After(request.Since), "an unfinished page must advance")
		request.Since = batch.Watermark
		// The archive as of the end of the window, whichever page is read.
		request.AsOf = until
	}
}

// comparable puts a number in the place of values that are none, which equal
// nothing, not even themselves. Only bad readings may have such a value.
func comparable(t *testing.T, readings []connector.Reading) []connector.Reading {
	for i, r := range readings {
		if math.IsNaN(r.Value) {
			require.Equal(t, asset.Bad, r.Quality, "%s at %s has no value", r.ExternalTag, r.Time)
			readings[i].Value = -math.MaxFloat64
		}
	}
	return readings
}

func ascending(t *testing.T, readings []connector.Reading) {
	last := map[string]time.Time{}
	for _, r := range readings {
		require.True(t, r.Time.After(last[r.ExternalTag]), "%s: %s not after %s", r.ExternalTag, r.Time, last[r.ExternalTag])
		require.Equal(t, time.UTC, r.Time.Location())
		last[r.ExternalTag] = r.Time
	}
}
