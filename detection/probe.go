package detection

import (
	"fmt"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// The control probe is a target that no exclusion means: every fact is known,
// and none has a value that anybody would call benign. An exclusion that holds
// of it has blinded the rule, whatever its own fixtures say: a negation of the
// wrong polarity, a tautology, a comparison that is always true.

// probeValues are the facts of the probe that have a telling value; the others
// have one by their type.
var probeValues = map[string]any{
	"file.path":             "/besra-probe/3f9c/canary.bin",
	"file.dir":              "/besra-probe/3f9c",
	"file.name":             "canary.bin",
	"file.ext":              ".bin",
	"file.magic":            "data",
	"file.mode":             0o777,
	"file.world_writable":   true,
	"file.foreign_writable": true,
	"net.src.ip":            "192.0.2.77",
	"net.dst.ip":            "192.0.2.78",
	"host.os":               "linux",
}

// probeDefaults give the value of the other facts. The number is an account
// and a port that nobody has; the names exist nowhere.
var probeDefaults = map[besra.FactType]any{
	besra.TypeString:    "besra-probe",
	besra.TypeInt:       61184,
	besra.TypeBool:      false,
	besra.TypeTimestamp: "2001-02-03T12:34:56Z",
	besra.TypeStrings:   []string{"besra-probe"},
}

// probeFacts returns the facts of the probe in a context. What follows from
// the content is left to the content.
func probeFacts(c besra.Context, content besra.Facts) (besra.Facts, error) {
	f := exclusion.Fixture{Name: "control probe", Facts: map[string]any{}}
	for _, def := range besra.Vocabulary() {
		value, ok := probeValues[def.Name]
		if !ok {
			value = probeDefaults[def.Type]
		}
		if def.In(c) && !fromContent(def.Name) {
			f.Facts[def.Name] = value
		}
	}
	return f.Overlay(content)
}

// probe asks whether the rule still fires beside the exclusion, in each of its
// contexts.
func (t *tester) probe(d *Detection, spec exclusion.Spec) {
	for _, c := range spec.Contexts {
		t.check(d, spec.ID, KindProbe, fmt.Sprintf("control probe in context %s", c), func() (string, string) {
			return t.blinded(d, spec, c)
		})
	}
}

func (t *tester) blinded(d *Detection, spec exclusion.Spec, c besra.Context) (failure, hint string) {
	data, err := t.probeContent(d, spec)
	if err != nil {
		return err.Error(), "give the detection a positive sample"
	}
	facts, err := probeFacts(c, contentFacts(data))
	if err != nil {
		return err.Error(), ""
	}
	x, err := t.compile(d, spec, exclusion.Fixture{}, nil)
	if err != nil {
		return err.Error(), ""
	}
	if got := x.Decide(t.ctx, facts, t.at, c); got.Outcome == besra.OutcomeTrue {
		return "the exclusion blinds the rule: it holds of a target that nothing speaks for; " + got.Why,
			"say what is benign, not what is not: a positive fact of the benign target"
	}
	return "", ""
}

// probeContent returns bytes that the rule matches.
func (t *tester) probeContent(d *Detection, spec exclusion.Spec) ([]byte, error) {
	for _, s := range d.Samples.Positive {
		if data, err := t.content(d, s.Text, s.Base64, s.File); err == nil && t.fires(d, data) {
			return data, nil
		}
	}
	for _, f := range append(spec.Tests.Malicious[:len(spec.Tests.Malicious):len(spec.Tests.Malicious)], spec.Tests.Benign...) {
		if data, err := t.content(d, f.Text, f.Base64, f.File); err == nil && t.fires(d, data) {
			return data, nil
		}
	}
	return nil, fmt.Errorf("there is no content that the rule matches, so nothing shows that it still fires")
}

func (t *tester) fires(d *Detection, data []byte) bool {
	got, err := t.matches(d, data)
	return err == nil && got
}
