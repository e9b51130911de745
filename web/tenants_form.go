package web

import (
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
)

// What a tenant may choose. There is one calendar profile; amounts are shown
// in riyals and times in UTC+3 everywhere, so only currencies and zones for
// which that holds are offered.
var (
	tenantIndustries = []string{"oil_gas", "petrochemical", "power", "water", "mining", "manufacturing", "other"}
	tenantCalendars  = []string{"SA-STD"}
	tenantCurrencies = []string{"SAR"}
	tenantZones      = []string{"Asia/Riyadh", "Asia/Kuwait", "Asia/Bahrain", "Asia/Qatar"}
)

// Longest texts that forms accept, as the database does.
const (
	maxName  = 200
	maxEmail = 254
)

var tenantCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,39}$`)

// tenantForm is a tenant as typed; the admin fields only for a new one. ID is
// chosen when the empty form is shown, so that a form sent twice names the
// same tenant.
type tenantForm struct {
	ID, Code, NameAr, NameEn, Industry, Status, Calendar, Currency, Zone string
	AdminAr, AdminEn, AdminEmail                                         string
	New                                                                  bool
	Errors                                                               map[string]string
	Industries, Statuses, Calendars, Currencies, Zones                   []Option
}

func readTenantForm(r *http.Request, create bool) tenantForm {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return tenantForm{ID: text("id"), Code: strings.ToUpper(text("code")), NameAr: text("name_ar"), NameEn: text("name_en"), Industry: text("industry"),
		Status: text("status"), Calendar: text("calendar"), Currency: text("currency"), Zone: text("zone"),
		AdminAr: text("admin_ar"), AdminEn: text("admin_en"), AdminEmail: strings.ToLower(text("admin_email")), New: create}
}

// formOf fills the form with a tenant that exists.
func formOf(t db.Tenant) tenantForm {
	return tenantForm{ID: t.ID.String(), Code: t.Code, NameAr: t.NameAr, NameEn: t.NameEn, Industry: t.Industry, Status: t.Status,
		Calendar: t.CalendarProfile, Currency: t.Currency, Zone: t.TimeZone}
}

// check returns the message key of every field that is wrong.
func (f tenantForm) check() map[string]string {
	keys := map[string]string{}
	for field, v := range map[string]string{"name_ar": f.NameAr, "name_en": f.NameEn} {
		checkText(keys, field, v, 1, maxName)
	}
	for field, x := range map[string]struct {
		value   string
		allowed []string
	}{"industry": {f.Industry, tenantIndustries}, "calendar": {f.Calendar, tenantCalendars}, "currency": {f.Currency, tenantCurrencies}, "zone": {f.Zone, tenantZones}} {
		if !slices.Contains(x.allowed, x.value) {
			keys[field] = "field.choice"
		}
	}
	if !f.New {
		return keys
	}
	if !tenantCode.MatchString(f.Code) {
		keys["code"] = "tenants.code.wrong"
	}
	if f.Status != "active" && f.Status != "suspended" {
		keys["status"] = "field.choice"
	}
	checkText(keys, "admin_ar", f.AdminAr, 1, maxName)
	checkText(keys, "admin_en", f.AdminEn, 1, maxName)
	checkEmail(keys, "admin_email", f.AdminEmail)
	if _, err := uuid.Parse(f.ID); err != nil {
		keys["code"] = "tenants.form.stale"
	}
	return keys
}

func checkText(keys map[string]string, field, v string, least, most int) {
	switch n := utf8.RuneCountInString(v); {
	case n == 0 && least > 0:
		keys[field] = "field.required"
	case n < least:
		keys[field] = "users.field.short"
	case n > most:
		keys[field] = "field.long"
	}
}

func checkEmail(keys map[string]string, field, v string) {
	checkText(keys, field, v, 1, maxEmail)
	if keys[field] != "" {
		return
	}
	a, err := mail.ParseAddress(v)
	if err != nil || a.Address != v || !strings.Contains(v[strings.LastIndex(v, "@")+1:], ".") {
		keys[field] = "field.email"
	}
}

// withChoices completes the form for its page.
func (f tenantForm) withChoices(p Page, keys map[string]string) tenantForm {
	f.Errors = translated(p, keys)
	for _, v := range tenantIndustries {
		f.Industries = append(f.Industries, Option{v, p.T("industry." + v)})
	}
	for _, v := range []string{"active", "suspended"} {
		f.Statuses = append(f.Statuses, Option{v, p.T("tenants.status." + v)})
	}
	for _, v := range tenantCalendars {
		f.Calendars = append(f.Calendars, Option{v, p.T("tenants.calendar." + v)})
	}
	for _, v := range tenantCurrencies {
		f.Currencies = append(f.Currencies, Option{v, p.T("tenants.currency." + v)})
	}
	for _, v := range tenantZones {
		f.Zones = append(f.Zones, Option{v, p.T("tenants.zone." + v)})
	}
	return f
}

// translated turns field → message key into field → words.
func translated(p Page, keys map[string]string) map[string]string {
	out := make(map[string]string, len(keys))
	for field, key := range keys {
		out[field] = p.T(key, "Max", maxName)
	}
	return out
}
