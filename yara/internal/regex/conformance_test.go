package regex

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vector is one line of the shared conformance vectors: only what is used here.
type vector struct {
	ID      string
	Kind    string
	Sources [][]string
	Data    string `json:"data_b64"`
	LibYARA oracle
	YARAX   oracle
	Opts    map[string]any
}

type oracle struct {
	Matches map[string][]json.RawMessage
	Agrees  bool
	Error   bool `json:"compile_error"`
	Code    any
}

// of returns the matches of a rule's pattern as [offset, length].
func (o *oracle) of(rule, pattern string) [][2]int {
	var out [][2]int
	for _, raw := range o.Matches[rule] {
		var id string
		var at, length int
		if json.Unmarshal(raw, &[]any{&id, &at, &length}) == nil && id == pattern {
			out = append(out, [2]int{at, length})
		}
	}
	return out
}

var (
	ruleName    = regexp.MustCompile(`rule\s+(\w+)`)
	regexpInUse = regexp.MustCompile(`(\$\w*)\s*=\s*/((?:[^/\\\n]|\\.)+)/([is]*)((?:\s+(?:wide|nocase|ascii|private|fullword)\b)*)`)
)

func readVectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "conformance", "vectors.ndjson.gz"))
	if err != nil {
		t.Skip("the conformance vectors are not here")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var v vector
		if json.Unmarshal(lines.Bytes(), &v) == nil {
			out = append(out, v)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// allMatches is what a search finds, at every place.
func allMatches(m *Machine, p *Prog, data []byte) [][2]int {
	var out [][2]int
	for s := range data {
		if end, ok := m.MatchAt(p, data, s, 4096); ok {
			out = append(out, [2]int{s, end - s})
		}
	}
	return out
}

// TestConformance runs the regexps of the shared vectors, in rules of one
// pattern, where YARA and YARA-X give the same matches, and where only one of
// them accepts the rule, its matches.
func TestConformance(t *testing.T) {
	m := new(Machine)
	checked := 0
	for _, v := range readVectors(t) {
		if v.Kind != "match" && v.Kind != "nomatch" || len(v.Sources) != 1 || v.Data == "" {
			continue
		}
		src := v.Sources[0][1]
		rules, uses := ruleName.FindAllStringSubmatch(src, -1), regexpInUse.FindAllStringSubmatch(src, -1)
		if len(rules) != 1 || len(uses) != 1 || strings.Contains(uses[0][4], "fullword") || strings.Contains(src, "/*") {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(v.Data)
		if err != nil {
			t.Fatal(err)
		}
		want, lib, ok := v.expected(rules[0][1], uses[0][1])
		if !ok {
			continue
		}
		got, ok := matchesOf(t, m, uses[0], lib, data)
		if !ok {
			t.Errorf("%s: /%s/ is refused", v.ID, uses[0][2])
			continue
		}
		checked++
		if !slices.Equal(got, want) {
			t.Errorf("%s: /%s/%s%s: got %v, want %v", v.ID, uses[0][2], uses[0][3], uses[0][4], got, want)
		}
	}
	if checked < 400 {
		t.Errorf("only %d vectors were checked", checked)
	}
}

// expected returns the matches that are asked for, and whether they are in
// libyara's dialect. Matches are known of rules that hold only.
func (v *vector) expected(rule, pattern string) (want [][2]int, lib, ok bool) {
	c, x := v.LibYARA.of(rule, pattern), v.YARAX.of(rule, pattern)
	switch {
	case v.Kind == "match" && v.YARAX.Agrees && len(x) > 0 && (slices.Equal(c, x) || !v.LibYARA.Agrees):
		return x, false, true
	case v.Kind == "match" && v.LibYARA.Agrees && len(c) > 0 && !v.YARAX.Agrees:
		return c, true, true
	}
	return nil, false, false
}

// matchesOf runs a regexp with its modifiers.
func matchesOf(t *testing.T, m *Machine, use []string, lib bool, data []byte) ([][2]int, bool) {
	t.Helper()
	n, err := Parse(use[2], Options{LibYARA: lib, DotAll: strings.Contains(use[3], "s"),
		CaseInsensitive: strings.Contains(use[3], "i") || strings.Contains(use[4], "nocase")})
	if err != nil {
		return nil, false
	}
	var forms []*Node
	if strings.Contains(use[4], "wide") && lib {
		forms = append(forms, n.WideLibYARA())
	} else if strings.Contains(use[4], "wide") {
		forms = append(forms, n.Wide())
	}
	if len(forms) == 0 || strings.Contains(use[4], "ascii") {
		forms = append(forms, n)
	}
	var got [][2]int
	for _, f := range forms {
		got = append(got, allMatches(m, mustCompile(t, f), data)...)
	}
	// One match a start: the longer if greedy, as both do.
	slices.SortFunc(got, func(a, b [2]int) int {
		if n.IsGreedy() {
			return cmp.Or(a[0]-b[0], b[1]-a[1])
		}
		return cmp.Or(a[0]-b[0], a[1]-b[1])
	})
	return slices.CompactFunc(got, func(a, b [2]int) bool { return a[0] == b[0] }), true
}

// TestConformanceOfErrors checks that what YARA-X accepts is accepted, and that
// what it refuses for its regexp is.
func TestConformanceOfErrors(t *testing.T) {
	refused := 0
	for _, v := range readVectors(t) {
		if len(v.Sources) != 1 {
			continue
		}
		uses := regexpInUse.FindAllStringSubmatch(v.Sources[0][1], -1)
		if len(uses) != 1 || strings.Contains(v.Sources[0][1], "/*") || v.Opts["relaxed_re"] != nil {
			continue
		}
		n, err := Parse(uses[0][2], Options{DotAll: strings.Contains(uses[0][3], "s")})
		if err == nil {
			_, err = Compile(n, Limits{})
		}
		switch {
		case !v.YARAX.Error && err != nil && v.YARAX.Agrees:
			t.Errorf("%s: /%s/: %v", v.ID, uses[0][2], err)
		case v.YARAX.Code == "E014" && err == nil && !n.MatchesEmpty():
			t.Errorf("%s: /%s/ is accepted", v.ID, uses[0][2])
		case v.YARAX.Code == "E045" && (err != nil || !n.ArbitraryPrefix()):
			t.Errorf("%s: /%s/ has no arbitrary prefix", v.ID, uses[0][2])
		case v.YARAX.Error:
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d refusals were checked", refused)
	}
}
