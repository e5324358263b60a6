package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The chart's sizes, in units of the drawing.
const (
	chartWidth = 860
	labelWidth = 130
	barHeight  = 14
	groupGap   = 8
	setHeight  = 26
	headHeight = 50
	rightSpace = 60
)

// style makes the chart readable on light and dark ground.
const style = `text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#24292f;paint-order:stroke;stroke:#fff;stroke-width:3px}
.set{font-weight:600}.title{font-size:15px;font-weight:600}.axis{stroke:#8c959f;stroke-width:1;stroke-dasharray:2 3}
.goal{stroke:#cf222e;stroke-width:1.5}.p0{fill:#0969da}.p1{fill:#8250df}.p2{fill:#1a7f37}.p3{fill:#bf8700}
@media(prefers-color-scheme:dark){text{fill:#e6edf3;stroke:#0d1117}.axis{stroke:#6e7681}.goal{stroke:#ff7b72}
.p0{fill:#58a6ff}.p1{fill:#bc8cff}.p2{fill:#3fb950}.p3{fill:#d29922}}`

// ticks are the marks of the logarithmic axis.
var ticks = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500}

// charted are the rows for one thread, without the cliffs, which are left to
// the long tables, and the peers that have figures in them.
func charted(rows []*row) (shown []*row, names []string) {
	for _, w := range rows {
		if w.threads != 1 || strings.HasPrefix(w.tree, "cliff") {
			continue
		}
		shown = append(shown, w)
		for _, p := range w.peers {
			if _, ok := w.ratio(p, cpu); ok {
				names = appendNew(names, p.name)
			}
		}
	}
	return shown, names
}

// chart draws how many times the processor time of Besra each peer needs.
func chart(rows []*row) string {
	shown, names := charted(rows)
	most := 20.0
	for _, w := range shown {
		for _, p := range w.peers {
			q, _ := w.ratio(p, cpu)
			most = max(most, q.median)
		}
	}
	d := &drawing{most: most * 1.1, names: names}
	for i, w := range shown {
		if i == 0 || w.rules != shown[i-1].rules {
			d.set(w.rules)
		}
		d.group(w)
	}
	return d.finish()
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// drawing is a chart in the making.
type drawing struct {
	body  strings.Builder
	names []string // of peers, by colour
	most  float64  // at the end of the axis
	y     float64
}

// x is where a ratio lies on the axis, which begins at 1.
func (d *drawing) x(ratio float64) float64 {
	ratio = max(ratio, 1)
	return labelWidth + math.Log(ratio)/math.Log(d.most)*(chartWidth-labelWidth-rightSpace)
}

// set writes the name of a set of rules above its rows.
func (d *drawing) set(name string) {
	d.y += setHeight
	fmt.Fprintf(&d.body, `<text class="set" x="12" y="%.1f">%s</text>`+"\n", headHeight+d.y-8, html.EscapeString("Rules: "+name))
}

// group draws the bars of a row.
func (d *drawing) group(w *row) {
	top := d.y
	for i, name := range d.names {
		for _, p := range w.peers {
			q, ok := w.ratio(p, cpu)
			if p.name != name || !ok {
				continue
			}
			y := headHeight + d.y
			fmt.Fprintf(&d.body, `<rect class="p%d" x="%d" y="%.1f" width="%.1f" height="%d" rx="2"/>`,
				i%4, labelWidth, y, max(d.x(q.median)-labelWidth, 1), barHeight-2)
			fmt.Fprintf(&d.body, `<text x="%.1f" y="%.1f">%s×</text>`+"\n", d.x(q.median)+5, y+barHeight-4, short(q.median))
			d.y += barHeight
		}
	}
	if d.y == top {
		return
	}
	fmt.Fprintf(&d.body, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
		labelWidth-8, headHeight+(top+d.y)/2+3, html.EscapeString(w.tree))
	d.y += groupGap
}

// finish puts the frame around the bars.
func (d *drawing) finish() string {
	var b strings.Builder
	height := headHeight + d.y + 24
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%d" height="%.0f" role="img">`, chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, "<title>Processor time of other engines, as multiples of Besra's</title><style>%s</style>\n", style)
	fmt.Fprintf(&b, `<text class="title" x="12" y="22">Processor time other engines need, as multiples of Besra's (one thread)</text>`+"\n")
	x := 12
	for i, name := range d.names {
		fmt.Fprintf(&b, `<rect class="p%d" x="%d" y="33" width="12" height="12" rx="2"/><text x="%d" y="43">%s</text>`, i%4, x, x+17, html.EscapeString(name))
		x += 40 + 7*len(name)
	}
	for _, t := range ticks {
		if t > d.most {
			break
		}
		class := "axis"
		if t == 10 {
			class = "goal"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%.0f×</text>`+"\n",
			class, d.x(t), headHeight-4, d.x(t), headHeight+d.y, d.x(t), headHeight+d.y+15, t)
	}
	b.WriteString(d.body.String())
	b.WriteString("</svg>\n")
	return b.String()
}
