package saptest

import (
	"fmt"
	"strconv"
	"time"
)

// render shows a row as a service does: every field of the type or of the
// selection, unknown ones as empty texts, zeros or null.
func render(m *model, r row, selected map[string]bool) map[string]any {
	shown := map[string]any{}
	for _, f := range m.fields {
		if len(selected) > 0 && !selected[f.name] {
			continue
		}
		shown[f.name] = renderValue(f, r[f.name])
	}
	return shown
}

func renderValue(f field, value any) any {
	switch f.kind {
	case text:
		if value == nil {
			return ""
		}
		return value
	case day, instant:
		at, ok := value.(time.Time)
		if !ok {
			return nil
		}
		if f.kind == day {
			return fmt.Sprintf("/Date(%d)/", at.UnixMilli())
		}
		return fmt.Sprintf("/Date(%d+0000)/", at.UnixMilli())
	case clock:
		since, _ := value.(time.Duration)
		return fmt.Sprintf("PT%02dH%02dM%02dS", int(since.Hours()), int(since.Minutes())%60, int(since.Seconds())%60)
	case decimal:
		number, _ := value.(float64)
		return strconv.FormatFloat(number, 'f', f.size, 64)
	case flag:
		set, _ := value.(bool)
		return set
	case integer:
		number, _ := value.(int)
		return number
	default: // large
		number, _ := value.(int)
		return strconv.Itoa(number)
	}
}
