package web

import (
	"strings"

	"github.com/optria-iq/optria/internal/access"
)

// entry is one link of the sidebar with the capability that shows it.
type entry struct {
	href, icon, label string
	capability        access.Capability
	also              string // another area that belongs to this entry
}

// holds reports whether an address lies in the entry's area.
func (e entry) holds(path string) bool {
	return path == e.href || strings.HasPrefix(path, e.href+"/") || (e.also != "" && strings.HasPrefix(path, e.also))
}

var sections = []struct {
	label   string
	entries []entry
}{
	{"nav.operate", []entry{
		{"/dashboard", "layout-dashboard", "nav.dashboard", access.ViewResults, ""},
		{"/assets", "factory", "nav.assets", access.ViewResults, ""},
		{"/plant", "network", "nav.plant", access.ViewResults, ""},
		{"/models", "chart-spline", "nav.models", access.ViewResults, ""},
		{"/alerts", "bell", "nav.alerts", access.ViewResults, ""},
		{"/scenarios", "sliders-horizontal", "nav.scenarios", access.ViewResults, "/runs/"},
		{"/schedules", "calendar-clock", "nav.schedules", access.ViewResults, "/reports"},
		{"/plans", "clipboard-check", "nav.plans", access.ViewResults, ""},
		{"/work-orders", "wrench", "nav.workorders", access.ViewResults, ""},
		{"/ledger", "scale", "nav.ledger", access.ViewResults, ""},
		{"/integrations", "plug", "nav.integrations", access.ViewIntegrations, ""},
	}},
	{"nav.admin", []entry{
		{"/governance", "list-checks", "nav.governance", access.ManageGovernance, "/delegations"},
		{"/users", "users", "nav.users", access.ManageUsers, ""},
		{"/access", "lock", "nav.access", access.SignedIn, ""},
		{"/tokens", "key-round", "nav.tokens", access.ManageTokens, ""},
		{"/webhooks", "webhook", "webhooks.title", access.ManageWebhooks, ""},
		{"/developers", "book-open", "developers.title", access.SignedIn, ""},
		{"/audit", "scroll-text", "nav.audit", access.ViewOwnActions, ""},
		{"/verify", "shield-check", "nav.verify", access.SignedIn, ""},
	}},
	{"nav.platform", []entry{
		{"/tenants", "building-2", "nav.tenants", access.ManageTenants, ""},
		{"/demo-requests", "inbox", "nav.requests", access.ManageTenants, ""},
		{"/health", "activity", "nav.health", access.ViewPlatformHealth, ""},
	}},
}

// navigation lists what the principal may open, marking the current area.
func navigation(p access.Principal, path string) []NavSection {
	var out []NavSection
	for _, section := range sections {
		s := NavSection{Label: section.label}
		for _, e := range section.entries {
			if p.Can(e.capability) {
				s.Items = append(s.Items, NavItem{Href: e.href, Icon: e.icon, Label: e.label, Active: e.holds(path)})
			}
		}
		if len(s.Items) > 0 {
			out = append(out, s)
		}
	}
	return out
}
