package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/web/integration"
)

// BackfillInput asks for past readings of a window.
type BackfillInput struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Tags []string  `json:"tags,omitempty" maxItems:"5000" doc:"External tags; all that are mapped without"`
}

// Backfill is a window that is filled, or was, from the source's archive.
type Backfill struct {
	ID       uuid.UUID  `json:"id"`
	Cause    string     `json:"cause" enum:"outage,mapping,requested"`
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	Reached  time.Time  `json:"reached" doc:"Filled up to here"`
	Tags     int32      `json:"tags" doc:"Number of tags asked for, 0 for all that are mapped"`
	State    string     `json:"state" enum:"waiting,running,done,failed,impossible"`
	Rows     int64      `json:"rows_written"`
	Problem  string     `json:"problem,omitempty"`
	Created  time.Time  `json:"created_at"`
	Finished *time.Time `json:"finished_at,omitempty"`
}

// Accepted names what a request has brought into being.
type Accepted struct {
	ID uuid.UUID `json:"id"`
}

// Message is one delivery of a source, or a file that was uploaded.
type Message struct {
	ID          uuid.UUID  `json:"id"`
	MessageID   string     `json:"message_id" doc:"The sender's"`
	ContentType string     `json:"content_type,omitempty"`
	Bytes       int32      `json:"size_bytes"`
	State       string     `json:"state" enum:"received,done,partial,failed"`
	Rows        int64      `json:"rows_written"`
	RowsRefused int64      `json:"rows_refused"`
	Refusals    []Refusal  `json:"refusals,omitempty"`
	Problem     string     `json:"problem,omitempty"`
	ReceivedAt  time.Time  `json:"received_at"`
	ProcessedAt *time.Time `json:"processed_at,omitempty"`
}

// Refusal is one part of a message that could not be read.
type Refusal struct {
	Where   string `json:"where" doc:"Line of a file, path in a document"`
	Problem string `json:"problem"`
	Value   string `json:"value,omitempty"`
}

// ListPage is what the lists of an integration take.
type ListPage struct {
	ByID
	Paging
}

// skip reads a cursor that counts rows.
func (p Paging) skip(ctx context.Context) (int32, error) {
	parts, err := p.parts(ctx, 1)
	if parts == nil || err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || n < 0 {
		return 0, badCursor(ctx)
	}
	return int32(n), nil
}

// counted cuts a page of rows that a count of rows leads on from.
func counted[R, T any](p Paging, skip int32, rows []R, show func(R) T) List[T] {
	return page(rows, p.Limit, show, func(R) string { return cursorOf(strconv.Itoa(int(skip + p.Limit))) })
}

func (a *API) integrationWork(tag string) {
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/backfills", "list-backfills", "Windows of past readings, those being filled first", tag), a.listBackfills)
	create := route(http.MethodPost, "/integrations/{id}/backfills", "create-backfill", "Ask for past readings from the source's archive", tag)
	create.DefaultStatus, create.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.TestIntegrations, create, a.createBackfill)
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/messages", "list-integration-messages", "Messages that the source has sent, the newest first", tag), a.listMessages)
	retry := route(http.MethodPost, "/integrations/{id}/messages/retry", "retry-integration-messages", "Put the messages that failed back in line", tag)
	retry.DefaultStatus = http.StatusAccepted
	add(a, access.TestIntegrations, retry, func(ctx context.Context, _ access.Principal, in *ByID) (*struct{}, error) {
		_, err := a.service().RetryFailed(ctx, origin(ctx), in.ID)
		return nil, err
	})
}

// rowsOf reads one page of rows of an integration that the tenant has.
func rowsOf[R any](ctx context.Context, a *API, who access.Principal, in *ListPage, read func(ctx context.Context, tx pgx.Tx, q *db.Queries, skip int32) ([]R, error)) (rows []R, skip int32, err error) {
	if skip, err = in.skip(ctx); err != nil {
		return nil, 0, err
	}
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.GetIntegration(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = read(ctx, tx, q, skip)
		return err
	})
	return rows, skip, err
}

func (a *API) listBackfills(ctx context.Context, who access.Principal, in *ListPage) (*answer[List[Backfill]], error) {
	rows, skip, err := rowsOf(ctx, a, who, in, func(ctx context.Context, tx pgx.Tx, q *db.Queries, skip int32) ([]db.ListBackfillsRow, error) {
		return q.ListBackfills(ctx, tx, db.ListBackfillsParams{TenantID: who.TenantID, IntegrationID: in.ID, PageSize: in.Limit + 1, Skip: skip})
	})
	if err != nil {
		return nil, err
	}
	return reply(counted(in.Paging, skip, rows, func(x db.ListBackfillsRow) Backfill {
		return Backfill{ID: x.ID, Cause: x.Cause, From: x.FromTs, To: x.ToTs, Reached: x.ReachedTs, Tags: x.Tags, State: x.State, Rows: x.RowsWritten,
			Problem: a.text(ctx, x.Error), Created: x.CreatedAt, Finished: x.FinishedAt}
	})), nil
}

func (a *API) createBackfill(ctx context.Context, who access.Principal, in *struct {
	ByID
	Keyed
	Body BackfillInput
}) (*answer[Accepted], error) {
	past := integration.Past{ID: in.id(who, "backfill/"+in.ID.String()), From: in.Body.From, To: in.Body.To, Tags: in.Body.Tags}
	if _, err := a.service().Backfill(ctx, origin(ctx), in.ID, past); err != nil {
		return nil, err
	}
	return reply(Accepted{past.ID}), nil
}

func (a *API) listMessages(ctx context.Context, who access.Principal, in *ListPage) (*answer[List[Message]], error) {
	rows, skip, err := rowsOf(ctx, a, who, in, func(ctx context.Context, tx pgx.Tx, q *db.Queries, skip int32) ([]db.ListMessagesRow, error) {
		return q.ListMessages(ctx, tx, db.ListMessagesParams{TenantID: who.TenantID, IntegrationID: in.ID, PageSize: in.Limit + 1, Skip: skip})
	})
	if err != nil {
		return nil, err
	}
	out := counted(in.Paging, skip, rows, func(x db.ListMessagesRow) Message {
		return Message{ID: x.ID, MessageID: x.MessageID, ContentType: x.ContentType, Bytes: x.SizeBytes, State: x.State, Rows: x.RowsWritten, RowsRefused: x.RowsRefused,
			Problem: a.text(ctx, x.Error), ReceivedAt: x.ReceivedAt, ProcessedAt: x.ProcessedAt}
	})
	for i := range out.Items {
		var refusals []connector.Refusal
		if err := json.Unmarshal(rows[i].Refusals, &refusals); err != nil {
			return nil, err
		}
		for _, x := range refusals {
			out.Items[i].Refusals = append(out.Items[i].Refusals, Refusal{x.Where, a.text(ctx, x.Key), x.Value})
		}
	}
	return reply(out), nil
}
