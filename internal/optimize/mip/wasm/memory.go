package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// session is one instance of the solver with its own linear memory.
type session struct {
	ctx        context.Context
	engine     *Engine
	module     api.Module
	trampoline api.Module
	functions  map[string]api.Function
}

func (e *Engine) open(ctx context.Context, state *instance) (*session, error) {
	state.pages = e.pages
	ctx = context.WithValue(context.WithoutCancel(ctx), instanceKey{}, state)
	m, err := e.runtime.InstantiateModule(ctx, e.solver, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("instantiate solver: %w", err)
	}
	s := &session{ctx: ctx, engine: e, module: m, functions: map[string]api.Function{}}
	if _, err = s.call("ctors"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *session) close() error {
	err := s.module.Close(s.ctx)
	if s.trampoline != nil {
		err = errors.Join(err, s.trampoline.Close(s.ctx))
	}
	return err
}

func (s *session) call(name string, args ...uint64) (uint64, error) {
	fn := s.functions[name]
	if fn == nil {
		if fn = s.module.ExportedFunction(exportName[name]); fn == nil {
			return 0, fmt.Errorf("solver has no function %s", name)
		}
		s.functions[name] = fn
	}
	r, err := fn.Call(s.ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if len(r) == 0 {
		return 0, nil
	}
	return r[0], nil
}

// must calls a function of the C API whose negative answer is an error.
func (s *session) must(name string, args ...uint64) error {
	r, err := s.call(name, args...)
	if err == nil && int32(r) < 0 {
		err = fmt.Errorf("%s refused", name)
	}
	return err
}

// memory is valid until the next call into the solver.
func (s *session) memory() []byte {
	m := s.module.Memory()
	size := m.Size()
	if size == 0 { // exactly 4 GiB wraps to 0
		size = math.MaxUint32
	}
	b, _ := m.Read(0, size)
	return b
}

func (s *session) alloc(size int) (uint64, error) {
	p, err := s.call("malloc", uint64(size+8))
	if err != nil {
		return 0, err
	}
	if uint32(p) == 0 {
		return 0, AbortError{"out of memory"}
	}
	return uint64(uint32(p)), nil
}

func (s *session) put(b []byte) (uint64, error) {
	p, err := s.alloc(len(b))
	if err != nil {
		return 0, err
	}
	if p+uint64(len(b)) > uint64(len(s.memory())) {
		return 0, AbortError{"pointer out of range"}
	}
	copy(s.memory()[p:], b)
	return p, nil
}

func (s *session) putString(text string) (uint64, error) { return s.put(append([]byte(text), 0)) }

func (s *session) floats(p uint64, n int) []float64 {
	m := s.memory()
	if p+uint64(8*n) > uint64(len(m)) {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(m[p+uint64(8*i):]))
	}
	return out
}

func (s *session) float(p uint32) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(s.memory()[p:]))
}

func (s *session) word(p uint32) uint32 { return binary.LittleEndian.Uint32(s.memory()[p:]) }

func (s *session) long(p uint32) int64 { return int64(binary.LittleEndian.Uint64(s.memory()[p:])) }

// installCallback makes state.callback reachable as a C function pointer.
func (s *session) installCallback() (uint64, error) {
	ctx := experimental.WithImportResolver(s.ctx, func(name string) api.Module {
		if name == "highs" {
			return s.module
		}
		return nil
	})
	tr, err := s.engine.runtime.InstantiateModule(ctx, s.engine.trampoline, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return 0, fmt.Errorf("instantiate callback trampoline: %w", err)
	}
	s.trampoline = tr
	r, err := tr.ExportedFunction("i").Call(s.ctx)
	if err != nil {
		return 0, fmt.Errorf("install callback: %w", err)
	}
	return r[0], nil
}

func floatBytes(v []float64) []byte {
	b := make([]byte, 0, 8*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

func intBytes(v []int32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return b
}
