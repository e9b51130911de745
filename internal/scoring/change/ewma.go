package change

import (
	"fmt"
	"math"
)

// EWMA is the exponentially weighted moving average chart of Roberts (1959)
// with the exact, time-varying limits of Lucas and Saccucci (1990).
type EWMA struct {
	Mean, Sigma float64 // of the signal in control
	Weight      float64 // of the newest reading, in (0, 1]
	Width       float64 // of the limits in standard deviations of the average, usually 2.7 to 3
	Average     float64
	Count       int // readings taken
	Ignored     int // readings that were not finite
}

// NewEWMA returns a chart that starts at the mean.
func NewEWMA(mean, sigma, weight, width float64) (*EWMA, error) {
	if !measured(mean) || !(sigma > 0) || !(weight > 0) || weight > 1 || !(width > 0) || math.IsInf(sigma+width, 0) {
		return nil, fmt.Errorf("ewma chart: mean %v, sigma %v, weight %v and width %v: want finite values, sigma and width above 0, weight in (0, 1]", mean, sigma, weight, width)
	}
	return &EWMA{Mean: mean, Sigma: sigma, Weight: weight, Width: width, Average: mean}, nil
}

// Next takes a reading and reports an alarm.
func (c *EWMA) Next(x float64) bool {
	if !measured(x) {
		c.Ignored++
		return c.Score() > 1
	}
	c.Count++
	c.Average += c.Weight * (x - c.Average)
	return c.Score() > 1
}

// Score is the distance of the average from the mean over the limit.
func (c *EWMA) Score() float64 {
	if c.Count == 0 {
		return 0
	}
	w := c.Weight
	spread := c.Sigma * math.Sqrt(w/(2-w)*(1-math.Pow(1-w, float64(2*c.Count))))
	return math.Abs(c.Average-c.Mean) / (c.Width * spread)
}
