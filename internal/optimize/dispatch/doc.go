// Package dispatch solves the WorkforceDispatchProblem: which technician does
// which job when, by which route, over the shifts of a horizon, under skills,
// tools, spare parts, crews, precedence, windows and the working calendar, at
// the least cost of jobs left out, lateness, travel, overtime and changes
// against the published plan.
package dispatch
