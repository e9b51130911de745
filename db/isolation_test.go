package db_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// Two tenants with a row in every business table and equal natural keys.
// Every id within a tenant is the tenant's own id.
var (
	alpha = uuid.MustParse("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
	beta  = uuid.MustParse("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")
)

const (
	alphaSignal = 900001
	betaSignal  = 900002
)

// fillTenant stores one row of the fixture in every business table.
func fillTenant(t *testing.T, conn *pgx.Conn, id uuid.UUID, name string, signal int64) {
	t.Helper()
	text, err := os.ReadFile("testdata/tenant.sql")
	require.NoError(t, err)
	other := strings.Replace(id.String(), "-4", "-5", 1)
	sql := strings.NewReplacer("{id}", id.String(), "{other}", other, "{code}", name, "{tenant}", name+"-TENANT",
		"{private}", name+"-PRIVATE", "{signal}", fmt.Sprint(signal)).Replace(string(text))
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// twoTenants opens a database that holds alpha and beta.
func twoTenants(t *testing.T) (*db.DB, *pgx.Conn) {
	t.Helper()
	d, name := openDatabase(t)
	conn := superuser(t, name)
	fillTenant(t, conn, alpha, "ALPHA", alphaSignal)
	fillTenant(t, conn, beta, "BETA", betaSignal)
	return d, conn
}

// checksum digests the rows of a tenant in every business table.
func checksum(t *testing.T, conn *pgx.Conn, tables []string, tenant uuid.UUID) map[string]string {
	t.Helper()
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = fmt.Sprintf(`SELECT '%[1]s', count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM %[1]s r WHERE tenant_id = $1`, table)
	}
	rows, err := conn.Query(t.Context(), strings.Join(parts, " UNION ALL "), tenant)
	require.NoError(t, err)
	sums := map[string]string{}
	var table, sum string
	_, err = pgx.ForEachRow(rows, []any{&table, &sum}, func() error { sums[table] = sum; return nil })
	require.NoError(t, err)
	return sums
}

func TestFixtureFillsEveryTable(t *testing.T) {
	t.Parallel()
	_, conn := twoTenants(t)
	for table, sum := range checksum(t, conn, businessTables(t, conn), alpha) {
		require.False(t, strings.HasPrefix(sum, "0:"), "testdata/tenant.sql leaves %s empty", table)
	}
}

// attempt is one way of filling the arguments of a query.
type attempt struct {
	tenant uuid.UUID // for parameters that name the tenant
	text   string
}

// TestNoQueryReachesAnotherTenant calls every generated query from beta with
// the ids and keys of alpha, and from the platform role.
func TestNoQueryReachesAnotherTenant(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	tables := businessTables(t, conn)
	before := checksum(t, conn, tables, alpha)
	querier := reflect.TypeFor[db.Querier]()
	for i := range querier.NumMethod() {
		method := querier.Method(i)
		for _, a := range []attempt{{alpha, "shared"}, {beta, "shared"}, {alpha, "shared@example.com"}, {beta, "shared@example.com"}, {alpha, "ALPHA"}} {
			inTenant := func(work db.Work) error { return d.InTenant(t.Context(), beta, work) }
			seen := call(t, inTenant, method, a)
			require.NotContains(t, seen, "ALPHA-", "%s shows another tenant's row", method.Name)
			inPlatform := func(work db.Work) error { return d.Platform(t.Context(), work) }
			seen = call(t, inPlatform, method, a)
			require.NotContains(t, seen, "-PRIVATE", "%s shows business data to the platform", method.Name)
			require.Equal(t, before, checksum(t, conn, tables, alpha), "%s changed another tenant's rows", method.Name)
		}
	}
}

// call runs one query and returns everything it gave back as text. Errors are
// refusals and as good as an empty answer.
func call(t *testing.T, run func(db.Work) error, method reflect.Method, a attempt) string {
	t.Helper()
	var seen strings.Builder
	err := run(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		args := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(tx)}
		uuids := 0
		for n := 2; n < method.Type.NumIn(); n++ {
			in := method.Type.In(n)
			name := ""
			if in == reflect.TypeFor[uuid.UUID]() && uuids == 0 {
				name, uuids = "TenantID", 1
			}
			args = append(args, argument(t, in, name, a))
		}
		results := reflect.ValueOf(q).MethodByName(method.Name).Call(args)
		err, _ := results[len(results)-1].Interface().(error)
		if len(results) == 2 && err == nil {
			text, marshalErr := json.Marshal(results[0].Interface())
			require.NoError(t, marshalErr)
			seen.Write(text)
			fmt.Fprintf(&seen, "%s", results[0].Interface()) // bytes are base64 in JSON
		}
		return err
	})
	var known *fault.Error
	if err != nil {
		require.ErrorAs(t, err, &known, "%s: %v", method.Name, err)
	}
	return seen.String()
}

// plausible values let statements pass check constraints where names tell.
var plausible = map[string]string{
	"Kind": "failure", "Industry": "power", "Currency": "SAR", "Language": "ar", "Status": "active", "Criticality": "A", "Sense": "hi",
	"Sort": "risk", "ActorKind": "system", "Problem": "maintenance_prioritization", "Preset": "balanced", "Decision": "do", "State": "active",
	"Reason": "a reason that is long enough",
}

func argument(t *testing.T, in reflect.Type, name string, a attempt) reflect.Value {
	t.Helper()
	switch in {
	case reflect.TypeFor[uuid.UUID]():
		if name == "TenantID" {
			return reflect.ValueOf(a.tenant)
		}
		return reflect.ValueOf(alpha)
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Now())
	case reflect.TypeFor[json.RawMessage]():
		return reflect.ValueOf(json.RawMessage(`{}`))
	}
	out := reflect.New(in).Elem()
	switch in.Kind() {
	case reflect.Struct:
		for i := range in.NumField() {
			out.Field(i).Set(argument(t, in.Field(i).Type, in.Field(i).Name, a))
		}
	case reflect.Pointer:
		out.Set(reflect.New(in.Elem()))
		out.Elem().Set(argument(t, in.Elem(), name, a))
	case reflect.Slice:
		out.Set(reflect.MakeSlice(in, 1, 1))
		out.Index(0).Set(argument(t, in.Elem(), name, a))
	case reflect.String:
		out.SetString(a.text)
		if value, ok := plausible[name]; ok {
			out.SetString(value)
		}
		if name == "Roles" {
			out.SetString("viewer")
		}
	case reflect.Int64:
		out.SetInt(alphaSignal)
	case reflect.Int32, reflect.Int16:
		out.SetInt(5)
		if name == "Skip" {
			out.SetInt(0)
		}
	case reflect.Uint8:
		out.SetUint(7)
	case reflect.Float64:
		out.SetFloat(0.5)
	case reflect.Bool:
		out.SetBool(true)
	default:
		t.Fatalf("no argument for a parameter of type %s", in)
	}
	return out
}

// TestCallsReachTheirOwnTenant is the control: the same calls, made by alpha
// itself, do read and write, so an empty answer above means refusal.
func TestCallsReachTheirOwnTenant(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	tables := businessTables(t, conn)
	run := func(work db.Work) error { return d.InTenant(t.Context(), alpha, work) }
	read, wrote := 0, 0
	querier := reflect.TypeFor[db.Querier]()
	for i := range querier.NumMethod() {
		before := checksum(t, conn, tables, alpha)
		if strings.Contains(call(t, run, querier.Method(i), attempt{alpha, "shared"}), "ALPHA-") {
			read++
		}
		if !maps.Equal(before, checksum(t, conn, tables, alpha)) {
			wrote++
		}
	}
	t.Logf("of %d queries %d read and %d wrote", querier.NumMethod(), read, wrote)
	require.GreaterOrEqual(t, read, 20)
	require.GreaterOrEqual(t, wrote, 20)
}

func TestHistorianKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	tables := businessTables(t, conn)
	before := checksum(t, conn, tables, alpha)
	from, to := time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour)
	for _, named := range []uuid.UUID{alpha, beta} {
		require.NoError(t, d.InTenant(t.Context(), beta, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			raw, err := db.ReadSeries(ctx, tx, named, []int64{alphaSignal}, from, to)
			require.NoError(t, err)
			require.Empty(t, raw)
			bands, err := db.ReadMinMax(ctx, tx, named, []int64{alphaSignal}, from, to, time.Hour)
			require.NoError(t, err)
			require.Empty(t, bands)
			return nil
		}))
		err := d.InTenant(t.Context(), beta, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := db.WriteReadings(ctx, tx, named, []db.Row{{SignalID: alphaSignal, Time: time.Now(), Value: 1, Quality: asset.Good}})
			return err
		})
		require.Error(t, err)
		err = d.InTenant(t.Context(), beta, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return db.AppendAudit(ctx, tx, db.Entry{TenantID: alpha, Actor: db.SystemActor("test"), Action: "x", ObjectType: "x", ObjectID: "x"})
		})
		require.Equal(t, fault.Forbidden, fault.CodeOf(err))
	}
	require.Equal(t, before, checksum(t, conn, tables, alpha))
}

// TestWithoutTenantNothingIsVisible takes on the application role the way
// InTenant does, but names no tenant.
func TestWithoutTenantNothingIsVisible(t *testing.T) {
	t.Parallel()
	_, conn := twoTenants(t)
	tables := append(businessTables(t, conn), "core.tenants")
	for _, setting := range []string{`SELECT 1`, `SET LOCAL app.tenant_id = ''`} {
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), setting+`; SET LOCAL ROLE optria_app`)
		require.NoError(t, err)
		for _, table := range tables {
			var n int
			require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n), table)
			require.Zero(t, n, table)
		}
		_, err = tx.Exec(t.Context(), `INSERT INTO core.sites (tenant_id, code, name_ar, name_en) VALUES ($1, 'new', 'x', 'x')`, alpha)
		require.Equal(t, fault.Forbidden, fault.CodeOf(db.Fault(err)))
		require.NoError(t, tx.Rollback(t.Context()))
	}
}
