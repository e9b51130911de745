package i18n_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
)

// keyPatterns find message keys in Go source: of faults, of key constants, of
// translations and of toasts after a redirect.
var keyPatterns = []*regexp.Regexp{
	regexp.MustCompile(`fault\.(?:New|Wrap)\(fault\.\w+,\s*"([^"]+)"`),
	regexp.MustCompile(`\bKey\w*\s*=\s*"([a-z_]+\.[a-z_.0-9]+)"`),
	regexp.MustCompile(`\.T\("([^"]+)"\s*[,)]`),
	regexp.MustCompile(`s\.redirect\([^)]*"([a-z]+\.[a-z_.]+)"\)`),
}

// TestEveryKeyInSourceHasATextInBothLanguages walks the product's own source.
func TestEveryKeyInSourceHasATextInBothLanguages(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	seen := 0
	for _, room := range []string{"web", "workflows", "activities", "db", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, pattern := range keyPatterns {
				for _, match := range pattern.FindAllSubmatch(source, -1) {
					seen++
					require.True(t, catalog.Has(string(match[1])), "%s uses the key %s, which has no text", path, match[1])
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
	require.Greater(t, seen, 100, "the patterns find the keys")
}
