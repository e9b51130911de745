package sap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of faults that only SAP has.
const (
	KeyLogonPage = "connector.sap.fault.logon_page" // a page for people instead of data
	KeyClient    = "connector.sap.fault.client"     // the client number is not there
	KeyService   = "connector.sap.fault.service"    // the OData service is not active
	KeyRefused   = "connector.sap.fault.refused"    // SAP's own checks refused the request
	KeyReadOnly  = "connector.sap.fault.read_only"  // the chosen order service cannot write
	KeyDraft     = "connector.sap.fault.draft"      // the order to write is not sound
	KeyState     = "connector.sap.fault.state"      // no action of SAP leads to the state
)

// Failure is what SAP says about a request that it did not carry out.
type Failure struct {
	Status  int
	Code    string // such as "IW/042"
	Message string
	Details []string
	answer  *httpapi.StatusError
}

// Error gives SAP's own words.
func (f *Failure) Error() string {
	text := fmt.Sprintf("SAP answers %d %s: %s", f.Status, f.Code, f.Message)
	if len(f.Details) > 0 {
		text += " (" + strings.Join(f.Details, "; ") + ")"
	}
	return text
}

// Unwrap gives the answer itself.
func (f *Failure) Unwrap() error { return f.answer }

// Bounds of what is repeated of SAP's words.
const (
	maxMessage = 300
	maxDetails = 5
)

// parseFailure reads the error document of OData: in version 2 the message is
// an object with a language, in version 4 a text. Anything else gives its
// status alone.
func parseFailure(answer httpapi.Response) *Failure {
	failure := &Failure{Status: answer.Status, answer: &httpapi.StatusError{Response: answer}, Message: http.StatusText(answer.Status)}
	var document struct {
		Error struct {
			Code    string          `json:"code"`
			Message json.RawMessage `json:"message"`
			Inner   struct {
				Details []detail `json:"errordetails"`
			} `json:"innererror"`
			Details []detail `json:"details"`
		} `json:"error"`
	}
	if err := decode(answer.Body, &document); err != nil || document.Error.Code == "" && document.Error.Message == nil {
		return failure
	}
	failure.Code = shortened(document.Error.Code)
	if text := wording(document.Error.Message); text != "" {
		failure.Message = text
	}
	for _, d := range append(document.Error.Inner.Details, document.Error.Details...) {
		if text := wording(d.Message); text != "" && text != failure.Message && len(failure.Details) < maxDetails {
			failure.Details = append(failure.Details, strings.TrimSpace(shortened(d.Code)+" "+text))
		}
	}
	return failure
}

type detail struct {
	Code    string          `json:"code"`
	Message json.RawMessage `json:"message"`
}

// wording reads a message in either of its forms.
func wording(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return shortened(text)
	}
	var worded struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(raw, &worded) != nil {
		return ""
	}
	return shortened(worded.Value)
}

func shortened(text string) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text), "")
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}

// worded improves on the fault of an answer with what SAP says in it.
func (c *SAPConnector) worded(err error) error {
	answer, ok := httpapi.Answer(err)
	if !ok {
		return err
	}
	return c.judge(answer)
}

// noService are codes and words of SAP Gateway for a service that is not
// registered or not active.
var noService = regexp.MustCompile(`(?i)/IWFND/MED/170|/IWBEP/CM_MGW_RT/004|no service found|service .{0,80}(not (found|active)|inactive)`)

// judge words an answer that is not what was asked for.
func (c *SAPConnector) judge(answer httpapi.Response) error {
	failure := parseFailure(answer)
	page := isHTML(answer)
	switch {
	case page && c.namesClient(answer.Body):
		return fault.Wrap(fault.Invalid, KeyClient, failure).With("client", c.settings.Client)
	case page && answer.Status < 400:
		return fault.Wrap(fault.Invalid, KeyLogonPage, failure)
	case noService.MatchString(failure.Code + " " + failure.Message):
		return fault.Wrap(fault.Invalid, KeyService, failure)
	}
	switch answer.Status {
	case http.StatusUnauthorized:
		return connector.Failed(connector.KeyCredentials, failure)
	case http.StatusForbidden:
		return connector.Failed(connector.KeyForbidden, failure)
	case http.StatusNotFound:
		return fault.Wrap(fault.NotFound, connector.KeyUnknownNode, failure)
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return fault.Wrap(fault.Conflict, connector.KeyChanged, failure)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return connector.Failed(connector.KeyThrottled, failure)
	case http.StatusRequestEntityTooLarge:
		return connector.Failed(connector.KeyTooLarge, failure)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.Wrap(fault.Invalid, KeyRefused, failure).With("reason", failure.Message)
	}
	return connector.Failed(connector.KeySourceError, failure)
}

// negations are what stands near the number in such a complaint.
var negations = [][]byte{[]byte("not"), []byte("nicht"), []byte("n't"), []byte("invalid")}

// namesClient reports whether a page complains about the client number: SAP
// answers with one when the client does not exist or is not open.
func (c *SAPConnector) namesClient(page []byte) bool {
	page = bytes.ToLower(page[:min(len(page), 64<<10)])
	for rest := page; ; {
		at := bytes.Index(rest, []byte(c.settings.Client))
		if at < 0 {
			return false
		}
		near := rest[max(0, at-60):min(len(rest), at+60)]
		named := bytes.Contains(near, []byte("client")) || bytes.Contains(near, []byte("mandant"))
		if named && slices.ContainsFunc(negations, func(word []byte) bool { return bytes.Contains(near, word) }) {
			return true
		}
		rest = rest[at+len(c.settings.Client):]
	}
}

// isLost reports whether the fate of a request is not known: the answer did
// not arrive, or says nothing of whether the change was made.
func isLost(err error) bool {
	switch connector.MessageKey(err) {
	case connector.KeyUnreachable, connector.KeySourceError, connector.KeyProtocol, connector.KeyThrottled, connector.KeyTooLarge:
		return true
	}
	return false
}
