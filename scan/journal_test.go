package scan

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

func journalOf(t *testing.T) (string, *Journal) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ckpt")
	j, err := CreateJournal(name, Opening{Run: besra.Run{ID: "r"}, Args: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	return name, j
}

func gapRecord(name string) besra.Record {
	return besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{Kind: besra.GapError, Target: besra.Text(name), Reason: "io", Count: 1}}
}

// notedGaps lists the targets of the records that count.
func notedGaps(t *testing.T, j *Journal) (names []string) {
	t.Helper()
	for rec, err := range j.records() {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, string(rec.Gap.Target))
	}
	return names
}

// TestJournalTorn cuts a journal at every byte: what is left is what whole
// frames said, and the run can go on from there.
func TestJournalTorn(t *testing.T) {
	name, j := journalOf(t)
	for i := range 4 {
		if err := errors.Join(j.record(Key{byte(i)}, gapRecord(strconv.Itoa(i))), j.done(Key{byte(i)}, part{1, 10, 0}), j.write()); err != nil {
			t.Fatal(err)
		}
	}
	first := int(j.past.done.bytes)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	last, cut := 0, filepath.Join(t.TempDir(), "cut")
	for n := first; n <= len(whole); n++ {
		if err := os.WriteFile(cut, append(bytes.Clone(whole[:n]), make([]byte, n%3)...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(cut)
		if errors.Is(err, ErrNoJournal) && last == 0 {
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if j.Done() < last || len(notedGaps(t, j)) != j.Done() {
			t.Fatalf("cut at %d: %d targets are done, %d before, %d records", n, j.Done(), last, len(notedGaps(t, j)))
		}
		last = j.Done()
		j.file.Close()
	}
	if last != 4 {
		t.Errorf("the whole journal has %d targets done, want 4", last)
	}
}

// TestJournalParts holds that records of a target count only where it was done
// in the same part of the run.
func TestJournalParts(t *testing.T) {
	name, j := journalOf(t)
	j.record(Key{1}, gapRecord("under way"))
	j.record(Key{2}, gapRecord("done"))
	j.done(Key{2}, part{3, 30, 1})
	if err := j.keep(time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(name); err == nil {
		t.Error("a journal in use was opened a second time")
	}
	j.Close()
	j, err := OpenJournal(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := notedGaps(t, j); !slices.Equal(got, []string{"done"}) {
		t.Errorf("records of the first part: %q", got)
	}
	if j.past.done.targets != 3 || j.past.done.bytes != 30 || j.past.elapsed != time.Minute || j.Opening().Run.ID != "r" {
		t.Errorf("got %+v", j.past)
	}
	j.record(Key{1}, gapRecord("again"))
	j.done(Key{1}, part{1, 1, 0})
	j.Close()
	if j, err = OpenJournal(name); err != nil {
		t.Fatal(err)
	}
	if got := notedGaps(t, j); !slices.Equal(got, []string{"done", "again"}) {
		t.Errorf("records of both parts: %q", got)
	}
	if err := j.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Error("a removed journal is still there")
	}
}

// TestResumeLeavesOutWhatIsDone interrupts a hunt at each target in turn and
// goes on with it: every target is opened to its end once.
func TestResumeLeavesOutWhatIsDone(t *testing.T) {
	set := testSet(t)
	for stop := range 6 {
		name, j := journalOf(t)
		opened := map[string]int{}
		hunt := func(j *Journal, stop int) ([]besra.Record, besra.Summary) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var targets []besra.Target
			for i := range 6 {
				target := target(strconv.Itoa(i), "", "marker")
				open := target.Open
				target.Open = func(ctx context.Context) (besra.Content, error) {
					if i == stop {
						cancel()
						return nil, ctx.Err()
					}
					opened[target.Name]++
					return open(ctx)
				}
				targets = append(targets, target)
			}
			k, before := &keep{}, &keep{}
			h := &Hunt{Set: set, Sink: k, Source: list{targets: targets}, Journal: j, Earlier: before}
			sum, err := h.Execute(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return append(k.records, before.records...), sum
		}
		if _, sum := hunt(j, stop); !sum.Interrupted {
			t.Errorf("stopped at %d: the run is not interrupted", stop)
		}
		j.Close()
		j, err := OpenJournal(name)
		if err != nil {
			t.Fatal(err)
		}
		records, sum := hunt(j, -1)
		found := map[string]int{}
		for _, r := range records {
			if r.Finding != nil {
				found[string(r.Finding.Target.Name)]++
			}
		}
		for i := range 6 {
			if n := strconv.Itoa(i); opened[n] != 1 || found[n] != 1 {
				t.Errorf("stopped at %d: target %s was opened %d times and found %d times", stop, n, opened[n], found[n])
			}
		}
		if sum.Targets != 6 || sum.Matches != 6 || sum.Interrupted {
			t.Errorf("stopped at %d: %+v", stop, sum)
		}
	}
}

// TestJournalFails holds that a journal that cannot be written stops the run
// with an error, and stays as it was.
func TestJournalFails(t *testing.T) {
	name, j := journalOf(t)
	j.file.Close()
	h := &Hunt{Set: testSet(t), Sink: &keep{}, Source: list{targets: []besra.Target{target("a", "", "marker")}}, Journal: j, Earlier: &keep{}}
	if sum, err := h.Execute(context.Background()); err == nil || sum.Complete {
		t.Errorf("got %v, complete %v: want an error", err, sum.Complete)
	}
	j, err := OpenJournal(name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if j.Done() != 0 {
		t.Errorf("%d targets are done", j.Done())
	}
}

func FuzzJournal(f *testing.F) {
	name := filepath.Join(f.TempDir(), "ckpt")
	j, err := CreateJournal(name, Opening{})
	if err != nil {
		f.Fatal(err)
	}
	j.record(Key{1}, gapRecord("x"))
	j.done(Key{1}, part{1, 2, 0})
	j.Close()
	seed, _ := os.ReadFile(name)
	f.Add(seed)
	f.Add(seed[:len(seed)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		var p past
		end, err := p.read(bytes.NewReader(b))
		if end < 0 || end > int64(len(b)) {
			t.Errorf("ends at %d of %d bytes, %v", end, len(b), err)
		}
		for len(b) > 0 {
			_, n := parseEntry(b)
			if n <= 0 || n > len(b) {
				break
			}
			b = b[n:]
		}
	})
}
