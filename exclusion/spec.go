package exclusion

import (
	"fmt"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
)

// Spec is an exclusion as a detection file carries it. It is data: [Compile]
// checks it. A zero Effect means suppress.
type Spec struct {
	ID       string `yaml:"id"`
	Scenario string `yaml:"scenario,omitempty"` // the false-positive scenario it answers
	// Text is the prose it came from, word for word.
	Text string `yaml:"text,omitempty"`
	// Truncated says that the prose was cut off where it was found, so that
	// When may lack something.
	Truncated bool `yaml:"truncated,omitempty"`
	// When is the CEL expression that is true of a benign match.
	When   string       `yaml:"when"`
	Effect besra.Effect `yaml:"effect,omitempty"`
	// To is the severity that a downgrade leads to, and that a suppression
	// lowered for weak evidence leads to (low where empty).
	To       besra.Severity  `yaml:"to,omitempty"`
	Contexts []besra.Context `yaml:"contexts"`
	Owner    string          `yaml:"owner,omitempty"`
	Reason   string          `yaml:"reason,omitempty"`
	Ticket   string          `yaml:"ticket,omitempty"`
	// Expires is the last day on which the exclusion works, as 2006-01-02. The
	// day ends at midnight UTC.
	Expires string `yaml:"expires,omitempty"`
	// AllowWeak is the recorded reason to suppress on forgeable facts alone.
	// Empty means that weak evidence only downgrades.
	AllowWeak string `yaml:"allow_weak,omitempty"`
	Tests     Tests  `yaml:"tests,omitempty"`
}

// Tests are the fixtures that prove an exclusion: what it must suppress, and
// the malicious twins that it must not.
type Tests struct {
	Benign    []Fixture `yaml:"benign,omitempty"`
	Malicious []Fixture `yaml:"malicious,omitempty"`
}

// Fixture is one test of an exclusion: bytes for the rule, by file or inline
// (at most one of File, Text and Base64), and facts.
type Fixture struct {
	Name    string        `yaml:"name"`
	File    string        `yaml:"file,omitempty"` // relative to the detection file
	Text    string        `yaml:"text,omitempty"`
	Base64  string        `yaml:"base64,omitempty"`
	Context besra.Context `yaml:"context,omitempty"` // the exclusion's first where empty
	// Facts overrides facts by name; see [Fixture.Overlay]. A null makes a fact
	// unavailable.
	Facts map[string]any `yaml:"facts,omitempty"`
	// Params sets parameters of the detection for this fixture.
	Params map[string]any `yaml:"params,omitempty"`
}

// dateLayout is the form of Spec.Expires.
const dateLayout = "2006-01-02"

// ExpiresAfter returns the first instant at which the exclusion has lapsed: the
// UTC midnight that ends the day of Expires. It is the zero time where Expires
// is empty; the error says what is wrong with the date.
func (s Spec) ExpiresAfter() (time.Time, error) {
	if s.Expires == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(dateLayout, s.Expires)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date such as 2027-06-30", s.Expires)
	}
	return day.AddDate(0, 0, 1), nil
}

// lacks names what is missing of what someone must answer for; an exclusion that
// lacks any of it is a draft.
func (s Spec) lacks() []string {
	var missing []string
	for _, part := range []struct{ value, name string }{{s.Owner, "an owner"}, {s.Reason, "a reason"}, {s.Expires, "an expiry"}} {
		if part.value == "" {
			missing = append(missing, part.name)
		}
	}
	return missing
}

// effect returns the effect with its default.
func (s Spec) effect() besra.Effect {
	if s.Effect == "" {
		return besra.EffectSuppress
	}
	return s.Effect
}

// check reports what is wrong with everything but When.
func (s Spec) check(p *problems) {
	if s.ID == "" {
		p.field("id", CodeNoID, "an exclusion needs an id", "give it a short stable one, such as fp-update")
	}
	if !slices.Contains([]besra.Effect{besra.EffectSuppress, besra.EffectDowngrade, besra.EffectAnnotate}, s.effect()) {
		p.field("effect", CodeBadEffect, fmt.Sprintf("%q is not an effect", s.Effect), "write suppress, downgrade or annotate")
	}
	s.checkTo(p)
	if _, err := s.ExpiresAfter(); err != nil {
		p.field("expires", CodeBadDate, err.Error(), "write the last day it works as year-month-day")
	}
	for i, c := range s.Contexts {
		if !slices.Contains(besra.Contexts(), c) {
			names := contextNames(besra.Contexts())
			p.field(fmt.Sprintf("contexts[%d]", i), CodeUnknownContext, fmt.Sprintf("%q is not a context", c), suggest(string(c), names))
		}
	}
}

func (s Spec) checkTo(p *problems) {
	switch {
	case s.To != "" && s.To.Rank() < 0:
		p.field("to", CodeBadSeverity, fmt.Sprintf("%q is not a severity", s.To), "write informational, low, medium or high")
	case s.To == "" && s.Effect == besra.EffectDowngrade:
		p.field("to", CodeBadSeverity, "a downgrade says which severity it leads to", "write to: informational, low or medium")
	}
}

// contextNames returns the contexts as strings.
func contextNames(cs []besra.Context) []string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = string(c)
	}
	return names
}
