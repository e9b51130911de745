package access_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

func TestDocumentPrintsTheMatrix(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	require.NoError(t, err)
	require.Contains(t, string(doc), access.Markdown(), "docs/ARCHITECTURE.md must carry the matrix printed by access.Markdown")
}

func TestNobodyApprovesByTokenOrBreakGlass(t *testing.T) {
	t.Parallel()
	never := []access.Capability{access.ApprovePlan, access.ReleasePlan, access.EndorsePlan, access.ManageUsers, access.ManageIntegrations}
	service := access.Principal{UserID: uuid.New(), Roles: []access.Role{access.ServiceAccount}, Service: true, Scopes: access.Scopes()}
	entered := access.Principal{UserID: uuid.New(), Roles: []access.Role{access.PlatformOwner}, BreakGlass: true}
	for _, c := range never {
		require.False(t, service.Can(c), c)
		require.False(t, entered.Can(c), c)
	}
	require.True(t, service.Can(access.RunPrioritization))
	require.True(t, entered.Can(access.ViewResults))
}

func TestTokenIsLimitedToItsScopes(t *testing.T) {
	t.Parallel()
	p := access.Principal{UserID: uuid.New(), Service: true, Roles: []access.Role{access.ServiceAccount}, Scopes: []string{"read:results"}}
	require.True(t, p.Can(access.ViewResults))
	require.False(t, p.Can(access.RunPrioritization))
	require.False(t, p.Can(access.IngestTelemetry))
}

func TestNobodyIsNobody(t *testing.T) {
	t.Parallel()
	var nobody access.Principal
	require.True(t, nobody.Can(access.Public))
	require.False(t, nobody.Can(access.SignedIn))
	for _, c := range access.Capabilities() {
		require.False(t, nobody.Can(c), c)
	}
}

func TestPlatformOwnerSeesNoTenantData(t *testing.T) {
	t.Parallel()
	p := access.Principal{UserID: uuid.New(), Roles: []access.Role{access.PlatformOwner}}
	require.True(t, p.Can(access.ManageTenants))
	require.False(t, p.Can(access.ViewResults), "only after entering the tenant")
	require.Equal(t, access.MarkBreak, access.MarkOf(access.PlatformOwner, access.ViewResults))
}

func TestMatrixHasNoBlankRow(t *testing.T) {
	t.Parallel()
	for _, c := range access.Capabilities() {
		require.True(t, access.Known(c))
		require.True(t, strings.Contains(access.Markdown(), "`"+string(c)+"`"))
		some := false
		for _, r := range access.Roles() {
			some = some || access.MarkOf(r, c) == access.MarkYes
		}
		require.True(t, some, "%s is held by nobody", c)
	}
}
