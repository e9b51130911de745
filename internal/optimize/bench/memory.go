package bench

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryInterval is how often the memory is looked at.
const memoryInterval = 100 * time.Millisecond

// memoryWatch samples the resident memory of a process and its children.
type memoryWatch struct {
	done chan struct{}
	peak chan float64
}

// watchMemory starts to sample. It reads /proc, so that systems without it
// give no figure.
func watchMemory(pid int) *memoryWatch {
	w := &memoryWatch{done: make(chan struct{}), peak: make(chan float64)}
	go func() {
		peak := math.NaN()
		tick := time.NewTicker(memoryInterval)
		defer tick.Stop()
		for {
			if kib := residentKiB(pid); kib > 0 && !(kib/1024 <= peak) {
				peak = kib / 1024
			}
			select {
			case <-tick.C:
			case <-w.done:
				w.peak <- peak
				return
			}
		}
	}()
	return w
}

// stop returns the largest sample in MiB, NaN without one.
func (w *memoryWatch) stop() float64 {
	close(w.done)
	return <-w.peak
}

// residentKiB sums VmRSS over a process and everything it started; processes
// that end meanwhile count nothing.
func residentKiB(pid int) float64 {
	sum := 0.0
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for _, line := range bytes.Split(status, []byte("\n")) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			if kib, err := strconv.ParseFloat(strings.Fields(string(rest))[0], 64); err == nil {
				sum += kib
			}
		}
	}
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return sum
	}
	for _, list := range lists {
		text, err := os.ReadFile(list) // #nosec G304 -- of this process
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(text)) {
			if id, err := strconv.Atoi(child); err == nil {
				sum += residentKiB(id)
			}
		}
	}
	return sum
}
