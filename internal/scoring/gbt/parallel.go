package gbt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inlineWork is the work, in touched values, below which starting goroutines
// costs more than it saves.
const inlineWork = 40000

// inParallel calls f for 0 … n-1 on all cores. Each call must write only what is
// its own, so that the result does not depend on the number of cores.
func inParallel(n, work int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 || work < inlineWork {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
}
