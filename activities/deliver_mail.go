package activities

import (
	"context"
	netmail "net/mail"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/mail"
	words "github.com/optria-iq/optria/internal/notice"
)

// problemInactive is why an e-mail to an account that was closed is not sent.
const problemInactive = "mail.problem.inactive"

// sendMail makes one attempt to e-mail a person; see sendHook.
func (r *round) sendMail(ctx context.Context, tenant db.Tenant, d db.ClaimMailDeliveriesRow) {
	v := r.post(ctx, tenant, d)
	if v.problem != "" && ctx.Err() != nil {
		return
	}
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	err := r.deps.DB.InTenant(kept, tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.SettleDelivery(ctx, tx, settled(tenant.ID, d.ID, d.Attempts, v))
		return err
	})
	if err != nil {
		activity.GetLogger(ctx).Warn("outcome of a delivery not recorded", "delivery", d.ID, "error", err)
		return
	}
	if v.problem == "" {
		r.count(Sent{Delivered: 1})
	} else {
		r.count(Sent{Failed: 1})
	}
}

// post words the event in the person's language and hands it to the server.
func (r *round) post(ctx context.Context, tenant db.Tenant, d db.ClaimMailDeliveriesRow) verdict {
	if !d.Active || d.Email == "" {
		return verdict{problem: problemInactive, final: true}
	}
	l := r.deps.Mail.Catalog.Localizer(d.Language)
	person, organisation := d.NameAr, tenant.NameAr
	if l.Lang == i18n.English {
		person, organisation = d.NameEn, tenant.NameEn
	}
	said := words.Render(l, words.Event{Kind: d.Kind, ObjectType: d.ObjectType, ObjectID: d.ObjectID, Payload: d.Payload})
	note := mail.Note{ID: d.ID.String(), To: netmail.Address{Name: person, Address: d.Email}, Tenant: organisation, Title: said.Title, Text: said.Plain, HTML: said.HTML,
		Settings: r.link("/notifications/settings")}
	if said.Path != "" {
		note.Link = r.link(said.Path)
	}
	message, err := mail.Compose(l, note)
	if err != nil {
		return verdict{problem: mail.ProblemMessage, final: true}
	}
	out := r.deps.Mail.Server.Send(ctx, message)
	return verdict{status: out.Code, took: out.Took, problem: out.Problem, final: out.Final}
}

func (r *round) link(path string) string {
	return strings.TrimRight(r.deps.Mail.BaseURL.String(), "/") + path
}
