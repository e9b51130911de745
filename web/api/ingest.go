package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/importer"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/dataset"
	"github.com/optria-iq/optria/internal/fault"
)

// problemsListed bounds the refused readings or rows that an answer names.
const problemsListed = 100

// Bounds of the name of a file in the audit log and of the prefix of tags.
const (
	maxFileName = 120
	maxPrefix   = 40
)

// ReadingInput is one measurement of a metric of an asset.
type ReadingInput struct {
	Asset   string    `json:"asset" minLength:"1" maxLength:"120" doc:"Tag of the asset"`
	Metric  string    `json:"metric" minLength:"1" maxLength:"60"`
	Time    time.Time `json:"time"`
	Value   float64   `json:"value"`
	Quality string    `json:"quality,omitempty" enum:"good,uncertain,bad" default:"good"`
}

// ReadingsReport says what became of a batch. Duplicates were stored before;
// Rejected are unknown signals and times outside the window of the historian.
type ReadingsReport struct {
	Received   int              `json:"received"`
	Written    int64            `json:"written"`
	Duplicates int64            `json:"duplicates"`
	Rejected   int64            `json:"rejected"`
	Problems   []ReadingProblem `json:"problems,omitempty"`
}

// ReadingProblem names one refused reading by its place in the batch.
type ReadingProblem struct {
	Index   int    `json:"index"`
	Asset   string `json:"asset"`
	Metric  string `json:"metric"`
	Message string `json:"message"`
}

// FileReport says what became of a file.
type FileReport struct {
	Rows      int           `json:"rows"`
	Records   int           `json:"records"`
	BadRows   int           `json:"bad_rows"`
	Written   int64         `json:"written"`
	Rejected  int64         `json:"rejected"`
	Assets    int           `json:"assets_created"`
	Signals   int           `json:"signals_created"`
	Problems  []FileProblem `json:"problems,omitempty"`
	Truncated bool          `json:"truncated" doc:"There were more problems than are listed"`
}

// FileProblem names one refused value or row.
type FileProblem struct {
	Line    int    `json:"line"`
	Column  string `json:"column,omitempty"`
	Message string `json:"message"`
}

var qualities = map[string]asset.Quality{"": asset.Good, "good": asset.Good, "uncertain": asset.Uncertain, "bad": asset.Bad}

func (a *API) ingest() {
	readings := route(http.MethodPost, "/ingest/readings", "ingest-readings", "Store a batch of readings; sending it again is harmless", "Telemetry")
	readings.MaxBodyBytes, readings.BodyReadTimeout = maxBatchBytes, 25*time.Second
	add(a, access.IngestTelemetry, readings, a.ingestReadings)
	files := route(http.MethodPost, "/ingest/files", "ingest-file", "Import a CSV file with a mapping of its columns, or a C-MAPSS text file", "Telemetry")
	files.Errors = []int{http.StatusRequestEntityTooLarge}
	add(a, access.IngestTelemetry, files, a.ingestFile)
}

func (a *API) ingestReadings(ctx context.Context, who access.Principal, in *struct {
	Body struct {
		Readings []ReadingInput `json:"readings" minItems:"1" maxItems:"10000"`
	}
}) (*answer[ReadingsReport], error) {
	batch := in.Body.Readings
	out := ReadingsReport{Received: len(batch)}
	seen := map[string]bool{}
	var tags []string
	for _, r := range batch {
		if !seen[r.Asset] {
			seen[r.Asset] = true
			tags = append(tags, r.Asset)
		}
	}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		found, err := q.APISignalsOfTags(ctx, tx, who.TenantID, tags)
		if err != nil {
			return err
		}
		signals := make(map[string]int64, len(found))
		for _, x := range found {
			signals[x.Tag+"\x00"+x.Metric] = x.ID
		}
		rows := make([]db.Row, 0, len(batch))
		for i, r := range batch {
			id, ok := signals[r.Asset+"\x00"+r.Metric]
			if !ok {
				out.Rejected++
				if len(out.Problems) < problemsListed {
					out.Problems = append(out.Problems, ReadingProblem{i, r.Asset, r.Metric, localizer(ctx).T("api.reading_unknown")})
				}
				continue
			}
			rows = append(rows, db.Row{SignalID: id, Time: r.Time.UTC(), Value: r.Value, Quality: qualities[r.Quality]})
		}
		written, err := db.WriteReadings(ctx, tx, who.TenantID, rows)
		out.Written, out.Rejected = written.New, out.Rejected+written.Rejected
		out.Duplicates = int64(len(rows)) - written.New - written.Rejected
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) ingestFile(ctx context.Context, who access.Principal, in *struct {
	RawBody huma.MultipartFormFiles[struct {
		File    huma.FormFile `form:"file" required:"true" contentType:"text/csv,text/plain,application/octet-stream" doc:"The file, at most 32 MB"`
		Mapping string        `form:"mapping" required:"false" doc:"CSV: JSON that describes the columns"`
		Prefix  string        `form:"prefix" required:"false" doc:"C-MAPSS: begins the tags of the assets"`
		Start   string        `form:"start" required:"false" doc:"C-MAPSS: the day of cycle 1; a year ago when left out"`
	}]
}) (*answer[FileReport], error) {
	form := in.RawBody.Data()
	defer form.File.Close()
	defer in.RawBody.Form.RemoveAll() //nolint:errcheck // the server removes what is left
	read, err := fileReader(form.Mapping, form.Prefix, form.Start)
	if err != nil {
		return nil, err
	}
	name := strings.ToValidUTF8(form.File.Filename, "")
	if utf8.RuneCountInString(name) > maxFileName {
		name = string([]rune(name)[:maxFileName])
	}
	im := importer.New(a.DB, who.TenantID, db.ActorOf(who), name)
	report, err := read(ctx, form.File, func(r dataset.Record) error { return im.Add(ctx, r) })
	if err != nil {
		return nil, err
	}
	result, err := im.Close(ctx)
	if err != nil {
		return nil, err
	}
	out := FileReport{Rows: report.Rows, Records: report.Records, BadRows: report.BadRows, Written: result.Written, Rejected: result.Rejected,
		Assets: result.Assets, Signals: result.Signals, Truncated: report.Truncated}
	for _, p := range report.Problems {
		out.Problems = append(out.Problems, FileProblem{p.Line, p.Column, a.text(ctx, p.Reason)})
	}
	return reply(out), nil
}

// fileReader chooses how a file is read: CSV by a mapping, or C-MAPSS text by
// the prefix of its assets. Exactly one of the two must be given.
func fileReader(mapping, prefix, start string) (func(context.Context, io.Reader, dataset.Emit) (dataset.Report, error), error) {
	limits := dataset.DefaultLimits()
	limits.Bytes, limits.Problems = maxFileBytes, problemsListed
	if (mapping == "") == (prefix == "") || utf8.RuneCountInString(prefix) > maxPrefix {
		return nil, fault.New(fault.Invalid, "api.file_form")
	}
	if mapping != "" {
		columns, err := dataset.ParseMapping(strings.NewReader(mapping))
		return func(ctx context.Context, r io.Reader, emit dataset.Emit) (dataset.Report, error) {
			return dataset.ReadCSV(ctx, r, columns, limits, emit)
		}, err
	}
	source := dataset.CMAPSS{Prefix: prefix, Start: time.Now().UTC().AddDate(-1, 0, 0).Truncate(24 * time.Hour)}
	if start != "" {
		day, err := time.Parse(time.DateOnly, start)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "api.file_form", err)
		}
		source.Start = day
	}
	return func(ctx context.Context, r io.Reader, emit dataset.Emit) (dataset.Report, error) {
		return dataset.ReadCMAPSS(ctx, r, source, limits, emit)
	}, nil
}
