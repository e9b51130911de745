package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
)

// Kind describes one kind of source and its settings.
type Kind struct {
	Kind        string    `json:"kind"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Settings    []Setting `json:"settings"`
}

// Setting is one setting of a kind. A secret one belongs into the credentials;
// one that is made is filled by the product.
type Setting struct {
	Key      string   `json:"key"`
	Type     string   `json:"type" doc:"text, url, number, integer, boolean, choice, instant, object or password"`
	Label    string   `json:"label"`
	Help     string   `json:"help,omitempty"`
	Required bool     `json:"required"`
	Secret   bool     `json:"secret"`
	Made     bool     `json:"made"`
	Min      *float64 `json:"min,omitempty" doc:"Of a number, or of the length of a text"`
	Max      *float64 `json:"max,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Default  any      `json:"default,omitempty"`
}

// DraftInput is an integration to test before it is stored. With the id of a
// stored one, the credentials that are left out are the kept ones.
type DraftInput struct {
	IntegrationInput
	ID *uuid.UUID `json:"id,omitempty" format:"uuid"`
}

func (a *API) integrationSecrets(tag string) {
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integration-kinds", "list-integration-kinds", "Kinds of sources with their settings", tag), a.listKinds)
	add(a, access.ManageIntegrations, route(http.MethodPost, "/integrations/test", "test-integration-draft", "Test settings that are not stored, at most 20 seconds", tag), a.testDraft)
	renew := route(http.MethodPost, "/integrations/{id}/renew", "renew-integration-secrets", "Make a new key pair or signing secret; the old one stops working", tag)
	add(a, access.ManageIntegrations, renew, func(ctx context.Context, who access.Principal, in *ByID) (*answer[Integration], error) {
		stored, err := a.service().Renew(ctx, origin(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return a.stored(ctx, who, stored)
	})
	accept := route(http.MethodPost, "/integrations/{id}/certificate", "accept-integration-certificate", "Trust the certificate of a fingerprint that a test has shown", tag)
	accept.DefaultStatus = http.StatusNoContent
	add(a, access.ManageIntegrations, accept, func(ctx context.Context, _ access.Principal, in *struct {
		ByID
		Body struct {
			Fingerprint string `json:"fingerprint" minLength:"1" maxLength:"200" doc:"SHA-256, hexadecimal"`
		}
	}) (*struct{}, error) {
		return nil, a.service().Accept(ctx, origin(ctx), in.ID, in.Body.Fingerprint)
	})
}

func (a *API) listKinds(ctx context.Context, _ access.Principal, _ *struct{}) (*answer[List[Kind]], error) {
	out := List[Kind]{Items: []Kind{}}
	for _, spec := range connector.Specs() {
		k := Kind{Kind: spec.Kind, Name: a.text(ctx, spec.NameKey), Description: a.text(ctx, spec.DescriptionKey), Settings: []Setting{}}
		for _, f := range spec.Fields {
			k.Settings = append(k.Settings, Setting{Key: f.Key, Type: string(f.Type), Label: a.text(ctx, f.LabelKey), Help: a.text(ctx, f.HelpKey), Required: f.Required && !f.Made,
				Secret: f.Secret, Made: f.Made, Min: f.Min, Max: f.Max, Choices: f.Enum, Default: f.Default})
		}
		out.Items = append(out.Items, k)
	}
	return reply(out), nil
}

func (a *API) testDraft(ctx context.Context, who access.Principal, in *struct{ Body DraftInput }) (*answer[TestReport], error) {
	draft, kept := in.Body.draft(in.Body.Kind), map[string]bool{}
	if in.Body.ID != nil {
		known, err := a.one(ctx, who.TenantID, *in.Body.ID)
		if err != nil {
			return nil, err
		}
		draft.Kind = known.Kind
		for _, field := range known.Credentials {
			kept[field] = true
		}
	}
	if draft.Name == "" {
		draft.Name = draft.Kind // of no matter to a test
	}
	if problems := draft.Check(kept); len(problems) > 0 {
		return nil, invalidKeys(ctx, inConfig(problems))
	}
	steps, err := a.service().TestDraft(ctx, who.TenantID, in.Body.ID, draft)
	if err != nil {
		return nil, err
	}
	return reply(a.report(ctx, steps)), nil
}
