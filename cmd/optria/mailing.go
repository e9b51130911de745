package main

import (
	"fmt"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/internal/i18n"
)

// mailing is how the worker sends e-mail, nil when no server is configured.
func mailing(c config.Config) (*activities.Mailing, error) {
	if !c.Mail.On() {
		return nil, nil
	}
	catalog, err := i18n.New()
	if err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	return &activities.Mailing{Server: c.Mail, Catalog: catalog, BaseURL: c.BaseURL}, nil
}
