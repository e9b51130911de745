package notice_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/notice"
)

var object = uuid.MustParse("0e0e0e0e-0000-4000-8000-000000000001")

func localizers(t *testing.T) map[string]*i18n.Localizer {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	return map[string]*i18n.Localizer{i18n.Arabic: catalog.Localizer(i18n.Arabic), i18n.English: catalog.Localizer(i18n.English)}
}

func event(kind, objectType, payload string) notice.Event {
	return notice.Event{Kind: kind, ObjectType: objectType, ObjectID: object, Payload: json.RawMessage(payload)}
}

func TestEveryKindHasWordsInBothLanguages(t *testing.T) {
	t.Parallel()
	for lang, l := range localizers(t) {
		seen := map[string]string{}
		for _, kind := range append(notice.Kinds(), notice.Test) {
			w := notice.Render(l, event(kind, "plan", `{"title":"weekly"}`))
			require.NotContains(t, w.Title+w.Plain+string(w.HTML), "[[", "%s in %s", kind, lang)
			require.NotContains(t, w.Plain, i18n.Missing, kind)
			require.NotEqual(t, l.T("notifications.kind.other"), w.Title, kind)
			require.Contains(t, string(w.HTML), "<bdi>weekly</bdi>", kind)
			require.Empty(t, seen[w.Plain], "%s says the same as %s", kind, seen[w.Plain])
			seen[w.Plain] = kind
		}
		for _, area := range notice.Areas() {
			require.True(t, l.Has("notifications.area."+area), area)
		}
	}
}

func TestWordsNameObjectDueTimeAndReason(t *testing.T) {
	t.Parallel()
	l := localizers(t)[i18n.Arabic]
	w := notice.Render(l, event("plan.proposed", "plan", `{"title":"خطة الأسبوع 45","due_at":"2026-11-03T09:00:00Z","cost_sar":4120000}`))
	require.Equal(t, "الخطة «<bdi>خطة الأسبوع 45</bdi>» بانتظار اعتمادك. المهلة حتى 3 نوفمبر 2026، 12:00.", string(w.HTML))
	require.Equal(t, "الخطة «\u2068خطة الأسبوع 45\u2069» بانتظار اعتمادك. المهلة حتى 3 نوفمبر 2026، 12:00.", w.Plain)
	require.Equal(t, "/plans/"+object.String(), w.Path)
	w = notice.Render(l, event("work_order.done", "work_order", `{"number":1042,"name":"Replace seal","name_ar":"تبديل مانع","title":"week 45"}`))
	require.Contains(t, string(w.HTML), `<bdi dir="ltr" class="tag">1042</bdi> «<bdi>تبديل مانع</bdi>»`)
	w = notice.Render(l, event("webhook.failing", "webhook", `{"name":"ERP","reason":"webhooks.problem.timeout"}`))
	require.Contains(t, w.Plain, l.T("webhooks.problem.timeout"), "the key of a message is worded")
	w = notice.Render(l, event("token.expiring", "api_token", `{"name":"runner","schedules":[{"name":"ليلي"},{"name":"أسبوعي"}]}`))
	require.Contains(t, w.Plain, "ليلي، أسبوعي", "the schedules that would stop are named")
	w = notice.Render(l, event("plan.approved", "plan", `{"title":"x","due_at":"2026-11-03T09:00:00Z"}`))
	require.NotContains(t, w.Plain, "2026", "a deadline that is over is not told")
	require.Equal(t, "/tokens", notice.Render(l, event("token.expired", "api_token", `{}`)).Path)
}

func TestWhatAPayloadLacksIsLeftOut(t *testing.T) {
	t.Parallel()
	l := localizers(t)[i18n.English]
	for _, payload := range []string{``, `null`, `[]`, `"x"`, `{`, `{"title":7,"name":[],"number":{},"due_at":"soon","reason":null,"tag":true}`} {
		w := notice.Render(l, event("plan.returned", "plan", payload))
		require.Equal(t, "The plan without a title was returned for changes.", w.Plain, payload)
	}
	w := notice.Render(l, event("comet.seen", "comet", `{"name":"Halley"}`))
	require.Equal(t, "Something happened to “\u2068Halley\u2069”.", w.Plain)
	require.Empty(t, w.Path)
}

// TestReasonsAreSaidWithWhatTheySpeakOf gives every message of the product as a
// reason, with and without its arguments.
func TestReasonsAreSaidWithWhatTheySpeakOf(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	for lang, l := range localizers(t) {
		for _, key := range catalog.Keys() {
			payload, err := json.Marshal(map[string]any{"name": "nightly", "reason": key})
			require.NoError(t, err)
			w := notice.Render(l, event("schedule.failing", "schedule", string(payload)))
			require.NotRegexp(t, "(<|&lt;)no value", w.Plain+string(w.HTML), "%s in %s", key, lang)
		}
	}
	l := localizers(t)[i18n.English]
	w := notice.Render(l, event("run.failed", "schedule", `{"name":"nightly","reason":"schedules.account_off","reason_args":{"Account":"planner"}}`))
	require.Contains(t, w.Plain, "The service account planner is switched off.")
	for _, args := range []string{``, `,"reason_args":null`, `,"reason_args":"planner"`} {
		w = notice.Render(l, event("run.failed", "schedule", `{"name":"nightly","reason":"schedules.account_off"`+args+`}`))
		require.Contains(t, w.Plain, "The service account "+i18n.Missing+" is switched off.", args)
	}
}

func TestPayloadsAreNeverMarkup(t *testing.T) {
	t.Parallel()
	evil := `<img src=x onerror=alert(1)>"'&{{.Subject}}`
	payload, err := json.Marshal(map[string]string{"title": evil, "number": evil, "reason": evil, "tag": evil})
	require.NoError(t, err)
	for _, l := range localizers(t) {
		for _, kind := range append(notice.Kinds(), "other.kind") {
			w := notice.Render(l, notice.Event{Kind: kind, ObjectType: evil, Payload: payload})
			require.NotContains(t, string(w.HTML), "<img", kind)
			require.Equal(t, strings.Count(string(w.HTML), "<"), 2*strings.Count(string(w.HTML), "<bdi"), "only isolating tags: %s", w.HTML)
		}
	}
	long := notice.Render(localizers(t)[i18n.English], event("run.failed", "run", `{"title":"`+strings.Repeat("ن", 5000)+`"}`))
	require.Less(t, len([]rune(long.Plain)), 500)
}
