package detection

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/lint"
	"github.com/besra-hunt/besra/lazyregexp"
	"github.com/besra-hunt/besra/yara"
)

// Note is something to know about an import, at its place in what was imported.
type Note struct {
	Line int    // 1-based; 0 for the whole
	Code string // of the lint, see package lint; empty for what is no fault
	Text string
}

// CodeQuestion is the code of what no machine can check: it is kept as a
// question to the analyst.
const CodeQuestion = "not-checkable"

// refused are the faults that leave a filter without a meaning of its own: it
// becomes a question instead of an exclusion.
var refused = []string{lint.CodeAlwaysTrue, lint.CodeNeverTrue, lint.CodePolarity, lint.CodeMixedLogic}

// expression drafts the exclusion of a filter that is an expression. It returns
// nil where somebody must first say what was meant, and tells why.
func (d *Draft) expression(id string, s PageScenario, text string) *exclusion.Spec {
	tree, facts, err := parseFilter(text)
	if err != nil {
		d.lint(s.FilterLine, CodeQuestion, "scenario %q: %s; kept as a question to the analyst", s.Title, err)
		return nil
	}
	return d.judge(id, s, tree, facts)
}

// judge drafts an exclusion of an expression, or returns nil and tells why not.
func (d *Draft) judge(id string, s PageScenario, tree *logic, facts []string) *exclusion.Spec {
	spec := exclusion.Spec{ID: id, Scenario: id, Text: s.Filter, Truncated: s.Truncated, When: tree.cel(), Effect: besra.EffectSuppress}
	spec.Contexts = slices.DeleteFunc(besra.Contexts(), func(ctx besra.Context) bool { return !knownIn(ctx, facts) })
	if !d.usable(s, spec, facts) {
		return nil
	}
	problems := lint.Check([]exclusion.Spec{spec}, lint.Options{KnownBad: d.Detection.Rule.KnownBad, At: time.Now()})
	compiled, _ := exclusion.Compile(spec, exclusion.Options{})
	bad := compiled == nil
	for _, p := range problems {
		switch {
		case p.Code == lint.CodePolarity:
			bad = true
			d.lint(s.FilterLine, p.Code, "scenario %q: does %s say what to drop or what to keep? If it says what to keep, the exclusion is %s", s.Title, spec.When, tree.negated())
		case slices.Contains(refused, p.Code), compiled == nil && p.Level == exclusion.LevelError && p.Field == "when":
			bad = true
			d.lint(s.FilterLine, p.Code, "scenario %q: %s in %s; %s", s.Title, p.Message, spec.When, p.Hint)
		}
	}
	if bad {
		d.note(s.FilterLine, "scenario %q: its filter is kept as a question to the analyst, no exclusion was drafted", s.Title)
		return nil
	}
	return &spec
}

// usable reports whether the facts of an exclusion are known anywhere that the
// detection is for, and tells where they are not.
func (d *Draft) usable(s PageScenario, spec exclusion.Spec, facts []string) bool {
	if len(spec.Contexts) == 0 {
		d.lint(s.FilterLine, exclusion.CodeWrongContext, "scenario %q: nowhere are %s known of one match; kept as a question to the analyst", s.Title, strings.Join(facts, " and "))
		return false
	}
	if slices.ContainsFunc(d.contexts, func(c besra.Context) bool { return slices.Contains(spec.Contexts, c) }) {
		return true
	}
	d.lint(s.FilterLine, exclusion.CodeWrongContext, "scenario %q: %s is known in %s, and the detection is for %s; kept as a question to the analyst",
		s.Title, strings.Join(facts, " and "), contextList(spec.Contexts), contextList(d.contexts))
	return false
}

func contextList(cs []besra.Context) string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// fileNames are the names of files in prose.
var fileNames = lazyregexp.New(`(?i)\b[\w-]+\.(?:py|exe|dll|sys|ps1|psm1|sh|bat|cmd|vbs|js|jar|war|php|aspx?|jsp|pl|rb|so|msi|docm?|xlsm?|rtf|pdf|zip)\b`)

// scenarioScanTime bounds the scan of a scenario's own words.
const scenarioScanTime = 5 * time.Second

// canFire tells of a scenario that only names a file, where the rule asks for
// content: what it describes does not match. Its own words are the content
// that is tried, so that a rule for such a name does match.
func (d *Draft) canFire(scanner *yara.Scanner, s PageScenario) {
	names := fileNames().FindAllString(s.Title+" "+s.Description, -1)
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scenarioScanTime)
	defer cancel()
	results, err := scanner.Scan(ctx, []byte(s.Title+"\n"+s.Description+"\n"+s.Filter))
	if err != nil {
		d.note(s.Line, "scenario %q: whether the rule matches what it describes could not be tried: %v", s.Title, err)
		return
	}
	for range results.Matching() {
		return
	}
	d.lint(s.Line, lint.CodeDeadScenario, "scenario %q: it names the file %s and nothing of its content, which is what the rule looks at: a benign file of that name does not match",
		s.Title, names[0])
}

func (d *Draft) note(line int, format string, args ...any) {
	d.Notes = append(d.Notes, Note{Line: line, Text: fmt.Sprintf(format, args...)})
}

func (d *Draft) lint(line int, code, format string, args ...any) {
	d.Notes = append(d.Notes, Note{Line: line, Code: code, Text: fmt.Sprintf(format, args...)})
}
