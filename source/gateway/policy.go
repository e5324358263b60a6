package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// Action is what becomes of an object, mildest first.
type Action uint8

// The actions.
const (
	Allow      Action = iota // it passes, as if nothing had been found
	Log                      // it passes, and is marked where the protocol has a place for it
	Quarantine               // it is held back where the protocol can, and blocked where it cannot
	Block                    // it does not pass
)

var actionNames = [...]string{"allow", "log", "quarantine", "block"}

// String returns the action's name.
func (a Action) String() string { return actionNames[a] }

// Policy says what findings lead to. A suppressed finding leads to nothing; a
// downgraded one counts with the severity it was lowered to, and an undecided
// one as an alert. Its zero value allows everything.
type Policy struct {
	// Actions holds one action a severity, by its rank.
	Actions [4]Action
	// FailClosed blocks what was not looked at to its end: over a limit, late,
	// encrypted, damaged. Otherwise it passes, and the gap is told.
	FailClosed bool
}

// DefaultPolicy blocks what is severe and marks the rest.
func DefaultPolicy() Policy { return Policy{Actions: [4]Action{Allow, Log, Log, Block}} }

// Set changes the actions by pairs such as "high=block".
func (p *Policy) Set(pairs []string) error {
	for _, pair := range pairs {
		severity, name, ok := strings.Cut(strings.ToLower(pair), "=")
		rank := besra.Severity(severity).Rank()
		action := slices.Index(actionNames[:], name)
		if !ok || rank < 0 || action < 0 {
			return fmt.Errorf("policy %q: want SEVERITY=ACTION of informational, low, medium, high and %s", pair, strings.Join(actionNames[:], ", "))
		}
		p.Actions[rank] = Action(action)
	}
	return nil
}

// Verdict is what the policy says of one object.
type Verdict struct {
	Action Action
	// Finding is what led to it; nil where nothing was found.
	Finding *besra.Finding
	// Gap is what led to it where nothing was found and FailClosed is set.
	Gap *besra.Gap
}

// Judge applies the policy to an answer.
func (p Policy) Judge(a besra.Answer) Verdict {
	var v Verdict
	if a.Worst != nil {
		v = Verdict{Action: p.Actions[max(0, a.Worst.Severity.Rank())], Finding: a.Worst}
	}
	if p.FailClosed && a.Missed > 0 && v.Action < Quarantine {
		return Verdict{Action: Block, Finding: a.Worst, Gap: &a.Gaps[0]}
	}
	return v
}

// Reason says in a few words of printable ASCII why an object was not let
// through; empty where nothing was found or missed. A rule whose licence asks
// for it names its author.
func (v Verdict) Reason() string {
	switch f := v.Finding; {
	case v.Gap != nil:
		return plain("not looked at to its end: " + v.Gap.Reason)
	case f == nil:
		return ""
	case f.Rule.Author != "":
		return plain(f.Rule.Name + " by " + f.Rule.Author)
	default:
		return plain(f.Rule.Name)
	}
}

// plain makes a text safe for the header of any protocol.
func plain(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b[:min(len(b), 200)])
}
