package lint

import (
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// members checks who answers for the exclusion, and what its members say.
func (s *subject) members() {
	if !s.first {
		s.field("id", CodeDuplicateID, fmt.Sprintf("another exclusion has the id %q", s.spec.ID))
	}
	if strings.TrimSpace(s.spec.Owner) == "" {
		s.field("owner", CodeNoOwner, "nobody owns it")
	}
	if strings.TrimSpace(s.spec.Reason) == "" {
		s.field("reason", CodeNoReason, "it gives no reason")
	}
	s.placeholder("owner", s.spec.Owner)
	s.placeholder("reason", s.spec.Reason)
	s.placeholder("allow_weak", s.spec.AllowWeak)
	if s.spec.Truncated {
		s.field("text", CodeTruncated, "the prose it comes from was cut off")
	}
	if s.spec.Effect == besra.EffectDowngrade && s.o.Severity != "" && s.spec.To != "" && s.spec.To.Rank() >= s.o.Severity.Rank() {
		s.field("to", CodeNotLower, fmt.Sprintf("it downgrades to %s a detection of severity %s", s.spec.To, s.o.Severity))
	}
}

func (s *subject) placeholder(field, text string) {
	if placeholders().MatchString(text) {
		s.field(field, CodePlaceholder, fmt.Sprintf("%q says nothing", text))
	}
}

// placeholders are what people write where a form wants something.
var placeholders = lazyregexp.New(`(?i)^\s*(todo|tbd|fixme|xxx+|n/?a|none|nobody|unknown|me|test|tmp|asdf|false positive|fp|because|benign|ok|-+|\.+|\?+)[.!]*\s*$`)

// soon is how long before its end an exclusion is announced.
const soon = 14 * 24 * time.Hour

// life checks the day of expiry.
func (s *subject) life() {
	end, err := s.spec.ExpiresAfter()
	switch {
	case err != nil: // the compiler says so
	case end.IsZero():
		s.field("expires", CodeNoExpiry, "it never expires")
	case !s.o.At.Before(end):
		s.field("expires", CodeExpired, fmt.Sprintf("it expired after %s", s.spec.Expires))
	case end.Sub(s.o.At) < soon:
		s.field("expires", CodeExpiresSoon, fmt.Sprintf("it lapses after %s", s.spec.Expires))
	case end.Sub(s.o.At) > s.o.MaxAge:
		s.field("expires", CodeFarExpiry, fmt.Sprintf("%s is more than %d days away", s.spec.Expires, s.o.MaxAge/(24*60*60*1e9)))
	}
}

// fixtures checks that the exclusion comes with its proof.
func (s *subject) fixtures() {
	if len(s.spec.Tests.Benign) == 0 {
		s.field("tests.benign", CodeNoBenignTest, "no benign fixture")
	}
	if len(s.spec.Tests.Malicious) == 0 {
		s.field("tests.malicious", CodeNoMaliciousTest, "no malicious twin")
	}
}

// scenario passes on what the caller knows.
func (s *subject) scenario() {
	if s.o.Dead != nil && s.o.Dead(s.spec) {
		s.field("scenario", CodeDeadScenario, fmt.Sprintf("the scenario %q cannot fire", s.spec.Scenario))
	}
}

// evaluation checks parameters and cost.
func (s *subject) evaluation() {
	if s.x == nil {
		return
	}
	for _, name := range s.x.Unresolved() {
		s.at(s.firstUse(name), CodeUnresolvedParameter, name+" is not set")
	}
	if estimate, limit := s.x.MaxCost(); estimate > limit {
		s.at(s.x.Expr(), CodeCost, fmt.Sprintf("one evaluation may cost %d, and is stopped at %d", estimate, limit))
	}
}

// firstUse returns the first use of a parameter or list.
func (s *subject) firstUse(name string) *exclusion.Expr {
	found := s.x.Expr()
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind == exclusion.KindParam && e.Name == name && found == s.x.Expr() {
			found = e
		}
		return true
	})
	return found
}

// unusedParameters reports parameters that no exclusion mentions. It waits until
// every exclusion compiles: before that, what they use is not known.
func (l *linter) unusedParameters(subjects []*subject) []*exclusion.Problem {
	used := map[string]bool{}
	for _, s := range subjects {
		if s.x == nil {
			return nil
		}
		for _, name := range s.x.Expr().Params() {
			used[name] = true
		}
	}
	var out []*exclusion.Problem
	for _, name := range sortedKeys(l.o.Parameters) {
		if !used["params."+name] {
			out = append(out, problem(CodeUnusedParameter, "", "parameters."+name, "no exclusion uses params."+name))
		}
	}
	for _, name := range sortedKeys(l.o.Lists) {
		if !used["lists."+name] {
			out = append(out, problem(CodeUnusedParameter, "", "lists."+name, "no exclusion uses lists."+name))
		}
	}
	return out
}
