package detection

import (
	"time"

	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/lint"
)

// Lint returns what the linter says of the exclusions of d at a time.
func Lint(d *Detection, at time.Time) []*exclusion.Problem {
	return lint.Check(d.Exclusions(), lint.Options{Parameters: d.Parameters, Lists: d.Lists, Contexts: d.Contexts,
		KnownBad: d.Rule.KnownBad, Severity: d.Severity, At: at})
}
