package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/notice"
)

// Rows of the list of notifications and of its drawer.
const (
	noticePageSize = 25
	noticeDrawer   = 12
)

func (s *Server) notificationRoutes() []route {
	return []route{
		{http.MethodGet, "/notifications", access.SignedIn, s.listNotifications},
		{http.MethodGet, "/notifications/drawer", access.SignedIn, s.notificationDrawer},
		{http.MethodPost, "/notifications/read", access.SignedIn, s.readNotifications},
		{http.MethodPost, "/notifications/{id}/read", access.SignedIn, s.readNotification},
		{http.MethodPost, "/notifications/{id}/open", access.SignedIn, s.openNotification},
		{http.MethodGet, "/notifications/settings", access.SignedIn, s.notificationSettings},
		{http.MethodPost, "/notifications/settings", access.SignedIn, s.saveNotificationSettings},
	}
}

// newsRow is one notification in words.
type newsRow struct {
	ID, Title, Icon, Tone string
	Text                  template.HTML
	At                    time.Time
	Unread, Opens         bool
}

func newNewsRow(p Page, x db.NotificationPageRow) newsRow {
	w := notice.Render(p.Loc(), notice.Event{Kind: x.Kind, ObjectType: x.ObjectType, ObjectID: x.ObjectID, Payload: x.Payload})
	return newsRow{ID: x.ID.String(), Title: w.Title, Icon: w.Icon, Tone: w.Tone, Text: w.HTML, At: x.CreatedAt, Unread: x.ReadAt == nil, Opens: w.Path != ""}
}

// noticeList is the Data of notifications/list.
type noticeList struct {
	Rows     []newsRow
	Pager    Pager
	Views    []tabView
	Area     string
	Areas    []choiceOption
	Show     string
	Unread   int
	Until    string // notifications up to then are marked as read
	Filtered bool
}

// listNotifications shows what the person was told, the unread first by choice.
func (s *Server) listNotifications(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "notifications.title")
	if err != nil {
		return err
	}
	v := noticeList{Show: r.URL.Query().Get("show"), Area: r.URL.Query().Get("area"), Unread: p.Unread, Until: time.Now().UTC().Format(time.RFC3339Nano)}
	if v.Show != "unread" {
		v.Show = ""
	}
	if !slices.Contains(notice.Areas(), v.Area) {
		v.Area = ""
	}
	for _, area := range notice.Areas() {
		v.Areas = append(v.Areas, choiceOption{area, p.T("notifications.area." + area)})
	}
	v.Views = []tabView{
		{Href: p.With("show", "", "page", ""), Label: p.T("notifications.filter.all"), Active: v.Show == ""},
		{Href: p.With("show", "unread", "page", ""), Label: p.T("notifications.filter.unread"), Active: v.Show != ""},
	}
	v.Filtered = v.Show != "" || v.Area != ""
	who, total := access.From(r.Context()), 0
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.NotificationPage(ctx, tx, db.NotificationPageParams{TenantID: tenant, UserID: who.UserID, Unread: v.Show != "", Area: v.Area,
			PageSize: noticePageSize, Skip: pageOffset(r, noticePageSize)})
		for _, x := range rows {
			v.Rows, total = append(v.Rows, newNewsRow(p, x)), int(x.Total)
		}
		return err
	})
	if err != nil {
		return err
	}
	v.Pager = NewPager(r.URL, noticePageSize, total)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "notifications/list", p)
	return nil
}

// notificationDrawer prints the newest notifications as a fragment.
func (s *Server) notificationDrawer(w http.ResponseWriter, r *http.Request) error {
	p := s.render.Page(r)
	v := noticeList{Until: time.Now().UTC().Format(time.RFC3339Nano)}
	who := access.From(r.Context())
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.NotificationPage(ctx, tx, db.NotificationPageParams{TenantID: tenant, UserID: who.UserID, Unread: true, PageSize: noticeDrawer})
		for _, x := range rows {
			v.Rows = append(v.Rows, newNewsRow(p, x))
			v.Unread = int(x.Total)
		}
		return err
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "notifications/drawer", "content", p)
	return nil
}

// readNotifications marks everything as read that the page has shown.
func (s *Server) readNotifications(w http.ResponseWriter, r *http.Request) error {
	until, err := time.Parse(time.RFC3339Nano, r.PostFormValue("until"))
	if err != nil {
		until = time.Now()
	}
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.ReadNotifications(ctx, tx, tenant, who.UserID, until)
		return err
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/notifications", "notifications.readall.done")
}

func (s *Server) readNotification(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.markRead(r); err != nil {
		return err
	}
	return s.redirect(w, r, localPath(r.PostFormValue("next"), "/notifications"), "")
}

// openNotification marks a notification as read and leads to its object.
func (s *Server) openNotification(w http.ResponseWriter, r *http.Request) error {
	x, err := s.markRead(r)
	if err != nil {
		return err
	}
	words := notice.Render(s.render.Page(r).Loc(), notice.Event{Kind: x.Kind, ObjectType: x.ObjectType, ObjectID: x.ObjectID, Payload: x.Payload})
	if words.Path == "" {
		words.Path = "/notifications"
	}
	return s.redirect(w, r, words.Path, "")
}

// markRead reads a notification of the person and notes that it was seen.
func (s *Server) markRead(r *http.Request) (x db.GetNotificationRow, err error) {
	id, err := pathID(r, "id")
	if err != nil {
		return x, err
	}
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x, err = q.GetNotification(ctx, tx, tenant, who.UserID, id); err != nil {
			return err
		}
		_, err = q.ReadNotification(ctx, tx, tenant, who.UserID, id)
		return err
	})
	return x, notFound(err)
}

// noticeSettings is the Data of notifications/settings.
type noticeSettings struct {
	Email, CanMail, Foreign bool
	Address                 string
	Groups                  []noticeGroup
}

// noticeGroup are the kinds of one area.
type noticeGroup struct {
	Label string
	Kinds []roleChoice
}

func (s *Server) notificationSettings(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "notifications.settings")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	settings := db.NotificationSetting{Email: true}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		stored, err := q.GetNotificationSettings(ctx, tx, tenant, who.UserID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // nothing chosen yet
		}
		settings = stored
		return err
	})
	if err != nil {
		return err
	}
	v := noticeSettings{Email: settings.Email, CanMail: s.Config.Mail.On(), Address: accountOf(r).user.Email, Foreign: who.BreakGlass}
	for _, area := range notice.Areas() {
		g := noticeGroup{Label: p.T("notifications.area." + area)}
		for _, kind := range notice.Kinds() {
			if notice.AreaOf(kind) == area {
				g.Kinds = append(g.Kinds, roleChoice{Value: kind, Label: p.T("notifications.kind." + kind), Checked: !slices.Contains(settings.Muted, kind)})
			}
		}
		v.Groups = append(v.Groups, g)
	}
	p.Crumbs = []Crumb{{Href: "/notifications", Label: p.T("notifications.title")}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "notifications/settings", p)
	return nil
}

// saveNotificationSettings keeps what the person wants to hear of.
func (s *Server) saveNotificationSettings(w http.ResponseWriter, r *http.Request) error {
	who := access.From(r.Context())
	if who.BreakGlass {
		return fault.New(fault.Forbidden, "notifications.settings.foreign")
	}
	email := r.PostFormValue("email") != ""
	muted := []string{}
	for _, kind := range notice.Kinds() {
		if !slices.Contains(r.PostForm["kinds"], kind) {
			muted = append(muted, kind)
		}
	}
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		err := q.SaveNotificationSettings(ctx, tx, db.SaveNotificationSettingsParams{TenantID: tenant, UserID: who.UserID, Email: email, Muted: muted})
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "user.notifications_changed", ObjectType: "user", ObjectID: who.UserID.String(),
			After: map[string]any{"email": email, "muted": muted}})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/notifications/settings", "notifications.settings.saved")
}
