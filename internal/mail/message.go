package mail

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/mail"
	"strings"

	smtp "github.com/wneessen/go-mail"

	"github.com/optria-iq/optria/internal/i18n"
)

//go:embed message.html
var pages embed.FS

var page = template.Must(template.ParseFS(pages, "message.html"))

// Message is one e-mail. ID makes its Message-ID, so that a message that is
// sent twice can be told; Settings is the page on which its reader stops them.
type Message struct {
	ID, Lang, Subject, Text, HTML, Settings string
	To                                      mail.Address
}

// Note is what a person is told. It holds names, no data of the plant beyond
// the sentence itself.
type Note struct {
	ID             string       // of the delivery
	To             mail.Address // with the person's name in the language
	Tenant         string       // name of the organisation
	Title          string
	Text           string        // the sentence in plain text
	HTML           template.HTML // and escaped, with isolated names
	Link, Settings string        // addresses of the object, empty for none, and of the settings
}

// Compose writes a note in a language, as plain text and as HTML.
func Compose(l *i18n.Localizer, n Note) (Message, error) {
	hello, open := l.T("notifications.mail.hello", "Name", n.To.Name), l.T("notifications.mail.open")
	why, stop := l.T("notifications.mail.why", "Tenant", n.Tenant), l.T("notifications.mail.stop")
	text := []string{hello, "", n.Text, ""}
	if n.Link != "" {
		text = append(text, open+": "+n.Link, "")
	}
	text = append(text, "--", why, stop+": "+n.Settings, "")
	var html bytes.Buffer
	err := page.Execute(&html, map[string]any{"Lang": l.Lang, "Dir": l.Dir, "Title": n.Title, "Hello": hello, "Text": n.HTML, "Link": n.Link, "Open": open,
		"Why": why, "Settings": n.Settings, "Stop": stop})
	if err != nil {
		return Message{}, fmt.Errorf("compose e-mail: %w", err)
	}
	return Message{ID: n.ID, Lang: l.Lang, To: n.To, Subject: n.Title, Text: strings.Join(text, "\r\n"), HTML: html.String(), Settings: n.Settings}, nil
}

// build turns the message into what the library sends. Addresses are written by
// net/mail, which quotes or encodes whatever a name holds.
func (m Message) build(from mail.Address) (*smtp.Msg, error) {
	out := smtp.NewMsg()
	if err := out.From(from.String()); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := out.To(m.To.String()); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	domain := from.Address[strings.LastIndex(from.Address, "@")+1:]
	out.Subject(m.Subject)
	out.SetMessageIDWithValue(m.ID + "@" + domain)
	out.SetDate()
	out.SetGenHeader("Content-Language", m.Lang)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers, RFC 3834
	if m.Settings != "" {
		out.SetListUnsubscribe("<" + m.Settings + ">")
	}
	out.SetBodyString(smtp.TypeTextPlain, m.Text)
	out.AddAlternativeString(smtp.TypeTextHTML, m.HTML)
	return out, nil
}
