package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// The kinds of the scripted source: one that keeps an archive and one that
// does not.
const (
	scriptedKind  = "scripted"
	forgetfulKind = "scripted_forgetful"
)

// sources are the scripted sources by name, as integrations name them.
var sources sync.Map

func init() {
	spec := func(kind string) connector.Spec {
		return connector.Spec{Kind: kind, Fields: []connector.Field{{Key: "source", Type: connector.Text, Required: true}}}
	}
	find := func(c connector.Config) *source {
		s, _ := sources.Load(c["source"])
		return s.(*source)
	}
	connector.Register(spec(scriptedKind), func(c connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
		return &archivist{door{source: find(c)}}, nil
	})
	connector.Register(spec(forgetfulKind), func(c connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
		return &door{source: find(c)}, nil
	})
}

// source is a plant system whose clock, readings and faults a test scripts. Its
// clock runs in the past, so that ten minutes of it take no time.
type source struct {
	mu       sync.Mutex
	clock    time.Time
	archive  []connector.Reading
	waiting  map[*door][]connector.Reading // measured for a session, not delivered yet
	wake     chan struct{}
	fault    error // refuses every call and ends every session
	silent   bool  // sessions stay but deliver nothing
	panics   bool
	twice    bool // every batch comes two times
	forgetOK bool // drops the session once after a batch was stored, before it knows
	endless  bool // the archive pages without end
	pageSize int
	sessions int
	tree     map[string][]connector.Node
	notices  []connector.Notice // of the next batch
	refuses  []string           // tags whose archive may not be read now
	lacks    []string           // tags that a poll does not know
	resumes  bool               // the source keeps what it measures between sessions
}

func newSource(t *testing.T, name string) *source {
	t.Helper()
	s := &source{clock: time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Second), waiting: map[*door][]connector.Reading{}, wake: make(chan struct{}), pageSize: 7}
	sources.Store(name, s)
	t.Cleanup(func() { sources.Delete(name) })
	return s
}

// change scripts something and wakes the sessions.
func (s *source) change(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
	close(s.wake)
	s.wake = make(chan struct{})
}

// measure lets time pass, second by second, with a reading of every tag each.
func (s *source) measure(seconds int, tags ...string) {
	s.change(func() {
		for range seconds {
			s.clock = s.clock.Add(time.Second)
			for i, tag := range tags {
				s.add(connector.Reading{ExternalTag: tag, Time: s.clock, Value: float64(i), Quality: asset.Good})
			}
		}
	})
}

func (s *source) add(r connector.Reading) {
	s.archive = append(s.archive, r)
	for d := range s.waiting {
		s.waiting[d] = append(s.waiting[d], r)
	}
}

// anyDoor is one of the sessions of now; the caller holds the lock.
func (s *source) anyDoor() *door {
	for d := range s.waiting {
		return d
	}
	return nil
}

// door is one opened connector of a source.
type door struct{ source *source }

func (*door) Kind() string { return scriptedKind }
func (*door) Close() error { return nil }

// archivist is a door through which the archive can be read.
type archivist struct{ door }

func (d *door) Subscribe(ctx context.Context, _ connector.SubscribeRequest, deliver connector.Deliver) error {
	s := d.source
	s.mu.Lock()
	if s.fault != nil {
		defer s.mu.Unlock()
		return s.fault
	}
	s.waiting[d] = nil
	s.sessions++
	up := s.clock
	if s.resumes && s.sessions > 1 {
		up, s.waiting[d] = time.Time{}, slices.Clone(s.archive)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, d)
	}()
	if err := deliver(ctx, connector.Batch{Watermark: up}); err != nil {
		return err
	}
	for {
		if err := d.next(ctx, deliver); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// next delivers what is waiting, or a sign of life after a while.
func (d *door) next(ctx context.Context, deliver connector.Deliver) error {
	s := d.source
	s.mu.Lock()
	batch, wake, fault := connector.Batch{Readings: s.waiting[d], Watermark: s.clock, Notices: s.notices}, s.wake, s.fault
	s.notices = nil
	silent, panics, twice, forgets := s.silent, s.panics, s.twice, s.forgetOK && len(batch.Readings) > 0
	if forgets {
		s.forgetOK = false
	}
	s.mu.Unlock()
	switch {
	case panics:
		panic("an answer that nobody expected")
	case fault != nil:
		return fault
	case silent:
		select {
		case <-ctx.Done():
		case <-wake:
		}
		return nil
	}
	if err := deliver(ctx, batch); err != nil {
		return err
	}
	if forgets {
		return connector.Unreachable(errors.New("cut before the source knew that the batch was stored"))
	}
	if twice {
		if err := deliver(ctx, batch); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.waiting[d] = s.waiting[d][len(batch.Readings):]
	more := len(s.waiting[d]) > 0
	s.mu.Unlock()
	if more {
		return nil
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-time.After(50 * time.Millisecond):
	}
	return nil
}

func (d *archivist) Backfill(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	s := d.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return connector.Batch{}, s.fault
	}
	if s.endless {
		return connector.Batch{Watermark: r.Since, More: true}, nil
	}
	sorted := slices.Clone(s.archive)
	slices.SortStableFunc(sorted, func(a, b connector.Reading) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
	batch := connector.Batch{Watermark: r.Until}
	if len(s.refuses) > 0 {
		batch.Notices = []connector.Notice{{Key: connector.NoticeRefusedTag, Tags: s.refuses}}
	}
	for _, reading := range sorted {
		if slices.Contains(s.refuses, reading.ExternalTag) || !reading.Time.After(r.Since) || reading.Time.After(r.Until) || !slices.Contains(r.Tags, reading.ExternalTag) {
			continue
		}
		if len(batch.Readings) >= s.pageSize && reading.Time.After(batch.Readings[len(batch.Readings)-1].Time) {
			batch.More, batch.Watermark = true, batch.Readings[len(batch.Readings)-1].Time
			break
		}
		batch.Readings = append(batch.Readings, reading)
	}
	return batch, nil
}

func (d *archivist) Browse(_ context.Context, parent string) ([]connector.Node, error) {
	s := d.source
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes, ok := s.tree[parent]
	if !ok {
		return nil, connector.UnknownNode(parent)
	}
	return nodes, nil
}

// held returns what the source has of the tags, one line per reading.
func (s *source) held() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := map[string]bool{}
	for _, r := range s.archive {
		lines[line(r.ExternalTag, r.Time)] = true
	}
	out := make([]string, 0, len(lines))
	for l := range lines {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

func line(tag string, at time.Time) string {
	return fmt.Sprintf("%s %d", tag, at.UnixMicro())
}

// requireSame compares two sets of lines and prints only where they differ.
func requireSame(t *testing.T, want, got []string) {
	t.Helper()
	missing, extra := 0, 0
	for _, l := range want {
		if _, ok := slices.BinarySearch(got, l); !ok {
			missing++
		}
	}
	for _, l := range got {
		if _, ok := slices.BinarySearch(want, l); !ok {
			extra++
		}
	}
	require.Zero(t, missing, "of %d readings of the source are missing", len(want))
	require.Zero(t, extra, "of %d stored readings the source never had", len(got))
	require.Len(t, got, len(want), "each once")
}
