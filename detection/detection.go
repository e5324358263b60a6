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
	Version string `yaml:"version,omitempty"`
	Status  Status `yaml:"status"`
	Title   string `yaml:"title"`

	Hypothesis Hypothesis `yaml:"hypothesis"`
	Rule       RuleFile   `yaml:"rule"`

	Severity besra.Severity `yaml:"severity"`
	// Confidence is how sure a match is to be what the rule looks for, 1 to 100,
	// as the score of THOR and YARA-Forge; 0 where nobody has said.
	Confidence int    `yaml:"confidence,omitempty"`
	Attack     Attack `yaml:"attack,omitempty"`
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
	Provenance Provenance      `yaml:"provenance,omitempty"`

	// Path is the detection file's path in its pack, for messages.
	Path string `yaml:"-"`

	place places
}

// Status is how far a detection has come.
type Status string

// The statuses.
const (
	StatusDraft  Status = "draft"  // as imported: nothing was reviewed
	StatusTest   Status = "test"   // reviewed, not yet run for long
	StatusStable Status = "stable" // trusted

	StatusDeprecated Status = "deprecated" // kept for old findings; not to be used in new hunts
)

// statuses lists the statuses.
func statuses() []Status { return []Status{StatusDraft, StatusTest, StatusStable, StatusDeprecated} }

// State is what became of a hypothesis, in Microsoft Sentinel's words.
type State string

// The states.
const (
	StateUnknown     State = "unknown"
	StateValidated   State = "validated"
	StateInvalidated State = "invalidated"
)

func states() []State { return []State{StateUnknown, StateValidated, StateInvalidated} }

// TLP is a label of the Traffic Light Protocol 2.0.
type TLP string

// The labels.
const (
	TLPClear       TLP = "clear"
	TLPGreen       TLP = "green"
	TLPAmber       TLP = "amber"
	TLPAmberStrict TLP = "amber+strict"
	TLPRed         TLP = "red"
)

func tlps() []TLP { return []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }

// Hypothesis is what a hunter sets out to show.
type Hypothesis struct {
	Statement string `yaml:"statement"`
	Why       string `yaml:"why,omitempty"`
	State     State  `yaml:"state"`
}

// Attack places the detection in MITRE ATT&CK.
type Attack struct {
	// Version is the release of ATT&CK that the ids are of, such as "17.0": ids
	// are split and revoked between releases.
	Version    string   `yaml:"version,omitempty"`
	Tactics    []string `yaml:"tactics,omitempty"`    // ids, such as TA0005
	Techniques []string `yaml:"techniques,omitempty"` // ids, such as T1027 or T1027.002
	Groups     []string `yaml:"groups,omitempty"`     // ids, such as G0020
	Software   []string `yaml:"software,omitempty"`   // ids, such as S0154
}

// RuleFile names the rule and what must be true of it.
type RuleFile struct {
	// File is the rule file, relative to the detection's. Detections may share
	// one. Where it is empty, Inline is the rule.
	File   string `yaml:"file,omitempty"`
	Inline string `yaml:"inline,omitempty"`
	// Name is the rule in File that is the detection; others are helpers.
	Name string `yaml:"name"`
	// Patterns is the number of patterns the rule must have: a cheap proof
	// that the rule was not damaged on its way.
	Patterns int `yaml:"patterns"`
	// Fingerprint is that of the rule's patterns and condition (see
	// [Fingerprint]): it changes when the rule does, and not with its name, its
	// meta or its layout.
	Fingerprint string `yaml:"fingerprint,omitempty"`
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
	Name   string `yaml:"name,omitempty"`
	Text   string `yaml:"text,omitempty"`
	Base64 string `yaml:"base64,omitempty"`
	File   string `yaml:"file,omitempty"`
}

// Provenance is where the detection came from, and what its licence asks for.
type Provenance struct {
	Author  string `yaml:"author,omitempty"`
	License string `yaml:"license,omitempty"`
	// Attribution is set where the licence asks that messages based on a match
	// name the author.
	Attribution bool `yaml:"attribution,omitempty"`
	// Source is where the rule was first published.
	Source string `yaml:"source,omitempty"`
	// Upstream is the rule's own id where it came from.
	Upstream string `yaml:"upstream,omitempty"`
	// TLP says with whom the detection may be shared.
	TLP TLP `yaml:"tlp,omitempty"`
	// Catalogue is the page that was imported.
	Catalogue string `yaml:"catalogue,omitempty"`
	Retrieved string `yaml:"retrieved,omitempty"` // a date
}
