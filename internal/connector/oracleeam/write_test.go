package oracleeam

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
	"github.com/optria-iq/optria/internal/fault"
)

func draft() connector.WorkOrderDraft {
	start := time.Date(2026, 6, 1, 6, 0, 0, 0, time.UTC)
	return connector.WorkOrderDraft{Key: "OPT-1", Title: "Replace bearing", AssetID: id(oracleeamtest.AssetID(3)), Priority: "2", PlannedStart: start, PlannedEnd: start.Add(4 * time.Hour),
		Operations: []connector.OrderOperation{{Title: "Isolate"}, {Title: "Replace", WorkCenter: "MECH", Hours: 3}}}
}

func TestAnOrderIsCreatedWithOperationsAndReleased(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 10)
	simulator.PublicHost = "https://inner.example:8443"
	c := connect(t, server)
	created, err := c.CreateWorkOrder(t.Context(), draft())
	require.NoError(t, err)
	require.Equal(t, connector.OrderReleased, created.State)
	require.Equal(t, "CORRECTIVE", created.Type)
	require.Equal(t, []string{"POST maintenanceWorkOrders", "POST WorkOrderOperation", "POST WorkOrderOperation", "PATCH maintenanceWorkOrders"}, simulator.Writes())
	again, err := c.CreateWorkOrder(t.Context(), draft())
	require.NoError(t, err)
	require.Equal(t, created, again)
	require.Len(t, simulator.Writes(), 4, "a repeated creation writes nothing")
}

func TestACrashAtAnyWriteIsFinishedByTheNextAttempt(t *testing.T) {
	t.Parallel()
	for failing := range 4 {
		for _, lostAnswer := range []bool{false, true} {
			simulator, server := seeded(t, 10)
			writes, failed := 0, false
			simulator.Fail = func(r *http.Request) int {
				if r.Method == http.MethodGet {
					return 0
				}
				writes++
				if writes == failing+1 && !failed && !lostAnswer {
					failed = true
					return http.StatusBadGateway
				}
				return 0
			}
			c := connect(t, server)
			if lostAnswer { // the write happens, its answer does not arrive
				server.Config.Handler = loseAnswer(simulator, failing+1)
			}
			_, err := c.CreateWorkOrder(t.Context(), draft())
			if !(lostAnswer && failing == 0) { // a lost answer to the first write is found by the look-up
				require.Error(t, err)
				require.False(t, connector.NeedsPerson(err))
			}
			done, err := c.CreateWorkOrder(t.Context(), draft())
			require.NoError(t, err)
			require.Equal(t, connector.OrderReleased, done.State)
			require.Equal(t, []string{"POST maintenanceWorkOrders", "POST WorkOrderOperation", "POST WorkOrderOperation", "PATCH maintenanceWorkOrders"}, simulator.Writes(), "write %d", failing+1)
		}
	}
}

// loseAnswer lets the n-th write happen and cuts the connection instead of
// answering.
func loseAnswer(next http.Handler, n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		n--
		if n == 0 {
			next.ServeHTTP(discard{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func TestAChangeNeedsTheVersionThatWasSeen(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 10)
	c := connect(t, server)
	created, err := c.CreateWorkOrder(t.Context(), draft())
	require.NoError(t, err)
	later := draft().PlannedStart.AddDate(0, 0, 7)
	moved, err := c.ChangeWorkOrder(t.Context(), created.ID, created.Version, connector.WorkOrderChange{PlannedStart: &later, State: connector.OrderOnHold})
	require.NoError(t, err)
	require.Equal(t, later, moved.PlannedStart)
	require.Equal(t, connector.OrderOnHold, moved.State)
	_, err = c.ChangeWorkOrder(t.Context(), created.ID, created.Version, connector.WorkOrderChange{State: connector.OrderReleased})
	require.Equal(t, fault.Conflict, fault.CodeOf(err))
	require.Equal(t, connector.KeyChanged, connector.MessageKey(err))
	same, err := c.ChangeWorkOrder(t.Context(), moved.ID, moved.Version, connector.WorkOrderChange{})
	require.NoError(t, err)
	require.Equal(t, moved, same)
	require.Len(t, simulator.Writes(), 5)
}

func TestRequestsThatCannotBe(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 10)
	c := connect(t, server)
	change := func(alter func(*connector.WorkOrderDraft)) error {
		d := draft()
		alter(&d)
		_, err := c.CreateWorkOrder(t.Context(), d)
		return err
	}
	for name, err := range map[string]error{
		"key with a quote":   change(func(d *connector.WorkOrderDraft) { d.Key = "X' or 'a'='a" }),
		"key too long":       change(func(d *connector.WorkOrderDraft) { d.Key = strings.Repeat("A", 41) }),
		"no asset":           change(func(d *connector.WorkOrderDraft) { d.AssetID = "" }),
		"asset of elsewhere": change(func(d *connector.WorkOrderDraft) { d.AssetID = "12" }),
		"priority in words":  change(func(d *connector.WorkOrderDraft) { d.Priority = "high" }),
	} {
		require.Equal(t, fault.Invalid, fault.CodeOf(err), name)
	}
	for _, bad := range [][2]string{{"1 or 1=1", "v"}, {"300000400000001", ""}, {"300000400000001", "a\"b"}} {
		_, err := c.ChangeWorkOrder(t.Context(), bad[0], bad[1], connector.WorkOrderChange{State: connector.OrderClosed})
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
	}
	_, err := c.ChangeWorkOrder(t.Context(), "300000400000001", "v", connector.WorkOrderChange{State: connector.OrderInProgress})
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	_, err = c.ChangeWorkOrder(t.Context(), "999", "v", connector.WorkOrderChange{State: connector.OrderClosed})
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	_, _, err = c.FindWorkOrder(t.Context(), "a key")
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Empty(t, simulator.Writes())
}

func TestTheSameNumberInTwoOrganizations(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 2)
	simulator.Put(oracleeamtest.WorkOrders, oracleeamtest.Row{"WorkOrderId": int64(7), "WorkOrderNumber": "WO-00001", "OrganizationCode": "M2", "WorkOrderStatusCode": "ORA_CLOSED", "LastUpdateDate": oracleeamtest.Stamp(time.Now())})
	simulator.Touch(oracleeamtest.WorkOrders, 7, oracleeamtest.Row{"WorkOrderNumber": "WO-00001"})
	_, _, err := connect(t, server).FindWorkOrder(t.Context(), "WO-00001")
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	found, ok, err := connect(t, server, func(c connector.Config) { c["organization"] = "M2" }).FindWorkOrder(t.Context(), "WO-00001")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "7", found.ID)
}
