package web

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/web/chart"
	"github.com/optria-iq/optria/web/integration"
)

// syncRow is one sync of the history.
type syncRow struct {
	At           time.Time
	Seconds      float64
	State, Label string
	From, To     *time.Time
	Rows, Bad    int64
	Error        string
	Notices      []noticeRow
	Gap          time.Duration // time before From that no sync covers
}

// noticeRow is one event of the connection beside the readings.
type noticeRow struct {
	Text  string
	Tags  []string
	Count int
}

// backfillRow is one window of past readings, filled or to be.
type backfillRow struct {
	From, To, At       time.Time
	State, Label       string
	Cause, By, Problem string
	Tags               int
	Rows               int64
	Percent            float64
	Open               bool
}

// messageRow is one message that a source has sent or a person uploaded.
type messageRow struct {
	ID, Type, State, Label, Error string
	At                            time.Time
	Bytes                         int64
	Rows, Refused                 int64
	Refusals                      []refusalRow
}

type refusalRow struct{ Where, Text, Value string }

// staleRow is a mapped tag whose newest reading is too old.
type staleRow struct {
	Tag, Asset, AssetID, Metric string
	At                          *time.Time
}

// recordCounts says how many records of a maintenance system belong to an
// asset.
type recordCounts struct {
	Assets, Unmatched, Orders, OpenOrders int
	SyncedAt                              *time.Time
	Any                                   bool
}

// healthView is the part of the page that changes by itself.
type healthView struct {
	integrationRow
	Tone, Title, Text          string // the banner, none when all is well
	Streaming                  *time.Time
	Rate                       float64 // readings a minute over the last ten
	Unmapped                   int
	Discovered                 *time.Time
	DiscoveryError             string
	Syncs                      []syncRow
	Gaps, Failures             int
	Chart                      chart.Plot
	HasChart                   bool
	StaleTags                  []staleRow
	Backfills                  []backfillRow
	Messages                   []messageRow
	MessageCount, MessagesFail int
	Receives, CanRetry         bool
	Records                    recordCounts
}

// Looks of the states of backfills and messages.
var (
	backfillStates = map[string]string{"waiting": "plan", "running": "run", "done": "done", "failed": "fail", "impossible": "cancel"}
	messageStates  = map[string]string{"received": "plan", "done": "done", "partial": "retry", "failed": "fail"}
)

func (s *Server) healthView(p Page, who access.Principal, x health, row integrationRow) healthView {
	i := x.overview.Integration
	v := healthView{integrationRow: row, Rate: float64(x.rate) / 10, Unmapped: int(x.tags.Total - x.tags.Mapped), Discovered: i.DiscoveredAt,
		MessageCount: int(x.inbox.Messages), MessagesFail: int(x.inbox.Failed), Receives: x.can.Receive || x.inbox.Messages > 0,
		CanRetry: who.Can(access.TestIntegrations)}
	if i.DiscoveryError != "" {
		v.DiscoveryError = s.faultText(p, i.DiscoveryError)
	}
	if row.Active {
		v.Streaming = i.StreamingSince
	}
	v.Tone, v.Title, v.Text = s.banner(p, i)
	s.addSyncs(p, &v, x.syncs)
	for _, t := range x.stale {
		v.StaleTags = append(v.StaleTags, staleRow{t.ExternalTag, t.Tag, t.AssetID.String(), t.Metric, t.LatestTs})
	}
	for _, b := range x.backfills {
		v.Backfills = append(v.Backfills, s.backfillRow(p, b))
	}
	for _, m := range x.messages {
		v.Messages = append(v.Messages, s.messageRow(p, m))
	}
	v.Records = recordCounts{Assets: int(x.assets.Total), Unmatched: int(x.assets.Unmatched), Orders: int(x.orders.Total), OpenOrders: int(x.orders.Open),
		SyncedAt: i.RecordsSyncedAt, Any: x.assets.Total+x.orders.Total > 0 || i.RecordsSyncedAt != nil || x.can.Records}
	return v
}

// banner says in words what keeps an integration from delivering.
func (s *Server) banner(p Page, i db.Integration) (tone, title, text string) {
	problem := ""
	if i.LastError != "" {
		problem = s.faultText(p, i.LastError)
	}
	switch {
	case i.State == integration.Paused:
		return "none", p.T("integrations.paused.title"), i.PausedNote
	case i.NeedsPerson:
		return "bad", p.T("integrations.person.title"), problem
	case i.Circuit == "open" && i.RetryAt != nil:
		return "warn", p.T("integrations.open.title", "Time", p.Loc().Clock(*i.RetryAt)), problem
	case i.Circuit == "half_open":
		return "warn", p.T("integrations.trying.title"), problem
	case i.LastSyncStatus == "failed":
		return "bad", p.T("integrations.failed"), problem
	}
	return "", "", ""
}

// addSyncs lists the syncs, newest first, and marks the windows of time that
// none of them covers.
func (s *Server) addSyncs(p Page, v *healthView, syncs []db.IntegrationSync) {
	for _, x := range syncs {
		row := syncRow{At: x.FinishedAt, Seconds: x.FinishedAt.Sub(x.StartedAt).Seconds(), State: syncStates[x.Status],
			Label: p.T("integrations.sync." + x.Status), From: x.FromTs, To: x.ToTs, Rows: x.RowsWritten, Bad: x.RowsBad, Notices: s.notices(p, x.Notices)}
		if x.Status == "failed" {
			v.Failures++
			row.Error = s.faultText(p, x.Error)
		}
		v.Syncs = append(v.Syncs, row)
	}
	var reached *time.Time
	for i := range slices.Backward(v.Syncs) {
		row := &v.Syncs[i]
		if row.From != nil && reached != nil && row.From.After(*reached) {
			row.Gap = row.From.Sub(*reached)
			v.Gaps++
		}
		if row.To != nil && (reached == nil || row.To.After(*reached)) {
			reached = row.To
		}
	}
	v.Chart, v.HasChart = syncChart(p, v.Syncs)
}

// notices words the notices of a sync; what cannot be read is left out.
func (s *Server) notices(p Page, raw json.RawMessage) []noticeRow {
	var stored []struct {
		Key   string
		Tags  []string
		Count int
	}
	if json.Unmarshal(raw, &stored) != nil {
		return nil
	}
	var out []noticeRow
	for _, n := range stored {
		if s.catalog.Has(n.Key) {
			out = append(out, noticeRow{p.T(n.Key), n.Tags, max(n.Count, len(n.Tags))})
		}
	}
	return out
}

func (s *Server) backfillRow(p Page, b db.ListBackfillsRow) backfillRow {
	row := backfillRow{From: b.FromTs, To: b.ToTs, At: b.CreatedAt, State: backfillStates[b.State], Label: p.T("integrations.backfill.state." + b.State),
		Cause: p.T("integrations.backfill.cause." + b.Cause), By: localName(p.Lang, b.ByAr, b.ByEn), Tags: int(b.Tags), Rows: b.RowsWritten,
		Open: b.State == "waiting" || b.State == "running"}
	if whole := b.ToTs.Sub(b.FromTs); whole > 0 {
		row.Percent = min(100, max(0, 100*b.ReachedTs.Sub(b.FromTs).Seconds()/whole.Seconds()))
	}
	if b.Error != "" {
		row.Problem = s.faultText(p, b.Error)
	}
	return row
}

func (s *Server) messageRow(p Page, m db.ListMessagesRow) messageRow {
	row := messageRow{ID: m.MessageID, Type: m.ContentType, State: messageStates[m.State], Label: p.T("integrations.message.state." + m.State),
		At: m.ReceivedAt, Bytes: int64(m.SizeBytes), Rows: m.RowsWritten, Refused: m.RowsRefused}
	if m.Error != "" {
		row.Error = s.faultText(p, m.Error)
	}
	var refusals []connector.Refusal
	if json.Unmarshal(m.Refusals, &refusals) == nil {
		for _, x := range refusals {
			row.Refusals = append(row.Refusals, refusalRow{x.Where, s.faultText(p, x.Key), x.Value})
		}
	}
	return row
}

// syncChart draws the rows that each sync wrote over time.
func syncChart(p Page, rows []syncRow) (chart.Plot, bool) {
	if len(rows) < 2 {
		return chart.Plot{}, false
	}
	line := chart.Line{Class: "ln-main", Label: p.T("integrations.chart.rows"), Step: true}
	bad := chart.Line{Class: "ln-bad", Label: p.T("integrations.chart.bad"), Step: true}
	anyBad := false
	for _, x := range slices.Backward(rows) {
		at := float64(x.At.Unix())
		line.Points = append(line.Points, chart.Point{X: at, Y: float64(x.Rows)})
		bad.Points = append(bad.Points, chart.Point{X: at, Y: float64(x.Bad)})
		anyBad = anyBad || x.Bad > 0
	}
	first, last := rows[len(rows)-1].At, rows[0].At
	if !last.After(first) {
		return chart.Plot{}, false
	}
	lines := []chart.Line{line}
	if anyBad {
		lines = append(lines, bad)
	}
	zero := 0.0
	in := chart.Input{Dir: chart.For(p.Lang), Height: 200, Lines: lines, YMin: &zero, YFormat: func(v float64) string { return p.Loc().Num(v, 0) },
		Alt: p.T("integrations.chart.alt")}
	for i := range 4 {
		at := first.Add(time.Duration(math.Round(float64(last.Sub(first)) * float64(i) / 3)))
		label := p.Loc().Clock(at)
		if last.Sub(first) > 36*time.Hour {
			label = p.Loc().ShortDate(at)
		}
		in.XTicks = append(in.XTicks, chart.Mark{At: float64(at.Unix()), Label: label})
	}
	return chart.NewPlot(in), true
}
