package workflows

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// TenantURL returns the list of a tenant's workflows in the Temporal UI, or ""
// when there is no UI to link to.
func (c *Client) TenantURL(ui *url.URL, tenant uuid.UUID) string {
	if ui == nil {
		return ""
	}
	query := url.Values{"query": {fmt.Sprintf("`%s`=%q", TenantAttribute, tenant)}}
	return fmt.Sprintf("%s/namespaces/%s/workflows?%s", strings.TrimRight(ui.String(), "/"), url.PathEscape(c.Namespace()), query.Encode())
}
