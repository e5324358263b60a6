package table

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// environment sets what decides about colour, whatever the tester's has.
func environment(t testing.TB, noColor, cliColor, force, term string) {
	t.Setenv("NO_COLOR", noColor)
	t.Setenv("CLICOLOR", cliColor)
	t.Setenv("CLICOLOR_FORCE", force)
	t.Setenv("TERM", term)
	t.Setenv("COLORTERM", "")
	t.Setenv("CI", "") // termenv takes no output for a terminal where this is set
	t.Setenv("GOOGLE_CLOUD_SHELL", "")
}

func plain(t testing.TB)    { environment(t, "", "", "", "xterm-256color") }
func coloured(t testing.TB) { environment(t, "", "", "1", "xterm-256color") }

func TestContract(t *testing.T) {
	contract := func(width int) sinktest.Contract {
		return sinktest.Contract{
			New:   func(w io.Writer) besra.Sink { return New(w, Options{Width: width, ShowSuppressed: true}) },
			Check: check,
		}
	}
	t.Run("plain, narrow", func(t *testing.T) { plain(t); sinktest.Run(t, contract(1)) })
	t.Run("coloured", func(t *testing.T) { coloured(t); sinktest.Run(t, contract(0)) })
}

var (
	sgr     = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	ruleRow = regexp.MustCompile(`(?m)^  rule         `)
)

// check wants nothing on the terminal but text, line ends and this package's
// own colours, and counts the blocks by their rule, the label of which no
// pattern in the contract bears.
func check(out []byte) (findings int, err error) {
	if !utf8.Valid(out) {
		return 0, fmt.Errorf("not UTF-8")
	}
	text := sgr.ReplaceAllString(string(out), "")
	for _, r := range text {
		if r != '\n' && (!unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)) {
			return 0, fmt.Errorf("%U reaches the terminal", r)
		}
	}
	if strings.Contains(text, "\n\n\n") || strings.HasPrefix(text, "\n") {
		return 0, fmt.Errorf("more than one blank line, or one at the beginning")
	}
	return len(ruleRow.FindAllString(text, -1)), nil
}

func render(t testing.TB, o Options, recs ...besra.Record) string {
	t.Helper()
	var out bytes.Buffer
	s := New(&out, o)
	for _, rec := range recs {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	tests := []struct {
		name   string
		o      Options
		colour func(testing.TB)
	}{
		{"rich-80.txt", Options{}, plain},
		{"rich-140-suppressed.txt", Options{Width: 140, ShowSuppressed: true}, plain},
		{"rich-80-colour.txt", Options{Width: 80, ShowSuppressed: true}, coloured},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.colour(t)
			golden := filepath.Join("testdata", tt.name)
			got := render(t, tt.o, sinktest.Rich()...)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWidth wants that only heads, names and single words exceed the width.
func TestWidth(t *testing.T) {
	plain(t)
	for _, width := range []int{80, 100, 140} {
		for line := range strings.Lines(render(t, Options{Width: width, ShowSuppressed: true}, sinktest.Rich()...)) {
			line = strings.TrimRight(line, "\n")
			inner := strings.TrimLeft(line, " ")
			head := inner == line && line != ""
			if w := lipgloss.Width(line); w > width && !head && strings.Contains(inner, " ") && !strings.Contains(line, "sha256") {
				t.Errorf("at %d columns a line of %d: %q", width, w, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("trailing space in %q", line)
			}
		}
	}
}

func TestColour(t *testing.T) {
	tests := []struct {
		noColor, cliColor, force, term string
		want                           bool
	}{
		{"", "", "", "xterm-256color", false}, // a buffer is no terminal
		{"", "", "1", "xterm-256color", true},
		{"", "", "0", "xterm-256color", false},
		{"1", "", "1", "xterm-256color", false},
		{"", "0", "", "xterm-256color", false},
		{"", "", "", "dumb", false},
	}
	for _, tt := range tests {
		environment(t, tt.noColor, tt.cliColor, tt.force, tt.term)
		got := strings.Contains(render(t, Options{}, sinktest.Rich()...), "\x1b")
		if got != tt.want {
			t.Errorf("NO_COLOR=%s CLICOLOR=%s CLICOLOR_FORCE=%s TERM=%s: colour %v, want %v", tt.noColor, tt.cliColor, tt.force, tt.term, got, tt.want)
		}
	}
}

// TestColourOnlyColours wants the same words with and without colour, but for
// the marks around matches and the room around badges.
func TestColourOnlyColours(t *testing.T) {
	words := func(s string) []string {
		return strings.Split(strings.NewReplacer(" ", "", "‹", "", "›", "").Replace(sgr.ReplaceAllString(s, "")), "\n")
	}
	recs := sinktest.Rich()
	coloured(t)
	colour := render(t, Options{Width: 400}, recs...)
	plain(t)
	if diff := cmp.Diff(words(render(t, Options{Width: 400}, recs...)), words(colour)); diff != "" {
		t.Errorf("(-plain +coloured):\n%s", diff)
	}
}

func TestSuppressedAreCounted(t *testing.T) {
	plain(t)
	suppressed := func(detection, exclusion string) besra.Record {
		return besra.Record{Type: besra.RecordFinding, Finding: &besra.Finding{Verdict: besra.VerdictSuppressed,
			Detection: besra.DetectionRef{ID: detection}, Suppression: &besra.Suppression{Exclusion: exclusion, Scenario: "s"}}}
	}
	summary := besra.Record{Type: besra.RecordSummary, Summary: &besra.Summary{}}
	got := render(t, Options{}, suppressed("d", "x"), suppressed("d", "x"), suppressed("e", "x"), summary, suppressed("d", "x"))
	want := `3 suppressed by 2 exclusions (--show-suppressed shows them)
  2  d/x (s)
  1  e/x (s)

1 suppressed by 1 exclusion (--show-suppressed shows them)
  1  d/x (s)
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGaps(t *testing.T) {
	plain(t)
	gap := func(k besra.GapKind, target besra.Text, reason, detail string, n int64) besra.Record {
		return besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{Kind: k, Target: target, Reason: reason, Detail: detail, Count: n}}
	}
	got := render(t, Options{},
		gap(besra.GapError, "/a  b", "permission", "permission denied", 1),
		gap(besra.GapError, "/c", "permission", "", 0),
		gap(besra.GapError, "/d", "permission", "", 1),
		gap(besra.GapError, "/e", "permission", "", 1),
		gap(besra.GapError, "/f", "io", "read /f: input/output error\nagain", 1),
		gap(besra.GapContent, "r.yar", "a rather long reason, longer than the column", "line 1: no", 12),
		gap(besra.GapSkip, "/s", "socket", "", 2),
		gap(besra.GapSkip, "/s", "", "", 5))
	want := `GAPS  17 errors
  12 a rather long reason, longer than the column
                                r.yar
                                line 1: no
                                and 11 more
   4 permission                 /a  b
                                /c
                                /d
                                and 1 more
   1 io                         read /f: input/output error again

7 skipped on purpose: skip 5, socket 2
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMemoryIsBounded wants that a tally does not grow with what it counts.
func TestMemoryIsBounded(t *testing.T) {
	tl := newTally()
	for i := range 2 * maxGroups {
		tl.add(fmt.Sprint(i), 1, example{name: "x"})
		tl.add("same", 1, example{name: "x"})
	}
	if len(tl.groups) > maxGroups+1 || len(tl.groups["same"].examples) > maxExamples {
		t.Errorf("%d groups, %d examples", len(tl.groups), len(tl.groups["same"].examples))
	}
	if tl.total != 4*maxGroups || tl.groups["same"].count != 2*maxGroups {
		t.Errorf("counted %d of %d", tl.total, 4*maxGroups)
	}
}

// TestLongListsAreCut wants the rest of a long list counted.
func TestLongListsAreCut(t *testing.T) {
	plain(t)
	var recs []besra.Record
	for i := range maxListed + 2 {
		recs = append(recs,
			besra.Record{Type: besra.RecordFinding, Finding: &besra.Finding{Verdict: besra.VerdictSuppressed, Suppression: &besra.Suppression{Exclusion: fmt.Sprint("x", i)}}},
			besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{Kind: besra.GapError, Reason: fmt.Sprint("e", i)}},
			besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{Kind: besra.GapSkip, Reason: fmt.Sprint("s", i)}})
	}
	got := render(t, Options{Width: 1000}, recs...)
	for _, want := range []string{"22 suppressed by 22 exclusions", "  and 2 more exclusions\n", "GAPS  22 errors\n", "  and 2 more reasons\n", ", 2 more reasons\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	var run besra.Run
	run.Targets = []besra.Text{"/a", "/b", "/c", "/d", "/e"}
	if got := render(t, Options{}, besra.Record{Type: besra.RecordRun, Run: &run}); !strings.HasPrefix(got, "Hunt of /a, /b, /c, 2 more · 0 rules") {
		t.Errorf("got %s", got)
	}
}

func TestExcerpt(t *testing.T) {
	plain(t)
	key := byte(0x20)
	tests := []struct {
		m    besra.Match
		room int
		want string
	}{
		{besra.Match{Length: 3, Before: []byte("ab"), Data: []byte("MAT"), After: []byte("yz")}, 40, "0x0  ab‹MAT›yz"},
		{besra.Match{Length: 3, Before: []byte("0123456789"), Data: []byte("MAT"), After: []byte("0123456789")}, 16, "0x0  …6789‹MAT›0123…"},
		{besra.Match{Length: 3, Data: []byte("MAT"), After: []byte("0123456789")}, 16, "0x0  ‹MAT›01234567…"},
		{besra.Match{Length: 9, Data: []byte("0123456789abcdef")}, 16, "0x0  ‹0123456789a›"},
		{besra.Match{Length: 16, Data: []byte("0123456789abcdef")}, 16, "0x0  ‹0123456789a…›"},
		{besra.Match{Length: 2000, Data: []byte("0123")}, 40, "0x0  ‹0123…›  2.0 KiB in all"},
		{besra.Match{Offset: 255, Length: 2, Data: []byte("a\n\x00b"), XorKey: &key}, 40, "0xff  ‹A* B›  xor 0x20"},
		{besra.Match{Length: 4, Before: []byte{1}, Data: []byte("\x00\xffA\x01"), After: []byte("B")}, 40, "0x0  01‹00 ff 41 01›42  ···A·B"},
		{besra.Match{Length: 8, Data: []byte{0, 1, 2, 3, 4, 5, 6, 7}}, 16, "0x0  ‹00 01…›  ··"},
		{besra.Match{Before: []byte("a"), After: []byte("b")}, 40, "0x0  a‹›b"},
		{besra.Match{Length: 7, Data: []byte("abcd é›")}, 40, "0x0  ‹abcd ·····›"},
	}
	for _, tt := range tests {
		p := newPage(io.Discard, margin+labelWidth+tt.room+len(offset(tt.m))+2)
		p.match("$a", tt.m, 0, nil)
		got := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(p.take()), "$a"))
		if got != tt.want {
			t.Errorf("%+v in %d columns:\ngot  %s\nwant %s", tt.m, tt.room, got, tt.want)
		}
	}
}

// FuzzTable puts hostile text everywhere and wants that nothing of it reaches
// the terminal as a control, and that no line or colour can be forged.
func FuzzTable(f *testing.F) {
	f.Add("/tmp/\x1b[2J", "t\u202eitle", []byte("\x1b[31m"), "alert", 80)
	f.Add("a\nALERT  high  /etc", "\u009b1m", []byte{0xff, 0, 0x80}, "\x1b[1m", 1)
	f.Add(strings.Repeat("\xff", 3000), "‹›", []byte("‹›"), "suppressed", 140)
	f.Fuzz(func(t *testing.T, target, text string, data []byte, word string, width int) {
		key := byte(len(data))
		fd := &besra.Finding{Verdict: besra.Verdict(word), Severity: besra.Severity(text), AuthorSeverity: besra.Severity(word),
			Detection: besra.DetectionRef{ID: text, Title: text}, Target: besra.TargetRef{Name: besra.Text(target), Context: besra.Context(word), Size: int64(width), SHA256: text},
			Rule: besra.RuleRef{Name: target, Author: text, License: word, Meta: []besra.Meta{{Key: "reference", Value: besra.Text(text)}}},
			Patterns: []besra.PatternHits{{ID: text, Count: width, Matches: []besra.Match{{Offset: int64(width), Length: int64(width), Before: data, Data: data, After: data},
				{Length: int64(len(data)), Data: data, XorKey: &key}}}},
			Suppression: &besra.Suppression{Exclusion: target, Scenario: text, Owner: word, Reason: text, Ticket: word, Expires: text},
			Decisions: []besra.Decision{{Exclusion: target, Outcome: besra.OutcomeUnknown, Missing: []string{text}}, {Exclusion: target, Outcome: besra.OutcomeTrue, Why: text},
				{Effect: besra.EffectAnnotate, Outcome: besra.OutcomeTrue, Why: text}, {Outcome: besra.OutcomeError, Why: target}}}
		recs := []besra.Record{
			{Type: besra.RecordRun, Run: &besra.Run{Host: text, Targets: []besra.Text{besra.Text(target)}, Packs: []besra.PackRef{{Name: text, Version: word}}}},
			{Type: besra.RecordFinding, Finding: fd},
			{Type: besra.RecordGap, Gap: &besra.Gap{Kind: besra.GapError, Target: besra.Text(target), Reason: word, Detail: text, Count: int64(width)}},
			{Type: besra.RecordGap, Gap: &besra.Gap{Kind: besra.GapSkip, Reason: text}},
		}
		for _, env := range []func(testing.TB){plain, coloured} {
			env(t)
			out := render(t, Options{Width: width, ShowSuppressed: true}, recs...)
			if _, err := check([]byte(out)); err != nil {
				t.Errorf("%v in %q", err, out)
			}
			heads := 0
			for line := range strings.Lines(sgr.ReplaceAllString(out, "")) {
				if !strings.HasPrefix(line, "  ") && line != "\n" {
					heads++
				}
			}
			if heads != 4 { // the run, the finding, the gaps, the skips
				t.Errorf("%d lines at the left edge, want 4 in\n%s", heads, out)
			}
		}
	})
}
