package lint_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/lint"
)

var (
	modelTexts = []string{"/a", "/a/b", "/A/b", "/b", "a", "/a/bc", ""}
	modelTests = []string{
		`file.path == %q`, `file.path != %q`, `file.path in [%q, "/c"]`, `file.path.startsWith(%q)`, `file.path.endsWith(%q)`,
		`file.path.contains(%q)`, `file.path.under(%q)`, `file.path.glob(%q)`, `file.path.matches(%q)`, `file.name == %q`, `file.path == file.name`,
		`file.path in params.some`, `file.path in params.unset`, `%q in host.tags`, `file.path.under(params.some)`,
	}
	modelNumbers = []string{`file.owner.uid < %d`, `file.owner.uid >= %d`, `file.owner.uid == %d`, `file.owner.uid in [%d, 2]`, `file.owner.uid * 2 == %d`, `package.verified`}
)

func modelAtom(r *rand.Rand) string {
	if r.IntN(3) == 0 {
		form := modelNumbers[r.IntN(len(modelNumbers))]
		if strings.Contains(form, "%") {
			return fmt.Sprintf(form, r.IntN(3))
		}
		return form
	}
	form := modelTests[r.IntN(len(modelTests))]
	if strings.Contains(form, "%") {
		return fmt.Sprintf(form, modelTexts[r.IntN(len(modelTexts)-1)])
	}
	return form
}

func modelExpression(r *rand.Rand, depth int) string {
	if depth == 0 {
		return modelAtom(r)
	}
	a, b := modelExpression(r, depth-1), modelExpression(r, depth-1)
	switch r.IntN(5) {
	case 0:
		return "!(" + a + ")"
	case 1, 2:
		return "(" + a + " || " + b + ")"
	}
	return "(" + a + " && " + b + ")"
}

// TestModelIsSound checks that what the linter says of every file is so: it
// looks for a file that shows the opposite.
func TestModelIsSound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	o := options()
	o.Parameters = exclusion.Parameters{"some": {Default: []any{"/a", "/c"}}, "unset": {Type: "strings"}}
	env, _ := exclusion.NewEnv(o.Parameters, o.Lists)
	claims := 0
	for range 600 {
		s := whole(modelExpression(r, 2))
		s.Effect = besra.EffectAnnotate
		claim := besra.Outcome("")
		for _, p := range lint.Check([]exclusion.Spec{s}, o) {
			switch p.Code {
			case lint.CodeAlwaysTrue:
				claim = besra.OutcomeTrue
			case lint.CodeNeverTrue:
				claim = besra.OutcomeFalse
			}
		}
		x, _ := exclusion.Compile(s, exclusion.Options{Env: env})
		if claim == "" || x == nil {
			continue
		}
		claims++
		for range 300 {
			facts := modelFacts(t, r)
			d := x.Decide(context.Background(), facts, now, besra.ContextFile)
			if (d.Outcome == besra.OutcomeTrue || d.Outcome == besra.OutcomeFalse) && d.Outcome != claim {
				t.Fatalf("%s: the linter says always %s, and here it is %s: %s", s.When, claim, d.Outcome, d.Why)
			}
		}
	}
	if claims < 20 {
		t.Errorf("only %d claims were made: the test has lost its force", claims)
	}
}

func modelFacts(t *testing.T, r *rand.Rand) besra.Facts {
	t.Helper()
	text := func() string {
		s := modelTexts[r.IntN(len(modelTexts))]
		if r.IntN(2) == 0 {
			s += modelTexts[r.IntN(len(modelTexts))]
		}
		return s
	}
	facts, err := exclusion.Fixture{Facts: map[string]any{
		"file.path": text(), "file.name": text(), "file.owner.uid": r.IntN(5) - 1, "package.verified": r.IntN(2) == 0,
		"host.tags": []string{text()}, "host.os": []string{"linux", "windows"}[r.IntN(2)],
	}}.Overlay(besra.NoFacts{})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// FuzzCheck looks for panics, and for problems without a place or a mend.
func FuzzCheck(f *testing.F) {
	f.Add(`file.path.under("/tmp") || file.name != "a" && !(package.verified)`, "2026-12-31")
	f.Add(`file.sha256 in ["`+badHash+`"] ? true : file.owner.uid > 3`, "x")
	f.Add(`[1,2].exists(x, x == file.size || file.path.matches(")("))`, "")
	f.Fuzz(func(t *testing.T, when, expires string) {
		if len(when) > 400 {
			return
		}
		first := whole(when)
		first.Expires = expires
		second := whole(when + " || package.verified")
		second.ID = "fp-second"
		for _, p := range lint.Check([]exclusion.Spec{first, second}, options()) {
			if p.Code == "" || p.Message == "" || p.Level == "" || p.Offset < 0 || p.Offset > len(when)+len(" || package.verified") {
				t.Fatalf("%q: %+v", when, p)
			}
		}
	})
}
