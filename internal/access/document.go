package access

import (
	"fmt"
	"strings"
)

// Mark says how a role holds a capability in the printed matrix.
type Mark string

// A role holds a capability fully, by token scope, or not at all; a platform
// owner may hold it only after entering the tenant.
const (
	MarkYes    Mark = "yes"
	MarkScope  Mark = "scope"
	MarkBreak  Mark = "break_glass"
	MarkDenied Mark = "no"
)

// MarkOf returns the cell of the matrix for a role and a capability.
func MarkOf(r Role, c Capability) Mark {
	switch {
	case Allows(r, c):
		return MarkYes
	case r == ServiceAccount && ScopeFor(c) != "":
		return MarkScope
	case r == PlatformOwner && Allows(breakGlass, c):
		return MarkBreak
	}
	return MarkDenied
}

// Markdown prints the matrix as the table of docs/ARCHITECTURE.md.
func Markdown() string {
	symbol := map[Mark]string{MarkYes: "✔", MarkBreak: "break-glass", MarkDenied: "–"}
	var b strings.Builder
	b.WriteString("| capability |")
	for _, r := range Roles() {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Roles())) + "\n")
	for _, c := range Capabilities() {
		fmt.Fprintf(&b, "| `%s` |", c)
		for _, r := range Roles() {
			m := MarkOf(r, c)
			if m == MarkScope {
				fmt.Fprintf(&b, " `%s` |", ScopeFor(c))
				continue
			}
			fmt.Fprintf(&b, " %s |", symbol[m])
		}
		b.WriteString("\n")
	}
	return b.String()
}
