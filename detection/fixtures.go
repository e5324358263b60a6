package detection

import (
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
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/yara"
)

// Check is one thing that a test of a detection looked at.
type Check struct {
	Detection string
	Exclusion string // empty for a check of the rule itself
	Name      string
	// Failure is empty where the check passed.
	Failure string
}

// Test runs the samples and fixtures of every detection of the pack, as of a
// day. A positive sample must match the rule and a negative one must not. A
// benign fixture must match the rule and make its exclusion true; a malicious
// twin must match the rule and not make any exclusion of the detection take
// effect. An exclusion without both kinds fails.
func Test(ctx context.Context, p *Pack, at time.Time) ([]Check, error) {
	set, faults := Compile(p)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	t := &tester{ctx: ctx, pack: p, set: set, scanner: set.Rules.NewScanner(), at: at}
	for _, d := range p.Detections {
		t.detection(d)
	}
	return t.checks, nil
}

type tester struct {
	ctx     context.Context
	pack    *Pack
	set     *Set
	scanner *yara.Scanner
	at      time.Time
	checks  []Check
}

func (t *tester) report(d *Detection, exclusion, name, failure string) {
	t.checks = append(t.checks, Check{d.ID, exclusion, name, failure})
}

func (t *tester) detection(d *Detection) {
	for _, s := range d.Samples.Positive {
		t.report(d, "", s.Name, t.sample(d, s, true))
	}
	for _, s := range d.Samples.Negative {
		t.report(d, "", s.Name, t.sample(d, s, false))
	}
	for _, x := range d.Exclusions() {
		if len(x.Tests.Benign) == 0 || len(x.Tests.Malicious) == 0 {
			t.report(d, x.ID, "fixtures", "want at least one benign fixture and one malicious twin")
		}
		for _, f := range x.Tests.Benign {
			t.report(d, x.ID, f.Name, t.fixture(d, x, f, true))
		}
		for _, f := range x.Tests.Malicious {
			t.report(d, x.ID, f.Name, t.fixture(d, x, f, false))
		}
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

func (t *tester) fixture(d *Detection, spec exclusion.Spec, f exclusion.Fixture, benign bool) string {
	data, err := t.content(d, f.Text, f.Base64, f.File)
	if err != nil {
		return err.Error()
	}
	if got, err := t.matches(d, data); err != nil || !got {
		return "the rule does not match the fixture: it proves nothing"
	}
	facts, err := f.Overlay(contentFacts(data))
	if err != nil {
		return err.Error()
	}
	if benign {
		return t.benign(d, spec, f, facts)
	}
	return t.malicious(d, spec, f, facts)
}

func (t *tester) benign(d *Detection, spec exclusion.Spec, f exclusion.Fixture, facts besra.Facts) string {
	x, err := t.compile(d, spec, f)
	if err != nil {
		return err.Error()
	}
	if got := x.Decide(t.ctx, facts, t.at, fixtureContext(spec, f)); got.Outcome != besra.OutcomeTrue {
		return fmt.Sprintf("the exclusion is %s: %s", got.Outcome, got.Why)
	}
	return ""
}

// malicious asks every exclusion of the detection: a twin that slips through
// another one is not caught either.
func (t *tester) malicious(d *Detection, spec exclusion.Spec, f exclusion.Fixture, facts besra.Facts) string {
	for _, other := range d.Exclusions() {
		if other.Effect != spec.Effect && other.Effect != "" {
			continue
		}
		x, err := t.compile(d, other, f)
		if err != nil {
			return err.Error()
		}
		if got := x.Decide(t.ctx, facts, t.at, fixtureContext(spec, f)); got.Outcome == besra.OutcomeTrue {
			return fmt.Sprintf("exclusion %s is true of the malicious twin", other.ID)
		}
	}
	return ""
}

// compile compiles an exclusion with the fixture's parameters.
func (t *tester) compile(d *Detection, spec exclusion.Spec, f exclusion.Fixture) (*exclusion.Exclusion, error) {
	params := maps.Clone(d.Parameters)
	for name, value := range f.Params {
		p, ok := params[name]
		if !ok {
			return nil, fmt.Errorf("the fixture sets params.%s, which the detection does not have", name)
		}
		p.Value = value
		params[name] = p
	}
	env, problems := exclusion.NewEnv(params, nil)
	if env == nil {
		return nil, problems[0]
	}
	x, problems := exclusion.Compile(spec, exclusion.Options{Env: env, KnownBad: d.Rule.KnownBad})
	if x == nil {
		return nil, problems[0]
	}
	return x, nil
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
