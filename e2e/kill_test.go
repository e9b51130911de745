package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

// plant is the tenant whose runs are disturbed.
const plant = "WATER_DEMO"

// runWithin bounds a run whose search may take ten seconds per scenario and
// lose one attempt.
const runWithin = 2 * time.Minute

// TestKillEachProcess kills every process of the product in turn, without
// warning, while a search goes on. Each time the run must end well, once.
func TestKillEachProcess(t *testing.T) {
	s := running(t)
	for _, victim := range s.victims() {
		t.Run(victim.name, func(t *testing.T) {
			engineer := s.signIn(t, plant, access.OptimizationEng)
			run := engineer.requestRun("10")
			s.eventually(t, `SELECT count(*) FROM optimization.run_events WHERE tenant_id = $1 AND run_id = $2 AND kind = 'progress'`, run,
				func(n int) bool { return n > 0 }, "the search has a plan")
			require.Equal(t, 1, s.number(t, `SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND id = $2 AND state = 'running' AND stage = 'solve'`, run))
			s.kill(t, victim.pid(t))
			s.eventually(t, `SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND id = $2 AND state NOT IN ('requested', 'running')`, run,
				func(n int) bool { return n == 1 }, "the run ends")
			require.NoError(t, s.awaitReady(t.Context()))
			s.checkRun(t, run)
			if victim.name == "worker" {
				require.Positive(t, s.number(t, `SELECT count(*) FROM optimization.run_events WHERE tenant_id = $1 AND run_id = $2 AND kind = 'attempt'`, run), "a search went on after the crash")
			}
			s.toWorkOrders(t, engineer, run)
		})
	}
}

// victim is a process of the product.
type victim struct {
	name string
	pid  func(*testing.T) int
}

// victims lists every process of the product.
func (s *stack) victims() []victim {
	return []victim{
		{"worker", func(*testing.T) int { return s.worker.PID() }},
		{"web", func(*testing.T) int { return s.web.PID() }},
		{"temporal", func(t *testing.T) int { return childPID(t, "temporaldev") }},
		{"postgres", func(t *testing.T) int { return childPID(t, "postgres") }},
	}
}

// kill ends a process at once and waits until it is gone.
func (s *stack) kill(t *testing.T, pid int) {
	t.Helper()
	require.Positive(t, pid)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	await(t, 10*time.Second, "the killed process is gone", func() bool { return parentOf(pid) == 0 })
}

// eventually asks for a number until it fits. Errors are waited out, because
// the database may just have been killed.
func (s *stack) eventually(t *testing.T, query string, id uuid.UUID, fits func(int) bool, what string) {
	t.Helper()
	tenant := s.tenantID(t, plant)
	await(t, runWithin, what, func() bool {
		n, err := s.count(t.Context(), tenant, query, id)
		return err == nil && fits(n)
	})
}

func (s *stack) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	n, err := s.count(t.Context(), s.tenantID(t, plant), query, args...)
	require.NoError(t, err)
	return n
}

// checkRun checks that a run ended well and left everything exactly once.
func (s *stack) checkRun(t *testing.T, run uuid.UUID) {
	t.Helper()
	require.Equal(t, 1, s.number(t, `SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND id = $2 AND state = 'done'`, run))
	require.Equal(t, 3, s.number(t, `SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2`, run))
	require.Equal(t, 3, s.number(t, `SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2 AND verified AND bound IS NOT NULL`, run))
	require.Zero(t, s.number(t, `SELECT count(*) FROM optimization.optimization_scenarios s
		WHERE tenant_id = $1 AND run_id = $2 AND (SELECT count(*) FROM optimization.optimization_recommendations r
			WHERE r.tenant_id = s.tenant_id AND r.scenario_id = s.id) <> s.actions_planned + s.actions_deferred`, run))
	for _, action := range []string{"run.requested", "run.started", "run.finished"} {
		require.Equal(t, 1, s.number(t, `SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND object_id = $2 AND action = $3`, run.String(), action), action)
	}
	s.checkAudit(t)
}

func (s *stack) checkAudit(t *testing.T) {
	t.Helper()
	report, err := s.db.VerifyAudit(t.Context(), s.tenantID(t, plant))
	require.NoError(t, err)
	require.True(t, report.Intact, "broken at %d: %s", report.BrokenSeq, report.Break)
}

// toWorkOrders proposes, approves and releases a plan of the run, each only
// once possible, and checks the work orders.
func (s *stack) toWorkOrders(t *testing.T, engineer person, run uuid.UUID) {
	t.Helper()
	proposal := url.Values{"scenario": {"balanced"}, "note": {"checked"}}
	engineer.T = t
	plan := idAfter(t, engineer.sends("/runs/"+run.String()+"/propose", proposal), "/plans/")
	engineer.isRefused("/runs/"+run.String()+"/propose", proposal, http.StatusConflict)
	decision := url.Values{"decision": {uuid.NewString()}, "kind": {"approved"}, "comment": {"agreed"}, "content": {s.content(t, plan)}}
	engineer.isRefused("/plans/"+plan.String()+"/decision", decision, http.StatusForbidden)

	admin := s.signIn(t, plant, access.TenantAdmin)
	admin.sends("/plans/"+plan.String()+"/decision", decision)
	admin.sends("/plans/"+plan.String()+"/release", nil)
	admin.isRefused("/plans/"+plan.String()+"/release", nil, http.StatusConflict)
	s.eventually(t, `SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'released'`, plan,
		func(n int) bool { return n == 1 }, "the plan is released")

	planned := s.number(t, `SELECT s.actions_planned FROM optimization.plans p JOIN optimization.optimization_scenarios s
		ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id WHERE p.tenant_id = $1 AND p.id = $2`, plan)
	require.Positive(t, planned)
	require.Equal(t, planned, s.number(t, `SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2`, plan))
	require.Equal(t, planned, s.number(t, `SELECT count(DISTINCT recommendation_id) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2`, plan))
	require.Contains(t, admin.opens("/work-orders?plan="+plan.String()), plan.String())
	s.checkAudit(t)
}

// childPID finds the child of this process that runs a program.
func childPID(t *testing.T, program string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || parentOf(pid) != os.Getpid() {
			continue
		}
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if name, _, _ := strings.Cut(string(command), "\x00"); err == nil && filepath.Base(name) == program {
			return pid
		}
	}
	require.Fail(t, "no such child", program)
	return 0
}

// parentOf is the parent of a process that runs, or 0.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// "pid (name) state parent …"; the name may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	if err != nil || fields[0] == "Z" {
		return 0
	}
	return parent
}
