package web_test

import (
	"testing"

	"github.com/optria-iq/optria/internal/access"
)

func TestZZ(t *testing.T) {
	f := newFixture(t)
	for _, code := range []string{"ARAMCO_DEMO", "POWER_DEMO", "WATER_DEMO"} {
		c := f.as(code, access.TenantAdmin)
		for _, x := range f.integrationsOf(code) {
			for _, lang := range []string{"ar", "en"} {
				for _, q := range []string{"", "&signal=202", "&page=2"} {
					status, _ := f.get(c, "/integrations/"+x.Integration.ID.String()+"/mappings?lang="+lang+q)
					t.Log(code, x.Integration.Name, lang, q, status)
				}
			}
		}
	}
}
