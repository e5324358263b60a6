package diff

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara"
)

var (
	cases  = flag.Int("cases", 0, "how many cases to compare; 0 skips the comparison")
	seed   = flag.Uint64("seed", 1, "the first seed")
	most   = flag.Int("most", 5, "how many differences to minimise, at most")
	keep   = flag.String("keep", "", "write minimised differences to this `directory`")
	raw    = flag.Bool("raw", false, "do not minimise")
	with   = flag.String("with", "", "the oracles to ask, of command, node, yara, yara_x; all that are at hand by default")
	python = flag.String("python", cmp.Or(os.Getenv("YARA_PYTHON"), "python3"), "the Python `interpreter` that has the modules yara and yara_x")
	yaraxD = flag.String("yarax", os.Getenv("YARAX_NODE_DIR"), "`directory` whose node_modules has @virustotal/yara-x")
	update = flag.Bool("update", false, "rewrite the wanted answers of testdata")
)

// oracles starts those that are asked for and at hand: the command yara,
// YARA-X in node, and what the Python interpreter has of both.
func oracles(t *testing.T) []Oracle {
	t.Helper()
	all := []struct {
		name    string
		dialect yara.Dialect
		open    func() (Engine, error)
	}{
		{"command", yara.LibYARA, func() (Engine, error) { return NewLibYARA(t.TempDir()) }},
		{"node", yara.YARAX, func() (Engine, error) { return NewYARAX(*yaraxD) }},
		{"yara", yara.LibYARA, func() (Engine, error) { return NewPython(*python, "yara") }},
		{"yara_x", yara.YARAX, func() (Engine, error) { return NewPython(*python, "yara_x") }},
	}
	var list []Oracle
	for _, o := range all {
		if *with != "" && !slices.Contains(strings.Split(*with, ","), o.name) {
			continue
		}
		e, err := o.open()
		if err != nil {
			t.Log(err)
			continue
		}
		if c, ok := e.(io.Closer); ok {
			t.Cleanup(func() { _ = c.Close() })
		}
		list = append(list, Oracle{e, o.dialect})
	}
	if len(list) == 0 {
		t.Skip("no oracle is at hand")
	}
	return list
}

// TestDiff compares with the oracles that are installed:
//
//	YARA_PYTHON=… YARAX_NODE_DIR=… go test ./yara/yaratest/diff -run TestDiff -cases 200000 -seed 1 -timeout 0
//
// It is asked for, and no part of every run: which differences are known
// depends on the release of yara that happens to be installed.
func TestDiff(t *testing.T) {
	if *cases == 0 {
		t.Skip("no -cases given")
	}
	r := &Runner{Oracles: oracles(t)}
	shown := make(map[string]int)
	for s := *seed; r.Tally.Cases < *cases; s++ {
		found, err := r.Run(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			key := fmt.Sprint(d.Seed, d.Oracle.Name(), d.Kind)
			if shown[key]++; shown[key] > 1 {
				continue
			}
			if shown["all"]++; shown["all"] > *most {
				continue
			}
			show(t, d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tally.Explained)) {
		t.Logf("explained: %s: %d", name, r.Tally.Explained[name])
	}
	t.Logf("%d sets, %d cases, %d pairs compared (%d with matches), refused: %v; %d differences",
		r.Tally.Sets, r.Tally.Cases, r.Tally.Pairs, r.Tally.Matched, r.Tally.Refused, shown["all"])
}

func show(t *testing.T, d Difference) {
	if !*raw {
		small, err := Minimise(d, 1500)
		if err != nil {
			t.Fatal(err)
		}
		d = small
	}
	t.Errorf("seed %d, %s, %s: %s\n%s\ndata %q", d.Seed, d.Oracle.Name(), d.Kind, d.What, d.Set, d.Data)
	if *keep == "" {
		return
	}
	c := &CaseFile{
		Note:  fmt.Sprintf("Seed %d: %s differs in %s.", d.Seed, d.Oracle.Name(), d.Kind),
		Rules: d.Set.String(), Data: d.Data, Want: map[yara.Dialect]string{d.Oracle.Dialect: d.Theirs.Text()},
	}
	if err := os.MkdirAll(*keep, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(*keep, fmt.Sprintf("%d-%s.txt", d.Seed, d.Oracle.Name()))
	if err := os.WriteFile(name, []byte(c.String()), 0o644); err != nil {
		t.Error(err)
	}
}

// TestKept runs the cases that were found once.
func TestKept(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("got %d cases and %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ReadCase(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, d := range []yara.Dialect{yara.YARAX, yara.LibYARA} {
			want, ok := c.Want[d]
			for _, b := range []Besra{{Dialect: d}, {Dialect: d, AllMatches: true}, {Dialect: d, Roundtrip: true}} {
				if got := b.answer(c.Rules, [][]byte{c.Data}).Text(); *update {
					c.Want[d] = got
				} else if ok && got != want {
					t.Errorf("%s, %+v:\ngot\n%swant\n%s", name, b, got, want)
				}
			}
		}
		if *update {
			if err := os.WriteFile(name, []byte(c.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
