package web

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// boardCards bounds the cards of one column; the list has all of them.
const boardCards = 30

// boardColumn is the orders of one status.
type boardColumn struct {
	Status, Label, State, More string
	Total                      int
	Cards                      []orderRow
}

// loadBoard reads the columns that the filter leaves, each with what is due
// first, or was closed last.
func (v *orderList) loadBoard(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page) error {
	for _, status := range []string{"open", "in_progress", "done", "cancelled"} {
		column := boardColumn{Status: status, Label: p.T("workorders.status." + status), State: orderStates[status],
			More: p.With("view", viewList, "status", status)}
		params := v.params
		switch params.Status {
		case "", status:
			params.Status = status
		case "active":
			if status != "open" && status != "in_progress" {
				continue
			}
			params.Status = status
		case "findings":
			if status != "done" {
				continue
			}
		default:
			continue
		}
		params.PageSize = boardCards
		rows, err := q.WorkOrderPage(ctx, tx, params)
		if err != nil {
			return err
		}
		for _, x := range rows {
			column.Total = int(x.Total)
			column.Cards = append(column.Cards, newOrderRow(p, x))
		}
		v.Board = append(v.Board, column)
	}
	return nil
}
