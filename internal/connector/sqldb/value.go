package sqldb

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// number reads a value as the drivers give it. Absent values and those that
// are no number in the mathematical sense come back as NaN, which is a reading
// of bad quality; texts and structures come back with ok false.
func number(value any) (n float64, ok bool) {
	switch v := value.(type) {
	case nil:
		return math.NaN(), true
	case float64:
		n = v
	case float32:
		n = float64(v)
	case int64:
		n = float64(v)
	case uint64:
		n = float64(v)
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case []byte:
		return parseNumber(string(v))
	case string:
		return parseNumber(v)
	default:
		return 0, false
	}
	return finite(n), true
}

// longestNumber bounds the text of a decimal, in bytes.
const longestNumber = 128

func parseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if len(text) == 1 && text[0] < 2 { // a single bit, as MySQL sends it
		return float64(text[0]), true
	}
	if len(text) > longestNumber || strings.ContainsAny(text, "xXpP_") {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return finite(n), true
}

func finite(n float64) float64 {
	if math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// label reads a tag, unit or code as text. Blanks that pad a column of fixed
// length are cut.
func label(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []byte:
		return strings.TrimRight(string(v), " ")
	case string:
		return strings.TrimRight(v, " ")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(v)
	}
}

// qualityCodes reads the setting quality_codes: the source's code to good,
// uncertain or bad.
func qualityCodes(setting map[string]any) (map[string]asset.Quality, error) {
	named := map[string]asset.Quality{"good": asset.Good, "uncertain": asset.Uncertain, "bad": asset.Bad}
	codes := make(map[string]asset.Quality, len(setting))
	for code, meaning := range setting {
		name, _ := meaning.(string)
		quality, ok := named[name]
		if !ok {
			return nil, fmt.Errorf("code %q means %v, expected good, uncertain or bad", code, meaning)
		}
		codes[strings.ToUpper(code)] = quality
	}
	return codes, nil
}

// judge turns the source's code into a quality. A code that the setting does
// not know is uncertain. Without the setting, numbers are read as the quality
// byte of OPC DA (192 and above good, 64 and above uncertain) and words after
// their meaning; an absent code is good.
func judge(codes map[string]asset.Quality, value any) asset.Quality {
	code := strings.ToUpper(label(value))
	if quality, ok := codes[code]; ok {
		return quality
	}
	if len(codes) > 0 {
		return asset.Uncertain
	}
	switch code {
	case "", "GOOD", "G", "OK", "TRUE", "T":
		return asset.Good
	case "BAD", "B", "FALSE", "F":
		return asset.Bad
	}
	n, err := strconv.ParseInt(code, 10, 64)
	switch {
	case err != nil, n >= 64 && n < 192:
		return asset.Uncertain
	case n >= 192:
		return asset.Good
	}
	return asset.Bad
}
