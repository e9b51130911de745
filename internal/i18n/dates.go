package i18n

import (
	"fmt"
	"time"
	_ "time/tzdata" // the zone must exist in minimal containers

	"github.com/hablullah/go-hijri"
)

var (
	monthsAr = [...]string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"}
	daysAr   = [...]string{"الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"}
	hijriAr  = [...]string{"محرم", "صفر", "ربيع الأول", "ربيع الآخر", "جمادى الأولى", "جمادى الآخرة", "رجب", "شعبان", "رمضان", "شوال", "ذو القعدة", "ذو الحجة"}
	hijriEn  = [...]string{"Muharram", "Safar", "Rabiʻ I", "Rabiʻ II", "Jumada I", "Jumada II", "Rajab", "Shaʻban", "Ramadan", "Shawwal", "Dhuʻl-Qiʻdah", "Dhuʻl-Hijjah"}
)

// riyadh is the zone of every date that carries none of its own.
var riyadh = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		return time.FixedZone("AST", 3*3600) // Riyadh keeps UTC+3 all year
	}
	return zone
}()

// local moves a time from the database (UTC or the server's zone) to Riyadh.
// A time in any other zone was placed there on purpose and keeps it.
func local(t time.Time) time.Time {
	if t.Location() == time.UTC || t.Location() == time.Local {
		return t.In(riyadh)
	}
	return t
}

// Weekday names the day of the week: «الثلاثاء» or Tue.
func (l *Localizer) Weekday(t time.Time) string {
	t = local(t)
	if l.Lang == Arabic {
		return daysAr[t.Weekday()]
	}
	return t.Format("Mon")
}

// ShortDate is day and month: 10 نوفمبر, 10 Nov.
func (l *Localizer) ShortDate(t time.Time) string {
	t = local(t)
	if l.Lang == Arabic {
		return fmt.Sprintf("%d %s", t.Day(), monthsAr[t.Month()-1])
	}
	return t.Format("2 Jan")
}

// Date is day, month and year: 10 نوفمبر 2026, 10 Nov 2026. The zero time
// gives an en dash.
func (l *Localizer) Date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return fmt.Sprintf("%s %d", l.ShortDate(t), local(t).Year())
}

// LongDate adds the weekday: «الثلاثاء 10 نوفمبر 2026».
func (l *Localizer) LongDate(t time.Time) string {
	t = local(t)
	if l.Lang == Arabic {
		return fmt.Sprintf("%s %d %s %d", daysAr[t.Weekday()], t.Day(), monthsAr[t.Month()-1], t.Year())
	}
	return t.Format("Monday 2 January 2006")
}

// Clock is hours and minutes: 14:05.
func (l *Localizer) Clock(t time.Time) string { return local(t).Format("15:04") }

// Minute is the date with hours and minutes: 10 Nov 2026, 14:05.
func (l *Localizer) Minute(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if l.Lang == Arabic {
		return l.Date(t) + "، " + l.Clock(t)
	}
	return l.Date(t) + ", " + l.Clock(t)
}

// Hijri is the Umm al-Qura date: 30 جمادى الأولى 1448 هـ. Dates outside the
// published tables give an empty string.
func (l *Localizer) Hijri(t time.Time) string {
	// The library reads the date in UTC; noon keeps the local day.
	y, m, d := local(t).Date()
	h, err := hijri.CreateUmmAlQuraDate(time.Date(y, m, d, 12, 0, 0, 0, time.UTC))
	if err != nil || h.Month < 1 || h.Month > 12 {
		return ""
	}
	if l.Lang == Arabic {
		return fmt.Sprintf("%d %s %d هـ", h.Day, hijriAr[h.Month-1], h.Year)
	}
	return fmt.Sprintf("%d %s %d AH", h.Day, hijriEn[h.Month-1], h.Year)
}

// Since says how long before now t was, or how long after: "18 min ago",
// «قبل 18 دقيقة», "in 2 days". The zero time gives an en dash.
func (l *Localizer) Since(t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	d := now.Sub(t)
	if d.Abs() < time.Minute {
		return l.T("time.now")
	}
	if d < 0 {
		return l.T("time.in", "Span", l.Span(-d))
	}
	return l.T("time.ago", "Span", l.Span(d))
}

// Span is a duration in its largest fitting unit: seconds, minutes, hours or
// days.
func (l *Localizer) Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return l.N("time.seconds", int(d.Seconds()))
	case d < time.Hour:
		return l.N("time.minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return l.N("time.hours", int(d.Hours()))
	}
	return l.N("time.days", int(d.Hours()/24))
}
