package scan

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// TestIdenticalContents searches one content once wherever it lies, and judges
// each place by its own facts.
func TestIdenticalContents(t *testing.T) {
	const box = "box\na marker\nb marker\nc marker"
	got, sum := found(t, &Hunt{Set: testSet(t), Workers: 4, Expanders: []besra.Expander{lines{}}, Source: list{targets: []besra.Target{
		target("a", "bad", "xx marker"), target("b", "good", "xx marker"), target("c", "lesser", "xx marker"), target("d", "", "xx marker"),
		target("none", "", "nothing"), target("nothing", "", "nothing"), target("empty", "", ""), target("void", "", ""),
		target("box", "", box), target("copy", "", box)}}})
	want := map[string]besra.Verdict{"a": besra.VerdictAlert, "b": besra.VerdictSuppressed, "c": besra.VerdictDowngraded, "d": besra.VerdictUndecided}
	for _, b := range []string{"box", "copy"} {
		for _, name := range []string{b, b + "!a", b + "!b", b + "!c"} {
			want[name] = besra.VerdictUndecided
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d findings, want %d", len(got), len(want))
	}
	for name, v := range want {
		if f := got[name]; f.Verdict != v || string(f.Patterns[0].Matches[0].Data) != "marker" {
			t.Errorf("%s: got %v, want %v: %+v", name, f.Verdict, v, f.Patterns)
		}
	}
	// Of a to d three, of none and nothing one, of the boxes one, of their members three.
	if sum.Identical != 8 || sum.Targets != 16 {
		t.Errorf("got %d of %d targets identical, want 8 of 16", sum.Identical, sum.Targets)
	}
}

// swapping are facts of a mapped file that its owner writes to as soon as it was
// digested, and back once it was searched.
type swapping struct {
	besra.NoFacts
	mapping []byte
	first   string
	second  string
}

func (s swapping) SetContent(content []byte) {
	if content != nil {
		copy(s.mapping, s.second)
	} else {
		copy(s.mapping, s.first)
	}
}

// TestSwappedMapping holds that who can write to a mapped file cannot have one
// content digested and another searched: what is found of his file is not the
// answer to a content that it never was.
func TestSwappedMapping(t *testing.T) {
	mapping := []byte("a marker")
	his := besra.Target{Name: "his", Context: besra.ContextFile, Size: 8, Facts: swapping{mapping: mapping, first: "a marker", second: "harmless"},
		Open: func(context.Context) (besra.Content, error) { return mappedContent{mapping}, nil }}
	tar := target("tar", "", "")
	tar.Open = func(context.Context) (besra.Content, error) {
		return mappedContent{append([]byte("rest\n"), mapping...)}, nil
	}
	for _, limits := range []Limits{{}, {Held: 4}} { // small enough to be copied, and not
		copy(mapping, "a marker")
		got, sum := found(t, &Hunt{Set: testSet(t), Limits: limits, Expanders: []besra.Expander{rest{}},
			Source: list{targets: []besra.Target{his, tar, target("good", "", "a marker")}}})
		// What could not be copied was searched after he wrote to it.
		if got["good"].ID == "" || (got["tar!rest"].ID == "") != (limits.Held > 0) || sum.Errors > 0 {
			t.Errorf("%+v: found only %v", limits, got)
		}
	}
}

// rest finds what lies behind its first line, as it is.
type rest struct{}

func (rest) Kind(_ besra.Target, content []byte) string {
	if bytes.HasPrefix(content, []byte("rest\n")) {
		return "rest"
	}
	return ""
}

func (rest) Expand(_ context.Context, outer besra.Target, content []byte, _ *besra.Budget, to besra.Receiver) error {
	inner := memory(content[len("rest\n"):])
	return to.Target(besra.Target{Name: outer.Name + "!rest", Context: besra.ContextArchive, Size: int64(len(inner)),
		Facts: swapping{mapping: inner, first: "a marker", second: "harmless"},
		Open:  func(context.Context) (besra.Content, error) { return inner, nil }})
}

// TestRecallIsBounded fills a recall with answers beyond its weight: it keeps
// the newest and those that are asked for.
func TestRecallIsBounded(t *testing.T) {
	r := newRecall()
	large := &reply{Rules: []matched{{Patterns: []located{{Matches: make([]yara.Match, 10_000)}}}}}
	name := func(i int) digest { return r.digest(digestContent, fmt.Append(nil, i)) }
	for i := range 500 {
		if c := r.claim(name(i)); !c.mine {
			t.Fatalf("%d is known", i)
		} else {
			r.remember(c, large)
			c.settle()
		}
		if c := r.claim(name(0)); c.mine || c.reply != large {
			t.Fatalf("the first was asked for each time, and is gone with %d", i)
		}
	}
	if r.weight > maxWeight || len(r.young)+len(r.old) > 2*maxWeight/large.weight()+2 {
		t.Errorf("%d answers of %d bytes are kept", len(r.young)+len(r.old), large.weight())
	}
	if c := r.known(name(499)); c.recalled == nil {
		t.Error("the newest is gone")
	}
	if c := r.known(name(1)); c.recalled != nil {
		t.Error("the oldest is there")
	}
	huge := &reply{Rules: make([]matched, maxWeight/128)}
	c := r.claim(name(1000))
	r.remember(c, huge)
	if c.settle(); c.reply != nil {
		t.Error("an answer that takes all of the room is kept")
	}
}

// TestPurse holds what looking for identical contents may cost.
func TestPurse(t *testing.T) {
	const size = 1 << 20
	spent := func(search, digest time.Duration, again func(i int) bool, hit bool) (n int, cost time.Duration) {
		p := purse{}
		p.digests.add(size, digest)
		for i := range 1000 {
			digested := p.open(size) && p.allows(again(i))
			if digested {
				n++
				cost += digest
				p.spend(size, digest)
			}
			if digested && hit {
				p.save(size)
			} else {
				p.earn(size, search)
			}
		}
		return n, cost
	}
	never, always := func(int) bool { return false }, func(int) bool { return true }
	if n, _ := spent(time.Millisecond, time.Millisecond, always, true); n > 0 {
		t.Errorf("%d digests as dear as the search", n)
	}
	if n, _ := spent(2*time.Microsecond, 100*time.Nanosecond, always, true); n > 0 {
		t.Errorf("%d digests for searches of microseconds", n)
	}
	if n, cost := spent(10*time.Millisecond, time.Millisecond, never, false); n == 0 || cost > 100*time.Millisecond {
		t.Errorf("digests in vain: %d for %v, want some, and a hundredth of 10s at most", n, cost)
	}
	if n, _ := spent(10*time.Millisecond, time.Millisecond, always, true); n < 980 {
		t.Errorf("%d digests where each saves a search, want nearly all", n)
	}
	p := purse{free: freely}
	if !p.open(size) || !p.allows(false) {
		t.Error("nothing is free")
	}
	p.spend(freely, time.Second)
	if p.open(size) {
		t.Error("more is free than there was")
	}
}

// TestExternalsTellApart holds that contents are the same only where rules are told the
// same besides.
func TestExternalsTellApart(t *testing.T) {
	set := setOf(t, fstest.MapFS{"named.yar": {Data: []byte(`rule Named { condition: filename == "a.exe" }`)}})
	named := func(name string) besra.Target {
		target := target(name, "", "content")
		target.Facts = called(name[strings.LastIndexByte(name, '/')+1:])
		return target
	}
	got, sum := found(t, &Hunt{Set: set, Source: list{targets: []besra.Target{named("1/b.exe"), named("1/a.exe"), named("2/a.exe"), named("2/b.exe")}}})
	if len(got) != 2 || got["2/a.exe"].ID == "" || sum.Identical != 2 {
		t.Errorf("found %d, %d identical, want 2 and 2", len(got), sum.Identical)
	}
}

// called knows a file's name.
type called string

func (c called) Fact(_ context.Context, name string) besra.Fact {
	if name == "file.name" {
		return besra.Fact{Name: name, Value: string(c), Grade: besra.GradeVerified}
	}
	return besra.Unavailable(name, "test")
}
