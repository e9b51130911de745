package all

import (
	"fmt"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/rest/resttest"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/i18n"
)

// restFixture is a service that answers in the manner of PostgREST.
func restFixture(t *testing.T, until time.Time) connectortest.Fixture {
	t.Helper()
	source := &resttest.Source{Tags: []string{"P-101.VIB", "P-101.FLOW"}, Period: time.Minute, User: "reader", Password: "s3cret"}
	server := httptest.NewServer(source.Handler())
	t.Cleanup(server.Close)
	return connectortest.Fixture{
		Config: connector.Config{"base_url": server.URL, "username": source.User, "paging": "offset", "page_size": 50.0, "sample_hours": 1.0, "overlap_seconds": 0.0,
			"path":  "/rest/v1/readings?ts=gt.{since}&ts=lte.{until}&order=ts&limit={limit}&offset={offset}",
			"items": "$[*]", "tag": "@.tag", "time": "@.ts", "value": "@.value", "quality": "@.quality", "unit": "@.unit"},
		Secrets: connector.Secrets{"password": source.Password}, Dialer: &net.Dialer{},
		Tags: source.Tags, Since: until.Add(-30 * time.Minute), Until: until,
	}
}

// webhookFixture is a message of two tags.
func webhookFixture(until time.Time) connectortest.Fixture {
	item := `{"tag":"%s","value":%d,"time":"%s"}`
	body := "["
	for n, tag := range []string{"P-101.VIB", "P-101.FLOW", "P-101.VIB", "P-101.FLOW"} {
		body += fmt.Sprintf(item, tag, n, until.Add(time.Duration(n-4)*time.Minute).Format(time.RFC3339)) + ","
	}
	return connectortest.Fixture{
		Config:  connector.Config{"items": "$[*]", "tag": "@.tag", "time": "@.time", "value": "@.value"},
		Secrets: connector.Secrets{webhook.FieldSecret: webhook.NewSecret()},
		Tags:    []string{"P-101.VIB", "P-101.FLOW"}, Since: until.Add(-time.Hour), Until: until,
		Message: connector.Message{ContentType: webhook.JSON, Body: []byte(body[:len(body)-1] + "]"), ReceivedAt: until},
	}
}

// fileFixture is a table with a column for each of two tags.
func fileFixture(until time.Time) connectortest.Fixture {
	body := "time;P-101.VIB;P-101.FLOW\n"
	for n := range 3 {
		body += fmt.Sprintf("%s;%d,5;%d\n", until.Add(time.Duration(n-3)*time.Minute).Format(time.RFC3339), n, n)
	}
	return connectortest.Fixture{
		Config: connector.Config{"layout": "wide", "time_column": "time", "delimiter": "semicolon", "decimal_comma": true},
		Tags:   []string{"P-101.VIB", "P-101.FLOW"}, Since: until.Add(-time.Hour), Until: until,
		Message: connector.Message{ContentType: "text/csv", Body: []byte(body), ReceivedAt: until},
	}
}

func TestEverySettingHasItsTexts(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	for _, spec := range connector.Specs() {
		keys := []string{spec.NameKey, spec.DescriptionKey}
		for _, field := range spec.Fields {
			keys = append(keys, field.LabelKey, field.HelpKey)
			for _, choice := range field.Enum {
				keys = append(keys, "connector."+spec.Kind+"."+field.Key+"."+choice)
			}
		}
		for _, key := range keys {
			if key != "" && !catalog.Has(key) {
				t.Errorf("%s: %s has no text", spec.Kind, key)
			}
		}
	}
}
