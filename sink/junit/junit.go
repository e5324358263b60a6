// Package junit writes a hunt as JUnit XML for build servers: a suite a run, a
// case a finding. Alerts and undecided findings fail, suppressed and downgraded
// ones are skipped with their reason, and gaps of kind error and content are
// cases in error, so that a run that did not see everything is not green.
//
// The form begins with its totals, so everything is written on Close.
package junit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/report/junit"
)

// New returns a sink that writes to w on Close; the caller keeps w and closes it.
func New(w io.Writer) besra.Sink { return &sink{w: w} }

type sink struct {
	w      io.Writer
	suites []junit.Suite
	open   bool // a run is
	closed bool
}

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.closed {
		return errors.New("junit: written to after Close")
	}
	switch {
	case r.Run != nil:
		s.suites = append(s.suites, junit.Suite{Name: "hunt of " + r.Run.Host, Host: r.Run.Host, Time: r.Run.Started})
		s.open = true
	case r.Finding != nil:
		s.add(caseOf(r.Finding))
	case r.Gap != nil:
		if r.Gap.Kind != besra.GapSkip {
			s.add(junit.Case{Class: "coverage", Name: string(r.Gap.Target), Error: fmt.Sprintf("%s: %s", r.Gap.Kind, r.Gap.Reason), Kind: r.Gap.Reason, Detail: r.Gap.Detail})
		}
	case r.Summary != nil:
		s.open = false
	default:
		return errors.New("junit: a record without its content")
	}
	return nil
}

func (s *sink) add(c junit.Case) {
	if len(s.suites) == 0 || !s.open {
		s.suites = append(s.suites, junit.Suite{Name: "hunt"})
		s.open = true
	}
	suite := &s.suites[len(s.suites)-1]
	suite.Cases = append(suite.Cases, c)
}

func caseOf(f *besra.Finding) junit.Case {
	c := junit.Case{Class: f.Detection.ID + "." + f.Rule.Name, Name: string(f.Target.Name), Kind: string(f.Severity)}
	why := string(f.Verdict)
	if f.Suppression != nil {
		why += fmt.Sprintf(" by %s: %s", f.Suppression.Exclusion, f.Suppression.Reason)
	}
	switch f.Verdict {
	case besra.VerdictSuppressed, besra.VerdictDowngraded:
		c.Skipped = why
	default:
		c.Failure = fmt.Sprintf("%s (%s, %s)", f.Detection.Title, why, f.Severity)
		c.Detail = fmt.Sprintf("finding %s, sha256 %s, rule by %s, %s", f.ID, f.Target.SHA256, f.Rule.Author, f.Rule.License)
	}
	return c
}

// Close implements [besra.Sink].
func (s *sink) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return junit.Write(s.w, "besra hunt", s.suites)
}
