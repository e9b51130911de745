package sap

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// Poll reads measurement documents by the time of the measurement. People
// enter them late, so the window begins some hours before Since; what was read
// before comes again and is the same.
func (c *SAPConnector) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	return c.measured(ctx, request, time.Duration(c.settings.LateHours*float64(time.Hour)))
}

// Backfill reads measurement documents of a window.
func (c *SAPConnector) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	return c.measured(ctx, request, 0)
}

// measured reads one span of the window, a shorter one where that holds too
// many documents, and cuts it at the limit of the request, between two instants.
func (c *SAPConnector) measured(ctx context.Context, request connector.PollRequest, late time.Duration) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	end := until
	if until.Sub(since) > pollSpan {
		end = since.Add(pollSpan)
	}
	found, err := c.span(ctx, request.Tags, since.Add(-late), end)
	for connector.MessageKey(err) == connector.KeyTooLarge && end.Sub(since) > shortestSpan {
		end = since.Add(end.Sub(since) / 2).Truncate(time.Second)
		found, err = c.span(ctx, request.Tags, since.Add(-late), end)
	}
	if err != nil {
		return connector.Batch{}, err
	}
	batch := connector.Batch{Readings: found.readings, Watermark: end, More: end.Before(until)}
	if batch.Notices, err = c.unknownPoints(ctx, request.Tags, batch.Readings, until); err != nil {
		return connector.Batch{}, err
	}
	if len(found.numberless) > 0 {
		batch.Notices = append(batch.Notices, connector.Notice{Time: until, Key: connector.NoticeNotNumeric, Tags: slices.Sorted(maps.Keys(found.numberless))})
	}
	slices.SortFunc(batch.Readings, func(a, b connector.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ExternalTag, b.ExternalTag))
	})
	cut(&batch, since, request.BatchLimit())
	return batch, nil
}

// measurements are what documents say. Numberless are the points with documents
// that record a code or a text and no number.
type measurements struct {
	readings   []connector.Reading
	numberless map[string]bool
}

// span reads the measurements of all points in (since, until].
func (c *SAPConnector) span(ctx context.Context, tags []string, since, until time.Time) (measurements, error) {
	all := measurements{numberless: map[string]bool{}}
	for some := range slices.Chunk(tags, pointsPerFilter) {
		if err := c.documents(ctx, some, since, until, &all); err != nil {
			return measurements{}, err
		}
	}
	return all, nil
}

// cut ends a batch at the instant at which it reaches the limit. What is read
// again from before the window does not count.
func cut(batch *connector.Batch, since time.Time, limit int) {
	again := 0
	for again < len(batch.Readings) && !batch.Readings[again].Time.After(since) {
		again++
	}
	last := again + limit - 1
	if last >= len(batch.Readings)-1 {
		return
	}
	at := batch.Readings[last].Time
	for last+1 < len(batch.Readings) && batch.Readings[last+1].Time.Equal(at) {
		last++
	}
	if last+1 < len(batch.Readings) {
		batch.Readings, batch.Watermark, batch.More = batch.Readings[:last+1], at, true
	}
}

// instantOf tells readings of one tag apart.
type instantOf struct {
	tag string
	at  time.Time
}

// documents adds the measurements of some points in (since, until]. Of two at
// one instant the later document counts, for it corrects the earlier.
func (c *SAPConnector) documents(ctx context.Context, tags []string, since, until time.Time, all *measurements) error {
	query := url.Values{
		"$filter": {anyPoint(tags) + " and MsmtRdngDate ge " + since.In(c.zone).Format(time.DateOnly) + " and MsmtRdngDate le " +
			until.In(c.zone).Format(time.DateOnly) + " and MsmtRdngIsReversed eq false"},
		"$orderby": {"MsmtRdngDate,MsmtRdngTime,MeasurementDocument"},
		"$select":  {"MeasurementDocument,MeasuringPoint,MsmtRdngDate,MsmtRdngTime,MeasurementReadingInEntryUoM,MeasurementReadingEntryUoM,MsmtRdngIsReversed"},
	}
	found, err := c.list(ctx, documentPath, query, documentsAtMost)
	if err != nil {
		return fmt.Errorf("read measurement documents: %w", err)
	}
	asked := map[string]string{}
	for _, tag := range tags {
		asked[padded(tag, pointLength)] = tag
	}
	newest := map[instantOf]connector.Reading{}
	for _, e := range found {
		r := &record{entity: e, zone: c.zone}
		tag, wanted := asked[padded(r.key("MeasuringPoint"), pointLength)]
		at := r.measuredAt()
		if r.err != nil {
			return fmt.Errorf("read measurement document %q: %w", r.text("MeasurementDocument"), r.err)
		}
		if !wanted || !at.After(since) || at.After(until) || r.flag("MsmtRdngIsReversed") {
			continue
		}
		value, err := parseDecimal(r.text("MeasurementReadingInEntryUoM"))
		if err != nil {
			all.numberless[tag] = true
			continue
		}
		newest[instantOf{tag, at}] = connector.Reading{ExternalTag: tag, Time: at, Value: value, Unit: r.text("MeasurementReadingEntryUoM"), Quality: asset.Good}
	}
	all.readings = slices.AppendSeq(all.readings, maps.Values(newest))
	return nil
}

// measuredAt joins date and time of day of version 4, in the plant's zone.
func (r *record) measuredAt() time.Time {
	clock := firstOf(r.text("MsmtRdngTime"), "00:00:00")
	at, err := time.ParseInLocation("2006-01-02 15:04:05", r.text("MsmtRdngDate")+" "+clock, r.zone)
	if err != nil {
		r.fail("MsmtRdngDate", fmt.Errorf("%.40q is not a date and a time", r.text("MsmtRdngDate")+" "+clock))
		return time.Time{}
	}
	return at.UTC()
}

func anyPoint(tags []string) string {
	conditions := make([]string, len(tags))
	for i, tag := range tags {
		conditions[i] = "MeasuringPoint eq " + literal(padded(tag, pointLength))
	}
	return "(" + strings.Join(conditions, " or ") + ")"
}

// unknownPoints names the tags that stand for no measuring point. Those with
// documents need no question.
func (c *SAPConnector) unknownPoints(ctx context.Context, tags []string, readings []connector.Reading, now time.Time) ([]connector.Notice, error) {
	known := map[string]bool{}
	for _, reading := range readings {
		known[padded(reading.ExternalTag, pointLength)] = true
	}
	silent := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return known[padded(tag, pointLength)] })
	for chunk := range slices.Chunk(silent, pointsPerFilter) {
		found, err := c.list(ctx, pointPath, url.Values{"$filter": {anyPoint(chunk)}, "$select": {"MeasuringPoint"}, "$orderby": {"MeasuringPoint"}}, pointsAtMost)
		if err != nil {
			return nil, fmt.Errorf("look for measuring points: %w", err)
		}
		for _, e := range found {
			known[padded((&record{entity: e}).text("MeasuringPoint"), pointLength)] = true
		}
	}
	unknown := slices.DeleteFunc(silent, func(tag string) bool { return known[padded(tag, pointLength)] })
	if len(unknown) == 0 {
		return nil, nil
	}
	return []connector.Notice{{Time: now, Key: connector.NoticeUnknownTag, Tags: unknown}}, nil
}
