package recurrence

import "time"

// Grace is how late a start may be without anybody being told.
const Grace = 2 * time.Minute

// Overlap rules: what happens when work is due and the last one still runs.
const (
	Skip      = "skip"       // it is left out
	BufferOne = "buffer_one" // one waits for its turn
	AllowAll  = "allow_all"  // both run
)

// Overlaps lists the overlap rules.
func Overlaps() []string { return []string{Skip, BufferOne, AllowAll} }

// Verdict is what becomes of a due time.
type Verdict int

// The verdicts.
const (
	Run     Verdict = iota // it is on time, or late within the window
	Joined                 // it is late, and a newer due time stands for it
	TooLate                // it is older than the window
)

// Policy is how late work is made up for.
type Policy struct {
	Overlap string
	Window  time.Duration // after the due time
}

// Judge says what becomes of a due time that is taken up at a moment. Of
// several that are late, the newest stands for all, unless the rule of overlap
// allows all of them: the plan of today answers for the one of yesterday.
// However the starts are ordered, the same due times run.
func (p Policy) Judge(r *Rule, due, now time.Time) Verdict {
	late := now.Sub(due)
	switch {
	case late > p.Window:
		return TooLate
	case late > Grace && p.Overlap != AllowAll && len(r.Between(due, now, 1)) > 0:
		return Joined
	}
	return Run
}
