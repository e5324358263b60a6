package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// finding returns a suppressed finding.
func finding(id string) *besra.Finding {
	return &besra.Finding{ID: id, Run: "r1", Time: noon, Host: "web1", Verdict: besra.VerdictSuppressed,
		Severity: besra.SeverityHigh, AuthorSeverity: besra.SeverityHigh,
		Detection:   besra.DetectionRef{ID: "d", Title: "D"},
		Target:      besra.TargetRef{Name: besra.Text("/opt/tool/" + id), Context: besra.ContextFile},
		Suppression: &besra.Suppression{Exclusion: "x", Effect: besra.EffectSuppress},
		Facts:       []besra.Fact{{Name: "file.owner.name", Value: "root", Grade: besra.GradeVerified}}}
}

func open(t *testing.T, name string) *Ledger {
	t.Helper()
	l, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func write(t *testing.T, s besra.Sink, recs ...besra.Record) {
	t.Helper()
	for _, r := range recs {
		if err := s.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func runRecord(id string) besra.Record {
	return besra.Record{Type: besra.RecordRun, Run: &besra.Run{ID: id, Host: "web1", Started: noon}}
}
func findingRecord(f *besra.Finding) besra.Record {
	return besra.Record{Type: besra.RecordFinding, Finding: f}
}
func summaryRecord() besra.Record {
	return besra.Record{Type: besra.RecordSummary, Summary: &besra.Summary{Matches: 2}}
}

// written returns the name of a ledger of one run with three findings and a
// mark: seven entries.
func written(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.ledger")
	l := open(t, name)
	s := l.Sink()
	write(t, s, runRecord("r1"), findingRecord(finding("f1")), findingRecord(finding("f2")),
		besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{}}, findingRecord(finding("f3")), summaryRecord())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Mark(Mark{Finding: "f2", Disposition: TruePositive, By: "dana"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestWhole(t *testing.T) {
	name := written(t)
	v, err := Verify(name)
	if err != nil || len(v.Problems) > 0 || len(v.Notes) > 0 {
		t.Fatalf("got %+v, %v: want a whole ledger", v, err)
	}
	if v.Entries != 7 || v.Findings != 3 || v.Marks != 1 || v.Anchors != 1 || !strings.HasPrefix(v.Head, "7:") {
		t.Errorf("got %+v", v)
	}
	h, err := Load(name)
	if err != nil || len(h.Findings) != 3 || h.Runs != 1 {
		t.Fatalf("got %+v, %v", h, err)
	}
	i, err := h.Find("f2")
	if err != nil || !i.Confirmed() || i.Finding.Facts[0].Value != besra.Text("root") || i.Mark.By != "dana" {
		t.Errorf("got %+v, %v: want the marked finding with its facts", i, err)
	}
	for _, prefix := range []string{"f", "g", ""} {
		if _, err := h.Find(prefix); err == nil {
			t.Errorf("Find(%q) found something", prefix)
		}
	}
}

func TestAppendContinues(t *testing.T) {
	name := written(t)
	l := open(t, name)
	write(t, l.Sink(), runRecord("r2"), findingRecord(finding("f1")))
	if head, n := l.Head(); head.Seq != 9 || n != 2 {
		t.Errorf("got head %v after %d appends", head, n)
	}
	l.Close()
	v, err := Verify(name)
	if err != nil || len(v.Problems) > 0 || v.Entries != 9 || fmt.Sprint(v.Notes) != "[run r2 has no summary: it was stopped, or still goes on]" {
		t.Errorf("got %+v, %v", v, err)
	}
	h, _ := Load(name)
	if i, _ := h.Find("f1"); i == nil || i.Times != 2 {
		t.Errorf("got %+v: want a finding that was made twice", i)
	}
}

// forge returns the line of an entry with its hash recomputed, as one does who
// wants to hide a change.
func forge(t *testing.T, line []byte, change func(*Entry)) []byte {
	t.Helper()
	e, err := decode(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	change(&e)
	out, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTampering wants every change of a ledger found, at its place.
func TestTampering(t *testing.T) {
	benign := func(e *Entry) { e.Record.Finding.Verdict = besra.VerdictAlert }
	tests := []struct {
		name   string
		change func(ls [][]byte) [][]byte
		want   string // of the first problem
	}{
		{"a byte of an entry", func(ls [][]byte) [][]byte {
			ls[2] = bytes.Replace(ls[2], []byte("/opt/tool/f1"), []byte("/opt/tool/f9"), 1)
			return ls
		}, "line 3 (byte OFFSET): the entry was changed after it was written: its hash does not fit"},
		{"the hash of an entry", func(ls [][]byte) [][]byte {
			ls[2] = bytes.Replace(ls[2], ls[2][len(before):len(before)+8], []byte("00000000"), 1)
			return ls
		}, "line 3 (byte OFFSET): the entry was changed"},
		{"an entry with its hash", func(ls [][]byte) [][]byte { ls[2] = forge(t, ls[2], benign); return ls },
			"line 4 (byte OFFSET): entry 4 does not continue entry 3: one of the two was replaced"},
		{"an entry taken out", func(ls [][]byte) [][]byte { return append(ls[:2], ls[3:]...) },
			"line 3 (byte OFFSET): entry 4 follows entry 2: 1 were taken out or moved"},
		{"entries swapped", func(ls [][]byte) [][]byte { ls[2], ls[3] = ls[3], ls[2]; return ls },
			"line 3 (byte OFFSET): entry 4 follows entry 2: 1 were taken out or moved"},
		{"an entry doubled", func(ls [][]byte) [][]byte { return append(ls[:3], ls[2:]...) },
			"line 4 (byte OFFSET): entry 3 is there twice"},
		{"the beginning cut off", func(ls [][]byte) [][]byte { return ls[2:] },
			"line 1 (byte OFFSET): the ledger does not begin with its opening"},
		{"the end cut off", func(ls [][]byte) [][]byte { return ls[:5] },
			"the ledger ends with entry 5 and once had entry 7: 2 were cut off at its end"},
		{"the end cut off in an entry", func(ls [][]byte) [][]byte { ls[6] = ls[6][:50]; return ls },
			"the ledger ends with entry 6 and once had entry 7: 1 were cut off at its end"},
		{"the end rewritten", func(ls [][]byte) [][]byte {
			ls[6] = forge(t, ls[6], func(e *Entry) { e.Mark.Disposition = Benign })
			return ls
		},
			"line 7 (byte OFFSET): entry 7 is not the one that was noted"},
		{"rubbish in the middle", func(ls [][]byte) [][]byte { ls[3] = []byte("rubbish\n"); return ls },
			"line 4 (byte OFFSET): the line is not an entry of a ledger"},
		{"no line end in the middle", func(ls [][]byte) [][]byte { ls[3] = bytes.TrimSpace(ls[3]); return ls },
			"line 4 (byte OFFSET): the entry was changed"},
	}
	for _, tt := range tests {
		name := written(t)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		ls := bytes.SplitAfter(text, []byte("\n"))
		changed := bytes.Join(tt.change(ls[:len(ls)-1]), nil)
		if err := os.WriteFile(name, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(name)
		if err != nil || len(v.Problems) == 0 {
			t.Errorf("%s: got %+v, %v: want a problem", tt.name, v, err)
			continue
		}
		p := v.Problems[0]
		if want := strings.Replace(tt.want, "OFFSET", fmt.Sprint(p.Offset), 1); !strings.HasPrefix(p.Error(), want) {
			t.Errorf("%s: got %v, want %s", tt.name, v.Problems, want)
		}
		if at := bytes.Count(changed[:p.Offset], []byte("\n")) + 1; p.Line > 0 && at != p.Line {
			t.Errorf("%s: byte %d is on line %d, not %d", tt.name, p.Offset, at, p.Line)
		}
		var damaged *DamagedError
		if _, err := Load(name); !errors.As(err, &damaged) {
			t.Errorf("%s: Load gave %v", tt.name, err)
		}
	}
}

// TestAnchor wants a ledger that was rewritten with its head found by a head
// that was noted elsewhere.
func TestAnchor(t *testing.T) {
	name, other := written(t), written(t)
	v, err := Verify(name)
	if err != nil {
		t.Fatal(err)
	}
	noted, err := ParseHead(v.Head[:2+16])
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(name, noted); err != nil || len(v.Problems) > 0 || v.Anchors != 2 {
		t.Errorf("got %+v, %v", v, err)
	}
	if v, err := Verify(other, noted); err != nil || len(v.Problems) != 1 || !strings.Contains(v.Problems[0].Message, "rewritten") {
		t.Errorf("got %+v, %v: want the other ledger refused", v, err)
	}
	for _, text := range []string{"", "7", "7:", "x:0123456789abcdef", "0:0123456789abcdef", "7:0123456789abcdeF", "7:0123"} {
		if _, err := ParseHead(text); err == nil {
			t.Errorf("ParseHead(%q) gave no error", text)
		}
	}
}

// TestTornTail cuts the file at every byte of the last entry, and wants the next
// append to tell and to lose nothing else.
func TestTornTail(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.ledger")
	l := open(t, name)
	write(t, l.Sink(), runRecord("r1"))
	l.Close()
	committed, _ := os.ReadFile(name)
	l = open(t, name)
	write(t, l.Sink(), findingRecord(finding("f1")))
	whole, _ := os.ReadFile(name)
	l.file.Close() // as a kill does: the head is not noted
	for n := len(committed); n < len(whole); n += 1 + len(whole)/200 {
		if err := os.WriteFile(name, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, name)
		torn := n - len(committed)
		if r := l.Recovered(); (torn > 0) != (len(r) == 1) || torn > 0 && r[0].Bytes != int64(torn) {
			t.Fatalf("cut at byte %d: recovered %+v, want %d bytes", n, r, torn)
		}
		write(t, l.Sink(), findingRecord(finding("f2")))
		l.Close()
		v, err := Verify(name)
		if err != nil || len(v.Problems) > 0 || v.Findings != 1 {
			t.Fatalf("cut at byte %d: got %+v, %v", n, v, err)
		}
		os.Remove(HeadFile(name))
	}
}

// TestTornOpening kills the first append at every byte.
func TestTornOpening(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.ledger")
	open(t, name).Close()
	whole, _ := os.ReadFile(name)
	for n := range whole {
		os.Remove(HeadFile(name))
		if err := os.WriteFile(name, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		open(t, name).Close()
		if v, err := Verify(name); err != nil || len(v.Problems) > 0 || v.Entries != 1 {
			t.Fatalf("cut at byte %d: got %+v, %v", n, v, err)
		}
	}
}

// TestNotALedger wants files that hold something else left alone.
func TestNotALedger(t *testing.T) {
	for _, text := range []string{"hello", "hello\n", `{"type":"run","v":"besra/v1"}` + "\n", "\n", strings.Repeat("x", 5000), `{"hash":"` + strings.Repeat("0", 64) + `","seq":1}` + "\n"} {
		name := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(name); err == nil {
			t.Errorf("Open took %.20q", text)
		}
		if v, err := Verify(name); err == nil && len(v.Problems) == 0 {
			t.Errorf("Verify took %.20q", text)
		}
		if got, _ := os.ReadFile(name); string(got) != text {
			t.Errorf("%.20q became %.20q", text, got)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("Open took a directory")
	}
	if _, err := Verify(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("Verify found what is not there")
	}
}

// TestOpenNoticesTheCutEnd wants a hunt refused where the ledger has lost entries.
func TestOpenNoticesTheCutEnd(t *testing.T) {
	name := written(t)
	text, _ := os.ReadFile(name)
	cut := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	if err := os.WriteFile(name, text[:cut], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name); !errors.Is(err, ErrTruncated) {
		t.Errorf("got %v, want %v", err, ErrTruncated)
	}
	os.Remove(name)
	if _, err := Open(name); err == nil {
		t.Error("a new ledger was begun in the place of one whose head is there")
	}
}

func TestFileReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.ledger")
	l := open(t, name)
	if err := os.Rename(name, name+".old"); err != nil {
		t.Skip(err) // a file in use cannot be renamed on Windows
	}
	if err := l.Mark(Mark{Finding: "f", Disposition: Benign}); err == nil {
		t.Error("an entry was appended to a file that is no longer there")
	}
}

// TestManyWriters lets several handles append at once.
func TestManyWriters(t *testing.T) {
	const writers, each = 8, 50
	name := filepath.Join(t.TempDir(), "x.ledger")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			l, err := Open(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			s := l.Sink()
			for n := range each {
				if err := s.Write(t.Context(), findingRecord(finding(fmt.Sprintf("w%d-%d", w, n)))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	v, err := Verify(name)
	if err != nil || len(v.Problems) > 0 || v.Findings != writers*each || v.Anchors != 1 {
		t.Errorf("got %+v, %v", v, err)
	}
	h, err := Load(name)
	if err != nil || len(h.Findings) != writers*each {
		t.Errorf("got %v", err)
	}
}

func TestMarkIsChecked(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "x.ledger"))
	for _, m := range []Mark{{Finding: "f"}, {Finding: "f", Disposition: "maybe"}, {Disposition: Benign}} {
		if err := l.Mark(m); err == nil {
			t.Errorf("%+v was taken", m)
		}
	}
	if err := l.Mark(Mark{Finding: "f", Disposition: Benign}); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "x.ledger"))
	s := l.Sink()
	if err := errors.Join(s.Close(), s.Close(), l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if s.Write(t.Context(), runRecord("r")) == nil || l.Mark(Mark{Finding: "f", Disposition: Benign}) == nil {
		t.Error("something was written after Close")
	}
}

// FuzzLines wants that any bytes can be read, and that a ledger with changed
// bytes is not taken for a whole one.
func FuzzLines(f *testing.F) {
	var whole []byte
	prev := firstPrev
	for n, e := range []Entry{{Kind: KindOpen, Opening: &Opening{Version: Version, ID: "1"}},
		{Kind: KindRecord, Run: "r", Record: &besra.Record{Type: besra.RecordFinding, Finding: finding("f1")}},
		{Kind: KindMark, Mark: &Mark{Finding: "f1", Disposition: Benign}}} {
		e.Seq, e.Prev, e.Time = int64(n+1), prev, noon
		line, err := e.encode()
		if err != nil {
			f.Fatal(err)
		}
		prev = e.Hash
		whole = append(whole, line...)
	}
	head := Head{Seq: 3, Hash: prev}
	f.Add(whole)
	f.Add(whole[:len(whole)-20])
	f.Add(bytes.Replace(whole, []byte("f1"), []byte("f2"), 1))
	f.Add([]byte("{\"hash\":\"\n\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		offset := int64(0)
		for l, err := range Lines(bytes.NewReader(b)) {
			if err != nil || l.Offset < offset {
				t.Fatalf("offset %d after %d, error %v", l.Offset, offset, err)
			}
			offset = l.Offset
		}
		v := &verifier{anchors: []Head{head}}
		err := v.read(bytes.NewReader(b))
		torn := bytes.HasPrefix(b, whole) && !bytes.Contains(b[len(whole):], []byte("\n"))
		if err == nil && len(v.v.Problems) == 0 && !torn {
			t.Errorf("taken for whole: %q", b)
		}
	})
}
