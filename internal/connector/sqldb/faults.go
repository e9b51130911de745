package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	mssql "github.com/microsoft/go-mssqldb"
	oracle "github.com/sijms/go-ora/v2/network"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of faults that only databases have.
const (
	keyMissing = "connector.sql.fault.missing" // no such database, table, view or column
	keyTimeout = "connector.sql.fault.timeout" // the statement ran longer than allowed
	keyWrite   = "connector.sql.fault.write"   // the server refused a change: the session only reads
	keyDialect = "connector.sql.fault.dialect" // the server is another product than the chosen one
	keyClear   = "connector.sql.fault.clear"   // without TLS only private addresses are reached
)

// needsPerson reports a fault that only other settings or rights can mend.
func needsPerson(key string, cause error) error { return fault.Wrap(fault.Invalid, key, cause) }

// codes maps a server's error code to a fault key.
type codes map[string]string

var postgresCodes = codes{"28000": connector.KeyCredentials, "28P01": connector.KeyCredentials, "42501": connector.KeyForbidden, "3D000": keyMissing,
	"42P01": keyMissing, "42703": keyMissing, "3F000": keyMissing, "57014": keyTimeout, "25006": keyWrite, "53300": connector.KeyThrottled}

var mysqlCodes = map[uint16]string{1045: connector.KeyCredentials, 1698: connector.KeyCredentials, 1044: connector.KeyForbidden, 1142: connector.KeyForbidden,
	1143: connector.KeyForbidden, 1227: connector.KeyForbidden, 1049: keyMissing, 1146: keyMissing, 1054: keyMissing, 1969: keyTimeout, 3024: keyTimeout,
	1792: keyWrite, 1193: keyDialect, 1040: connector.KeyThrottled, 1203: connector.KeyThrottled}

var sqlServerCodes = map[int32]string{18456: connector.KeyCredentials, 18452: connector.KeyCredentials, 4060: keyMissing, 208: keyMissing, 207: keyMissing,
	229: connector.KeyForbidden, 230: connector.KeyForbidden, 916: connector.KeyForbidden, 1222: keyTimeout}

var oracleCodes = map[int]string{1017: connector.KeyCredentials, 28000: connector.KeyCredentials, 28001: connector.KeyCredentials, 1031: connector.KeyForbidden,
	1045: connector.KeyForbidden, 942: keyMissing, 904: keyMissing, 12514: keyMissing, 12505: keyMissing, 1013: keyTimeout, 1456: keyWrite}

// wordFailure turns what a driver reports into a fault. The password never
// appears in it.
func (s *session) wordFailure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	cause := s.redacted(err)
	key, found := serverKey(err)
	switch {
	case found && (key == keyTimeout || key == ""):
		return fault.Wrap(fault.Unavailable, orElse(key, connector.KeySourceError), cause)
	case found && strings.HasPrefix(key, "connector.sql."):
		return needsPerson(key, cause)
	case found:
		return connector.Failed(key, cause)
	case httpapi.IsCertificateError(err):
		return connector.Failed(connector.KeyCertificate, cause)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.Wrap(fault.Unavailable, keyTimeout, cause)
	case refusesTLS(err):
		return connector.Failed(connector.KeySecurity, cause)
	case broken(err):
		return connector.Unreachable(cause)
	}
	return connector.Failed(connector.KeyProtocol, cause)
}

func orElse(key, standard string) string {
	if key == "" {
		return standard
	}
	return key
}

// serverKey returns the key of an error that the server itself reported; an
// empty key means that the server named no code with a meaning here.
func serverKey(err error) (key string, found bool) {
	var (
		postgres *pgconn.PgError
		my       *mysql.MySQLError
		ms       mssql.Error
		ora      *oracle.OracleError
	)
	switch {
	case errors.As(err, &postgres):
		return postgresCodes[postgres.Code], true
	case errors.As(err, &my):
		return mysqlCodes[my.Number], true
	case errors.As(err, &ms):
		return sqlServerCodes[ms.Number], true
	case errors.As(err, &ora):
		return oracleCodes[ora.ErrCode], true
	}
	return "", false
}

// refusesTLS reports whether the server offers no TLS.
func refusesTLS(err error) bool {
	return errors.Is(err, mysql.ErrNoTLS) || strings.Contains(err.Error(), "server refused TLS connection") ||
		strings.Contains(err.Error(), "server does not support encryption") || strings.Contains(err.Error(), "tls: ")
}

// broken reports whether the connection could not be made or was lost.
func broken(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, net.ErrClosed) ||
		isEnd(err) || strings.Contains(err.Error(), "failed to connect")
}

// redacted keeps the text of err, without the password should a driver or a
// server have put it there.
func (s *session) redacted(err error) error {
	if s.settings.password == "" || !strings.Contains(err.Error(), s.settings.password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), s.settings.password, "[password]"))
}
