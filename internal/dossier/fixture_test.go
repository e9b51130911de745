package dossier_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
	"github.com/optria-iq/optria/internal/i18n"
)

var moment = time.Date(2026, 11, 30, 9, 15, 0, 0, time.UTC)

// hash is a made-up hash of 64 digits.
func hash(n int) string { return strings.Repeat(fmt.Sprintf("%02x", n), 32) }

// words chooses a phrase of the fixture by language.
func words(lang, ar, en string) string {
	if lang == i18n.Arabic {
		return ar
	}
	return en
}

// record is a plan in which every section has something to say, with a number
// of decisions.
func record(lang string, lines int) dossier.Record {
	later := moment.Add(26 * time.Hour)
	current, downtime := 1_450_000.0, 42.5
	r := dossier.Record{
		Tenant: words(lang, "شركة نخيل للطاقة", "Nakheel Energy"), TenantCode: "NAKHEEL", PlanID: "0b6f9e0e-52a4-4b0e-9a57-0c2d6d1c7c11", RunID: "7f3f1b0a-9f43-4b8e-8d61-f0f3f9a3c001",
		Title: words(lang, "صيانة ديسمبر <2026> & ما بعدها", "Maintenance of December <2026> & after"), Problem: words(lang, "ترتيب الصيانة", "Maintenance priorities"),
		Preset: words(lang, "متوازن", "Balanced"), Version: 2, State: words(lang, "صدرت أوامرها", "Released"), LaunchedBy: "Salem Al-Harbi",
		ProposedBy: "نورة القحطاني", ReleasedBy: "Noura", CreatedBy: "Viewer One", Note: words(lang, "تأجيل المضخة P-2010B إلى ما بعد الإيقاف", "P-2010B waits for the outage"),
		From: moment, To: moment.AddDate(0, 0, 30), ProposedAt: moment, DueAt: later, CreatedAt: later, DecidedAt: &later, ReleasedAt: &later, Synthetic: true,
		Certificate: dossier.Certificate{Total: 1_234_567, Risk: 345_678, Objective: 1_234_567, Bound: 1_230_000, Gap: .0037, BoundKnown: true, Verified: true, Solver: "HiGHS 1.12.0", Seed: 7, Iterations: 120_000},
		Terms:       []dossier.Term{{Label: words(lang, "أعطال", "Failures"), Plan: 345_678, Current: &current}, {Label: words(lang, "عمل", "Labour"), Plan: 88_000}},
		Figures:     []dossier.Fact{{Label: words(lang, "أعمال مخططة", "Planned actions"), Value: "42"}},
		Alternatives: []dossier.Alternative{{Name: words(lang, "الأقل تكلفة", "Cheapest"), Cost: 1_200_000, Risk: 500_000, Downtime: &downtime, Planned: 30},
			{Name: words(lang, "متوازن", "Balanced"), Chosen: true, Cost: 1_234_567, Risk: 345_678, Downtime: &downtime, Planned: 42, BoundKnown: true, Gap: .0037}},
		Versions: []dossier.Version{{2, "Balanced", "Released", moment}, {1, "Balanced", "Returned", moment.AddDate(0, 0, -2)}},
		Changes:  []dossier.Change{{"K-7731", "ضاغط", "defer", "on 3 Dec"}},
		Prices:   []dossier.Price{{Name: "Rotating crew", Step: "1 h", Value: 950}, {Tag: "P-2010B", Pin: true, Value: -12_000, Exact: true}},
		Comments: []dossier.Comment{{By: "Fahad", Role: words(lang, "مهندس موثوقية", "Reliability engineer"), About: "P-2010B", Text: "الاهتزاز 4.8 mm/s ويزداد منذ أسبوع\nراجع التقرير RPT-118", At: moment},
			{By: "Fahad", Text: "See \u202ereport\u2069 <b>118</b>", At: moment}},
		Decisions: []dossier.Decision{{Kind: dossier.Objected, Label: words(lang, "اعتراض", "Objected"), By: "Fahad", Text: "P-2010B لا تنتظر", At: moment},
			{Kind: dossier.Approved, Label: words(lang, "اعتماد", "Approved"), By: "Mona", Role: words(lang, "مدير", "Admin"), OnBehalfOf: "Khalid", Text: "موافق بعد استثناء K-9", At: later}},
		Withheld: []dossier.Withheld{{Tag: "K-9", Name: "ضاغط احتياطي", Stage: words(lang, "عند الاعتماد", "at the approval"), Reason: "قطعة الغيار لم تصل", By: "Mona", At: later}},
		Release: &dossier.Release{State: words(lang, "مكتمل", "done"), By: "Noura", Integration: "SAP PM", RequestedAt: later, FinishedAt: &later,
			Lines: []dossier.ReleaseLine{{Number: 1, Tag: "P-2010B", Action: words(lang, "إنشاء أمر", "create"), State: words(lang, "كُتب", "written"), External: "4000123", Key: "OPT-0123456789ABCDEF01234567", Start: moment, End: later}}},
		Evidence:  dossier.Evidence{Input: hash(1), Output: hash(2), Content: hash(3), Manifest: hash(4), Build: "optria v0.6.0 (abcdef0)"},
		Audit:     []dossier.AuditRow{{Seq: 118, At: moment, Actor: "Noura", Action: words(lang, "اقترح خطة", "Proposed a plan"), Hash: hash(5), Day: "2026-11-30", Root: hash(6)}, {Seq: 131, At: later, Actor: "Mona", Action: words(lang, "اعتمد خطة", "Approved a plan"), Hash: hash(7)}},
		VerifyURL: "https://optria.example/verify", KeyID: key().Public().ID(), PublicKey: key().Public().String(),
	}
	for i := range lines {
		r.Lines = append(r.Lines, dossier.Line{Tag: fmt.Sprintf("P-%04d/B", 2010+i), Name: words(lang, "مضخة تغذية الغلاية", "Boiler feed pump"), Site: words(lang, "الجبيل", "Jubail"),
			Decision: words(lang, "صيانة في \u20663 ديسمبر\u2069", "Maintain on 3 Dec"), Who: words(lang, "سالم الحربي", "Salem"), Cost: 12_000, Avoided: 98_000, Chance: .125, Pinned: i%7 == 0, Withheld: i == 3,
			Rated: true, Trusted: i%5 != 0, Reasons: []string{words(lang, "احتمال العطل \u206612.5%\u2069 خلال المدة", "Failure chance \u206612.5%\u2069 in the window"), words(lang, "التوقف يكلف \u206698,000\u2069 ر.س.", "An outage costs SAR 98,000")}})
	}
	return r
}

func key() seal.Key {
	k, err := seal.DeriveKey([]byte("a secret of the tests, 32 bytes!"))
	if err != nil {
		panic(err)
	}
	return k
}

func localizer(t *testing.T, lang string) *i18n.Localizer {
	t.Helper()
	c, err := i18n.New()
	require.NoError(t, err)
	return c.Localizer(lang)
}

func build(t *testing.T, kind seal.Kind, lang string, lines int) []byte {
	t.Helper()
	r := record(lang, lines)
	file, err := dossier.Build(kind, localizer(t, lang), r, dossier.NewSubject(r, "11111111-2222-4333-8444-555555555555", lang, 140), key())
	require.NoError(t, err)
	return file
}
