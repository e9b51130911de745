package roadef

import (
	"fmt"
	"math"
	"strconv"
)

// Table holds a value per start of an intervention and day of its work, as
// the files nest them: by day, then by start. Instances have up to some
// hundred million numbers, so it is read without a map per day.
type Table[T any] struct{ byStart [][]cell[T] }

type cell[T any] struct {
	day   int32
	value T
}

// At returns the value of a day under a start, both counted from 1.
func (t Table[T]) At(day, start int) (value T, ok bool) {
	if start < 1 || start > len(t.byStart) {
		return value, false
	}
	cells := t.byStart[start-1]
	for k := len(cells) - 1; k >= 0; k-- { // of a day given twice the last counts
		if int(cells[k].day) == day {
			return cells[k].value, true
		}
	}
	return value, false
}

func (t *Table[T]) put(day, start int, value T) {
	for len(t.byStart) < start {
		t.byStart = append(t.byStart, nil)
	}
	t.byStart[start-1] = append(t.byStart[start-1], cell[T]{int32(day), value}) // #nosec G115 -- at most maxDays
}

// Risks are the risks of an intervention: one number per scenario of the day.
type Risks struct{ Table[[]float64] }

// UnmarshalJSON reads {"day": {"start": [risk, …]}}.
func (r *Risks) UnmarshalJSON(b []byte) error {
	*r = Risks{}
	w := walker{data: b}
	var line, block []float64
	return w.days(func(day, start int) error {
		var err error
		if line, err = w.numbers(line[:0]); err != nil {
			return err
		}
		if len(line) > cap(block)-len(block) { // values lie side by side in large blocks
			block = make([]float64, 0, max(1<<14, len(line)))
		}
		at := len(block)
		block = append(block, line...)
		r.put(day, start, block[at:len(block):len(block)])
		return nil
	})
}

// Workload is what an intervention takes of one resource.
type Workload struct{ Table[float64] }

// UnmarshalJSON reads {"day": {"start": amount}}.
func (l *Workload) UnmarshalJSON(b []byte) error {
	*l = Workload{}
	w := walker{data: b}
	return w.days(func(day, start int) error {
		amount, err := w.number()
		if err == nil {
			l.put(day, start, amount)
		}
		return err
	})
}

// walker goes through JSON that is known to be well formed.
type walker struct {
	data []byte
	at   int
}

// peek returns the next byte that is no space.
func (w *walker) peek() byte {
	for ; w.at < len(w.data); w.at++ {
		switch w.data[w.at] {
		case ' ', '\t', '\n', '\r':
		default:
			return w.data[w.at]
		}
	}
	return 0
}

// enter passes an opening bracket.
func (w *walker) enter(open byte, what string) error {
	if w.peek() != open {
		return fmt.Errorf("want %s, have %.20s", what, w.data[w.at:])
	}
	w.at++
	return nil
}

// more passes a comma; it is false after passing the closing bracket.
func (w *walker) more() bool {
	switch w.peek() {
	case ']', '}':
		w.at++
		return false
	case ',':
		w.at++
	}
	return true
}

// days calls value at each value of an object of days with objects of starts.
func (w *walker) days(value func(day, start int) error) error {
	return w.members("an object of days", func(day int) error {
		return w.members("an object of starts", func(start int) error {
			if err := value(day, start); err != nil {
				return fmt.Errorf("day %d, start %d: %w", day, start, err)
			}
			return nil
		})
	})
}

// members calls value at each member of an object whose names are numbers
// from 1 to maxDays.
func (w *walker) members(what string, value func(name int) error) error {
	if err := w.enter('{', what); err != nil {
		return err
	}
	for w.more() {
		w.peek()
		begin := w.at + 1
		for w.at = begin; w.data[w.at] != '"'; w.at++ {
			if w.data[w.at] == '\\' {
				w.at++
			}
		}
		name, err := strconv.Atoi(string(w.data[begin:w.at]))
		if err != nil || name < 1 || name > maxDays {
			return fmt.Errorf("want a day from 1 to %d, have %q", maxDays, w.data[begin:w.at])
		}
		w.at++
		w.peek() // the colon
		w.at++
		if err = value(name); err != nil {
			return err
		}
	}
	return nil
}

// numbers appends the numbers of an array.
func (w *walker) numbers(list []float64) ([]float64, error) {
	if err := w.enter('[', "an array of numbers"); err != nil {
		return nil, err
	}
	for w.more() {
		v, err := w.number()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (w *walker) number() (float64, error) {
	w.peek()
	begin := w.at
	for w.at < len(w.data) && isNumber(w.data[w.at]) {
		w.at++
	}
	v, err := strconv.ParseFloat(string(w.data[begin:w.at]), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, fmt.Errorf("want a number, have %.20s", w.data[begin:])
	}
	return v, nil
}

func isNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}
