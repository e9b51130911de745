package dossier

import "github.com/optria-iq/optria/internal/dossier/pdf"

// cells is a row as laid out: the lines of each cell, and of the note below.
type cells struct {
	columns [][]pdf.Line
	note    []pdf.Line
}

// height is what a row takes, its padding included.
func (c cells) height(style pdf.Style) float64 {
	return float64(c.lines())*style.Size*leading + float64(len(c.note))*styleNote.Size*leading + 2*padding
}

// lines is the number of lines of the highest cell.
func (c cells) lines() int {
	most := 0
	for _, column := range c.columns {
		most = max(most, len(column))
	}
	return most
}

// table draws rows under their titles, which are repeated on every page. A row
// stays whole unless it is longer than a page.
func (x *layout) table(t Table) {
	widths := t.widths()
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = c.Title
	}
	head := x.cells(t, titles, "", widths, styleHead)
	headed := false
	for _, r := range t.Rows {
		row := x.cells(t, r.Cells, r.Note, widths, styleCell)
		need := min(row.height(styleCell), pageTop-pageBottom-head.height(styleHead))
		if !headed {
			need += head.height(styleHead)
		}
		if x.room(need) || !headed {
			x.row(t, head, widths, styleHead)
			x.out.Rectangle(margin, x.y, textWidth, .8, .6)
			headed = true
		}
		x.row(t, row, widths, styleCell)
		x.out.Rectangle(margin, x.y, textWidth, .4, .88)
	}
}

// widths shares the width of the page among the columns.
func (t Table) widths() []float64 {
	total := 0.0
	for _, c := range t.Columns {
		total += c.Share
	}
	out := make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Share / total * textWidth
	}
	return out
}

func (x *layout) cells(t Table, texts []string, note string, widths []float64, style pdf.Style) cells {
	var c cells
	for i := range t.Columns {
		c.columns = append(c.columns, x.wrap(texts[i], style, widths[i]-padding))
	}
	if note != "" {
		c.note = x.wrap(note, styleNote, textWidth-padding)
	}
	return c
}

// row draws a laid-out row line by line, over a page break if it must.
func (x *layout) row(t Table, c cells, widths []float64, style pdf.Style) {
	x.y -= padding
	step := style.Size * leading
	for i := range c.lines() {
		x.room(step)
		x.y -= step
		from := 0.0
		for j, column := range c.columns {
			if i < len(column) {
				x.draw(column[i], x.y+style.Size*.4, from, widths[j]-padding, t.Columns[j].End)
			}
			from += widths[j]
		}
	}
	for _, l := range c.note {
		x.room(styleNote.Size * leading)
		x.y -= styleNote.Size * leading
		x.draw(l, x.y+styleNote.Size*.4, 0, textWidth, false)
	}
	x.y -= padding
}
