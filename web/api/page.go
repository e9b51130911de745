package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Paging is what lists take: the number of rows and where to go on.
type Paging struct {
	Limit  int32  `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of one page"`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next value of the page before"`
}

// List is one page of rows. Next is empty on the last page.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Pass as cursor to get the next page"`
}

// answer wraps a body for huma.
type answer[T any] struct{ Body T }

func reply[T any](body T) *answer[T] { return &answer[T]{body} }

// ByID names one object in the path.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

// cursorOf encodes where a page ended.
func cursorOf(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00")))
}

// parts decodes a cursor of n parts; an empty one gives nil.
func (p Paging) parts(ctx context.Context, n int) ([]string, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(parts) != n {
		return nil, badCursor(ctx)
	}
	return parts, nil
}

// before decodes a cursor of a time and an id.
func (p Paging) before(ctx context.Context) (at *time.Time, id uuid.UUID, err error) {
	parts, err := p.parts(ctx, 2)
	if parts == nil || err != nil {
		return nil, id, err
	}
	moment, timeErr := time.Parse(time.RFC3339Nano, parts[0])
	id, idErr := uuid.Parse(parts[1])
	if timeErr != nil || idErr != nil {
		return nil, id, badCursor(ctx)
	}
	return &moment, id, nil
}

// slice decodes a cursor into a list of n rows that is at hand as a whole: the
// half-open range of the page, and the cursor of the next one.
func (p Paging) slice(ctx context.Context, n int) (rows [2]int, next string, err error) {
	parts, err := p.parts(ctx, 1)
	if err != nil {
		return rows, "", err
	}
	if parts != nil {
		if rows[0], err = strconv.Atoi(parts[0]); err != nil || rows[0] < 0 {
			return rows, "", badCursor(ctx)
		}
	}
	rows[0] = min(rows[0], n)
	rows[1] = min(rows[0]+int(p.Limit), n)
	if rows[1] < n {
		next = cursorOf(strconv.Itoa(rows[1]))
	}
	return rows, next, nil
}

func badCursor(ctx context.Context) error {
	return newProblem(ctx, http.StatusUnprocessableEntity, "api.cursor")
}

// page cuts the row beyond the page off and makes the cursor of the next one.
func page[R, T any](rows []R, limit int32, show func(R) T, cursor func(R) string) List[T] {
	out := List[T]{Items: make([]T, 0, len(rows))}
	if len(rows) > int(limit) {
		rows = rows[:limit]
		out.Next = cursor(rows[len(rows)-1])
	}
	for _, r := range rows {
		out.Items = append(out.Items, show(r))
	}
	return out
}
