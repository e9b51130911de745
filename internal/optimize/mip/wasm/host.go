package wasm

import (
	"context"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

type instanceKey struct{}

func stateOf(ctx context.Context) *instance { return ctx.Value(instanceKey{}).(*instance) }

// AbortError says that the solver gave up: a C++ exception, an exhausted
// memory or an exit.
type AbortError struct{ What string }

// Error names the cause.
func (e AbortError) Error() string { return "solver aborted: " + e.What }

// WASI and Linux error numbers that the stubs answer with.
const (
	errnoBadFile   = 8
	errnoNoEntry   = 44
	errnoNotTTY    = 59
	errnoSeekPipe  = 29
	utcZoneName    = 0x00435455 // "UTC\0", little endian
	clockBaseNanos = 1e18       // any fixed instant: the solver only takes differences
)

// hostFunc is one import of the solver: parameters, results, body.
type hostFunc struct {
	params, results []api.ValueType
	body            func(ctx context.Context, m api.Module, stack []uint64)
}

// defineHost provides the solver's imports. There is no file system, no
// environment and no process control behind them.
func defineHost(ctx context.Context, rt wazero.Runtime) error {
	functions := hostFunctions()
	if len(functions) != len(importName) {
		return fmt.Errorf("solver wants %d imports, have %d", len(importName), len(functions))
	}
	b := rt.NewHostModuleBuilder("a")
	for name, f := range functions {
		short, ok := importName[name]
		if !ok {
			return fmt.Errorf("solver has no import %s", name)
		}
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(f.body), f.params, f.results).Export(short)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return err
	}
	cb := rt.NewHostModuleBuilder("cb")
	i32 := api.ValueTypeI32
	cb.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
		if s := stateOf(ctx); s.callback != nil {
			s.callback(int32(stack[0]), uint32(stack[2]), uint32(stack[3]))
		}
	}), []api.ValueType{i32, i32, i32, i32, i32}, nil).Export("f")
	_, err := cb.Instantiate(ctx)
	return err
}

func hostFunctions() map[string]hostFunc {
	const i32, i64, f64 = api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeF64
	types := func(t ...api.ValueType) []api.ValueType { return t }
	one := types(i32)
	return map[string]hostFunc{
		"___cxa_throw":                         {types(i32, i32, i32), nil, abort("C++ exception")},
		"__abort_js":                           {nil, nil, abort("abort")},
		"_exit":                                {one, nil, abort("exit")},
		"_proc_exit":                           {one, nil, abort("process exit")},
		"__emscripten_runtime_keepalive_clear": {nil, nil, func(context.Context, api.Module, []uint64) {}},
		"___syscall_fcntl64":                   {types(i32, i32, i32), one, answer(0)},
		"___syscall_ioctl":                     {types(i32, i32, i32), one, answer(-errnoNotTTY)},
		"___syscall_openat":                    {types(i32, i32, i32, i32), one, answer(-errnoNoEntry)},
		"__setitimer_js":                       {types(i32, f64), one, answer(0)},
		"__tzset_js":                           {types(i32, i32, i32, i32), nil, timeZone},
		"_clock_time_get":                      {types(i32, i64, i32), one, clockTime},
		"_emscripten_date_now":                 {nil, types(f64), clockMillis},
		"_emscripten_get_now":                  {nil, types(f64), clockMillis},
		"_emscripten_resize_heap":              {one, one, resizeHeap},
		"_environ_sizes_get":                   {types(i32, i32), one, environSizes},
		"_environ_get":                         {types(i32, i32), one, answer(0)},
		"_fd_close":                            {one, one, answer(0)},
		"_fd_read":                             {types(i32, i32, i32, i32), one, answer(errnoBadFile)},
		"_fd_seek":                             {types(i32, i64, i32, i32), one, answer(errnoSeekPipe)},
		"_fd_write":                            {types(i32, i32, i32, i32), one, writeLog},
	}
}

func abort(what string) func(context.Context, api.Module, []uint64) {
	return func(context.Context, api.Module, []uint64) { panic(AbortError{what}) }
}

func answer(v int32) func(context.Context, api.Module, []uint64) {
	return func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = uint64(uint32(v)) }
}

// mustWrite turns a write outside the module's memory into an abort.
func mustWrite(ok bool) {
	if !ok {
		panic(AbortError{"pointer out of range"})
	}
}

func timeZone(_ context.Context, m api.Module, stack []uint64) {
	mem := m.Memory()
	mustWrite(mem.WriteUint32Le(uint32(stack[0]), 0))
	mustWrite(mem.WriteUint32Le(uint32(stack[1]), 0))
	mustWrite(mem.WriteUint32Le(uint32(stack[2]), utcZoneName))
	mustWrite(mem.WriteUint32Le(uint32(stack[3]), utcZoneName))
}

func clockTime(ctx context.Context, m api.Module, stack []uint64) {
	mustWrite(m.Memory().WriteUint64Le(uint32(stack[2]), uint64(stateOf(ctx).now().Nanoseconds())+clockBaseNanos))
	stack[0] = 0
}

func clockMillis(ctx context.Context, _ api.Module, stack []uint64) {
	stack[0] = math.Float64bits(clockBaseNanos/1e6 + float64(stateOf(ctx).now().Nanoseconds())/1e6)
}

func environSizes(_ context.Context, m api.Module, stack []uint64) {
	mustWrite(m.Memory().WriteUint32Le(uint32(stack[0]), 0))
	mustWrite(m.Memory().WriteUint32Le(uint32(stack[1]), 0))
	stack[0] = 0
}

// resizeHeap follows Emscripten's policy: grow by a fifth, then by less, and
// answer 0 (out of memory) beyond the cap.
func resizeHeap(ctx context.Context, m api.Module, stack []uint64) {
	mem := m.Memory()
	want, limit := uint64(uint32(stack[0])), uint64(stateOf(ctx).pages)*pageBytes
	current := uint64(mem.Size())
	stack[0] = 0
	if (current == 0 && want > 0) || want > limit { // exactly 4 GiB reads as size 0
		return
	}
	for cut := uint64(1); cut <= 4; cut *= 2 {
		target := max(want, min(current+current/(5*cut), want+96<<20))
		target = min(limit, (target+pageBytes-1)/pageBytes*pageBytes)
		if _, ok := mem.Grow(uint32((target - current) / pageBytes)); ok {
			stack[0] = 1
			return
		}
	}
}

func writeLog(ctx context.Context, m api.Module, stack []uint64) {
	s, mem := stateOf(ctx), m.Memory()
	vectors, n, total := uint32(stack[1]), uint32(stack[2]), uint32(0)
	for i := uint32(0); i < n; i++ {
		ptr, ok1 := mem.ReadUint32Le(vectors + 8*i)
		size, ok2 := mem.ReadUint32Le(vectors + 8*i + 4)
		text, ok3 := mem.Read(ptr, size)
		mustWrite(ok1 && ok2 && ok3)
		total += size
		s.write(text)
	}
	mustWrite(mem.WriteUint32Le(uint32(stack[3]), total))
	stack[0] = 0
}
