package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// cluster is where a private PostgreSQL lives and who runs it.
type cluster struct {
	home      string              // cluster, lock and fetched binaries
	data      string              // the data directory inside home
	socketDir string              // directory of the Unix socket
	user      *syscall.Credential // nil: the current user
}

// memoryDir is the file system in memory where ephemeral clusters live.
const memoryDir = "/dev/shm"

// memoryNeeded is the free space below which memoryDir is not used: containers
// often offer 64 MB there.
const memoryNeeded = 1 << 30

// placeCluster chooses and makes the directories.
func placeCluster(cfg PostgresConfig) (cluster, error) {
	account, err := serverAccount()
	if err != nil {
		return cluster{}, err
	}
	home, err := clusterHome(cfg, account)
	if err != nil {
		return cluster{}, err
	}
	c := cluster{home: home, data: filepath.Join(home, "data"), socketDir: socketDir(home), user: account}
	for _, dir := range []string{c.home, c.socketDir} {
		if err := c.own(dir); err != nil {
			return cluster{}, err
		}
	}
	return c, nil
}

// serverAccount is the account for the server when this process is root, whom
// PostgreSQL refuses: "postgres" where it exists, else "nobody".
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and neither user postgres nor nobody exists")
}

// clusterHome resolves the configured directory, or makes one in memory.
func clusterHome(cfg PostgresConfig, account *syscall.Credential) (string, error) {
	if cfg.Dir == "" {
		if !cfg.Ephemeral {
			return "", errors.New("a lasting cluster needs a directory")
		}
		dir, err := os.MkdirTemp(ephemeralBase(), "optria-pg-")
		if err != nil {
			return "", fmt.Errorf("make ephemeral directory: %w", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", cfg.Dir, err)
	}
	if account != nil && !traversable(filepath.Dir(dir), account) {
		return filepath.Join("/var/lib/optria", shortHash(dir), "pg"), nil
	}
	return dir, nil
}

func ephemeralBase() string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(memoryDir, &stat); err == nil && stat.Bavail*uint64(stat.Bsize) >= memoryNeeded { // #nosec G115 -- a block size is positive
		return memoryDir
	}
	return os.TempDir()
}

// traversable reports whether the account may pass through every existing
// directory on the way to dir.
func traversable(dir string, account *syscall.Credential) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil {
			stat, ok := info.Sys().(*syscall.Stat_t)
			if !ok || !mayPass(info.Mode(), stat, account) {
				return false
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func mayPass(mode fs.FileMode, stat *syscall.Stat_t, account *syscall.Credential) bool {
	switch {
	case stat.Uid == account.Uid:
		return mode&0o100 != 0
	case stat.Gid == account.Gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// socketPathLimit leaves room for the file name: the kernel takes 107 bytes.
const socketPathLimit = 100

// socketDir is home, or a short path made from its hash when the socket's path
// would be too long.
func socketDir(home string) string {
	if len(filepath.Join(home, ".s.PGSQL.5432")) <= socketPathLimit {
		return home
	}
	return filepath.Join(os.TempDir(), "optria-"+shortHash(home))
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// own makes a directory and hands it to the server's account. Directories above
// it are made passable, for nothing in them is secret but the cluster itself.
func (c cluster) own(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { // #nosec G301 -- the server's account must pass through
		return fmt.Errorf("make %s: %w", filepath.Dir(dir), err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory of the cluster: %w", err)
	}
	if c.user == nil {
		return nil
	}
	if err := os.Chown(dir, int(c.user.Uid), int(c.user.Gid)); err != nil {
		return fmt.Errorf("hand %s to the server's account: %w", dir, err)
	}
	return nil
}

// lock keeps two processes from starting the same cluster at once.
func (c cluster) lock() (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(c.home, "start.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open start lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("take start lock: %w", err), file.Close())
	}
	// Closing the only descriptor releases the lock.
	return func() { _ = file.Close() }, nil
}

// version is the major version that made the cluster, 0 when there is none.
func (c cluster) version() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read version of the cluster: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("version of the cluster in %s: %w", c.data, err)
	}
	return major, nil
}

// janitors holds the pipes that tell the shells of RemoveAfterExit that this
// process lives. Without the reference the garbage collector would close them.
var janitors struct {
	sync.Mutex
	pipes []io.Closer
}

// RemoveAfterExit leaves a shell behind that waits until this process is gone,
// however it ends, and until process pid is gone too, and removes dir then. It
// learns of the end by its standard input, a pipe that closes with us.
func RemoveAfterExit(dir string, pid int) error {
	const script = `read -r _; n=0; while kill -0 "$2" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; rm -rf -- "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, "optria-janitor", dir, strconv.Itoa(pid)) // #nosec G204 -- fixed script, own arguments
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("janitor of %s: %w", dir, err)
	}
	janitors.Lock()
	janitors.pipes = append(janitors.pipes, pipe)
	janitors.Unlock()
	return nil
}
