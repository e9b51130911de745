package db

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/optria-iq/optria/internal/fault"
)

// Fault classifies a database error. Errors that already carry a fault, and
// nil, pass unchanged; InTenant and Platform call it on whatever work returns.
//
//	no rows                          not_found    db.not_found
//	unique violation                 conflict     db.duplicate, argument constraint
//	check four_eyes, four_eyes_deputy forbidden   plans.four_eyes
//	check person_only                forbidden    plans.not_allowed
//	other check, not null, bad value invalid      db.invalid, argument constraint
//	foreign key                      invalid      db.missing_reference, argument constraint
//	privilege or row security        forbidden    db.forbidden
//	serialization, lock, connection  unavailable  db.unavailable
//
// Anything else stays as it is and counts as internal.
func Fault(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(fault.NotFound, "db.not_found", err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return serverFault(pg, err)
	}
	if brokenConnection(err) {
		return fault.Wrap(fault.Unavailable, "db.unavailable", err)
	}
	return err
}

// brokenConnection reports errors of the connection itself: it could not be
// made, was lost, or was closed by a server that goes to sleep.
func brokenConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// serverFault maps SQLSTATE codes (PostgreSQL documentation, appendix A).
func serverFault(pg *pgconn.PgError, err error) error {
	switch {
	case pg.Code == "23505":
		return fault.Wrap(fault.Conflict, "db.duplicate", err).With("constraint", pg.ConstraintName)
	case pg.Code == "23514" && (pg.ConstraintName == "four_eyes" || pg.ConstraintName == "four_eyes_deputy"):
		return fault.Wrap(fault.Forbidden, "plans.four_eyes", err)
	case pg.Code == "23514" && pg.ConstraintName == "person_only":
		return fault.Wrap(fault.Forbidden, "plans.not_allowed", err)
	case pg.Code == "23503":
		return fault.Wrap(fault.Invalid, "db.missing_reference", err).With("constraint", pg.ConstraintName)
	case strings.HasPrefix(pg.Code, "23"), strings.HasPrefix(pg.Code, "22"):
		return fault.Wrap(fault.Invalid, "db.invalid", err).With("constraint", pg.ConstraintName)
	case pg.Code == "42501":
		return fault.Wrap(fault.Forbidden, "db.forbidden", err)
	case pg.Code == "40001", pg.Code == "40P01", pg.Code == "55P03", pg.Code == "57014",
		strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57P"):
		return fault.Wrap(fault.Unavailable, "db.unavailable", err)
	}
	return err
}
