package generate

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// challengeResources is how many resources an instance of the challenge has.
const challengeResources = 9

// Challenge draws an instance in the format of the ROADEF/EURO challenge 2020:
// nine resources that work fills to about 60 %, exclusions by season, jobs
// that take longer in winter, and risks that scatter over the scenarios of
// each day with a heavy tail. Its text has about three numbers for each
// intervention, day and scenario.
func Challenge(interventions, days, scenarios int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0x726f6164)) // #nosec G404 -- instances must repeat by their seed
	c := &challenge{r: r, days: days, scenarios: scenarios}
	c.text.WriteString(`{"Interventions":{`)
	for k := range interventions {
		c.comma(k)
		fmt.Fprintf(&c.text, "\n%q:", fmt.Sprint("I_", k))
		c.intervention()
	}
	c.text.WriteString("},\n\"Resources\":{")
	for k := range challengeResources {
		c.comma(k)
		c.resource(k)
	}
	c.text.WriteString("},\n\"Seasons\":{")
	for k, name := range seasons {
		c.comma(k)
		c.season(name)
	}
	c.text.WriteString("},\n\"Exclusions\":{")
	for k := range interventions / 8 {
		c.comma(k)
		a := r.IntN(interventions)
		b := (a + 1 + r.IntN(interventions-1)) % interventions
		fmt.Fprintf(&c.text, `"E%d":["I_%d","I_%d",%q]`, k, a, b, seasons[r.IntN(len(seasons))])
	}
	fmt.Fprintf(&c.text, "},\n\"T\":%d,\"Quantile\":0.95,\"Alpha\":0.5,\"ComputationTime\":15,\"Scenarios_number\":[", days)
	for t := range days {
		c.comma(t)
		c.text.WriteString(strconv.Itoa(scenarios))
	}
	c.text.WriteString("]}\n")
	return c.text.Bytes()
}

var seasons = []string{"full", "winter", "is", "summer"}

// challenge is the text of an instance in the making, with the work that each
// resource has to do.
type challenge struct {
	r               *rand.Rand
	days, scenarios int
	load            [challengeResources]float64
	text            bytes.Buffer
}

func (c *challenge) comma(k int) {
	if k > 0 {
		c.text.WriteByte(',')
	}
}

// seasonOf names the season of a day, counted from 1.
func (c *challenge) seasonOf(t int) string {
	return []string{"winter", "is", "summer", "is"}[(t-1)*4/c.days]
}

func (c *challenge) season(name string) {
	fmt.Fprintf(&c.text, "%q:[", name)
	n := 0
	for t := 1; t <= c.days; t++ {
		if name == "full" || c.seasonOf(t) == name {
			c.comma(n)
			c.text.WriteString(strconv.Itoa(t))
			n++
		}
	}
	c.text.WriteByte(']')
}

func (c *challenge) resource(k int) {
	daily := c.load[k] / float64(c.days)
	fmt.Fprintf(&c.text, `"c%d":{"min":[`, k)
	for t := range c.days {
		c.comma(t)
		c.text.WriteString(strconv.Itoa(int(daily * .2)))
	}
	c.text.WriteString(`],"max":[`)
	for t := range c.days {
		c.comma(t)
		c.text.WriteString(strconv.Itoa(int(math.Ceil(daily*1.6)) + 12))
	}
	c.text.WriteString("]}")
}

// intervention writes one job: durations, workloads of two resources and
// risks, by day and then by start.
func (c *challenge) intervention() {
	base, hours, level := 1+c.r.IntN(4), 3+9*c.r.Float64(), math.Exp(2+2*c.r.Float64())
	latest := c.days
	var durations []int
	for s := 1; s <= c.days; s++ {
		d := base
		if c.seasonOf(s) == "winter" {
			d += 1 + base/3
		}
		if latest == c.days && s+d > c.days+1 {
			latest = s - 1
		}
		durations = append(durations, d)
	}
	fmt.Fprintf(&c.text, `{"tmax":"%d","Delta":[`, latest)
	for k, d := range durations {
		c.comma(k)
		c.text.WriteString(strconv.Itoa(d))
	}
	first := c.r.IntN(challengeResources)
	second := (first + 1 + c.r.IntN(challengeResources-1)) % challengeResources
	c.load[first] += hours * float64(base)
	c.load[second] += hours / 2 * float64(base)
	c.text.WriteString(`],"workload":{`)
	c.work(first, hours, latest, durations)
	c.text.WriteByte(',')
	c.work(second, hours/2, latest, durations)
	c.text.WriteString(`},"risk":{`)
	c.byDay(latest, durations, func(t int) {
		season := 1.3 + math.Cos(2*math.Pi*float64(t)/float64(c.days))
		c.text.WriteByte('[')
		for k := range c.scenarios {
			c.comma(k)
			c.number(level * season * math.Exp(.7*c.r.NormFloat64()))
		}
		c.text.WriteByte(']')
	})
	c.text.WriteString("}}")
}

func (c *challenge) work(resource int, hours float64, latest int, durations []int) {
	fmt.Fprintf(&c.text, `"c%d":{`, resource)
	c.byDay(latest, durations, func(int) { c.number(hours) })
	c.text.WriteByte('}')
}

// byDay writes an object of days, each with an object of the starts from which
// the job is in progress on that day.
func (c *challenge) byDay(latest int, durations []int, value func(t int)) {
	n := 0
	for t := 1; t <= c.days; t++ {
		starts := 0
		for s := max(1, t-8); s <= min(t, latest); s++ {
			if t >= s+durations[s-1] {
				continue
			}
			if starts == 0 {
				c.comma(n)
				fmt.Fprintf(&c.text, `"%d":{`, t)
				n++
			}
			c.comma(starts)
			fmt.Fprintf(&c.text, `"%d":`, s)
			value(t)
			starts++
		}
		if starts > 0 {
			c.text.WriteByte('}')
		}
	}
}

// number writes three decimals.
func (c *challenge) number(v float64) {
	c.text.Write(strconv.AppendFloat(c.text.AvailableBuffer(), v, 'f', 3, 64))
}
