package activities

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/mail"
)

// letterbox is a mail server that answers recipients in turn, the last answer
// for ever; nil takes the letter.
type letterbox struct {
	mu      sync.Mutex
	answers []error
	letters []string
}

func (b *letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *letterbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *letterbox) Reset()                                      {}
func (b *letterbox) Logout() error                               { return nil }

func (b *letterbox) Rcpt(string, *smtp.RcptOptions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.answers) == 0 {
		return nil
	}
	answer := b.answers[0]
	b.answers = b.answers[1:]
	return answer
}

func (b *letterbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, string(text))
	return err
}

// withMail lets the plant send e-mail to a letterbox.
func (p post) withMail(b *letterbox) {
	p.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(p.t, err)
	server := smtp.NewServer(b)
	go func() { _ = server.Serve(listener) }()
	p.t.Cleanup(func() { _ = server.Close() })
	settings, err := mail.Parse("smtp://"+listener.Addr().String()+"?tls=none", "optria@plant.example")
	require.NoError(p.t, err)
	catalog, err := i18n.New()
	require.NoError(p.t, err)
	base, err := url.Parse("https://optria.example")
	require.NoError(p.t, err)
	d := p.set.deps
	d.Mail = &Mailing{Server: settings, Catalog: catalog, BaseURL: base}
	*p.set = *NewSet(d)
}

func TestNotifiedPeopleGetTheEmailTheyWant(t *testing.T) {
	p := newPost(t)
	box := &letterbox{}
	p.withMail(box)
	admin, engineer, viewer, gone := p.people[string(access.TenantAdmin)], p.people[string(access.OptimizationEng)], p.people[string(access.Viewer)], p.people[string(access.ReliabilityEng)]
	p.exec(`UPDATE core.users SET language = 'en' WHERE tenant_id = $1 AND id = $2`, p.tenant, admin)
	p.exec(`INSERT INTO core.notification_settings (tenant_id, user_id, email) VALUES ($1, $2, false)`, p.tenant, engineer)
	p.exec(`INSERT INTO core.notification_settings (tenant_id, user_id, muted) VALUES ($1, $2, '{plan.approved}')`, p.tenant, viewer)
	p.exec(`UPDATE core.users SET is_active = false WHERE tenant_id = $1 AND id = $2`, p.tenant, gone)
	p.announce(p.tenant, "plan.approved", "1", nil, admin, engineer, viewer, gone)
	require.Equal(t, Sent{Routed: 1, Delivered: 1}, p.deliver())
	require.Equal(t, Sent{}, p.deliver())
	require.Len(t, box.letters, 1)
	delivery := p.id(`SELECT id FROM core.deliveries WHERE tenant_id = $1 AND user_id = $2`, p.tenant, admin)
	require.Contains(t, box.letters[0], "<"+delivery.String()+"@plant.example>")
	require.Contains(t, box.letters[0], "Subject: Plan approved")
	require.Contains(t, strings.ReplaceAll(box.letters[0], "=\r\n", ""), "https://optria.example/plans/"+p.tenant.String())
	require.Equal(t, 2, p.count(`SELECT count(*) FROM core.notifications WHERE tenant_id = $1 AND user_id = ANY ($2)`, p.tenant, []uuid.UUID{admin, engineer}))
}

func TestRefusedEmailIsTriedAgainOnlyWhenThatCanHelp(t *testing.T) {
	p := newPost(t)
	busy, unknown := &smtp.SMTPError{Code: 451, Message: "later"}, &smtp.SMTPError{Code: 550, Message: "no such person"}
	box := &letterbox{answers: []error{busy, nil, unknown}}
	p.withMail(box)
	admin := p.people[string(access.TenantAdmin)]
	p.announce(p.tenant, "plan.approved", "1", nil, admin)
	require.Equal(t, Sent{Routed: 1, Failed: 1}, p.deliver())
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND state = 'waiting' AND last_status = 451`, p.tenant))
	p.due()
	require.Equal(t, Sent{Delivered: 1}, p.deliver())
	p.announce(p.tenant, "plan.approved", "2", nil, admin)
	p.deliver()
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND state = 'failed' AND attempts = 1 AND last_status = 550 AND last_error = $2`, p.tenant, mail.ProblemRefused))
	require.Len(t, box.letters, 1)
}
