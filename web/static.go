package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// Static serves the built stylesheet, scripts and fonts. Addresses carry a
// hash of everything served, so browsers may keep files for a year and still
// see a new version at once.
type Static struct {
	files fs.FS
	hash  string
}

// NewStatic hashes the embedded files.
func NewStatic() (*Static, error) {
	files, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("open static files: %w", err)
	}
	sum := sha256.New()
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", name, len(b))
		sum.Write(b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hash static files: %w", err)
	}
	return &Static{files: files, hash: hex.EncodeToString(sum.Sum(nil))[:12]}, nil
}

// Path returns the address of a file, such as /static/4f1c…/app.css.
func (s *Static) Path(name string) string { return "/static/" + s.hash + "/" + name }

// ServeHTTP answers /static/<hash>/<file>. A request with an old hash gets the
// current file without a lasting cache entry. Folders are not listed.
func (s *Static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hash, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
	if info, err := fs.Stat(s.files, name); !ok || err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if hash == s.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+s.hash+`"`)
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeFileFS(w, r, s.files, name) // #nosec G703 -- an embedded file system, checked above
}
