package web

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/web/apitoken"
)

// tokenSoonDays is how long before its end a token is shown as ending soon.
const tokenSoonDays = 14

// tokenGroup is an account with its tokens. Own marks the reader's account.
type tokenGroup struct {
	ID, Name, Username string
	Service, Own, Off  bool
	Live, Soon         int
	Rows               []tokenRow
}

// tokenRow is one line of the list. State is live, soon, replaced, expired or
// revoked.
type tokenRow struct {
	ID, Name, State, Tone, Icon, Label string
	Scopes, Ranges                     []string
	CreatedAt, ExpiresAt               time.Time
	LastUsed                           *time.Time
	LastAddress                        string
	Usable, Rotatable                  bool
}

// tokenGroups lists the service accounts, also those without a token, and then
// the people who have one.
func tokenGroups(p Page, rows []db.ListAPITokensRow, accounts []db.ListRoleHoldersRow, own uuid.UUID, now time.Time) []tokenGroup {
	var groups []tokenGroup
	for _, a := range accounts {
		groups = append(groups, tokenGroup{ID: a.ID.String(), Name: localName(p.Lang, a.NameAr, a.NameEn), Username: a.Username, Service: true, Off: !a.IsActive})
	}
	for _, x := range rows {
		id := x.UserID.String()
		at := slices.IndexFunc(groups, func(g tokenGroup) bool { return g.ID == id })
		if at < 0 {
			groups = append(groups, tokenGroup{ID: id, Name: x.Username, Username: x.Username, Own: x.UserID == own})
			at = len(groups) - 1
		}
		g := &groups[at]
		row := newTokenRow(p, x, now)
		row.Rotatable = apitoken.StandingIn(x).Blocked(own) == ""
		if row.Usable {
			g.Live++
		}
		if row.State == "soon" {
			g.Soon++
		}
		g.Rows = append(g.Rows, row)
	}
	return groups
}

func newTokenRow(p Page, x db.ListAPITokensRow, now time.Time) tokenRow {
	row := tokenRow{ID: x.ID.String(), Name: x.Name, Scopes: x.Scopes, Ranges: x.AddressRanges, CreatedAt: x.CreatedAt, ExpiresAt: x.ExpiresAt,
		LastUsed: x.LastUsedAt, LastAddress: x.LastUsedAddress, State: "live", Tone: "ok", Icon: "circle-check", Usable: true}
	switch {
	case x.RevokedAt != nil:
		row.State, row.Tone, row.Icon, row.Usable = "revoked", "none", "ban", false
	case !x.ExpiresAt.After(now):
		row.State, row.Tone, row.Icon, row.Usable = "expired", "none", "clock", false
	case x.Superseded:
		row.State, row.Tone, row.Icon = "replaced", "busy", "refresh-cw"
	case x.ExpiresAt.Before(now.AddDate(0, 0, tokenSoonDays)):
		row.State, row.Tone, row.Icon = "soon", "warn", "hourglass"
	}
	row.Label = p.T("tokens.state." + row.State)
	return row
}
