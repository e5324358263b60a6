package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// render writes the tables and the chart of all results at hand.
func render(o *options) error {
	list, err := readResults(o.results)
	if err != nil {
		return err
	}
	rows := rowsOf(list)
	var b strings.Builder
	writeBrief(&b, rows)
	writeScans(&b, rows)
	writeScaling(&b, rows, list)
	writeCompiles(&b, list)
	if o.chart != "" {
		if err := os.WriteFile(o.chart, []byte(chart(rows)), 0o644); err != nil {
			return err
		}
	}
	if o.markdown == "-" {
		_, err = io.WriteString(os.Stdout, b.String())
		return err
	}
	return os.WriteFile(o.markdown, []byte(b.String()), 0o644)
}

// row is one set of rules on one tree with a number of threads.
type row struct {
	rules, tree  string
	threads      int
	files, bytes int64
	elf, pe      int64
	besra        []result
	peers        []peer
}

// peer is what one other engine needed for a row.
type peer struct {
	name string
	runs []result
}

func rowsOf(list []result) (rows []*row) {
	for _, r := range list {
		if r.Phase != phaseScan {
			continue
		}
		i := slices.IndexFunc(rows, func(w *row) bool {
			return w.rules == r.Rules && w.tree == r.Tree && w.threads == r.Threads
		})
		if i < 0 {
			i = len(rows)
			rows = append(rows, &row{rules: r.Rules, tree: r.Tree, threads: r.Threads, files: r.Files, bytes: r.Bytes, elf: r.ELF, pe: r.PE})
		}
		rows[i].add(r)
	}
	rows = slices.DeleteFunc(rows, func(w *row) bool { return len(w.besra) == 0 })
	sortRows(rows)
	return rows
}

// sortRows puts the rows of a set of rules together, and in them those of a
// tree, in the order in which they were first measured.
func sortRows(rows []*row) {
	sets, trees := make(map[string]int), make(map[string]int)
	for _, w := range rows {
		if _, met := sets[w.rules]; !met {
			sets[w.rules] = len(sets)
		}
		if _, met := trees[w.tree]; !met {
			trees[w.tree] = len(trees)
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		return cmp.Or(sets[a.rules]-sets[b.rules], trees[a.tree]-trees[b.tree], a.threads-b.threads)
	})
}

func (w *row) add(r result) {
	if r.Engine == "Besra" {
		w.besra = append(w.besra, r)
		return
	}
	i := slices.IndexFunc(w.peers, func(p peer) bool { return p.name == r.Engine })
	if i < 0 {
		i = len(w.peers)
		w.peers = append(w.peers, peer{name: r.Engine})
	}
	w.peers[i].runs = append(w.peers[i].runs, r)
}

func cpu(r result) float64  { return r.CPU }
func wall(r result) float64 { return r.Wall }

// engines are Besra and its peers.
func (w *row) engines() []peer { return append([]peer{{"Besra", w.besra}}, w.peers...) }

func (w *row) runsOf(engine string) []result {
	for _, p := range w.engines() {
		if p.name == engine {
			return p.runs
		}
	}
	return nil
}

// ratio is how many times as much was needed in one run as in another of the
// same round.
type ratio struct{ median, low, high float64 }

func (q ratio) String() string {
	return fmt.Sprintf("%s× (%s–%s)", short(q.median), short(q.low), short(q.high))
}

// ratio compares a peer with Besra; ok is false where the peer has no figure.
func (w *row) ratio(p peer, of func(result) float64) (q ratio, ok bool) {
	return ratioOf(p.runs, w.besra, of)
}

// ratioOf compares run with run.
func ratioOf(runs, with []result, of func(result) float64) (q ratio, ok bool) {
	var all []float64
	for _, a := range runs {
		for _, b := range with {
			if a.Run == b.Run && a.Error == "" && b.Error == "" && of(a) > 0 && of(b) > 0 {
				all = append(all, of(a)/of(b))
			}
		}
	}
	if len(all) == 0 {
		return ratio{}, false
	}
	return ratio{median(all), slices.Min(all), slices.Max(all)}, true
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}

func medianOf(runs []result, of func(result) float64) float64 {
	var all []float64
	for _, r := range runs {
		if r.Error == "" {
			all = append(all, of(r))
		}
	}
	return median(all)
}

// short writes a figure with as many digits as it deserves.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// writeBrief writes the table for the README: one thread, a column an engine.
func writeBrief(b *strings.Builder, rows []*row) {
	rows, names := charted(rows)
	b.WriteString("| Rules | Files | Besra, MB per CPU second |")
	for _, n := range names {
		fmt.Fprintf(b, " %s |", n)
	}
	b.WriteString("\n|---|---|--:|" + strings.Repeat("--:|", len(names)) + "\n")
	for _, w := range rows {
		fmt.Fprintf(b, "| %s | %s | %s |", w.rules, w.describe(), w.speed(w.besra))
		for _, n := range names {
			b.WriteString(" " + w.times(n) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// times is how many times as much processor time a peer needs.
func (w *row) times(name string) string {
	for _, p := range w.peers {
		if q, ok := w.ratio(p, cpu); ok && p.name == name {
			return q.String()
		}
	}
	return "–"
}

// writeScans writes a table for each number of threads.
func writeScans(b *strings.Builder, rows []*row) {
	var counts []int
	for _, w := range rows {
		counts = append(counts, w.threads)
	}
	slices.Sort(counts)
	for _, n := range slices.Compact(counts) {
		writeThreads(b, rows, n)
	}
}

func writeThreads(b *strings.Builder, rows []*row, threads int) {
	fmt.Fprintf(b, "**Threads: %d.** Times what Besra needs: median of the runs (least–most), in processor time; then in time by the clock.\n\n", threads)
	b.WriteString("| Rules | Files | Engine | MB per CPU second | × CPU | × clock | peak MB | answers |\n|---|---|---|--:|--:|--:|--:|---|\n")
	for _, w := range rows {
		if w.threads == threads {
			w.write(b)
		}
	}
	b.WriteString("\n")
}

func (w *row) write(b *strings.Builder) {
	head := fmt.Sprintf("| %s | %s | ", w.rules, w.describe())
	fmt.Fprintf(b, "%sBesra | %s | 1 | 1 | %s | %d |\n", head, w.speed(w.besra), peak(w.besra), w.besra[0].Matches)
	for _, p := range w.peers {
		c, ok := w.ratio(p, cpu)
		if !ok {
			fmt.Fprintf(b, "| | | %s | – | – | – | – | %s |\n", p.name, reason(p.runs[0].Error))
			continue
		}
		t, _ := w.ratio(p, wall)
		fmt.Fprintf(b, "| | | %s | %s | **%s** (%s–%s) | %s | %s | %s |\n", p.name, w.speed(p.runs),
			short(c.median), short(c.low), short(c.high), short(t.median), peak(p.runs), agreement(p.runs[0]))
	}
}

func (w *row) describe() string {
	files := fmt.Sprintf("%d files", w.files)
	if w.elf > 0 && w.pe > 0 && w.elf+w.pe == w.files {
		files = fmt.Sprintf("%d ELF and %d PE files", w.elf, w.pe)
	}
	return fmt.Sprintf("%s, %s, %.0f MB", w.tree, files, float64(w.bytes)/1e6)
}

func (w *row) speed(runs []result) string {
	if t := medianOf(runs, cpu); t > 0 {
		return short(float64(w.bytes) / 1e6 / t)
	}
	return "–"
}

func peak(runs []result) string {
	return fmt.Sprintf("%.0f", medianOf(runs, func(r result) float64 { return float64(r.RSS) / 1024 }))
}

func agreement(r result) string {
	if r.Differ == 0 {
		return "the same"
	}
	return fmt.Sprintf("%d of %d differ", r.Differ, r.Matches)
}

// reason is the end of an error, in which programs say what it was.
func reason(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "|", " ")
	lines := strings.Split(text, "\n")
	return lines[len(lines)-1]
}

// writeCompiles writes what compiling the sets took.
func writeCompiles(b *strings.Builder, list []result) {
	b.WriteString("| Rules | Engine | version | compile, CPU s | peak MB |\n|---|---|---|--:|--:|\n")
	for _, r := range list {
		if r.Phase == phaseCompile && !strings.HasPrefix(r.Rules, "cliff") {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %d |\n", r.Rules, r.Engine, r.Version, short(r.CPU), r.RSS>>10)
		}
	}
}
