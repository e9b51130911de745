package dossier

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/optria-iq/optria/internal/dossier/seal"
	"github.com/optria-iq/optria/internal/i18n"
)

// SubjectSchema names the form of a seal's subject.
const SubjectSchema = "optria.dossier.v1"

// Subject is what a sealed dossier says of itself to programs: whose plan it
// is, the hashes of the plan, and the links of the audit chain that it prints.
type Subject struct {
	Schema    string    `json:"schema"`
	Tenant    string    `json:"tenant"`
	Plan      string    `json:"plan"`
	Version   int       `json:"version"`
	Content   string    `json:"content_sha256"`
	Manifest  string    `json:"manifest_sha256"`
	Input     string    `json:"input_sha256"`
	Output    string    `json:"output_sha256"`
	Language  string    `json:"language"`
	CreatedAt time.Time `json:"created_at"`
	AuditSeq  int64     `json:"audit_seq"` // the last event of the chain when the dossier was made
	Audit     []Link    `json:"audit"`
	Roots     []Root    `json:"roots"`
}

// Link is one event of the audit chain with its hash in hexadecimal.
type Link struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Root is the root of one day, YYYY-MM-DD in UTC.
type Root struct {
	Day  string `json:"day"`
	Root string `json:"root"`
}

// NewSubject takes the subject of a record's dossier out of the record.
func NewSubject(r Record, tenant, language string, auditSeq int64) Subject {
	s := Subject{Schema: SubjectSchema, Tenant: tenant, Plan: r.PlanID, Version: r.Version, Content: r.Evidence.Content, Manifest: r.Evidence.Manifest,
		Input: r.Evidence.Input, Output: r.Evidence.Output, Language: language, CreatedAt: r.CreatedAt.UTC(), AuditSeq: auditSeq, Audit: []Link{}, Roots: []Root{}}
	for _, x := range r.Audit {
		s.Audit = append(s.Audit, Link{x.Seq, x.Hash})
		if n := len(s.Roots); x.Root != "" && (n == 0 || s.Roots[n-1].Day != x.Day) {
			s.Roots = append(s.Roots, Root{x.Day, x.Root})
		}
	}
	return s
}

// ReadSubject reads what a seal says its file is about.
func ReadSubject(s seal.Seal) (Subject, error) {
	var x Subject
	if err := json.Unmarshal(s.Subject, &x); err != nil {
		return x, fmt.Errorf("read subject of seal: %w", err)
	}
	if x.Schema != SubjectSchema {
		return x, fmt.Errorf("subject of seal is %q, not %q", x.Schema, SubjectSchema)
	}
	for _, l := range x.Audit {
		if _, err := hex.DecodeString(l.Hash); err != nil {
			return x, fmt.Errorf("hash of event %d: %w", l.Seq, err)
		}
	}
	return x, nil
}

// Build prints a record in one language and form, and seals it.
func Build(kind seal.Kind, l *i18n.Localizer, r Record, s Subject, key seal.Key) ([]byte, error) {
	d := Compose(l, r)
	switch kind {
	case seal.HTML:
		body, parts := HTML(d)
		return seal.Close(kind, body, parts, s, "", key)
	case seal.PDF:
		body, parts, ending, err := PDF(l, d, r.CreatedAt)
		if err != nil {
			return nil, err
		}
		return seal.Close(kind, body, parts, s, ending, key)
	}
	return nil, errors.New("a dossier is html or pdf")
}
