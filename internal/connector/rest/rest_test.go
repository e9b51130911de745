package rest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/rest/resttest"
)

var until = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func newSource() *resttest.Source {
	return &resttest.Source{Tags: []string{"P-101.FLOW", "P-101/VIB 1&2", "ع-5"}, Period: time.Minute, PageSize: 7, LinkHost: "http://10.0.0.9:8080"}
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// bulk are settings for an answer with the readings of every tag.
func bulk(url, path, paging, items string) connector.Config {
	return connector.Config{"base_url": url, "auth": "none", "path": path, "paging": paging, "items": items,
		"tag": "@.tag", "value": "@.value", "time": "@.ts", "quality": "@.quality", "unit": "@.unit", "overlap_seconds": 0.0}
}

// styles are the settings of one source in every style of paging.
func styles(url string) map[string]connector.Config {
	all := map[string]connector.Config{
		"offset": bulk(url, "/rest/v1/readings?ts=gt.{since}&ts=lte.{until}&order=ts&limit={limit}&offset={offset}", PagingOffset, "$[*]"),
		"page":   bulk(url, "/pages?from={since}&to={until}&page={page}", PagingPage, "$.data[*]"),
		"cursor": bulk(url, "/cursor?from={since}&to={until}&after={cursor}", PagingCursor, "$.data[*]"),
		"link":   bulk(url, "/link?from={since}&to={until}", PagingLink, "$.data[*]"),
		"header": bulk(url, "/link?from={since}&to={until}", PagingLink, "$.data[*]"),
		"tag": {"base_url": url, "auth": "none", "path": "/tags/{tag}/values?from={since}&to={until}", "window_format": "unix", "items": "$.points[*]",
			"value": "@[1]", "time": "@[0]", "time_format": "unix", "overlap_seconds": 0.0, "tags_path": "/tags", "tags_items": "$.tags[*]", "fixed_unit": "bar"},
	}
	all["offset"]["page_size"] = 17.0
	all["cursor"]["next"], all["link"]["next"] = "$.meta.next", "$.next"
	return all
}

func TestEveryStyleKeepsTheContract(t *testing.T) {
	t.Parallel()
	source := newSource()
	source.Tags, source.PageSize = []string{"P-101.FLOW", "P-101 VIB 1&2", "ع-5"}, 20
	for name, config := range styles(serve(t, source.Handler())) {
		config["sample_hours"] = 1.0
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, Kind, connectortest.Fixture{Config: config, Dialer: &net.Dialer{}, Tags: source.Tags, Since: until.Add(-20 * time.Minute), Until: until})
		})
	}
}

func opened(t testing.TB, config connector.Config, secrets connector.Secrets) connector.Connector {
	t.Helper()
	c, err := connector.Open(Kind, config, secrets, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func poll(t testing.TB, c connector.Connector, since, until time.Time, tags ...string) connector.Batch {
	t.Helper()
	batch, err := c.(connector.Poller).Poll(t.Context(), connector.PollRequest{Tags: tags, Since: since, Until: until})
	require.NoError(t, err)
	return batch
}

func TestOverlapFetchesWhatCameLate(t *testing.T) {
	t.Parallel()
	source := newSource()
	config := styles(serve(t, source.Handler()))["page"]
	config["overlap_seconds"] = 120.0
	c := opened(t, config, nil)
	batch := poll(t, c, until.Add(-time.Minute), until, "ع-5")
	require.Len(t, batch.Readings, 3)
	require.Equal(t, connector.Reading{ExternalTag: "ع-5", Time: until, Value: resttest.Value("ع-5", until), Quality: asset.Good, Unit: "bar"}, batch.Readings[2])

	batch, err := c.(connector.Poller).Poll(t.Context(), connector.PollRequest{Tags: []string{"ع-5"}, Since: until.Add(-10 * time.Minute), Until: until, Limit: 2})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 4, "two of the overlap do not count")
	require.True(t, batch.More)
	require.Equal(t, until.Add(-8*time.Minute), batch.Watermark)
}

// A live service has no window: what was delivered before is left out, and a
// gap in the past cannot be asked for.
func TestLiveServiceHasNoArchive(t *testing.T) {
	t.Parallel()
	source := newSource()
	config := connector.Config{"base_url": serve(t, source.Handler()), "auth": "none", "path": "/latest", "items": "$.values", "shape": "members",
		"value": "@", "time": "$.at", "time_format": "unix", "overlap_seconds": 0.0}
	c := opened(t, config, nil)
	_, can := c.(connector.Backfiller)
	require.False(t, can)
	now := time.Now().UTC()
	batch := poll(t, c, now.Add(-2*time.Minute), now, append(source.Tags, "gone")...)
	require.Len(t, batch.Readings, 3)
	require.Equal(t, []connector.Notice{{Time: now, Key: connector.NoticeUnknownTag, Tags: []string{"gone"}}}, batch.Notices)
	require.Empty(t, poll(t, c, batch.Readings[0].Time, now, source.Tags...).Readings)
}

func TestSampleGivesTheNewestOfEachTag(t *testing.T) {
	t.Parallel()
	source := newSource()
	for name, config := range styles(serve(t, source.Handler())) {
		c := opened(t, config, nil)
		batch, err := c.(connector.Sampler).Sample(t.Context(), []string{"P-101.FLOW", "ع-5"})
		require.NoError(t, err, name)
		require.Len(t, batch.Readings, 2, name)
		require.Empty(t, batch.Notices, name)
		require.WithinDuration(t, time.Now(), batch.Readings[0].Time, 2*time.Minute, name)
		batch, err = c.(connector.Sampler).Sample(t.Context(), nil)
		require.NoError(t, err, name)
		require.Empty(t, batch.Readings, name)
	}
}

func TestCredentialsAreSentAndNeverShown(t *testing.T) {
	t.Parallel()
	source := newSource()
	source.Token = "s3cret-token"
	config := styles(serve(t, source.Handler()))["page"]
	config["auth"] = "bearer"
	require.Len(t, poll(t, opened(t, config, connector.Secrets{"token": source.Token}), until.Add(-time.Minute), until, "ع-5").Readings, 1)
	wrong := opened(t, config, connector.Secrets{"token": "wr0ng-token"})
	_, err := wrong.(connector.Poller).Poll(t.Context(), connector.PollRequest{Tags: source.Tags, Until: until})
	require.Equal(t, connector.KeyCredentials, connector.MessageKey(err))
	require.True(t, connector.NeedsPerson(err))
	steps := wrong.(connector.Tester).Test(t.Context())
	last := steps[len(steps)-1]
	require.Equal(t, connector.StepSession, last.Name)
	require.Equal(t, connector.KeyCredentials, last.Code)
	for _, text := range []string{err.Error(), last.Detail} {
		require.NotContains(t, text, "token")
	}
}

// What a hostile or broken service sends ends in a fault with a key, after a
// bounded number of requests.
func TestHostileServices(t *testing.T) {
	t.Parallel()
	row := `{"tag":"a","ts":"2026-03-10T11:59:00Z","value":1,"quality":"good","unit":"bar"}`
	cases := map[string]struct {
		style, key string
		answer     func(w http.ResponseWriter, r *http.Request, n int)
	}{
		"endless pages":       {"page", connector.KeyTooLarge, func(w http.ResponseWriter, _ *http.Request, n int) { fmt.Fprintf(w, `{"data":[%s],"n":%d}`, row, n) }},
		"the same page again": {"page", connector.KeyProtocol, func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprintf(w, `{"data":[%s]}`, row) }},
		"a cursor in a ring": {"cursor", connector.KeyProtocol, func(w http.ResponseWriter, _ *http.Request, _ int) {
			fmt.Fprintf(w, `{"data":[%s],"meta":{"next":"x"}}`, row)
		}},
		"an endless cursor": {"cursor", connector.KeyTooLarge, func(w http.ResponseWriter, _ *http.Request, n int) {
			fmt.Fprintf(w, `{"data":[],"meta":{"next":"%d"}}`, n)
		}},
		"a huge cursor": {"cursor", connector.KeyProtocol, func(w http.ResponseWriter, _ *http.Request, _ int) {
			fmt.Fprintf(w, `{"data":[%s],"meta":{"next":%q}}`, row, strings.Repeat("x", maxCursor+1))
		}},
		"a bad link": {"link", connector.KeyProtocol, func(w http.ResponseWriter, _ *http.Request, _ int) {
			fmt.Fprintf(w, `{"data":[%s],"next":"http://[::1"}`, row)
		}},
		"HTML":           {"page", connector.KeyProtocol, func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, "<html>logon</html>") }},
		"an array tower": {"page", connector.KeyTooLarge, func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, strings.Repeat("[", 100_000)) }},
		"missing path":   {"page", connector.KeySourceError, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNotFound) }},
		"a server error": {"page", connector.KeySourceError, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusInternalServerError) }},
		"a redirect inwards": {"page", connector.KeyRefusedHost, func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				c.answer(w, r, n)
			}))
			_, err := opened(t, styles(url)[c.style], nil).(connector.Poller).Poll(t.Context(), connector.PollRequest{Tags: []string{"a"}, Since: until.Add(-time.Hour), Until: until})
			require.Equal(t, c.key, connector.MessageKey(err), "%v", err)
			require.LessOrEqual(t, n, maxRequests+3)
		})
	}
}

// A window with more than one call may hold is read in parts.
func TestLargeWindowIsHalved(t *testing.T) {
	t.Parallel()
	source := &resttest.Source{Tags: []string{"a", "b"}, Period: time.Second, PageSize: 500}
	c := opened(t, styles(serve(t, source.Handler()))["page"], nil).(archive)
	c.most = 1000
	total, parts := 0, 0
	for at := until.Add(-20 * time.Minute); ; parts++ { // 2400 readings
		batch, err := c.Backfill(t.Context(), connector.PollRequest{Tags: source.Tags, Since: at, Until: until, Limit: 1_000_000})
		require.NoError(t, err)
		require.True(t, batch.Watermark.After(at))
		require.Empty(t, batch.Notices)
		total += len(batch.Readings)
		if at = batch.Watermark; !batch.More {
			break
		}
	}
	require.Equal(t, 2400, total)
	require.Equal(t, 2, parts)
}

func TestUnreadablePartsAreNamed(t *testing.T) {
	t.Parallel()
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat))
		fmt.Fprint(w, `{"data":[{"tag":"a","ts":"2026-03-10T11:59:00Z","value":1,"quality":"ok"},{"tag":"a","ts":"x","value":1},{"tag":"b","ts":"2026-03-10T11:59:00Z","value":"on"}]}`)
	}))
	config := bulk(url, "/", PagingNone, "$.data[*]")
	batch := poll(t, opened(t, config, nil), until.Add(-time.Hour), until, "a", "b")
	require.Len(t, batch.Readings, 1)
	keys := map[string][]string{}
	for _, n := range batch.Notices {
		keys[n.Key] = n.Tags
	}
	require.Equal(t, map[string][]string{connector.NoticeNotNumeric: {"b"}, NoticeUnreadable: {"#2"}, connector.NoticeClockSkew: nil}, keys)
}

func TestSettingsThatContradict(t *testing.T) {
	t.Parallel()
	sound := styles("https://source.example")["page"]
	cases := map[string]struct {
		change connector.Config
		field  string
		want   string
	}{
		"unknown name":        {connector.Config{"path": "/x?from={form}&page={page}"}, "path", ErrTemplate + "#9"},
		"open brace":          {connector.Config{"path": "/x{page}?a={page"}, "path", ErrTemplate + "#12"},
		"closing brace":       {connector.Config{"path": "/x}"}, "path", ErrTemplate + "#3"},
		"another host":        {connector.Config{"path": "http://inner/x?page={page}"}, "path", ErrPath},
		"fragment":            {connector.Config{"path": "/x#{page}"}, "path", ErrPath},
		"end without begin":   {connector.Config{"path": "/x?to={until}&page={page}"}, "path", ErrWindow},
		"paging without page": {connector.Config{"path": "/x?from={since}&to={until}"}, "path", ErrPlaceholder},
		"cursor without path": {connector.Config{"path": "/x?c={cursor}", "paging": PagingCursor}, "next", ErrNext},
		"window format":       {connector.Config{"window_format": "yyyy"}, "window_format", "connector.json.error.format"},
		"list without path":   {connector.Config{"tags_items": "$[*]"}, "tags_path", ErrTags},
		"list of one tag":     {connector.Config{"tags_path": "/t/{tag}", "tags_items": "$[*]"}, "tags_path", ErrAllTags},
		"bad expression":      {connector.Config{"items": "$.a[?"}, "items", "connector.json.error.path#6"},
		"credentials":         {connector.Config{"auth": "basic"}, "username", "connector.http.error.username"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := maps.Clone(sound)
			maps.Copy(config, c.change)
			_, err := connector.Open(Kind, config, nil, &net.Dialer{})
			require.Equal(t, map[string]string{c.field: c.want}, connector.FieldErrors(err))
		})
	}
	_, err := connector.Open(Kind, sound, nil, &net.Dialer{})
	require.NoError(t, err)
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"/a?b={since}", "/{tag}/x?y=%7B&z={page}", "{", "/%zz", "/?;", "/a?b={cursor}&b={cursor}"} {
		f.Add(text, "value&x=1/../")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		template, problem := parseTemplate(text)
		if problem != "" {
			return
		}
		values := map[string]string{}
		for _, name := range []string{varSince, varUntil, varTag, varPage, varOffset, varCursor, varLimit} {
			values[name] = value
		}
		path, query := template.expand(values)
		require.True(t, strings.HasPrefix(path, "/"))
		require.Subset(t, slices.Collect(maps.Keys(template.query)), slices.Collect(maps.Keys(query)), "a value adds no parameter")
	})
}
