package e2e

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// killsVariable has the test of every state run.
const killsVariable = "OPTRIA_E2E_KILLS"

// refusedLine is the line at which the maintenance system first refuses.
const refusedLine = 4

// TestKillEachProcessAtEveryState takes one plan through its whole life, and
// others to the ends that it does not meet, and kills every process in turn at
// each of their states, with votes under way, and at the lines of a release and
// of its taking back. In the end every vote is there once, and every order
// exists once or is cancelled.
func TestKillEachProcessAtEveryState(t *testing.T) {
	if os.Getenv(killsVariable) == "" {
		t.Skip("takes nine minutes; set " + killsVariable + " to run it")
	}
	s := running(t)
	l := &life{stack: s, erp: s.maintenance(t), engineer: s.signIn(t, plant, access.OptimizationEng), reliability: s.signIn(t, plant, access.ReliabilityEng), admin: s.signIn(t, plant, access.TenantAdmin)}
	l.solve(t)
	for _, state := range []struct {
		name string
		pass func(*testing.T)
	}{
		{"returned", l.returned}, {"expired", l.expired}, {"proposed", l.proposed}, {"endorsed", l.endorsed}, {"approved", l.approved}, {"stuck", l.stuck},
		{"undoing", l.undoing}, {"undone", l.undone}, {"releasing", l.releasing}, {"released", l.released}, {"superseded", l.superseded},
	} {
		if !t.Run(state.name, state.pass) {
			return
		}
	}
}

// life is a run and the plan in hand, with the people who decide about it.
type life struct {
	*stack
	erp                          *maintenance
	engineer, reliability, admin person
	run, plan, release           uuid.UUID
	executed                     uuid.UUID // the plan whose orders stand
	seen                         string    // hash of the plan that the people looked at
	planned                      int
}

// solve waits for a run.
func (l *life) solve(t *testing.T) {
	l.engineer.T = t
	l.run = l.engineer.requestRun("10")
	l.eventually(t, `SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND id = $2 AND state = 'done'`, l.run, func(n int) bool { return n == 1 }, "the run ends")
}

// jobs counts what the plan in hand wants done.
func (l *life) jobs(t *testing.T) int {
	return l.number(t, `SELECT s.actions_planned FROM optimization.plans p JOIN optimization.optimization_scenarios s
		ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id WHERE p.tenant_id = $1 AND p.id = $2`, l.plan)
}

// propose puts a plan of the run forward.
func (l *life) propose(t *testing.T) {
	l.engineer.T = t
	l.plan = idAfter(t, l.engineer.sends("/runs/"+l.run.String()+"/propose", url.Values{"scenario": {"balanced"}, "note": {"checked"}}), "/plans/")
	l.seen = l.content(t, l.plan)
}

// eachVictim kills the processes in turn. meanwhile runs right after a kill.
func (l *life) eachVictim(t *testing.T, meanwhile func(*testing.T)) {
	for _, v := range l.victims() {
		t.Run(v.name, func(t *testing.T) {
			l.kill(t, v.pid(t))
			meanwhile(t)
			require.NoError(t, l.awaitReady(t.Context()))
		})
	}
}

// rests kills the processes in turn while a plan rests in a state, which it
// must keep.
func (l *life) rests(t *testing.T, lifecycle, release string) {
	l.eachVictim(t, func(*testing.T) {})
	require.Equal(t, 1, l.number(t, `SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND lifecycle = $3`, l.plan, lifecycle), lifecycle)
	if release != "" {
		require.Equal(t, 1, l.number(t, `SELECT count(*) FROM optimization.releases WHERE tenant_id = $1 AND plan_id = $2 AND state = $3`, l.plan, release), release)
	}
	l.checkAudit(t)
}

// votes counts the decisions of a kind.
func (l *life) votes(t *testing.T, kind string) int {
	return l.number(t, `SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1 AND plan_id = $2 AND kind = $3`, l.plan, kind)
}

// decide puts a decision and sends it again, as a person does, until the answer
// is there.
func (l *life) decide(t *testing.T, who person, kind string) {
	who.T = t
	who.insists("/plans/"+l.plan.String()+"/decision", url.Values{"decision": {uuid.NewString()}, "kind": {kind}, "comment": {"spoken while something was down"}, "content": {l.seen}})
}

func (l *life) returned(t *testing.T) {
	l.propose(t)
	l.decideWithoutTemporal(t, "returned")
	l.rests(t, "returned", "")
	require.Equal(t, 1, l.votes(t, "returned"))
}

// expired forgets a plan for a month and kills the processes while its
// deadlines, which have all passed, are made up for.
func (l *life) expired(t *testing.T) {
	tenant := l.tenantID(t, plant)
	require.NoError(t, l.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, version, launched_by, proposed_by, proposed_at, due_at)
			SELECT tenant_id, run_id, scenario_id, version + 1, launched_by, proposed_by, now() - interval '40 days', now() - interval '35 days'
			FROM optimization.plans WHERE tenant_id = $1 AND id = $2 RETURNING id`, tenant, l.plan).Scan(&l.plan)
	}))
	l.eachVictim(t, func(*testing.T) {})
	l.eventually(t, `SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'expired'`, l.plan, func(n int) bool { return n == 1 }, "the plan expires")
	l.rests(t, "expired", "")
	for _, kind := range []string{"plan.reminder", "plan.escalated", "plan.expired"} {
		require.Equal(t, 1, l.number(t, `SELECT count(*) FROM core.events WHERE tenant_id = $1 AND object_id = $2 AND kind = $3`, l.plan, kind), kind)
	}
}

func (l *life) proposed(t *testing.T) {
	l.propose(t)
	l.eachVictim(t, func(t *testing.T) { l.decide(t, l.reliability, "objected") })
	require.Equal(t, len(l.victims()), l.votes(t, "objected"), "every vote is there once")
	l.checkAudit(t)
}

func (l *life) endorsed(t *testing.T) {
	l.decide(t, l.reliability, "endorsed")
	l.rests(t, "endorsed", "")
	require.Equal(t, 1, l.votes(t, "endorsed"))
}

func (l *life) approved(t *testing.T) {
	l.decideWithoutTemporal(t, "approved")
	l.rests(t, "approved", "")
	require.Equal(t, 1, l.votes(t, "approved"))
	l.planned = l.jobs(t)
	require.GreaterOrEqual(t, l.planned, refusedLine, "the plan is long enough for this test")
}

// decideWithoutTemporal has the administrator decide while the workflow engine
// is down.
func (l *life) decideWithoutTemporal(t *testing.T, kind string) {
	l.kill(t, childPID(t, "temporaldev"))
	l.decide(t, l.admin, kind)
}

func (l *life) asks(t *testing.T) {
	l.engineer.T = t
	l.release = idAfter(t, l.engineer.sends("/plans/"+l.plan.String()+"/release", url.Values{"integration_id": {l.erp.id.String()}}), "/releases/")
}

func (l *life) released(t *testing.T) {
	l.rests(t, "released", "done")
	l.ordersStand(t)
	l.executed = l.plan
}

// superseded releases a newer plan, with a kill at every line, in the place of
// the one whose orders stand.
func (l *life) superseded(t *testing.T) {
	l.solve(t)
	l.propose(t)
	l.decide(t, l.reliability, "endorsed")
	l.decide(t, l.admin, "approved")
	writes := l.erp.watch()
	l.asks(t)
	l.killAtWrites(t, writes, "done")
	newer, planned := l.plan, l.jobs(t)
	l.plan = l.executed
	l.rests(t, "superseded", "done")
	require.Equal(t, 1, l.number(t, `SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND state = 'released' AND id = $2`, newer), "one plan is carried out")
	for _, o := range l.erp.live(t) {
		require.Equal(t, 1, l.number(t, `SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND external_id = $2 AND plan_id = ANY ($3) AND status <> 'cancelled'`,
			o.ID, []uuid.UUID{l.executed, newer}), "order %s stands for one", o.Key)
	}
	require.Equal(t, planned, l.number(t, `SELECT count(DISTINCT external_id) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2 AND status <> 'cancelled'`, newer))
}

// ordersStand: every line that creates an order has one in the maintenance
// system. The others moved or kept orders that were there.
func (l *life) ordersStand(t *testing.T) {
	created := l.number(t, `SELECT count(*) FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND action = 'create' AND state = 'written'`, l.release)
	require.Positive(t, created)
	require.Len(t, l.erp.live(t), created, "every order once")
}

func (l *life) stuck(t *testing.T) {
	l.erp.refuse(refusedLine)
	l.asks(t)
	l.inState(t, "stuck")
	l.rests(t, "approved", "stuck")
	require.Len(t, l.erp.live(t), refusedLine-1)
}

func (l *life) inState(t *testing.T, state string) {
	l.eventually(t, `SELECT count(*) FROM optimization.releases WHERE tenant_id = $1 AND plan_id = $2 AND state = '`+state+`'`, l.plan, func(n int) bool { return n == 1 }, "the release is "+state)
}

// undoing kills a process at every order that is taken back.
func (l *life) undoing(t *testing.T) {
	writes := l.erp.watch()
	l.erp.heal()
	l.admin.T = t
	l.admin.insists("/releases/"+l.release.String()+"/resolve", url.Values{"decision": {uuid.NewString()}, "choice": {"undo"}, "reason": {"the order was refused"}})
	require.GreaterOrEqual(t, l.killAtWrites(t, writes, "undone"), refusedLine-1)
	require.Empty(t, l.erp.live(t), "no order of the plan is left")
}

func (l *life) undone(t *testing.T) {
	l.rests(t, "approved", "undone")
	require.Zero(t, l.number(t, `SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2 AND status <> 'cancelled'`, l.plan))
}

// releasing kills a process at every line that is written.
func (l *life) releasing(t *testing.T) {
	writes := l.erp.watch()
	l.asks(t)
	killed := l.killAtWrites(t, writes, "done")
	written := l.number(t, `SELECT count(*) FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND action IN ('create', 'move')`, l.release)
	require.GreaterOrEqual(t, killed, written, "a process was killed at every line")
	l.ordersStand(t)
	require.Equal(t, l.planned, l.number(t, `SELECT count(*) FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND state = 'written'`, l.release))
	require.Equal(t, l.planned, l.number(t, `SELECT count(DISTINCT external_id) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2 AND status <> 'cancelled'`, l.plan))
	l.checkAudit(t)
}

// killAtWrites kills the processes in turn, one at each write of a line that
// reaches the maintenance system: by turns before it is done and after it is
// done but not answered. Repeated writes pass. It returns how many it killed.
func (l *life) killAtWrites(t *testing.T, writes <-chan write, until string) (killed int) {
	victims, met := l.victims(), map[string]bool{}
	await(t, 5*runWithin, "the release is "+until, func() bool {
		select {
		case w := <-writes:
			if !met[w.request] {
				l.kill(t, victims[len(met)%len(victims)].pid(t))
				met[w.request] = true
			}
			close(w.gone)
		default:
		}
		ended, err := l.count(t.Context(), l.tenantID(t, plant), `SELECT count(*) FROM optimization.releases WHERE tenant_id = $1 AND plan_id = $2 AND state = $3`, l.plan, until)
		return err == nil && ended == 1
	})
	l.erp.unwatch()
	require.NoError(t, l.awaitReady(t.Context()))
	return len(met)
}

// insists sends a form until it is accepted, through whatever is down.
func (p person) insists(path string, form url.Values) {
	p.Helper()
	await(p.T, runWithin, path, func() bool {
		request, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.stack.base+path, strings.NewReader(form.Encode()))
		require.NoError(p, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := p.client.Do(request)
		if err != nil {
			return false
		}
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(p, response.Body.Close())
		return err == nil && response.StatusCode == http.StatusSeeOther
	})
}
