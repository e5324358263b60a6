package besra

import "time"

// Version of the record format. It changes when a field changes its meaning or
// goes away; new fields may come without notice.
const RecordVersion = "besra/v1"

// Verdict is what the exclusions left of a match.
type Verdict string

// The verdicts, most urgent first.
const (
	VerdictAlert      Verdict = "alert"      // the rule matched and no exclusion applies
	VerdictUndecided  Verdict = "undecided"  // it would be excluded if a fact were known; treated as an alert
	VerdictDowngraded Verdict = "downgraded" // an exclusion lowered the severity
	VerdictSuppressed Verdict = "suppressed" // an exclusion says it is benign
)

// Severity is a detection author's level, in Microsoft Sentinel's words.
type Severity string

// The severities, from least to most.
const (
	SeverityInformational Severity = "informational"
	SeverityLow           Severity = "low"
	SeverityMedium        Severity = "medium"
	SeverityHigh          Severity = "high"
)

// Rank orders severities: 0 for informational up to 3 for high, -1 for an unknown word.
func (s Severity) Rank() int {
	for i, v := range []Severity{SeverityInformational, SeverityLow, SeverityMedium, SeverityHigh} {
		if s == v {
			return i
		}
	}
	return -1
}

// Record is one line of the master record of a run. Exactly one of the
// pointers is set; Type names it.
type Record struct {
	Type    RecordType
	Run     *Run
	Finding *Finding
	Gap     *Gap
	Summary *Summary
}

// RecordType tells records apart; it is the "type" member of each line.
type RecordType string

// The record types, in the order a run writes them.
const (
	RecordRun     RecordType = "run"
	RecordFinding RecordType = "finding"
	RecordGap     RecordType = "gap"
	RecordSummary RecordType = "summary"
)

// Run opens the record: what was asked, of which content, where.
type Run struct {
	ID      string    `json:"id"`
	Version string    `json:"besra_version"`
	Started time.Time `json:"started"`
	Host    string    `json:"host"`
	OS      string    `json:"os"`
	Targets []Text    `json:"targets"` // as given on the command line
	// Parameters are what the site set with --param, as given.
	Parameters []Text    `json:"parameters,omitempty"`
	Packs      []PackRef `json:"packs"`
	Rules      int       `json:"rules"` // rules compiled and searched for
}

// PackRef names the content a run used.
type PackRef struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest"` // "sha256:…" over the pack's files
}

// Finding is the durable record that one rule held on one target.
type Finding struct {
	// ID is deterministic: the same rule on the same content at the same place
	// has the same ID in every run, so that delivering twice is harmless.
	ID   string    `json:"id"`
	Run  string    `json:"run"`
	Time time.Time `json:"time"`
	Host string    `json:"host"`

	Verdict  Verdict  `json:"verdict"`
	Severity Severity `json:"severity"` // after downgrades
	// AuthorSeverity is the detection's own severity.
	AuthorSeverity Severity `json:"author_severity"`

	Detection DetectionRef  `json:"detection"`
	Rule      RuleRef       `json:"rule"`
	Target    TargetRef     `json:"target"`
	Patterns  []PatternHits `json:"patterns"`

	// Suppression is set when Verdict is suppressed or downgraded.
	Suppression *Suppression `json:"suppression,omitempty"`
	// Decisions holds every exclusion that was asked, in the detection's order.
	Decisions []Decision `json:"decisions,omitempty"`
	// Facts holds each fact that was asked for, and those that are known of
	// [Context.Origin], once, sorted by name.
	Facts []Fact `json:"facts,omitempty"`
}

// DetectionRef identifies the detection a rule belongs to.
type DetectionRef struct {
	ID      string `json:"id"`
	Version string `json:"version,omitempty"`
	Title   string `json:"title"`
	Pack    string `json:"pack"`
	// Status is how far the detection has come: draft, test, stable, deprecated.
	Status string `json:"status,omitempty"`
	// Confidence is 1 to 100, 0 where nobody has said.
	Confidence int        `json:"confidence,omitempty"`
	Attack     *AttackRef `json:"attack,omitempty"`
	Hypothesis string     `json:"hypothesis,omitempty"` // its statement
	References []string   `json:"references,omitempty"`
	// Questions are what an analyst has to check, because a machine cannot.
	Questions []string `json:"questions,omitempty"`
	TLP       string   `json:"tlp,omitempty"`
}

// AttackRef places a detection in MITRE ATT&CK.
type AttackRef struct {
	Version    string   `json:"version,omitempty"` // release of ATT&CK that the ids are of
	Tactics    []string `json:"tactics,omitempty"`
	Techniques []string `json:"techniques,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	Software   []string `json:"software,omitempty"`
}

// RuleRef identifies the rule, and carries what its licence asks to be shown
// in every message based on a match.
type RuleRef struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Author    string   `json:"author,omitempty"`
	License   string   `json:"license,omitempty"`
	Source    string   `json:"source,omitempty"`
	// Attribution is set where the licence asks that every message based on a
	// match names the author.
	Attribution bool   `json:"attribution,omitempty"`
	Meta        []Meta `json:"meta,omitempty"`
}

// Meta is one entry of a rule's meta section, in source order. Value is a
// Text, int64, float64 or bool.
type Meta struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// TargetRef is what a finding says of its target.
type TargetRef struct {
	Name    Text    `json:"name"`
	Context Context `json:"context"`
	Size    int64   `json:"size"`
	SHA256  string  `json:"sha256,omitempty"`
}

// PatternHits is one pattern of the rule with its matches.
type PatternHits struct {
	ID string `json:"id"` // "$s1"; "$" for an anonymous pattern
	// Count is the number of matches found; Matches may hold fewer.
	Count   int     `json:"count"`
	Matches []Match `json:"matches"`
}

// Match is one occurrence of a pattern, with the bytes around it.
type Match struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
	XorKey *byte `json:"xor_key,omitempty"`
	// Before, Data and After are the context excerpt, base64 in JSON. Data may
	// be cut to its first bytes; Length is the whole.
	Before []byte `json:"before,omitempty"`
	Data   []byte `json:"data"`
	After  []byte `json:"after,omitempty"`
}

// Effect is what an exclusion does when it is true.
type Effect string

// The effects.
const (
	EffectSuppress  Effect = "suppress"
	EffectDowngrade Effect = "downgrade"
	EffectAnnotate  Effect = "annotate"
)

// Suppression is the mark an exclusion leaves on a finding.
type Suppression struct {
	Exclusion string `json:"exclusion"`
	Scenario  string `json:"scenario"`
	Effect    Effect `json:"effect"`
	Owner     string `json:"owner"`
	Reason    string `json:"reason"`
	Ticket    string `json:"ticket,omitempty"`
	Expires   string `json:"expires"` // a date, 2006-01-02
}

// Outcome is the value of an exclusion's expression on a finding.
type Outcome string

// The outcomes. Only OutcomeTrue has an effect.
const (
	OutcomeTrue    Outcome = "true"
	OutcomeFalse   Outcome = "false"
	OutcomeUnknown Outcome = "unknown" // a fact is missing
	OutcomeError   Outcome = "error"   // the expression failed or cost too much
	OutcomeExpired Outcome = "expired" // not asked: its date has passed
)

// Decision is one exclusion's answer on one finding.
type Decision struct {
	Exclusion string  `json:"exclusion"`
	Scenario  string  `json:"scenario"`
	Effect    Effect  `json:"effect"`
	Outcome   Outcome `json:"outcome"`
	// To is the severity a true downgrade leads to.
	To Severity `json:"to,omitempty"`
	// Missing names the facts without which an unknown outcome stays open.
	Missing []string `json:"missing,omitempty"`
	// Why is one sentence a person can read.
	Why string `json:"why,omitempty"`
}

// GapKind says what kind of thing was not done.
type GapKind string

// The kinds of gap.
const (
	GapSkip    GapKind = "skip"    // not scanned, on purpose: a socket, a network file system
	GapError   GapKind = "error"   // not scanned, or not wholly: unreadable, vanished, timed out
	GapContent GapKind = "content" // a rule or an exclusion that could not be used
)

// Gap is something that was not read, compiled or decided.
type Gap struct {
	Kind   GapKind `json:"kind"`
	Target Text    `json:"target"` // the target, directory, rule file or exclusion
	Reason string  `json:"reason"` // a stable word, such as "socket", "permission", "vanished"
	Detail string  `json:"detail,omitempty"`
	// Count is how many targets the gap stands for, at least 1 where that is known.
	Count int64 `json:"count"`
}

// Summary closes the record: the counts of the closing line, and more.
type Summary struct {
	Targets    int64 `json:"targets"` // scanned to the end
	Bytes      int64 `json:"bytes"`
	Matches    int64 `json:"matches"`    // findings, suppressed or not
	Suppressed int64 `json:"suppressed"` // findings with verdict suppressed
	Downgraded int64 `json:"downgraded"`
	Exclusions int64 `json:"exclusions"` // distinct exclusions that suppressed
	Undecided  int64 `json:"undecided"`
	Errors     int64 `json:"errors"`
	Skipped    int64 `json:"skipped"`
	// Identical is how many of the targets were not searched, because the answer
	// was known from another one with the same content, of this run or the cache.
	Identical int64 `json:"identical,omitempty"`
	// Skips counts skipped targets by reason.
	Skips       map[string]int64 `json:"skips,omitempty"`
	Interrupted bool             `json:"interrupted"`
	// Complete is false where an error, an interruption or unusable content
	// left something undone: "nothing found" is then not "clean".
	Complete bool          `json:"complete"`
	Duration time.Duration `json:"duration_ns"`
}
