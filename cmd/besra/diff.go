package main

import (
	"fmt"
	"io"
	"strings"
)

// diffContext is how many equal lines are shown around a change.
const diffContext = 3

// writeDiff writes how a file changes as a unified diff, or nothing.
func writeDiff(w io.Writer, name string, before, after []byte) error {
	a, b := splitLines(before), splitLines(after)
	edits := editScript(a, b)
	var out strings.Builder
	for len(edits) > 0 {
		n := hunkLen(edits)
		writeHunk(&out, edits[:n], a, b)
		edits = edits[n:]
	}
	if out.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "--- %s\n+++ %s (formatted)\n%s", name, name, out.String())
	return err
}

func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// edit replaces lines a[a0:a1] by b[b0:b1].
type edit struct{ a0, a1, b0, b1 int }

// maxDiffCells bounds the table of a comparison; beyond it the lines between
// the common beginning and end count as replaced.
const maxDiffCells = 16 << 20

// editScript compares two texts by their longest common subsequence of lines.
func editScript(a, b []string) (list []edit) {
	top := 0
	for top < len(a) && top < len(b) && a[top] == b[top] {
		top++
	}
	endA, endB := len(a), len(b)
	for endA > top && endB > top && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	if (endA-top)*(endB-top) > maxDiffCells {
		return []edit{{top, endA, top, endB}}
	}
	return commonLines(a, b, top, endA, endB)
}

func commonLines(a, b []string, top, endA, endB int) (list []edit) {
	width := endB - top + 1
	length := make([]int32, (endA-top+1)*width) // of the common subsequence from (i, j) on
	at := func(i, j int) *int32 { return &length[(i-top)*width+j-top] }
	for i := endA - 1; i >= top; i-- {
		for j := endB - 1; j >= top; j-- {
			if a[i] == b[j] {
				*at(i, j) = *at(i+1, j+1) + 1
			} else {
				*at(i, j) = max(*at(i+1, j), *at(i, j+1))
			}
		}
	}
	for i, j := top, top; i < endA || j < endB; {
		e := edit{i, i, j, j}
		for (i < endA || j < endB) && !(i < endA && j < endB && a[i] == b[j]) {
			if j == endB || i < endA && *at(i+1, j) >= *at(i, j+1) {
				i++
			} else {
				j++
			}
		}
		e.a1, e.b1 = i, j
		if e.a0 != e.a1 || e.b0 != e.b1 {
			list = append(list, e)
		}
		for i < endA && j < endB && a[i] == b[j] {
			i, j = i+1, j+1
		}
	}
	return list
}

// hunkLen is how many of the first edits are close enough to be shown together.
func hunkLen(edits []edit) int {
	n := 1
	for n < len(edits) && edits[n].a0-edits[n-1].a1 <= 2*diffContext {
		n++
	}
	return n
}

func writeHunk(w *strings.Builder, edits []edit, a, b []string) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(diffContext, first.a0)
	after := min(diffContext, len(a)-last.a1)
	fmt.Fprintf(w, "@@ -%s +%s @@\n", lineRange(first.a0-before, last.a1+after), lineRange(first.b0-before, last.b1+after))
	next := first.a0 - before
	for _, e := range edits {
		writeLines(w, ' ', a[next:e.a0])
		writeLines(w, '-', a[e.a0:e.a1])
		writeLines(w, '+', b[e.b0:e.b1])
		next = e.a1
	}
	writeLines(w, ' ', a[next:last.a1+after])
}

// lineRange is the range of lines from..to as diffs write it: 1-based, with
// its length; of no lines, the line before.
func lineRange(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func writeLines(w *strings.Builder, mark byte, lines []string) {
	for _, line := range lines {
		w.WriteByte(mark)
		w.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			w.WriteString("\n\\ No newline at end of file\n")
		}
	}
}
