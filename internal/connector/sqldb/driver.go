package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/stdlib"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
	ora "github.com/sijms/go-ora/v2"

	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Bounds of one connection.
const (
	connectWithin = 10 * time.Second
	maxMessage    = 16 << 20 // bytes of one row or message of the server
	application   = "optria-iq"
)

// secureDialer is the guarded dialer for drivers. Without TLS it reaches
// private and loopback addresses only.
type secureDialer struct {
	*net.Dialer
	clear bool
}

// DialContext connects, or refuses an address that may not be reached in the
// clear.
func (d *secureDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil || !d.clear {
		return conn, err
	}
	if err := clearAllowed(conn.RemoteAddr()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// clearAllowed refuses a peer that may not be spoken to without TLS.
func clearAllowed(peer net.Addr) error {
	address, ok := peer.(*net.TCPAddr)
	if !ok || !address.IP.IsPrivate() && !address.IP.IsLoopback() {
		return needsPerson(keyClear, fmt.Errorf("%s is not a private address", peer))
	}
	return nil
}

// security builds the TLS settings, nil without TLS. shown, when set, hears of
// each handshake that was accepted.
func (s Settings) security(shown func(tls.ConnectionState)) (*tls.Config, error) {
	if s.TLS == TLSOff {
		return nil, nil
	}
	pin := s.Fingerprint
	if s.TLS != TLSPin {
		pin = ""
	}
	config, err := httpapi.TLS(s.CA, pin, s.Host)
	if err != nil || shown == nil {
		return config, err
	}
	verify := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if verify != nil {
			if err := verify(state); err != nil {
				return err
			}
		}
		shown(state)
		return nil
	}
	return config, nil
}

// newDriver prepares the driver of the dialect. It does not connect, and takes
// nothing from the environment of the process.
func newDriver(s Settings, dialer *secureDialer, shown func(tls.ConnectionState)) (driver.Connector, error) {
	security, err := s.security(shown)
	if err != nil {
		return nil, err
	}
	switch s.Dialect {
	case PostgreSQL:
		return newPostgreSQL(s, dialer, security)
	case SQLServer:
		prepared := mssql.NewConnectorConfig(sqlServerConfig(s, security))
		prepared.Dialer = dialer
		return prepared, nil
	case Oracle:
		prepared := ora.NewConnector(oracleURL(s)).(*ora.OracleConnector)
		prepared.Dialer(dialer)
		if security != nil {
			prepared.WithTLSConfig(security)
		}
		return prepared, nil
	default:
		return mysql.NewConnector(mysqlConfig(s, dialer, security))
	}
}

func (s Settings) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func newPostgreSQL(s Settings, dialer *secureDialer, security *tls.Config) (driver.Connector, error) {
	config, err := pgx.ParseConfig("host=localhost port=5432 user=nobody dbname=none password=none sslmode=disable target_session_attrs=any")
	if err != nil {
		return nil, fmt.Errorf("prepare PostgreSQL: %w", err)
	}
	config.Host, config.Port, config.Database, config.User, config.Password = s.Host, uint16(s.Port), s.Database, s.User, s.password
	config.TLSConfig, config.Fallbacks, config.ConnectTimeout, config.ValidateConnect = security, nil, connectWithin, nil
	config.RuntimeParams = map[string]string{"application_name": application}
	config.DialFunc = dialer.DialContext
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer resolves
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec                                               // leaves nothing behind in a pooler
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		frontend := pgproto3.NewFrontend(r, w)
		frontend.SetMaxBodyLen(maxMessage)
		return frontend
	}
	return stdlib.GetConnector(*config), nil
}

func mysqlConfig(s Settings, dialer *secureDialer, security *tls.Config) *mysql.Config {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName, config.User, config.Passwd = "tcp", s.address(), s.Database, s.User, s.password
	config.DialFunc, config.TLS = dialer.DialContext, security
	config.ParseTime, config.Loc, config.Timeout = true, time.UTC, connectWithin
	config.MaxAllowedPacket, config.Logger = maxMessage, &mysql.NopLogger{}
	return config
}

func sqlServerConfig(s Settings, security *tls.Config) msdsn.Config {
	config := msdsn.Config{Host: s.Host, Port: uint64(s.Port), Database: s.Database, User: s.User, Password: s.password,
		Encryption: msdsn.EncryptionRequired, TLSConfig: security, ReadOnlyIntent: true, AppName: application, Workstation: application,
		DialTimeout: connectWithin, ConnTimeout: connectWithin, PacketSize: 4096, NoTraceID: true, Protocols: []string{"tcp"},
		Encoding: msdsn.EncodeParameters{Timezone: time.UTC}, Parameters: map[string]string{}}
	if security == nil {
		config.Encryption = msdsn.EncryptionDisabled
	}
	return config
}

// oracleURL is the address of an Oracle service in the form that go-ora reads.
func oracleURL(s Settings) string {
	options := map[string]string{"CONNECTION TIMEOUT": strconv.Itoa(int(connectWithin.Seconds())), "PREFETCH_ROWS": "1000",
		"TIMEOUT": strconv.Itoa(int((s.timeout() + grace).Seconds())), "PROGRAM": application}
	if s.TLS != TLSOff {
		options["SSL"], options["SSL VERIFY"] = "enable", "true"
	}
	return ora.BuildUrl(s.Host, s.Port, s.Database, s.User, s.password, options)
}
