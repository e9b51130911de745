package mip

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize/mip/wasm"
)

// childVariable tells a process that it was started to solve one model.
const childVariable = "OPTRIA_MIP_CHILD"

// orphanGrace is how long a child whose parent is gone may take to stop.
const orphanGrace = 15 * time.Second

// request is the first line that a child reads; the model follows in binary.
type request struct {
	CacheDir  string         `json:"cache_dir"`
	MemoryMiB int            `json:"memory_mib"`
	Step      time.Duration  `json:"step,omitempty"` // of a counted clock
	Integers  map[string]int `json:"integers"`
	Options   map[string]any `json:"options"`
}

// message is one line that a child writes.
type message struct {
	Type    string    `json:"type"` // incumbent, progress, result or error
	X       []float64 `json:"x,omitempty"`
	Bound   *float64  `json:"bound,omitempty"`
	Nodes   int64     `json:"nodes,omitempty"`
	Status  Status    `json:"status,omitempty"`
	RowDual []float64 `json:"row_dual,omitempty"`
	Text    string    `json:"text,omitempty"`

	Work time.Duration `json:"work,omitempty"` // by a counted clock
}

// ChildMain serves one solve on standard input and output and exits when the
// process was started as a solver; otherwise it returns false at once. Every
// program (and every TestMain) that solves must call it before anything else.
func ChildMain() bool {
	if os.Getenv(childVariable) == "" {
		return false
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
	return true
}

// serve runs one request. Anything further on in, also its end, asks the
// solver to stop.
func serve(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 1<<20)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("receive request: %w", err)
	}
	var rq request
	if err = json.Unmarshal(line, &rq); err != nil {
		return fmt.Errorf("receive request: %w", err)
	}
	m, err := decode(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = r.ReadByte() // the end of input is the message
		cancel()
		time.Sleep(orphanGrace) // nobody is left to kill a solver that hangs
		os.Exit(1)
	}()
	w := &messageWriter{enc: json.NewEncoder(out)}
	if err = solveHere(ctx, rq, m, w); err != nil {
		w.send(message{Type: "error", Text: err.Error()})
	}
	return w.err
}

func solveHere(ctx context.Context, rq request, m *Model, w *messageWriter) error {
	engine, err := wasm.New(ctx, wasm.Config{CacheDir: rq.CacheDir, MemoryMiB: rq.MemoryMiB})
	if err != nil {
		return err
	}
	for name, v := range rq.Integers { // JSON has no integers
		rq.Options[name] = v
	}
	res, err := engine.Solve(ctx, &wasm.Problem{
		Cost: m.Cost, Lower: m.Lower, Upper: m.Upper, Integer: m.Integer, RowLower: m.RowLower, RowUpper: m.RowUpper,
		Start: m.RowStart, Index: m.Index, Value: m.Value, Offset: m.Offset, Hint: m.Hint,
	}, wasm.Settings{
		Values:      rq.Options,
		Step:        rq.Step,
		OnIncumbent: func(_ float64, x []float64) { w.send(message{Type: "incumbent", X: finitePoint(x)}) },
		OnProgress: func(p wasm.Progress) {
			w.send(message{Type: "progress", Bound: finite(p.Dual), Nodes: p.Nodes})
		},
	})
	if err != nil {
		return err
	}
	w.send(message{Type: "result", Status: Status(res.Status), X: finitePoint(res.X), Bound: finite(res.Bound), Nodes: res.Nodes, RowDual: finitePoint(res.RowDual), Work: res.Work})
	return nil
}

type messageWriter struct {
	mu  sync.Mutex
	enc *json.Encoder
	err error
}

func (w *messageWriter) send(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enc.Encode(m); err != nil && w.err == nil {
		w.err = fmt.Errorf("send message: %w", err)
	}
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// finitePoint returns x, or nil when JSON cannot carry it.
func finitePoint(x []float64) []float64 {
	for _, v := range x {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
	}
	return x
}
