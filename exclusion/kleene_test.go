package exclusion_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

const (
	yes     = besra.OutcomeTrue
	no      = besra.OutcomeFalse
	unknown = besra.OutcomeUnknown
	failed  = besra.OutcomeError
)

// atoms gives, for each outcome, an expression over the file context that has
// it when nothing is known but file.name, "n", and host.tags, empty.
var atoms = map[besra.Outcome]string{
	yes: `file.name == "n"`, no: `file.name == "x"`, unknown: `file.owner.name == "x"`, failed: `host.tags[0] == "x"`,
}

func TestKleeneTruthTables(t *testing.T) {
	outcomes := []besra.Outcome{yes, no, unknown, failed}
	// Rows and columns in the order of outcomes.
	and := [][]besra.Outcome{{yes, no, unknown, failed}, {no, no, no, no}, {unknown, no, unknown, unknown}, {failed, no, unknown, failed}}
	or := [][]besra.Outcome{{yes, yes, yes, yes}, {yes, no, unknown, failed}, {yes, unknown, unknown, unknown}, {yes, failed, unknown, failed}}
	not := []besra.Outcome{no, yes, unknown, failed}
	check := func(when string, want besra.Outcome) {
		t.Helper()
		s := spec(when)
		s.Effect = besra.EffectAnnotate
		d := decide(t, s, exclusion.Options{}, map[string]any{"file.name": "n", "host.tags": []string{}})
		if d.Outcome != want {
			t.Errorf("%s: got %s, want %s (%s)", when, d.Outcome, want, d.Why)
		}
	}
	for i, a := range outcomes {
		check("!("+atoms[a]+")", not[i])
		for j, b := range outcomes {
			check(atoms[a]+" && "+atoms[b], and[i][j])
			check(atoms[a]+" || "+atoms[b], or[i][j])
			check(fmt.Sprintf("%s ? %s : %s", atoms[a], atoms[b], atoms[not[j]]), map[besra.Outcome]besra.Outcome{
				yes: b, no: not[j], unknown: unknown, failed: failed}[a])
		}
	}
}

// A node is the reference: an expression with its own evaluation, written down
// without CEL.
type node struct {
	op    string // and, or, not, cond, or "" for an atom
	kids  []*node
	text  string
	facts []string // of an atom
	eval  func(values map[string]any) bool
	fails bool
}

func (n *node) String() string {
	switch n.op {
	case "and", "or":
		mark := map[string]string{"and": " && ", "or": " || "}[n.op]
		return "(" + n.kids[0].String() + mark + n.kids[1].String() + ")"
	case "not":
		return "!(" + n.kids[0].String() + ")"
	case "cond":
		return "(" + n.kids[0].String() + " ? " + n.kids[1].String() + " : " + n.kids[2].String() + ")"
	}
	return n.text
}

// reference evaluates n and collects what is open and what was asked.
func (n *node) reference(values map[string]any, asked map[string]bool) (besra.Outcome, []string) {
	switch n.op {
	case "and":
		return n.join(values, asked, no)
	case "or":
		return n.join(values, asked, yes)
	case "not":
		o, open := n.kids[0].reference(values, asked)
		switch o {
		case yes:
			o = no
		case no:
			o = yes
		}
		return o, open
	case "cond":
		o, open := n.kids[0].reference(values, asked)
		switch o {
		case yes:
			return n.kids[1].reference(values, asked)
		case no:
			return n.kids[2].reference(values, asked)
		}
		return o, open
	}
	var open []string
	for _, f := range n.facts {
		asked[f] = true
		if values[f] == nil {
			open = append(open, f)
		}
	}
	switch {
	case open != nil:
		return unknown, open
	case n.fails:
		return failed, nil
	case n.eval(values):
		return yes, nil
	}
	return no, nil
}

// join is and, where the outcome final is no, or or, where it is yes.
func (n *node) join(values map[string]any, asked map[string]bool, final besra.Outcome) (besra.Outcome, []string) {
	result := map[besra.Outcome]besra.Outcome{yes: no, no: yes}[final]
	var open []string
	for _, k := range n.kids {
		o, more := k.reference(values, asked)
		switch {
		case o == final:
			return final, nil
		case o == unknown:
			result, open = unknown, append(open, more...)
		case o == failed && result != unknown:
			result = failed
		}
	}
	return result, open
}

var (
	textFacts = []string{"file.name", "file.owner.name", "file.group.name", "file.path"}
	boolFacts = []string{"package.verified", "file.world_writable"}
	words     = []string{"a", "b", "c"}
)

// randomNode grows a random expression.
func randomNode(r *rand.Rand, depth int) *node {
	if depth == 0 || r.IntN(5) == 0 {
		return randomAtom(r)
	}
	kid := func() *node { return randomNode(r, depth-1) }
	switch r.IntN(7) {
	case 0, 1:
		return &node{op: "and", kids: []*node{kid(), kid()}}
	case 2, 3:
		return &node{op: "or", kids: []*node{kid(), kid()}}
	case 4:
		return &node{op: "cond", kids: []*node{kid(), kid(), kid()}}
	}
	return &node{op: "not", kids: []*node{kid()}}
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomAtom(r *rand.Rand) *node {
	f, g, w, v := pick(r, textFacts), pick(r, textFacts), pick(r, words), pick(r, words)
	b := pick(r, boolFacts)
	switch r.IntN(9) {
	case 0:
		return &node{text: f + ` == "` + w + `"`, facts: []string{f}, eval: func(m map[string]any) bool { return m[f] == w }}
	case 1:
		return &node{text: f + ` != "` + w + `"`, facts: []string{f}, eval: func(m map[string]any) bool { return m[f] != w }}
	case 2:
		return &node{text: fmt.Sprintf("%s in [%q, %q]", f, w, v), facts: []string{f}, eval: func(m map[string]any) bool { return m[f] == w || m[f] == v }}
	case 3:
		return &node{text: f + " in params.words", facts: []string{f}, eval: func(m map[string]any) bool { return m[f] == "a" || m[f] == "b" }}
	case 4:
		return &node{text: f + " == " + g, facts: []string{f, g}, eval: func(m map[string]any) bool { return m[f] == m[g] }}
	case 5:
		return &node{text: `host.tags[9] == "` + w + `"`, facts: []string{"host.tags"}, fails: true}
	case 6:
		return &node{text: f + ` in params.unset`, facts: []string{f, "params.unset"}}
	case 7:
		return &node{text: fmt.Sprintf("[%q, %q].exists(x, x == %s)", w, v, f), facts: []string{f},
			eval: func(m map[string]any) bool { return m[f] == w || m[f] == v }}
	}
	return &node{text: b, facts: []string{b}, eval: func(m map[string]any) bool { return m[b] == true }}
}

// randomValues knows some of the facts.
func randomValues(r *rand.Rand) map[string]any {
	values := map[string]any{"host.tags": []string{}}
	for _, f := range textFacts {
		if r.IntN(3) > 0 {
			values[f] = pick(r, words)
		}
	}
	for _, f := range boolFacts {
		if r.IntN(3) > 0 {
			values[f] = r.IntN(2) == 0
		}
	}
	return values
}

// TestAgainstReference compares outcomes, what is missing and what was asked
// with the reference, on random expressions.
func TestAgainstReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	e := env(t, exclusion.Parameters{"words": {Default: []any{"a", "b"}}, "unset": {Type: "strings"}})
	rounds := 1000
	if testing.Short() {
		rounds = 200
	}
	counts := map[besra.Outcome]int{}
	for range rounds {
		n := randomNode(r, 4)
		s := spec(n.String())
		s.Effect = besra.EffectAnnotate
		x := compile(t, s, exclusion.Options{Env: e})
		for range 4 {
			values := randomValues(r)
			compareWithReference(t, n, x, values, counts)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	for _, o := range []besra.Outcome{yes, no, unknown, failed} {
		if counts[o] < rounds/20 {
			t.Errorf("only %d of %d answers are %s: the test has lost its force", counts[o], 4*rounds, o)
		}
	}
}

func compareWithReference(t *testing.T, n *node, x *exclusion.Exclusion, values map[string]any, counts map[besra.Outcome]int) {
	t.Helper()
	asked := map[string]bool{}
	outcome, open := n.reference(values, asked)
	delete(asked, "params.unset")
	slices.Sort(open)
	open = slices.Compact(open)
	counts[outcome]++

	got := x.Explain(context.Background(), known(t, values), noon, besra.ContextFile)
	if got.Decision.Outcome != outcome {
		t.Errorf("%s\nwith %v: got %s, want %s", n, values, got.Decision.Outcome, outcome)
	}
	if outcome == unknown && !slices.Equal(got.Decision.Missing, open) {
		t.Errorf("%s\nwith %v: got missing %v, want %v", n, values, got.Decision.Missing, open)
	}
	var names []string
	for _, f := range got.Facts {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(asked)), names); diff != "" {
		t.Errorf("%s\nwith %v: asked facts differ (-want +got):\n%s", n, values, diff)
	}
	if tree := got.Tree; tree.Outcome != outcome {
		t.Errorf("%s\nwith %v: the tree says %s, want %s", n, values, tree.Outcome, outcome)
	}
	full := x.Trace(context.Background(), known(t, values))
	if full.Outcome != outcome {
		t.Errorf("%s\nwith %v: evaluated in full: got %s, want %s", n, values, full.Outcome, outcome)
	}
}

// TestExprString holds the printed form to the meaning: compiling it gives the
// same tree again.
func TestExprString(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	e := env(t, exclusion.Parameters{"words": {Default: []any{"a", "b"}}, "unset": {Type: "strings"}})
	fixed := []string{
		`!(file.size + 1 == 2 || -file.size < 3)`, `(file.size + 1) * 2 - 3 > -1`, `host.tags[0].startsWith("a\"\\\n")`,
		`file.mtime - duration("1h") < scan.time`, `package.verified == (file.size in [1, 2])`, `size(host.tags) == 1`,
		`host.tags.all(t, t == "a" || t.contains("b"))`, `("a" in host.tags) == true`, `(file.name == "a" ? file.size : 3) == 4`,
		`true == (1.5 < 2.5)`,
	}
	for i := range 500 {
		when := randomNode(r, 4).String()
		if i < len(fixed) {
			when = fixed[i]
		}
		printed := compile(t, spec(when), exclusion.Options{Env: e}).Expr().String()
		second := compile(t, spec(printed), exclusion.Options{Env: e})
		if again := second.Expr().String(); again != printed {
			t.Errorf("%s\nprinted  %s\nand then %s", when, printed, again)
		}
		if strings.Contains(printed, "packagE") {
			t.Errorf("%s: the printed form shows the parser's word: %s", when, printed)
		}
	}
}
