package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/xuri/excelize/v2"

	"github.com/optria-iq/optria/internal/i18n"
)

// csvOf prints a table as UTF-8 with a byte order mark, which spreadsheets
// need to read Arabic. Numbers and times are plain; text that a spreadsheet
// would take for a formula is quoted.
func csvOf(sheet exportSheet) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(sheet.Header); err != nil {
		return nil, fmt.Errorf("write header: %w", err)
	}
	for _, row := range sheet.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = csvCell(v)
		}
		if err := w.Write(cells); err != nil {
			return nil, fmt.Errorf("write row: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func csvCell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case time.Time:
		return x.Format("2006-01-02 15:04")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case int:
		return strconv.Itoa(x)
	}
	return harmless(fmt.Sprint(v))
}

// harmless keeps a spreadsheet from running text as a formula: after the
// leading spaces that it skips, text must not begin with a sign that starts
// one.
func harmless(s string) string {
	trimmed := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	if trimmed != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
		return "'" + s
	}
	return s
}

// workbook prints the tables as sheets, from the right in Arabic.
func workbook(p Page, sheets []exportSheet) ([]byte, error) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }() // it holds no resources once written
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, fmt.Errorf("style header: %w", err)
	}
	stamp := "yyyy-mm-dd hh:mm"
	moment, err := f.NewStyle(&excelize.Style{CustomNumFmt: &stamp})
	if err != nil {
		return nil, fmt.Errorf("style times: %w", err)
	}
	for i, sheet := range sheets {
		if i == 0 {
			err = f.SetSheetName(f.GetSheetName(0), sheet.Name)
		} else {
			_, err = f.NewSheet(sheet.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("add sheet %s: %w", sheet.Part, err)
		}
		rtl := p.Lang == i18n.Arabic
		if err := f.SetSheetView(sheet.Name, 0, &excelize.ViewOptions{RightToLeft: &rtl}); err != nil {
			return nil, fmt.Errorf("turn sheet %s: %w", sheet.Part, err)
		}
		if err := fillSheet(f, sheet, bold, moment); err != nil {
			return nil, fmt.Errorf("fill sheet %s: %w", sheet.Part, err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return b.Bytes(), nil
}

// fillSheet streams a table. Text is written as text, so a workbook needs no
// guard against formulas.
func fillSheet(f *excelize.File, sheet exportSheet, bold, moment int) error {
	w, err := f.NewStreamWriter(sheet.Name)
	if err != nil {
		return err
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := w.SetColWidth(1, len(sheet.Header), 18); err != nil {
		return err
	}
	head := make([]any, len(sheet.Header))
	for i, text := range sheet.Header {
		head[i] = excelize.Cell{StyleID: bold, Value: text}
	}
	if err := w.SetRow("A1", head); err != nil {
		return err
	}
	for i, row := range sheet.Rows {
		cells := make([]any, len(row))
		for j, v := range row {
			cells[j] = v
			if at, ok := v.(time.Time); ok {
				// A workbook knows no zones: the local time is written as it is read.
				_, offset := at.Zone()
				cells[j] = excelize.Cell{StyleID: moment, Value: at.Add(time.Duration(offset) * time.Second).UTC()}
			}
		}
		if err := w.SetRow("A"+strconv.Itoa(i+2), cells); err != nil {
			return err
		}
	}
	return w.Flush()
}
