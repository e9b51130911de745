// Package access holds the one capability matrix of the product: which role
// may do what. Routes, API operations, page controls, workflow validators and
// the documents all read it from here.
package access

import "slices"

// Role is what a person or a service account is within one tenant.
type Role string

// The six roles.
const (
	PlatformOwner   Role = "platform_owner"
	TenantAdmin     Role = "tenant_admin"
	OptimizationEng Role = "optimization_engineer"
	ReliabilityEng  Role = "reliability_engineer"
	Viewer          Role = "viewer"
	ServiceAccount  Role = "service_account"
	breakGlass      Role = "break_glass" // a platform owner inside a tenant, read only, time-limited
)

// Roles lists the roles in the order of the matrix.
func Roles() []Role {
	return []Role{PlatformOwner, TenantAdmin, OptimizationEng, ReliabilityEng, Viewer, ServiceAccount}
}

// TenantRoles lists the roles a tenant admin may give to people.
func TenantRoles() []Role {
	return []Role{TenantAdmin, OptimizationEng, ReliabilityEng, Viewer}
}

// Capability is one thing that can be permitted.
type Capability string

// The capabilities. Public and SignedIn are declared by routes that need no
// particular capability.
const (
	Public             Capability = "public"
	SignedIn           Capability = "signed_in"
	ManageTenants      Capability = "manage_tenants"
	EnterTenant        Capability = "enter_tenant"
	ViewPlatformHealth Capability = "view_platform_health"
	OpenTemporalUI     Capability = "open_temporal_ui"
	ManageUsers        Capability = "manage_users"
	ManageTokens       Capability = "manage_tokens"
	ManageGovernance   Capability = "manage_governance"
	ManageSchedules    Capability = "manage_schedules"
	ManageWebhooks     Capability = "manage_webhooks"
	ManageIntegrations Capability = "manage_integrations"
	TestIntegrations   Capability = "test_integrations"
	ViewIntegrations   Capability = "view_integrations"
	IngestTelemetry    Capability = "ingest_telemetry"
	EditAssets         Capability = "edit_assets"
	EditCostModels     Capability = "edit_cost_models"
	RunPrioritization  Capability = "run_prioritization"
	RunOperations      Capability = "run_operations"
	ProposePlan        Capability = "propose_plan"
	CommentPlans       Capability = "comment_plans"
	EndorsePlan        Capability = "endorse_plan"
	ApprovePlan        Capability = "approve_plan"
	ReleasePlan        Capability = "release_plan"
	UpdateWorkOrders   Capability = "update_work_orders"
	JudgeAlerts        Capability = "judge_alerts"
	ManageModels       Capability = "manage_models"
	RunBacktest        Capability = "run_backtest"
	ViewResults        Capability = "view_results"
	ViewHistory        Capability = "view_history"
	ViewAudit          Capability = "view_audit"
	ViewOwnActions     Capability = "view_own_actions"
)

// grant is one row of the matrix. Scope names the API scope that a token must
// carry for a service account to hold the capability; empty means never.
type grant struct {
	Capability Capability
	Roles      []Role
	Scope      string
}

var matrix = []grant{
	{ManageTenants, []Role{PlatformOwner}, ""},
	{EnterTenant, []Role{PlatformOwner}, ""},
	{ViewPlatformHealth, []Role{PlatformOwner}, ""},
	{OpenTemporalUI, []Role{PlatformOwner, breakGlass}, ""},
	{ManageUsers, []Role{TenantAdmin}, ""},
	{ManageTokens, []Role{TenantAdmin}, ""},
	{ManageGovernance, []Role{TenantAdmin}, ""},
	{ManageSchedules, []Role{TenantAdmin, OptimizationEng}, ""},
	{ManageWebhooks, []Role{TenantAdmin}, ""},
	{ManageIntegrations, []Role{TenantAdmin}, ""},
	{TestIntegrations, []Role{TenantAdmin, OptimizationEng}, ""},
	{ViewIntegrations, []Role{TenantAdmin, OptimizationEng, ReliabilityEng, breakGlass}, "read:integrations"},
	{IngestTelemetry, []Role{TenantAdmin}, "ingest:write"},
	{EditAssets, []Role{TenantAdmin, ReliabilityEng}, ""},
	{EditCostModels, []Role{TenantAdmin}, ""},
	{RunPrioritization, []Role{TenantAdmin, OptimizationEng, ReliabilityEng}, "runs:create"},
	{RunOperations, []Role{TenantAdmin, OptimizationEng}, "runs:create"},
	{ProposePlan, []Role{TenantAdmin, OptimizationEng}, ""},
	{CommentPlans, []Role{TenantAdmin, OptimizationEng, ReliabilityEng}, ""},
	{EndorsePlan, []Role{ReliabilityEng}, ""},
	{ApprovePlan, []Role{TenantAdmin}, ""},
	{ReleasePlan, []Role{TenantAdmin, OptimizationEng}, ""},
	{UpdateWorkOrders, []Role{TenantAdmin, OptimizationEng, ReliabilityEng}, ""},
	{JudgeAlerts, []Role{TenantAdmin, OptimizationEng, ReliabilityEng}, ""},
	{ManageModels, []Role{TenantAdmin, ReliabilityEng}, ""},
	{RunBacktest, []Role{TenantAdmin, OptimizationEng, ReliabilityEng}, ""},
	{ViewResults, []Role{TenantAdmin, OptimizationEng, ReliabilityEng, Viewer, breakGlass}, "read:results"},
	{ViewHistory, []Role{TenantAdmin, OptimizationEng, ReliabilityEng, breakGlass}, ""},
	{ViewAudit, []Role{PlatformOwner, TenantAdmin}, ""},
	{ViewOwnActions, []Role{PlatformOwner, TenantAdmin, OptimizationEng, ReliabilityEng}, ""},
}

// Capabilities lists the rows of the matrix in order.
func Capabilities() []Capability {
	out := make([]Capability, len(matrix))
	for i, g := range matrix {
		out[i] = g.Capability
	}
	return out
}

// Allows reports whether the role holds the capability. A service account
// holds nothing by role alone: see Principal.Can.
func Allows(r Role, c Capability) bool {
	if r == ServiceAccount {
		return false
	}
	for _, g := range matrix {
		if g.Capability == c {
			return slices.Contains(g.Roles, r)
		}
	}
	return false
}

// AnyAllows reports whether any of the roles of an account, as stored, holds
// the capability.
func AnyAllows(roles []string, c Capability) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return Allows(Role(r), c) })
}

// ScopeFor returns the API scope that grants the capability to a service
// account, or "" when no scope can.
func ScopeFor(c Capability) string {
	for _, g := range matrix {
		if g.Capability == c {
			return g.Scope
		}
	}
	return ""
}

// Scopes lists every API scope, each once, in matrix order.
func Scopes() []string {
	var out []string
	for _, g := range matrix {
		if g.Scope != "" && !slices.Contains(out, g.Scope) {
			out = append(out, g.Scope)
		}
	}
	return out
}

// Known reports whether c is a capability of the matrix or one of the two
// declarations that need none.
func Known(c Capability) bool {
	return c == Public || c == SignedIn || slices.Contains(Capabilities(), c)
}
