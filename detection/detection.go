// Package detection turns what a detection author writes into what a hunt
// runs: a rule, the hypothesis behind it, the contexts it is meant for, and
// the false-positive scenarios it is known for, each with its exclusions.
//
// A detection is a YAML file beside the .yar file of its rule. A [Pack] is a
// folder of detections; [LoadPack] reads one, [Pack.Compile] makes the rules
// and exclusions that the scan room runs, [ParsePage] and [Draft] turn a
// catalogue page into a detection for a person to harden, and [Test] runs the
// samples and fixtures that show that a detection does what it says. The pack
// in detection/builtin is embedded in the program.
package detection

import (
	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// APIVersion is the version of the detection file that this package reads and
// writes.
const APIVersion = "besra/v1"

// Detection is one detection file. Paths in it are relative to the file.
type Detection struct {
	APIVersion string `yaml:"apiVersion"`
	// ID is unique in its pack: lower-case letters, digits and dashes.
	ID      string `yaml:"id"`
	Version string `yaml:"version"`
	Status  Status `yaml:"status"`
	Title   string `yaml:"title"`

	Hypothesis Hypothesis `yaml:"hypothesis"`
	Rule       RuleFile   `yaml:"rule"`

	Severity besra.Severity `yaml:"severity"`
	// Contexts are the kinds of place the detection is meant for.
	Contexts []besra.Context `yaml:"contexts,omitempty"`
	// Parameters are the site-specific values that exclusions refer to as
	// params.<name>.
	Parameters exclusion.Parameters `yaml:"parameters,omitempty"`
	// Lists are allow-lists that somebody vouches for, which exclusions refer to
	// as lists.<name>.
	Lists      exclusion.Lists `yaml:"lists,omitempty"`
	Scenarios  []Scenario      `yaml:"scenarios,omitempty"`
	Samples    Samples         `yaml:"samples,omitempty"`
	References []string        `yaml:"references,omitempty"`
	Provenance Provenance      `yaml:"provenance"`

	// Path is the detection file's path in its pack, for messages.
	Path string `yaml:"-"`
}

// Status is how far a detection has come.
type Status string

// The statuses.
const (
	StatusDraft  Status = "draft"  // as imported: nothing was reviewed
	StatusTest   Status = "test"   // reviewed, not yet run for long
	StatusStable Status = "stable" // trusted
)

// Hypothesis is what a hunter sets out to show.
type Hypothesis struct {
	Statement string `yaml:"statement"`
	Why       string `yaml:"why,omitempty"`
	// State is unknown, validated or invalidated.
	State string `yaml:"state"`
}

// RuleFile names the rule and what must be true of it.
type RuleFile struct {
	File string `yaml:"file"`
	// Name is the rule in File that is the detection; others are helpers.
	Name string `yaml:"name"`
	// Patterns is the number of patterns the rule must have: a cheap proof
	// that the rule was not damaged on its way.
	Patterns int `yaml:"patterns"`
	// KnownBad are digests (MD5, SHA-1 or SHA-256, lower-case hex) of malware
	// that the rule's author names. A file with one is never excluded.
	KnownBad []string `yaml:"knownBad,omitempty"`
}

// Scenario is a known way in which the rule matches what is benign.
type Scenario struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Description and Filter are prose, kept as the catalogue has them.
	Description string `yaml:"description,omitempty"`
	Filter      string `yaml:"filter,omitempty"`
	// Truncated is set where the catalogue's text stops in mid-sentence.
	Truncated bool `yaml:"truncated,omitempty"`
	// Questions are what a machine cannot check: shown with the finding.
	Questions []string `yaml:"questions,omitempty"`
	// Exclusions make the scenario executable.
	Exclusions []exclusion.Spec `yaml:"exclusions,omitempty"`
}

// Samples are contents that the rule must and must not match.
type Samples struct {
	Positive []Sample `yaml:"positive,omitempty"`
	Negative []Sample `yaml:"negative,omitempty"`
}

// Sample is one content: Text, Base64 or File, one of the three.
type Sample struct {
	Name   string `yaml:"name"`
	Text   string `yaml:"text,omitempty"`
	Base64 string `yaml:"base64,omitempty"`
	File   string `yaml:"file,omitempty"`
}

// Provenance is where the detection came from, and what its licence asks for.
type Provenance struct {
	Author  string `yaml:"author,omitempty"`
	License string `yaml:"license,omitempty"`
	// Source is where the rule was first published.
	Source string `yaml:"source,omitempty"`
	// Catalogue is the page that was imported.
	Catalogue string `yaml:"catalogue,omitempty"`
	Retrieved string `yaml:"retrieved,omitempty"` // a date
}
