package main

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// The chart's sizes, in units of the drawing.
const (
	width, height           = 640, 260
	left, right, top, under = 56, 20, 44, 34
	mostMB                  = 160.0
)

const style = `text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#24292f}.title{font-size:14px;font-weight:600}` +
	`.axis{stroke:#8c959f;stroke-dasharray:2 3}.c0{stroke:#0969da}.c1{stroke:#8250df}path{fill:none;stroke-width:2}.t0{fill:#0969da}.t1{fill:#8250df}` +
	`@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#6e7681}.c0{stroke:#58a6ff}.c1{stroke:#bc8cff}.t0{fill:#58a6ff}.t1{fill:#bc8cff}}`

func x(share float64) float64 { return left + share*(width-left-right) }
func y(mb float64) float64    { return top + (mostMB-min(mb, mostMB))/mostMB*(height-top-under) }

// draw draws memory over files. A program has done as large a share of the
// files as of its reads.
func draw(curves []curve, files int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, width, height, width, height)
	title := "Resident memory (MB) over " + thousands(files) + " files, one thread"
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n<text class=\"title\" x=\"12\" y=\"22\">%s</text>\n", title, style, title)
	for mb := 0.0; mb < mostMB; mb += 50 {
		fmt.Fprintf(&b, `<line class="axis" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			left, y(mb), width-right, y(mb), left-8, y(mb)+4, mb)
	}
	for quarter := range 5 {
		anchor := "middle"
		if quarter == 4 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="%s">%s</text>`+"\n", x(float64(quarter)/4), height-12, anchor, thousands(files/4*quarter))
	}
	for i, c := range curves {
		last := c.points[len(c.points)-1]
		fmt.Fprintf(&b, `<path class="c%d" d="%s"/>`, i, c.path(last.reads))
		fmt.Fprintf(&b, `<text class="t%d" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", i, width-right-4, y(last.rss)-8, html.EscapeString(c.title))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// path leaves out points that are hardly further than the last.
func (c *curve) path(reads int64) string {
	var b strings.Builder
	drawn, verb := -1.0, "M"
	for _, p := range c.points {
		if at := x(float64(p.reads) / float64(reads)); at-drawn >= 1 {
			fmt.Fprintf(&b, "%s%.1f,%.1f ", verb, at, y(p.rss))
			drawn, verb = at, "L"
		}
	}
	return strings.TrimSpace(b.String())
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
