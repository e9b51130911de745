// Package learning makes the models of the registry from what a tenant has
// lived through: prognosis models of an equipment class from completed lives,
// and anomaly limits from the verdicts of engineers. A candidate and the model
// in service are measured by the same protocol on data that neither has
// learned from, and a Verdict says which of them should serve.
package learning

import (
	"errors"
	"fmt"
	"strings"
)

// Families of models that can be trained. A kind is a family and, after a
// colon, the class of equipment.
const (
	FamilyRUL     = "rul"
	FamilyAnomaly = "anomaly"
)

// KindAnomaly is the kind of a tenant's anomaly limits.
const KindAnomaly = FamilyAnomaly

// RUL returns the kind of the prognosis model of a class.
func RUL(class string) string { return FamilyRUL + ":" + class }

// ErrKind says that a kind cannot be trained.
var ErrKind = errors.New("not a kind that can be trained")

// Parse splits a kind into its family and class; it fails with ErrKind.
func Parse(kind string) (family, class string, err error) {
	family, class, _ = strings.Cut(kind, ":")
	switch {
	case family == FamilyRUL && class != "", family == FamilyAnomaly && class == "":
		return family, class, nil
	}
	return "", "", fmt.Errorf("%w: %q", ErrKind, kind)
}

// TooLittleError says that there is too little to learn from. What names the
// thing that is missing.
type TooLittleError struct {
	What string `json:"what"` // lives, held_out, labels, confirmed or rejected
	Have int    `json:"have"`
	Need int    `json:"need"`
}

// Error describes the lack for logs.
func (e *TooLittleError) Error() string {
	return fmt.Sprintf("too little to learn from: %d %s, %d needed", e.Have, e.What, e.Need)
}

// Verdict says whether a candidate should serve, by the figure that decides.
type Verdict struct {
	Promote bool   `json:"promote"`
	Reason  string `json:"reason"` // code of a message
	// Figure names what decides; Candidate and Reference are its values.
	Figure    string  `json:"figure"`
	Candidate float64 `json:"candidate"`
	Reference float64 `json:"reference"`
	Margin    float64 `json:"margin"` // by which the candidate must be better
}

// Reasons of a verdict.
const (
	ReasonBeatsBaseline = "beats_baseline"
	ReasonBeatsActive   = "beats_active"
	ReasonNotBetter     = "not_better"
	ReasonBelowBaseline = "below_baseline"
	ReasonNotCovering   = "not_covering"
	ReasonOvertaken     = "overtaken"
)
