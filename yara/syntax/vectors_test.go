package syntax

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vector is what these tests need of a conformance vector.
type vector struct {
	ID      string
	Group   string
	Kind    string
	Sources [][2]string
	Opts    map[string]any
	Libyara struct {
		Agrees bool
		Code   any
	}
	YaraX struct {
		Agrees bool
		Code   any
	}
}

// vectors reads the conformance vectors, or skips the test.
func vectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open(filepath.FromSlash("../../../shared/conformance/vectors.ndjson.gz"))
	if err != nil {
		t.Skip("no conformance vectors here")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var v vector
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// exceptions are vectors whose verdict belongs to another stage.
var exceptions = map[string]string{
	"yara-x/parser#parser/for-error-1.in":      "an unknown identifier: the compiler's",
	"yara-x/parser#parser/patterns-error-4.in": "an anonymous pattern outside a for: the compiler's",
	"yara-x/parser#parser/hex-patterns-3.in":   "[0] parses in YARA-X, but neither compiles it; it is refused here",
}

// The codes of a syntax error.
const (
	libyaraSyntax = 11.0
	yaraXSyntax   = "E001"
)

// verdict tells whether a vector's text must parse, or must not; neither where
// it does not say.
func (v *vector) verdict() (parses, fails bool) {
	switch v.Kind {
	case "match", "nomatch", "compile_ok", "parse_ok":
		return v.Libyara.Agrees || v.YaraX.Agrees, false
	case "parse_error":
		return false, v.Libyara.Agrees && v.YaraX.Agrees
	case "compile_error":
		return false, v.Libyara.Code == libyaraSyntax && v.YaraX.Code == yaraXSyntax
	}
	return false, false
}

// TestVectors checks what both YARA and YARA-X say of a text: what one of
// them can use must parse, what both call a syntax error must not.
func TestVectors(t *testing.T) {
	parsing, failing := 0, 0
	done := make(map[string]bool)
	for _, v := range vectors(t) {
		parses, fails := v.verdict()
		if exceptions[v.ID] != "" {
			continue
		}
		for _, s := range v.Sources {
			f, l := Parse(&Source{Name: v.ID, Text: []byte(s[1])})
			if parses {
				parsing++
				if l.HasErrors() {
					t.Errorf("%s: got %v, want none\n%s", v.ID, l, s[1])
				} else if !done[s[1]] {
					checkPrint(t, f)
				}
				done[s[1]] = true
			}
			if fails {
				failing++
				if !l.HasErrors() {
					t.Errorf("%s: got no error\n%s", v.ID, s[1])
				}
			}
		}
	}
	if parsing < 4000 || failing < 40 {
		t.Errorf("got only %d texts that parse and %d that do not", parsing, failing)
	}
}
