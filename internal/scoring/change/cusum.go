package change

import (
	"fmt"
	"math"
)

// CUSUM is the tabular two-sided cumulative sum of Page (1954), in the form of
// Montgomery (Introduction to Statistical Quality Control, chapter 9). Sums
// are in standard deviations of the signal.
type CUSUM struct {
	Mean, Sigma float64 // of the signal in control
	Slack       float64 // half of the shift to be found, usually 0.5
	Limit       float64 // decision interval, usually 5: a false alarm in 465 readings
	Up, Down    float64 // the two sums
	Ignored     int     // readings that were not finite
}

// NewCUSUM returns a chart for a shift of 2·slack standard deviations.
func NewCUSUM(mean, sigma, slack, limit float64) (*CUSUM, error) {
	if !measured(mean) || !(sigma > 0) || !(slack >= 0) || !(limit > 0) || math.IsInf(sigma+slack+limit, 0) {
		return nil, fmt.Errorf("cusum: mean %v, sigma %v, slack %v and limit %v: want finite values, sigma and limit above 0", mean, sigma, slack, limit)
	}
	return &CUSUM{Mean: mean, Sigma: sigma, Slack: slack, Limit: limit}, nil
}

// Next takes a reading and reports an alarm: one of the sums is beyond the
// limit. It goes on until readings back in control have brought the sum down.
func (c *CUSUM) Next(x float64) bool {
	if !measured(x) {
		c.Ignored++
		return c.Score() > 1
	}
	z := (x - c.Mean) / c.Sigma
	c.Up = max(0, c.Up+z-c.Slack)
	c.Down = max(0, c.Down-z-c.Slack)
	return c.Score() > 1
}

// Score is the larger sum over the limit.
func (c *CUSUM) Score() float64 { return max(c.Up, c.Down) / c.Limit }
