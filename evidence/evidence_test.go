package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/archive"
)

func open(t *testing.T, c Config) *Collector {
	t.Helper()
	e, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func item(name, content string) Item {
	return Item{Run: "r", Host: "h", Target: besra.TargetRef{Name: besra.Text(name), Context: besra.ContextFile},
		Content: []byte(content), Findings: []*besra.Finding{{ID: "f-" + name, Verdict: besra.VerdictAlert}}}
}

// opened is a receiver that opens members.
type opened struct {
	t    *testing.T
	text []string
	errs []error
}

func (o *opened) Target(t besra.Target) error {
	c, err := t.Open(context.Background())
	if err != nil {
		o.errs = append(o.errs, err)
		return nil
	}
	defer c.Close()
	_, name, _ := strings.Cut(t.Name, "!")
	o.text = append(o.text, name+" "+string(c.Bytes()))
	return nil
}
func (o *opened) Gap(besra.Gap) {}

func unzip(t *testing.T, name, password string) *opened {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o := &opened{t: t}
	outer := besra.Target{Name: name, Context: besra.ContextFile, Facts: besra.NoFacts{}}
	budget := &besra.Budget{Members: 10, Bytes: 1 << 30, Member: 1 << 30}
	if err := archive.New(archive.Config{Passwords: []string{password}}).Expand(context.Background(), outer, raw, budget, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func entries(t *testing.T, dir string) (list []Entry) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, Manifest))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// TestCollect keeps each content once, under its password, and notes every
// target.
func TestCollect(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "evidence")
	e := open(t, Config{Dir: dir})
	content := strings.Repeat("a marker ", 100_000)
	var all sync.WaitGroup
	for _, i := range []Item{item("one", content), item("two", content), item("empty", ""), item("other", "x")} {
		all.Go(func() {
			if err := e.Collect(i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list := entries(t, dir)
	if copies, targets := e.Kept(); copies != 3 || targets != 4 || len(list) != 4 {
		t.Errorf("%d copies of %d targets, %d lines: want 3, 4 and 4", copies, targets, len(list))
	}
	for _, m := range list {
		o := unzip(t, filepath.Join(dir, m.File), "infected")
		if len(o.text) != 1 || len(o.errs) > 0 || !strings.HasPrefix(o.text[0], m.SHA256+" ") || len(o.text[0]) != 65+int(m.Size) {
			t.Errorf("%s: got %d members, %v", m.Target, len(o.text), o.errs)
		}
		if m.Found[0].ID != "f-"+string(m.Target) || m.File != m.SHA256+".zip" || len(m.SHA1) != 40 || len(m.MD5) != 32 {
			t.Errorf("manifest: %+v", m)
		}
		if o := unzip(t, filepath.Join(dir, m.File), "wrong"); len(o.errs) == 0 && m.Size > 0 {
			t.Errorf("%s opens with another password", m.Target)
		}
	}
	raw, _ := os.ReadFile(filepath.Join(dir, list[0].File))
	if bytes.Contains(raw, []byte("a marker")) {
		t.Error("the content stands in the copy as it is")
	}
}

// TestLimits holds both limits, and that later runs know what is there.
func TestLimits(t *testing.T) {
	dir := t.TempDir()
	e := open(t, Config{Dir: dir, MaxSize: 100, MaxTotal: 60})
	var limit *besra.LimitError
	if err := e.Collect(item("large", strings.Repeat("x", 101))); !errors.As(err, &limit) {
		t.Errorf("got %v, want a limit", err)
	}
	if err := e.Collect(item("a", "0123456789")); err != nil {
		t.Error(err)
	}
	e = open(t, Config{Dir: dir, MaxTotal: 60})
	if err := e.Collect(item("b", "abcdefghijklmnopqrstuvwxyz")); !errors.As(err, &limit) {
		t.Errorf("got %v, want a limit", err)
	}
	if err := e.Collect(item("c", "0123456789")); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	if list := entries(t, dir); len(list) != 2 {
		t.Errorf("%d lines, want 2", len(list))
	}
}

// TestLinks puts links where the collector writes: none is followed.
func TestLinks(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // of "x"
	for _, name := range []string{sum + partial, Manifest} {
		if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	e := open(t, Config{Dir: dir})
	if err := e.Collect(item("x", "x")); err == nil {
		t.Error("a manifest that is a link is no error")
	}
	if text, _ := os.ReadFile(outside); string(text) != "mine" {
		t.Errorf("a link was followed: %q", text)
	}
	if info, err := os.Lstat(filepath.Join(dir, sum+".zip")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the copy: %v", err)
	}
}

// TestTorn begins where a killed process left off.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	e := open(t, Config{Dir: dir})
	if err := e.Collect(item("a", "a")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Manifest), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"time":"half`)
	f.Close()
	os.WriteFile(filepath.Join(dir, "00"+partial), []byte("half"), 0o600)
	e = open(t, Config{Dir: dir})
	if err := e.Collect(item("b", "b")); err != nil {
		t.Fatal(err)
	}
	if list := entries(t, dir); len(list) != 2 || list[1].Target != "b" {
		t.Errorf("got %+v", list)
	}
	if _, err := os.Stat(filepath.Join(dir, "00"+partial)); err == nil {
		t.Error("a half-written copy is still there")
	}
}

// FuzzPacked holds that what was packed comes out again.
func FuzzPacked(f *testing.F) {
	f.Add([]byte("content"), "infected")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, content []byte, password string) {
		var buf bytes.Buffer
		p := packed("x", content, time.Unix(1e9, 0))
		if err := p.write(&buf, password); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(name, buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if o := unzip(t, name, password); len(o.text) != 1 || o.text[0] != "x "+string(content) {
			t.Errorf("got %q, %v", o.text, o.errs)
		}
	})
}
