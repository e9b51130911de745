package web

import (
	"net/http"
	"slices"

	"github.com/optria-iq/optria/internal/access"
)

func (s *Server) accessRoutes() []route {
	return []route{{http.MethodGet, "/access", access.SignedIn, s.showAccess}}
}

// accessCell is one field of the matrix. Mark is yes, scope, break_glass or no.
type accessCell struct {
	Mark, Label, Scope string
	Own                bool
}

// accessLine is one capability with its words.
type accessLine struct {
	Code, Name, Text string
	Cells            []accessCell
	Own              bool // the reader holds it now
}

// accessRole heads a column; Own marks a role of the reader.
type accessRole struct {
	Label string
	Own   bool
}

type accessView struct {
	Roles      []accessRole
	Lines      []accessLine
	Held       int
	BreakGlass bool
}

// showAccess prints the one matrix that routes, API and engine obey.
func (s *Server) showAccess(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "access.title")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := accessView{BreakGlass: who.BreakGlass}
	for _, role := range access.Roles() {
		v.Roles = append(v.Roles, accessRole{Label: p.T("role." + string(role)), Own: slices.Contains(who.Roles, role)})
	}
	for _, c := range access.Capabilities() {
		line := accessLine{Code: string(c), Name: p.T("access.cap." + string(c)), Text: p.T("access.cap." + string(c) + ".text"), Own: who.Can(c)}
		if line.Own {
			v.Held++
		}
		for i, role := range access.Roles() {
			mark := access.MarkOf(role, c)
			cell := accessCell{Mark: string(mark), Label: p.T("access.mark." + string(mark)), Own: v.Roles[i].Own}
			if mark == access.MarkScope {
				cell.Scope = access.ScopeFor(c)
			}
			line.Cells = append(line.Cells, cell)
		}
		v.Lines = append(v.Lines, line)
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "access/matrix", p)
	return nil
}
