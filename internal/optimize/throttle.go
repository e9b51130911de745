package optimize

import (
	"sync"
	"time"
)

// Throttled wraps report so that at most ten calls per second get through.
// The result may be called from several goroutines; report may be nil.
func Throttled(report func(Progress)) func(Progress) {
	if report == nil {
		return func(Progress) {}
	}
	var mu sync.Mutex
	var last time.Time
	return func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond {
			last = now
			report(p)
		}
	}
}
