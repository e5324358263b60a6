package site

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/besra-hunt/besra/detection"
)

// demo is a pack with a rule that tries to break out of the page.
func demo(t *testing.T) *Site {
	t.Helper()
	rule := "rule One {\n  meta:\n    description = \"</script><script>alert(1)</script>\"\n    mitre_att = \"T1059.001\"\n" +
		"    reference = \"https://x.example/<b>\"\n  strings:\n    $a = \"<script>alert(2)</script>\"\n  condition:\n    $a\n}\n" +
		"rule Two { strings: $b = \"second marker\" condition: $b }\n"
	p, errs := detection.LoadPack("demo", fstest.MapFS{"a.yar": {Data: []byte(rule)}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s, faults := New("Demo", p)
	if len(faults) > 0 || len(s.Pages) != 2 {
		t.Fatalf("%d pages, %v", len(s.Pages), faults)
	}
	return s
}

var outside = regexp.MustCompile(`(?:src|@import|url\(|<link[^>]*href)=?["'(]?\s*(?:https?:)?//`)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := demo(t).Write(dir); err != nil {
		t.Fatal(err)
	}
	files := 0
	filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if outside.Match(text) {
			t.Errorf("%s asks for something outside of the site", name)
		}
		if strings.Contains(string(text), "<script>alert(") {
			t.Errorf("%s holds a rule's markup as it is", name)
		}
		return nil
	})
	if files != 8 {
		t.Errorf("%d files, want 8", files)
	}
	page, err := os.ReadFile(filepath.Join(dir, "d", "a-2.html"))
	if err != nil || !strings.Contains(string(page), "rule Two {") {
		t.Errorf("the second rule's page: %v", err)
	}
}

func TestLayer(t *testing.T) {
	text, err := json.Marshal(Layer("Demo", demo(t).Pages))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"techniqueID":"T1059.001","score":1`, `"domain":"enterprise-attack"`, `"attack":"17"`, `"layer":"4.5"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

func TestMatrix(t *testing.T) {
	for _, c := range Matrix(demo(t).Pages) {
		if want := c.Tactic.ID == "TA0002"; want != (len(c.Cells) == 1) || c.Of == 0 {
			t.Errorf("%s: %d covered of %d", c.Tactic.ID, len(c.Cells), c.Of)
		}
	}
}
