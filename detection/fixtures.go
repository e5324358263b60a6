package detection

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/yara"
)

// CheckKind says what a check looked at.
type CheckKind string

// The kinds of check.
const (
	KindSample  CheckKind = "sample"  // the rule on content that it must or must not match
	KindFixture CheckKind = "fixture" // an exclusion on what it must hold of
	KindTwin    CheckKind = "twin"    // an exclusion on what it must not hold of
	KindProbe   CheckKind = "probe"   // the rule still fires beside an exclusion
	KindMutant  CheckKind = "mutant"  // the tests notice a fault put into an exclusion
)

// Check is one thing that a test of a detection looked at.
type Check struct {
	Detection string    `json:"detection"`
	Path      string    `json:"path"`                // the detection's file in its pack
	Exclusion string    `json:"exclusion,omitempty"` // empty for a check of the rule itself
	Kind      CheckKind `json:"kind"`
	Name      string    `json:"name"`
	// Failure is empty where the check passed.
	Failure string `json:"failure,omitempty"`
	// Hint says how to mend a failure, where that is known.
	Hint     string        `json:"hint,omitempty"`
	Duration time.Duration `json:"duration_ns"`
}

// TestOptions says how much [Test] does.
type TestOptions struct {
	// At is the day as of which exclusions are asked; the zero time is now.
	At time.Time
	// NoMutation leaves out the mutants.
	NoMutation bool
}

// Test runs the samples and fixtures of every detection of the pack:
//
//   - A positive sample must match the rule and a negative one must not.
//   - A benign fixture must match the rule, and its exclusion must have its
//     effect; an exclusion without benign fixture or malicious twin fails.
//   - A malicious twin must match the rule, and no exclusion of the detection
//     with the same effect may hold of it.
//   - The control probe, content that the rule matches with facts that nobody
//     would call benign, must not be excluded.
//   - A fault put into an exclusion (a part dropped, a path widened, a
//     comparison turned, a list emptied) must change the answer of one of its
//     fixtures; the faults that none notices are failures with a hint.
//
// The error says that the pack does not compile.
func Test(ctx context.Context, p *Pack, o TestOptions) ([]Check, error) {
	set, faults := Compile(p)
	if faults = append(faults, CheckFingerprints(p)...); len(faults) > 0 {
		return nil, faults[0]
	}
	if o.At.IsZero() {
		o.At = time.Now()
	}
	t := &tester{ctx: ctx, pack: p, set: set, scanner: set.Rules.NewScanner(), at: o.At, mutate: !o.NoMutation}
	for _, d := range p.Detections {
		t.detection(d)
	}
	return t.checks, ctx.Err()
}

type tester struct {
	ctx     context.Context
	pack    *Pack
	set     *Set
	scanner *yara.Scanner
	at      time.Time
	mutate  bool
	checks  []Check
	failed  int
}

// check runs one check and keeps its result.
func (t *tester) check(d *Detection, exclusion string, kind CheckKind, name string, run func() (failure, hint string)) {
	start := time.Now()
	failure, hint := run()
	if failure != "" {
		t.failed++
	}
	t.checks = append(t.checks, Check{d.ID, d.Path, exclusion, kind, name, failure, hint, time.Since(start)})
}

func (t *tester) detection(d *Detection) {
	for _, s := range d.Samples.Positive {
		t.check(d, "", KindSample, s.Name, func() (string, string) { return t.sample(d, s, true), "" })
	}
	for _, s := range d.Samples.Negative {
		t.check(d, "", KindSample, s.Name, func() (string, string) { return t.sample(d, s, false), "" })
	}
	if len(d.Samples.Positive) == 0 && !d.Plain() && d.Status != StatusDraft {
		t.check(d, "", KindSample, "positive sample", func() (string, string) {
			return "there is none: nothing shows that the rule matches what it is for", "add one under samples.positive"
		})
	}
	for _, x := range d.Exclusions() {
		t.exclusion(d, x)
	}
}

func (t *tester) exclusion(d *Detection, x exclusion.Spec) {
	before := t.failed
	if len(x.Tests.Benign) == 0 || len(x.Tests.Malicious) == 0 {
		t.check(d, x.ID, KindFixture, "fixtures", func() (string, string) {
			return "want at least one benign fixture and one malicious twin",
				"under tests: what the exclusion must hold of, and the same with one fact changed"
		})
	}
	for _, f := range x.Tests.Benign {
		t.check(d, x.ID, KindFixture, f.Name, func() (string, string) { return t.fixture(d, x, f, t.benign) })
	}
	for _, f := range x.Tests.Malicious {
		t.check(d, x.ID, KindTwin, f.Name, func() (string, string) { return t.fixture(d, x, f, t.malicious) })
	}
	t.probe(d, x)
	if t.mutate && t.failed == before {
		t.mutants(d, x)
	}
}

func (t *tester) sample(d *Detection, s Sample, want bool) string {
	data, err := t.content(d, s.Text, s.Base64, s.File)
	if err != nil {
		return err.Error()
	}
	got, err := t.matches(d, data)
	switch {
	case err != nil:
		return err.Error()
	case got && !want:
		return "the rule matches, and must not"
	case !got && want:
		return "the rule does not match"
	}
	return ""
}

// judge says what is wrong with an exclusion on a fixture's facts.
type judge func(d *Detection, spec exclusion.Spec, f exclusion.Fixture, facts besra.Facts) (failure, hint string)

func (t *tester) fixture(d *Detection, spec exclusion.Spec, f exclusion.Fixture, judge judge) (failure, hint string) {
	data, err := t.content(d, f.Text, f.Base64, f.File)
	if err != nil {
		return err.Error(), ""
	}
	if !t.fires(d, data) {
		return "the rule does not match the fixture: it proves nothing", "give it content that the rule matches"
	}
	facts, err := f.Overlay(contentFacts(data))
	if err != nil {
		return err.Error(), ""
	}
	return judge(d, spec, f, facts)
}

// benign wants the exclusion to have the effect that it states.
func (t *tester) benign(d *Detection, spec exclusion.Spec, f exclusion.Fixture, facts besra.Facts) (failure, hint string) {
	x, err := t.compile(d, spec, f, nil)
	if err != nil {
		return err.Error(), ""
	}
	got := x.Decide(t.ctx, facts, t.at, fixtureContext(spec, f))
	switch {
	case got.Outcome != besra.OutcomeTrue:
		return fmt.Sprintf("the exclusion is %s: %s", got.Outcome, got.Why), ""
	case got.Effect != effectOf(spec):
		return fmt.Sprintf("the exclusion has the effect %s, not %s: %s", got.Effect, effectOf(spec), got.Why),
			"add a fact that an intruder does not choose, or record in allow_weak why names and paths are enough"
	}
	return "", ""
}

// malicious asks every exclusion of the detection: a twin that slips through
// another one is not caught either.
func (t *tester) malicious(d *Detection, spec exclusion.Spec, f exclusion.Fixture, facts besra.Facts) (failure, hint string) {
	for _, other := range d.Exclusions() {
		if other.ID != spec.ID && effectOf(other) != effectOf(spec) {
			continue
		}
		x, err := t.compile(d, other, f, nil)
		if err != nil {
			return err.Error(), ""
		}
		if got := x.Decide(t.ctx, facts, t.at, fixtureContext(spec, f)); got.Outcome == besra.OutcomeTrue {
			return fmt.Sprintf("exclusion %s holds of the malicious twin: %s", other.ID, got.Why), "add what tells the two apart"
		}
	}
	return "", ""
}

// effectOf returns the effect with its default.
func effectOf(s exclusion.Spec) besra.Effect {
	return cmp.Or(s.Effect, besra.EffectSuppress)
}

// compile compiles an exclusion with the fixture's parameters. Those that
// change names are changed first.
func (t *tester) compile(d *Detection, spec exclusion.Spec, f exclusion.Fixture, change map[string]func([]string) []string) (*exclusion.Exclusion, error) {
	params := maps.Clone(d.Parameters)
	for name, value := range f.Params {
		p, ok := params[name]
		if !ok {
			return nil, fmt.Errorf("the fixture sets params.%s, which the detection does not have", name)
		}
		p.Value = value
		params[name] = p
	}
	params, lists := mutated(params, d.Lists, change)
	env, problems := exclusion.NewEnv(params, lists)
	if env == nil {
		return nil, problems[0]
	}
	x, problems := exclusion.Compile(spec, exclusion.Options{Env: env, KnownBad: d.Rule.KnownBad})
	if x == nil {
		return nil, problems[0]
	}
	return x, nil
}

// mutated returns parameters and lists with the changes of a mutant, by full name.
func mutated(params exclusion.Parameters, lists exclusion.Lists, change map[string]func([]string) []string) (exclusion.Parameters, exclusion.Lists) {
	lists = maps.Clone(lists)
	for full, changed := range change {
		kind, name, _ := strings.Cut(full, ".")
		if kind == "lists" {
			list := lists[name]
			list.Values = changed(list.Values)
			lists[name] = list
			continue
		}
		p := params[name]
		if p.Value == nil {
			p.Value = p.Default
		}
		p.Value = changed(listOf(p.Value))
		params[name] = p
	}
	return params, lists
}

func fixtureContext(spec exclusion.Spec, f exclusion.Fixture) besra.Context {
	switch {
	case f.Context != "":
		return f.Context
	case len(spec.Contexts) > 0:
		return spec.Contexts[0]
	}
	return besra.ContextFile
}

func (t *tester) matches(d *Detection, data []byte) (bool, error) {
	results, err := t.scanner.Scan(t.ctx, data)
	if err != nil {
		return false, err
	}
	for rule := range results.Matching() {
		if e := t.set.Entry(rule); e != nil && e.Detection == d {
			return true, nil
		}
	}
	return false, nil
}

func (t *tester) content(d *Detection, text, b64, file string) ([]byte, error) {
	switch {
	case file != "":
		return fs.ReadFile(t.pack.FS, path.Join(path.Dir(d.Path), file))
	case b64 != "":
		return base64.StdEncoding.DecodeString(b64)
	}
	return []byte(text), nil
}

// fromContent reports whether contentFacts answers for a fact.
func fromContent(name string) bool { return contentFacts(nil).Fact(context.Background(), name).Known() }

// contentFacts knows what follows from the bytes alone.
type contentFacts []byte

// Fact implements [besra.Facts].
func (c contentFacts) Fact(_ context.Context, name string) besra.Fact {
	known := func(v any) besra.Fact {
		return besra.Fact{Name: name, Value: v, Grade: besra.GradeVerified, Source: "fixture"}
	}
	switch name {
	case "file.size":
		return known(int64(len(c)))
	case "file.md5":
		sum := md5.Sum(c)
		return known(hex.EncodeToString(sum[:]))
	case "file.sha1":
		sum := sha1.Sum(c)
		return known(hex.EncodeToString(sum[:]))
	case "file.sha256":
		sum := sha256.Sum256(c)
		return known(hex.EncodeToString(sum[:]))
	}
	return besra.Unavailable(name, "the fixture does not say")
}
