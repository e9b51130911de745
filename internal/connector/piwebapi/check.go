package piwebapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Test checks the connection step by step.
func (c *Connector) Test(ctx context.Context) []connector.Step {
	return connector.RunChecks(ctx, append(c.client.Checks(),
		connector.Check{Name: connector.StepSession, Run: c.checkSession},
		connector.Check{Name: connector.StepBrowse, Run: c.checkBrowse},
		connector.Check{Name: connector.StepRead, Run: c.checkRead})...)
}

// checkSession signs in and compares the clocks.
func (c *Connector) checkSession(ctx context.Context) (string, error) {
	var user struct {
		Name            string
		IsAuthenticated bool
	}
	if _, err := c.get(ctx, "/system/userinfo", nil, &user); err != nil {
		return "", err
	}
	if !user.IsAuthenticated && c.settings.Auth != httpapi.AuthNone {
		return "", connector.Failed(connector.KeyCredentials, errors.New("the service took the account for an anonymous one"))
	}
	var status struct {
		State      string
		ServerTime *time.Time
	}
	asked := c.now()
	if _, err := c.get(ctx, "/system/status", nil, &status); err != nil {
		return "", err
	}
	var product struct{ ProductTitle, ProductVersion string }
	if _, err := c.get(ctx, "/system", nil, &product); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%s %s, %s, signed in as %s", short(product.ProductTitle), short(product.ProductVersion), short(status.State), short(user.Name))
	if status.ServerTime != nil {
		detail += fmt.Sprintf(", clock differs by %s", status.ServerTime.Sub(asked.Add(c.now().Sub(asked)/2)).Round(100*time.Millisecond))
	}
	return detail, nil
}

// short bounds a text of the service for a detail.
func short(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return text
}

// checkBrowse lists the data servers.
func (c *Connector) checkBrowse(ctx context.Context) (string, error) {
	servers, err := c.servers(ctx)
	if err != nil {
		return "", err
	}
	if len(servers) == 0 {
		return "", connector.Failed(connector.KeyForbidden, errors.New("the account sees no data server"))
	}
	names := make([]string, len(servers))
	for i, server := range servers {
		names[i] = short(server.Name)
		if !server.IsConnected {
			names[i] += " (not connected)"
		}
	}
	return fmt.Sprintf("%d data servers: %s", len(servers), short(strings.Join(names, ", "))), nil
}

// checkRead reads the newest value of the first point that the account sees.
func (c *Connector) checkRead(ctx context.Context) (string, error) {
	servers, err := c.servers(ctx)
	if err != nil {
		return "", err
	}
	for _, server := range servers {
		points, _, err := c.listPoints(ctx, server.WebID, "*", 1, 1, leafFields)
		if err != nil {
			return "", err
		}
		for _, p := range points {
			if !webIDs.MatchString(p.WebID) {
				return "", connector.Failed(connector.KeyProtocol, errors.New("a point has no WebID"))
			}
			var newest timedValue
			if _, err := c.get(ctx, "/streams/"+p.WebID+"/value", url.Values{}, &newest); err != nil {
				return "", err
			}
			return describe(short(p.Name), newest, short(p.EngineeringUnits)), nil
		}
	}
	return "", connector.Failed(connector.KeyForbidden, errors.New("the account sees no point"))
}
