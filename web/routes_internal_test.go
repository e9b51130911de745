package web

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

// DeclaredRoute is one row of the route table, for tests outside the package.
type DeclaredRoute struct {
	Method, Pattern string
	Capability      access.Capability
}

// DeclaredRoutes lists the page routes as they are declared.
func DeclaredRoutes() []DeclaredRoute {
	var out []DeclaredRoute
	for _, r := range (&Server{}).routes() {
		out = append(out, DeclaredRoute{r.method, r.pattern, r.capability})
	}
	return out
}

// publicForms are the only forms that somebody not signed in may send. The one
// of /verify is read and forgotten.
var publicForms = []string{"/login", "/demo-request", "/verify"}

func TestEveryRouteDeclaresACapability(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range DeclaredRoutes() {
		name := r.Method + " " + r.Pattern
		require.NotEmpty(t, r.Capability, name)
		require.True(t, access.Known(r.Capability), "%s declares %q, which the matrix does not know", name, r.Capability)
		require.False(t, seen[name], "%s is declared twice", name)
		seen[name] = true
		require.Contains(t, []string{http.MethodGet, http.MethodPost}, r.Method, name)
		if r.Method == http.MethodPost && r.Capability == access.Public {
			require.True(t, slices.Contains(publicForms, r.Pattern), "%s changes something for anybody", name)
		}
	}
	require.Greater(t, len(seen), 30)
}
