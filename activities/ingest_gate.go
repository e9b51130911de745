package activities

import (
	"context"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/optria-iq/optria/internal/fault"
)

// How a worker process shares itself between tenants: transactions that store
// readings at a time, in all and of one tenant, and streams of one tenant.
const (
	storesAtOnce     = 6
	storesPerTenant  = 2
	streamsPerTenant = 100
)

// KeyTooManyStreams says that a tenant follows as many sources as one worker
// process lets it.
const KeyTooManyStreams = "connector.fault.too_many_streams"

// gate lets a few callers in at a time, first come first served. A tenant waits
// for its own share first, so at the gate itself no more than that stands in
// front of another tenant, however long its queue is.
type gate struct {
	all   *semaphore.Weighted
	share int64
	mu    sync.Mutex
	each  map[uuid.UUID]*semaphore.Weighted
}

func newGate(all, share int64) *gate {
	return &gate{all: semaphore.NewWeighted(all), share: share, each: map[uuid.UUID]*semaphore.Weighted{}}
}

// enter waits for a place. The caller must call leave when it returns one.
func (g *gate) enter(ctx context.Context, tenant uuid.UUID) (leave func(), err error) {
	own := g.of(tenant)
	if err := own.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := g.all.Acquire(ctx, 1); err != nil {
		own.Release(1)
		return nil, err
	}
	return func() { g.all.Release(1); own.Release(1) }, nil
}

func (g *gate) of(tenant uuid.UUID) *semaphore.Weighted {
	g.mu.Lock()
	defer g.mu.Unlock()
	own, ok := g.each[tenant]
	if !ok {
		own = semaphore.NewWeighted(g.share)
		g.each[tenant] = own
	}
	return own
}

// slots counts what a tenant holds for long.
type slots struct {
	most int
	mu   sync.Mutex
	held map[uuid.UUID]int
}

func newSlots(most int) *slots { return &slots{most: most, held: map[uuid.UUID]int{}} }

// take returns a fault of code Conflict when the tenant has its share: it is not
// tried again at once, but told, and tried with the next poll.
func (s *slots) take(tenant uuid.UUID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[tenant] >= s.most {
		return nil, fault.New(fault.Conflict, KeyTooManyStreams).With("most", s.most)
	}
	s.held[tenant]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held[tenant]--
	}, nil
}
