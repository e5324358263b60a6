package files

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/besra-hunt/besra"
)

// noted is a receiver that remembers names.
type noted struct {
	mu      sync.Mutex
	targets []string
	gaps    map[string]int64
}

func (n *noted) Target(t besra.Target) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.targets = append(n.targets, filepath.Base(t.Name))
	return nil
}

func (n *noted) Gap(g besra.Gap) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.gaps == nil {
		n.gaps = map[string]int64{}
	}
	n.gaps[g.Reason] += g.Count
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b c", "sub/d", "sub/e"} {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(names ...string) (list []string) {
		for _, n := range names {
			list = append(list, filepath.Join(dir, n))
		}
		return list
	}
	for _, test := range []struct {
		name, text string
		want       []string
		missing    int64
	}{
		{"lines", strings.Join(at("a", "b c", "sub"), "\n") + "\n", []string{"a", "b c", "d", "e"}, 0},
		{"no end", strings.Join(at("a", "b c"), "\n"), []string{"a", "b c"}, 0},
		{"NUL", strings.Join(at("a", "sub/d", "b c"), "\x00") + "\x00", []string{"a", "b c", "d"}, 0},
		{"gone", strings.Join(at("a", "gone"), "\n") + "\n\n", []string{"a"}, 1},
		{"empty", "", nil, 0},
		{"many", strings.Repeat(at("a")[0]+"\n", 3*listed), []string{"a", "a", "a"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &List{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(test.text)), nil }}
			var n noted
			if err := l.Run(context.Background(), &n); err != nil {
				t.Fatal(err)
			}
			slices.Sort(n.targets)
			if !slices.Equal(n.targets, test.want) || n.gaps[ReasonNotFound] != test.missing {
				t.Errorf("got %q and %v, want %q and %d not found", n.targets, n.gaps, test.want, test.missing)
			}
		})
	}
	l := &List{Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", maxListed+1))), nil
	}}
	if err := l.Run(context.Background(), &noted{}); err == nil {
		t.Error("a path without end is no error")
	}
}

// TestOwn holds that what the run writes is left out, by whichever name it is
// given, there or not.
func TestOwn(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "out.ndjson", "evidence/x.zip"} {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, root := range []string{"", dir} {
		c := Config{Root: root, Paths: []string{dir}, Own: []string{"out.ndjson", "evidence", "later", "nowhere/x"}}
		if root != "" {
			c.Paths = []string{"/"}
		}
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile("later", nil, 0o644)
		var n noted
		if err := s.Run(context.Background(), &n); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(n.targets, []string{"a"}) || n.gaps[ReasonOwn] != 3 {
			t.Errorf("root %q: got %q and %v, want a, and 3 of its own", root, n.targets, n.gaps)
		}
	}
}
