// Package wasm runs the HiGHS solver, compiled to WebAssembly, inside a Go
// process: no native library, no file system and no network for the solver,
// and a cap on its memory. Package mip runs it in a child process; nothing
// else should import it.
package wasm

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
)

//go:generate go run ./genabi -js highs.js -wasm highs.wasm -out abi_gen.go

//go:embed highs.wasm
var module []byte

// Version names the embedded solver.
const Version = "1.15.3"

// SHA256 is the hash of the embedded solver's code, in hexadecimal.
const SHA256 = wasmSHA256

// pageBytes is the size of a WebAssembly memory page.
const pageBytes = 64 << 10

// Config sets up an Engine.
type Config struct {
	CacheDir  string // compiled code is kept here; empty compiles every time
	MemoryMiB int    // cap of one solve; above 2048 the module's own limit is raised, at most 4096
}

// Engine holds the compiled module. Each Solve gets an instance of its own.
type Engine struct {
	runtime    wazero.Runtime
	cache      wazero.CompilationCache
	solver     wazero.CompiledModule
	trampoline wazero.CompiledModule
	pages      uint32
}

// New compiles the embedded solver, or loads it from the cache.
func New(ctx context.Context, c Config) (*Engine, error) {
	if got := fmt.Sprintf("%x", sha256.Sum256(module)); got != wasmSHA256 {
		return nil, fmt.Errorf("embedded solver: sha256 %s, want %s", got, wasmSHA256)
	}
	code, pages, err := limitMemory(module, c.MemoryMiB)
	if err != nil {
		return nil, err
	}
	// Closing on context done would make cancelling trivial but costs a
	// factor of three; Solve moves the solver's clock instead.
	rc := wazero.NewRuntimeConfigCompiler().WithDebugInfoEnabled(false).WithMemoryLimitPages(pages)
	e := &Engine{pages: pages}
	if c.CacheDir != "" {
		if e.cache, err = wazero.NewCompilationCacheWithDir(c.CacheDir); err != nil {
			return nil, fmt.Errorf("open compilation cache: %w", err)
		}
		rc = rc.WithCompilationCache(e.cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if err = e.compile(ctx, code); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

func (e *Engine) compile(ctx context.Context, code []byte) error {
	if err := defineHost(ctx, e.runtime); err != nil {
		return fmt.Errorf("define host functions: %w", err)
	}
	var err error
	if e.solver, err = e.runtime.CompileModule(ctx, code); err != nil {
		return fmt.Errorf("compile solver: %w", err)
	}
	if e.trampoline, err = e.runtime.CompileModule(ctx, trampolineModule()); err != nil {
		return fmt.Errorf("compile callback trampoline: %w", err)
	}
	return nil
}

// Close frees the compiled code.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	return err
}

// limitMemory returns the module and the page limit for a cap in MiB. The
// module declares 2 GiB; a higher cap patches the maximum in its memory
// section (id 5, one memory with a maximum, 324 initial pages).
func limitMemory(code []byte, mib int) ([]byte, uint32, error) {
	if mib <= 0 || mib > 4096 {
		mib = 2048
	}
	pages := uint32(mib) << 20 / pageBytes
	if mib == 4096 {
		pages = 65536
	}
	if mib <= 2048 {
		return code, pages, nil
	}
	const at2GiB = "\x05\x07\x01\x01\xc4\x02\x80\x80\x02"
	for i := 0; i+len(at2GiB) < len(code) && i < 1<<16; i++ {
		if string(code[i:i+len(at2GiB)]) == at2GiB {
			patched := append([]byte(nil), code...)
			patched[i+len(at2GiB)-1] = 0x04
			return patched, pages, nil
		}
	}
	return nil, 0, errors.New("embedded solver: memory section not found")
}

// instance is the state that the host functions of one solve share.
type instance struct {
	start    time.Time
	pages    uint32
	log      func(string)
	line     []byte
	stopped  func() bool
	callback func(kind int32, out, in uint32)
	step     time.Duration // of a counted clock, 0 = real time
	work     time.Duration // by the counted clock
}

// now is the solver's clock. Once a stop is asked it jumps far ahead, so that
// the solver meets its own time limit wherever it next looks. A counted clock
// moves with the looks, whose number depends on the work alone: HiGHS looks at
// least once per pivot of the simplex method.
func (s *instance) now() time.Duration {
	d := s.work
	if s.step > 0 {
		s.work += s.step
	} else {
		d = time.Since(s.start)
	}
	if s.stopped != nil && s.stopped() {
		d += 1000 * time.Hour
	}
	return d
}

func (s *instance) write(b []byte) {
	if s.log == nil {
		return
	}
	for _, c := range b {
		if c != '\n' {
			s.line = append(s.line, c)
			continue
		}
		s.log(string(s.line))
		s.line = s.line[:0]
	}
}
