package content_test

import (
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/sentinel/content"
)

// sample is what a panel shows in the picture of the workbook: of a chart the
// series by name, of tiles and bars one value by name, of a table its lines.
type sample struct {
	names  []string
	values [][]float64
	table  [][]string
}

// samples are made up, in the columns that the panels' queries give.
var samples = map[string]sample{
	"totals": {names: []string{"alert", "undecided", "downgraded", "suppressed"}, values: [][]float64{{7}, {2}, {5}, {31}}},
	"over-time": {names: []string{"High", "Medium", "Low"}, values: [][]float64{
		{0, 1, 0, 2, 1, 0, 0, 3, 1, 0, 1, 0, 2, 1}, {2, 1, 3, 2, 2, 1, 0, 4, 3, 2, 2, 1, 1, 2}, {3, 3, 4, 3, 5, 2, 1, 5, 4, 4, 3, 2, 4, 3}}},
	"by-host": {names: []string{"fw-mgmt-01", "build-07", "jump-02", "web-11"}, values: [][]float64{{6}, {4}, {3}, {1}}},
	"by-detection": {table: [][]string{{"Detection", "Rule", "Author", "Licence", "Findings", "Alerts", "Undecided", "Suppressed", "Hosts"},
		{"EQGRP toolset for firewalls, MixText.py", "EQGRP_MixText", "Florian Roth", "DRL 1.1", "38", "6", "2", "25", "9"},
		{"Webshell in an upload folder", "WEBSHELL_Upload", "soc", "internal", "7", "1", "0", "6", "2"}}},
	"suppressed-by-exclusion": {table: [][]string{{"Exclusion", "Effect", "Findings", "Hosts", "AtSensor", "InSentinel"},
		{"eqgrp-mixtext/update-directory", "suppressed", "17", "6", "17", "0"}, {"eqgrp-mixtext/log-job", "suppressed", "8", "1", "5", "3"},
		{"eqgrp-mixtext/local-addition", "downgraded", "5", "2", "5", "0"}}},
	"suppressed-over-time": {names: []string{"update-directory", "log-job"}, values: [][]float64{
		{1, 1, 2, 1, 1, 0, 0, 2, 1, 2, 1, 1, 2, 2}, {0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1}}},
	"missing-facts": {names: []string{"file.owner.uid", "package.verified", "params.development_dirs"}, values: [][]float64{{2}, {1}, {1}}},
	"sensors": {table: [][]string{{"HostName", "LastFinding", "SilentDays", "Runs", "SensorVersion"},
		{"web-11", "2026-11-16", "12", "3", "1.3.0"}, {"fw-mgmt-01", "2026-11-28", "0", "14", "1.4.0"}}},
	"drifted": {table: [][]string{{"DetectionId", "Versions", "Hosts"}, {"eqgrp-mixtext", "1.0.0, 1.1.0", "9"}}},
	"trimmed": {table: [][]string{{"Column", "RuleName", "Rows"}, {"Patterns", "EQGRP_MixText", "1"}}},
}

// TestPicture draws the workbook by its own layout, and wants a sample for each
// of its panels.
func TestPicture(t *testing.T) {
	const file = "../../docs/workbook.svg"
	got := drawing{}.workbook(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const (
	pageWidth = 1080
	margin    = 20
	gap       = 14
)

// drawing collects the elements of a picture.
type drawing struct{ strings.Builder }

func (d *drawing) put(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) text(x, y, size int, class, s string) {
	d.put(`<text x="%d" y="%d" font-size="%d" class="%s">%s</text>`, x, y, size, class, html.EscapeString(s))
}

// heights of a panel by how it is shown.
func height(p content.Panel) int {
	switch p.Visual {
	case "tiles":
		return 92
	case "table":
		return 60 + 22*len(samples[p.Name].table)
	}
	return 190
}

func (d drawing) workbook(t *testing.T) string {
	y := 46
	d.text(margin, y-14, 20, "h", "Besra: findings")
	d.text(pageWidth-190, y-16, 12, "m", "Time range: 14 days")
	for _, s := range content.Sections() {
		y += 26
		d.text(margin, y, 16, "h", s.Title)
		d.text(margin, y+20, 12, "m", s.Text)
		y = d.panels(t, s.Panels, y+34)
	}
	style := `<style>text{font-family:Segoe UI,Helvetica,Arial,sans-serif;fill:#201f1e}.h{font-weight:600}.m{fill:#605e5c}.n{font-weight:600}</style>`
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%[1]d\" height=\"%[2]d\" viewBox=\"0 0 %[1]d %[2]d\">\n%[3]s\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#faf9f8\"/>\n%[4]s</svg>\n", pageWidth, y+margin, style, d.String())
}

// panels draws panels in rows of 100 percent, and returns where they end.
func (d *drawing) panels(t *testing.T, panels []content.Panel, y int) int {
	for len(panels) > 0 {
		n, sum, high := 0, 0, 0
		for n < len(panels) && sum+panels[n].Width <= 100 {
			sum, high = sum+panels[n].Width, max(high, height(panels[n]))
			n++
		}
		if n == 0 {
			t.Fatalf("panel %s is %d percent wide", panels[0].Name, panels[0].Width)
		}
		x := margin
		for _, p := range panels[:n] {
			w := (pageWidth-2*margin+gap)*p.Width/100 - gap
			d.panel(t, p, x, y, w, high)
			x += w + gap
		}
		y += high + gap
		panels = panels[n:]
	}
	return y
}

func (d *drawing) panel(t *testing.T, p content.Panel, x, y, w, h int) {
	s, ok := samples[p.Name]
	if !ok {
		t.Errorf("panel %s has no sample", p.Name)
	}
	d.put(`<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="#fff" stroke="#e1dfdd"/>`, x, y, w, h)
	d.text(x+12, y+22, 13, "h", p.Title)
	switch p.Visual {
	case "tiles":
		d.tiles(s, x, y, w)
	case "timechart":
		d.lines(s, x+12, y+36, w-24, h-68)
	case "barchart":
		d.bars(s, x+12, y+40, w-24, h-52)
	default:
		d.table(s, x+12, y+46, w-24)
	}
}

var colours = []string{"#a4262c", "#ca5010", "#0078d4", "#498205"}

func (d *drawing) tiles(s sample, x, y, w int) {
	for i, name := range s.names {
		at := x + 12 + i*(w-24)/len(s.names)
		d.put(`<rect x="%d" y="%d" width="4" height="44" fill="%s"/>`, at, y+34, colours[i])
		d.text(at+14, y+56, 24, "n", fmt.Sprint(s.values[i][0]))
		d.text(at+14, y+76, 12, "m", name)
	}
}

func (d *drawing) lines(s sample, x, y, w, h int) {
	top := 0.0
	for _, series := range s.values {
		top = max(top, slices.Max(series))
	}
	d.put(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#c8c6c4"/>`, x, y+h, x+w, y+h)
	for i, series := range s.values {
		var points []string
		for j, v := range series {
			points = append(points, fmt.Sprintf("%d,%d", x+j*w/(len(series)-1), y+h-int(v/top*float64(h))))
		}
		d.put(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(points, " "), colours[i])
		d.put(`<rect x="%d" y="%d" width="10" height="10" fill="%s"/>`, x+i*130, y+h+12, colours[i])
		d.text(x+i*130+15, y+h+21, 12, "m", s.names[i])
	}
}

func (d *drawing) bars(s sample, x, y, w, h int) {
	step := h / len(s.names)
	for i, name := range s.names {
		d.text(x, y+i*step+14, 12, "m", name)
		length := int(s.values[i][0] / s.values[0][0] * float64(w-200))
		d.put(`<rect x="%d" y="%d" width="%d" height="%d" fill="#0078d4"/>`, x+150, y+i*step, length, min(step-8, 20))
		d.text(x+158+length, y+i*step+14, 12, "m", fmt.Sprint(s.values[i][0]))
	}
}

func (d *drawing) table(s sample, x, y, w int) {
	widths := make([]int, len(s.table[0]))
	total := 0
	for i := range widths {
		for _, row := range s.table {
			widths[i] = max(widths[i], len(row[i])+3)
		}
		total += widths[i]
	}
	for r, row := range s.table {
		class, at := "", x
		if r == 0 {
			class = "h"
		}
		for i, cell := range row {
			d.text(at, y+r*22, 12, class, cell)
			at += widths[i] * w / total
		}
		d.put(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#edebe9"/>`, x, y+r*22+7, x+w, y+r*22+7)
	}
}
