// Package fault is the product's error type: a code that decides what happens
// next (HTTP status, retry or not), a message key for the person who sees it,
// and the cause for the log.
package fault

import (
	"errors"
	"fmt"
)

// Code classifies an error once, where it arises.
type Code string

// The six codes. Only Internal and Unavailable are worth a retry.
const (
	Invalid     Code = "invalid"
	NotFound    Code = "not_found"
	Conflict    Code = "conflict"
	Forbidden   Code = "forbidden"
	Unavailable Code = "unavailable"
	Internal    Code = "internal"
)

// Error carries a code, the key of a localised message with its arguments,
// and the cause. The cause is logged and never shown to a user.
type Error struct {
	Code Code
	Key  string
	Args map[string]any
	Err  error
}

// New returns an error with a code and a message key.
func New(code Code, key string) *Error { return &Error{Code: code, Key: key} }

// Wrap returns an error with a code, a message key and a cause.
func Wrap(code Code, key string, err error) *Error { return &Error{Code: code, Key: key, Err: err} }

// With returns a copy of e with one more message argument.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Args = make(map[string]any, len(e.Args)+1)
	for k, v := range e.Args {
		c.Args[k] = v
	}
	c.Args[name] = value
	return &c
}

// Error describes the fault for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s (%s)", e.Key, e.Code)
	}
	return fmt.Sprintf("%s (%s): %v", e.Key, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first fault in err's chain, or Internal.
func CodeOf(err error) Code {
	var f *Error
	if errors.As(err, &f) {
		return f.Code
	}
	return Internal
}
