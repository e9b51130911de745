// Package features describes one life, row by row, by windows over its courses
// (standardised signals, or indices made of them) that look only backwards: what
// comes later can never change what was computed earlier.
package features

import "math"

// Windows and spans, in rows.
const (
	span     = 15 // of the exponentially weighted mean
	short    = 10
	medium   = 30
	long     = 60
	longest  = 100
	baseline = 20 // first rows, taken as the life's own healthy state
)

// names of the features of one course, in order.
var names = []string{
	"ewma15", "mean10", "mean30", "sd30", "slope30", "slope60", "mean", "shift10", "shift30", "first20",
	"mean60", "sd10", "slope100",
}

// PerCourse is the number of features of one course. Feature k of course j is
// entry j × PerCourse + k of a description; its last entry is the age in rows.
var PerCourse = len(names)

// Count returns the number of features of a life with that many courses: those
// of each course, and the age.
func Count(courses int) int { return courses*PerCourse + 1 }

// Life accumulates the rows of one life. A row costs time in proportion to the
// number of courses and a description to that and the longest window, whatever
// the age. It is not safe for concurrent use.
type Life struct {
	rows    int
	courses []course
}

// course is the memory of one course.
type course struct {
	recent               [longest]float64 // ring of the last values, NaN = missing
	weighted, weight     float64          // of the exponentially weighted mean
	sum, count           float64
	firstSum, firstCount float64
}

// NewLife returns an empty life with that many courses.
func NewLife(courses int) *Life {
	l := &Life{courses: make([]course, courses)}
	for j := range l.courses {
		for i := range l.courses[j].recent {
			l.courses[j].recent[i] = math.NaN()
		}
	}
	return l
}

// Age returns the number of rows.
func (l *Life) Age() int { return l.rows }

// Add appends a row with one value per course, NaN where missing.
func (l *Life) Add(row []float64) {
	const keep = 1 - 2.0/(span+1)
	for j := range l.courses {
		c, v := &l.courses[j], row[j]
		c.recent[l.rows%longest] = v
		if math.IsNaN(v) {
			continue
		}
		c.weighted, c.weight = c.weighted*keep+v, c.weight*keep+1
		c.sum, c.count = c.sum+v, c.count+1
		if l.rows < baseline {
			c.firstSum, c.firstCount = c.firstSum+v, c.firstCount+1
		}
	}
	l.rows++
}

// Describe writes the features at the last row into dst, which has Count
// entries. A feature of which there are no readings is NaN.
func (l *Life) Describe(dst []float64) {
	for j := range l.courses {
		l.describe(&l.courses[j], dst[j*PerCourse:(j+1)*PerCourse])
	}
	dst[len(l.courses)*PerCourse] = float64(l.rows)
}

// Level returns the exponentially weighted mean of a course, NaN without
// readings: the first of its features.
func (l *Life) Level(course int) float64 {
	c := &l.courses[course]
	return c.weighted / c.weight
}

// Shift returns how far the short-term mean of a course is from its first rows,
// NaN without readings in either.
func (l *Life) Shift(course int) float64 {
	c := &l.courses[course]
	mean, _, _ := l.window(c, short)
	return mean - c.firstSum/c.firstCount
}

func (l *Life) describe(c *course, dst []float64) {
	mean10, sd10, _ := l.window(c, short)
	mean30, sd30, slope30 := l.window(c, medium)
	mean60, _, slope60 := l.window(c, long)
	_, _, slope100 := l.window(c, longest)
	first := c.firstSum / c.firstCount
	dst[0], dst[1], dst[2], dst[3] = c.weighted/c.weight, mean10, mean30, sd30
	dst[4], dst[5], dst[6] = slope30, slope60, c.sum/c.count
	dst[7], dst[8], dst[9] = mean10-first, mean30-first, first
	dst[10], dst[11], dst[12] = mean60, sd10, slope100
}

// window returns mean, standard deviation and least-squares slope per row of
// the last n values.
func (l *Life) window(c *course, n int) (mean, sd, slope float64) {
	n = min(n, l.rows)
	var count, sum, sumT, sumTT, sumTV, sumVV float64
	at := (l.rows - n) % longest
	for t := range n {
		v := c.recent[at]
		if at++; at == longest {
			at = 0
		}
		if math.IsNaN(v) {
			continue
		}
		ft := float64(t)
		count++
		sum += v
		sumT += ft
		sumTT += ft * ft
		sumTV += ft * v
		sumVV += v * v
	}
	mean = sum / count
	sd = math.Sqrt(max(sumVV/count-mean*mean, 0))
	if d := count*sumTT - sumT*sumT; d > 0 {
		slope = (count*sumTV - sumT*sum) / d
	}
	return mean, sd, slope
}
