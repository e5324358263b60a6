package scan

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/google/go-cmp/cmp"
)

// mapCache is a cache in memory that counts.
type mapCache struct {
	mu         sync.Mutex
	m          map[[32]byte][]byte
	hits, puts int
}

func (c *mapCache) Get(key [32]byte) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[key]
	if ok {
		c.hits++
	}
	return v, ok
}

func (c *mapCache) Put(key [32]byte, v []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[[32]byte][]byte{}
	}
	c.m[key] = v
	c.puts++
}

func found(t *testing.T, h *Hunt) (map[string]besra.Finding, besra.Summary) {
	t.Helper()
	k := &keep{}
	h.Sink = k
	sum, err := h.Execute(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]besra.Finding{}
	for _, r := range k.records {
		if r.Finding != nil {
			f := *r.Finding
			f.Time = time.Time{}
			out[string(f.Target.Name)] = f
		}
	}
	return out, sum
}

// TestNamesOfOneFile searches a file once, and judges each of its names by its
// own facts.
func TestNamesOfOneFile(t *testing.T) {
	shared := func(name, owner string) besra.Target {
		t := target(name, owner, "xx marker")
		t.Stamp, t.Shared = "inode 1", true
		return t
	}
	other := shared("e", "")
	other.Stamp = "inode 2"
	c := &mapCache{}
	got, sum := found(t, &Hunt{Set: testSet(t), Workers: 4, Cache: discard{c},
		Source: list{targets: []besra.Target{shared("a", "bad"), shared("b", "good"), shared("c", "lesser"), shared("d", ""), other}}})
	if c.puts != 2 {
		t.Errorf("2 files of 5 names were searched %d times", c.puts)
	}
	want := map[string]besra.Verdict{"a": besra.VerdictAlert, "b": besra.VerdictSuppressed, "c": besra.VerdictDowngraded,
		"d": besra.VerdictUndecided, "e": besra.VerdictUndecided}
	for name, v := range want {
		if f := got[name]; f.Verdict != v || f.Patterns[0].Matches[0].Offset != 3 || string(f.Patterns[0].Matches[0].Data) != "marker" {
			t.Errorf("%s: got %v, want %v: %+v", name, f.Verdict, v, f.Patterns)
		}
	}
	if sum.Targets != 5 || sum.Bytes != 45 {
		t.Errorf("got %+v", sum)
	}
}

// discard counts what is put and keeps none of it.
type discard struct{ *mapCache }

func (discard) Get([32]byte) ([]byte, bool) { return nil, false }

// TestOneNameFails holds that a name whose search failed says nothing of the
// others.
func TestOneNameFails(t *testing.T) {
	bad := failing("a", errors.New("gone"))
	good := target("b", "", "marker")
	bad.Stamp, bad.Shared, good.Stamp, good.Shared = "1", true, "1", true
	got, sum := found(t, &Hunt{Set: testSet(t), Source: list{targets: []besra.Target{bad, good}}})
	if len(got) != 1 || sum.Errors != 1 {
		t.Errorf("got %v and %+v", got, sum)
	}
}

// TestCache holds that a second run asks the engine nothing and says the same,
// with exclusions decided anew.
func TestCache(t *testing.T) {
	c := &mapCache{}
	targets := []besra.Target{target("a", "", "a marker and a marker"), target("b", "good", "marker"), target("none", "", "nothing")}
	hunt := func(day int) (map[string]besra.Finding, besra.Summary) {
		now := time.Date(2029, 12, day, 0, 0, 0, 0, time.UTC)
		return found(t, &Hunt{Set: testSet(t), Cache: c, Source: list{targets: targets}, Now: func() time.Time { return now }})
	}
	first, sum := hunt(1)
	puts := c.puts
	second, again := hunt(1)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("from the cache (+): %s", diff)
	}
	if c.puts != puts || puts != 3 || sum.Bytes != again.Bytes || again.Targets != 3 {
		t.Errorf("%d answers were put, %d in all; %+v", puts, c.puts, again)
	}
	if second["b"].Verdict != besra.VerdictSuppressed {
		t.Errorf("b is %v", second["b"].Verdict)
	}
	expired, _ := hunt(40) // its exclusions have lapsed
	if expired["b"].Verdict == besra.VerdictSuppressed {
		t.Error("a decision came from the cache")
	}
	for k := range c.m {
		c.m[k] = []byte(`{"Rules":[{"Name":"Gone"}]}`)
	}
	third, _ := hunt(1)
	if diff := cmp.Diff(first, third); diff != "" {
		t.Errorf("answers that fit no rule (+): %s", diff)
	}
}

// changedAt knows when a file was changed.
type changedAt time.Time

func (c changedAt) Fact(_ context.Context, name string) besra.Fact {
	if name == "file.ctime" {
		return besra.Fact{Name: name, Value: time.Time(c), Grade: besra.GradeVerified}
	}
	return besra.Unavailable(name, "test")
}

// TestCacheStat holds which files are not read a second time: those in which
// nothing was found, whose stamp is the same and was old enough to tell.
func TestCacheStat(t *testing.T) {
	now := time.Now()
	opened := map[string]int{}
	file := func(name, content, stamp string, changed time.Time) besra.Target {
		target := target(name, "", content)
		target.Stamp, target.Facts = stamp, changedAt(changed)
		open := target.Open
		target.Open = func(ctx context.Context) (besra.Content, error) {
			opened[name]++
			return open(ctx)
		}
		return target
	}
	old := now.Add(-time.Hour)
	c := &mapCache{}
	hunt := func(stamp string) besra.Summary {
		_, sum := found(t, &Hunt{Set: testSet(t), Cache: c, CacheStat: true, Expanders: []besra.Expander{onlyIn("box")},
			Source: list{targets: []besra.Target{file("empty", "nothing", "1", old), file("hit", "marker", "2", old),
				file("young", "nothing", "3", now), file("box", "nothing", "4", old), file("changed", "nothing", stamp, old)}}})
		return sum
	}
	first := hunt("5")
	second := hunt("6")
	want := map[string]int{"empty": 1, "hit": 2, "young": 2, "box": 2, "changed": 2}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("times opened: %s", diff)
	}
	if first.Identical != 3 || second.Identical != 5 {
		t.Errorf("%d and %d answers were known, want 3 and 5", first.Identical, second.Identical)
	}
	first.Duration, second.Duration, first.Identical, second.Identical = 0, 0, 0, 0
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("summaries: %s", diff)
	}
}

// onlyIn is an expander of targets of one name, with nothing inside.
type onlyIn string

func (o onlyIn) Kind(t besra.Target, _ []byte) string {
	if t.Name == string(o) {
		return "box"
	}
	return ""
}

func (onlyIn) Expand(context.Context, besra.Target, []byte, *besra.Budget, besra.Receiver) error {
	return nil
}

// TestMappedContent holds that what others can change is not vouched for.
func TestMappedContent(t *testing.T) {
	c := &mapCache{}
	large := make(memory, maxCopied+1)
	small := memory("a marker")
	mapped := func(name string, m memory) besra.Target {
		return besra.Target{Name: name, Context: besra.ContextFile, Size: int64(len(m)), Facts: besra.NoFacts{},
			Open: func(context.Context) (besra.Content, error) { return mappedContent{m}, nil }}
	}
	got, sum := found(t, &Hunt{Set: testSet(t), Cache: c, Source: list{targets: []besra.Target{mapped("large", large), mapped("small", small)}}})
	if c.puts != 1 || len(got) != 1 || sum.Targets != 2 {
		t.Errorf("%d answers were put, %d found, %+v", c.puts, len(got), sum)
	}
}
