package web

import (
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
)

// What the buttons of a form ask for.
const (
	doSave    = "save"
	doPreview = "preview"
	doEdit    = "edit" // back from a preview to the form
)

// editForm is a form as it was typed. Seen names the state that it changes;
// Stale says that somebody else changed it since.
type editForm struct {
	Values map[string]string
	Errors map[string]string // translated, by field
	Seen   string
	Do     string
	Stale  bool

	keys reliability.Mistakes
	args map[string]map[string]any // of messages that need them, by field
}

// longestField bounds what is kept of one field, in letters.
const longestField = 2100

// readEditForm keeps every field of a posted form.
func readEditForm(r *http.Request) *editForm {
	f := &editForm{Values: map[string]string{}, Seen: bounded(r.PostFormValue("seen"), 64), Do: r.PostFormValue("do"), keys: reliability.Mistakes{}}
	for name := range r.PostForm {
		f.Values[name] = bounded(strings.TrimSpace(r.PostForm.Get(name)), longestField)
	}
	if f.Do != doPreview && f.Do != doEdit {
		f.Do = doSave
	}
	return f
}

// refuse adds what is wrong. The first finding of a field stays.
func (f *editForm) refuse(m reliability.Mistakes) {
	for field, key := range m {
		if f.keys[field] == "" {
			f.keys[field] = key
		}
	}
}

// refuseFault adds a fault that names its field.
func (f *editForm) refuseFault(err error) {
	var wrong *fault.Error
	if !errors.As(err, &wrong) {
		return
	}
	field, _ := wrong.Args["field"].(string)
	if f.keys[field] == "" {
		f.keys[field], f.args = wrong.Key, map[string]map[string]any{field: wrong.Args}
	}
}

// show translates what is wrong and, where the form is fresh or stale, takes
// over the state that is stored now.
func (f *editForm) show(p Page, version string) {
	f.Errors = translated(p, f.keys)
	for field, args := range f.args {
		f.Errors[field] = p.T(f.keys[field], arguments(args)...)
	}
	if f.Seen == "" || f.Stale {
		f.Seen = version
	}
}

// digits turns digits and separators as Arabic keyboards write them into those
// that numbers are read from; separators of thousands are left out.
var digits = strings.NewReplacer("٠", "0", "١", "1", "٢", "2", "٣", "3", "٤", "4", "٥", "5", "٦", "6", "٧", "7", "٨", "8", "٩", "9",
	"٫", ".", "٬", "", ",", "", " ", "", "\u00a0", "")

// number reads a number; key is what is said when it is none.
func (f *editForm) number(name, key string) float64 {
	v, err := strconv.ParseFloat(digits.Replace(f.Values[name]), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		f.keys[name] = key
		if f.Values[name] == "" {
			f.keys[name] = "field.required"
		}
		return 0
	}
	return v
}

// whole reads a whole number.
func (f *editForm) whole(name, key string) int {
	v := f.number(name, key)
	if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
		f.keys[name] = key
		return 0
	}
	return int(v)
}

// day reads a date as the beginning of that day.
func (f *editForm) day(name string) time.Time {
	v, err := time.ParseInLocation(time.DateOnly, f.Values[name], riyadhZone)
	if err != nil {
		f.keys[name] = reliability.KeyDay
		return time.Time{}
	}
	return v.UTC()
}

// id reads an id that may be left out.
func (f *editForm) id(name string) *uuid.UUID {
	if f.Values[name] == "" {
		return nil
	}
	id := optionalUUID(f.Values[name])
	if id == nil {
		f.keys[name] = "field.choice"
	}
	return id
}

// filled is a fresh form with values.
func filled(values map[string]string) *editForm {
	return &editForm{Values: maps.Clone(values), Do: doSave, keys: reliability.Mistakes{}}
}

// plain writes a number as a form holds it.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// rounded writes a number with at most a few decimals.
func rounded(v float64, decimals int) string {
	scale := math.Pow(10, float64(decimals))
	return plain(math.Round(v*scale) / scale)
}
