package besra

import "context"

// Grade says how far a fact can be trusted, worst first. Only a known fact
// (any grade but GradeUnavailable) can decide an exclusion.
type Grade uint8

// The evidence grades.
const (
	GradeUnavailable Grade = iota // not known here, with the reason in Fact.Source
	GradeWeak                     // forgeable by whoever could place the bytes: a name, an mtime
	GradeAsserted                 // stated by a third party that was not checked: an archive header
	GradeVerified                 // read from the system that owns the truth: the kernel, a checked signature
)

var gradeNames = [...]string{"unavailable", "weak", "asserted", "verified"}

// String returns the grade's name as records spell it.
func (g Grade) String() string {
	if int(g) < len(gradeNames) {
		return gradeNames[g]
	}
	return "unavailable"
}

// MarshalText implements [encoding.TextMarshaler].
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is GradeUnavailable.
func (g *Grade) UnmarshalText(b []byte) error {
	*g = GradeUnavailable
	for i, n := range gradeNames {
		if n == string(b) {
			*g = Grade(i)
		}
	}
	return nil
}

// Fact is one thing known about a target, and how it is known.
type Fact struct {
	// Name is the fact's name in the vocabulary, such as "file.owner.name".
	Name string `json:"name"`
	// Value is a Text, string, int64, float64, bool, time.Time or []string, by
	// the vocabulary's type; nil when unavailable.
	Value any `json:"value,omitempty"`
	// Grade is how far Value can be trusted.
	Grade Grade `json:"grade"`
	// Source is where the value came from ("stat", "etc/passwd of the root"),
	// or, when unavailable, why it is not known.
	Source string `json:"source,omitempty"`
}

// Known reports whether the fact has a value.
func (f Fact) Known() bool { return f.Grade != GradeUnavailable }

// Text returns the value of a fact of type string; ok is false for any other,
// and for one that is not known.
func (f Fact) Text() (s string, ok bool) {
	switch v := f.Value.(type) {
	case string:
		return v, true
	case Text:
		return string(v), true
	}
	return "", false
}

// Unavailable returns the fact that name is not known, because of why.
func Unavailable(name, why string) Fact { return Fact{Name: name, Source: why} }

// Facts answers what is known about one target. Facts are gathered on demand
// and remembered: asking costs nothing until it is done. A Facts belongs to
// one goroutine at a time.
type Facts interface {
	// Fact returns the named fact. A name that the context cannot answer gives
	// an unavailable fact that says why; Fact never fails otherwise.
	Fact(ctx context.Context, name string) Fact
}

// Recorded answers from what was recorded with a finding, so that a decision can
// be made again where the target is not at hand: the facts that were asked for,
// and digest and size of the target. What was not recorded is unavailable. It is
// immutable and shared; the finding must not change.
func Recorded(f *Finding) Facts { return recorded{f} }

type recorded struct{ finding *Finding }

// Fact implements [Facts].
func (r recorded) Fact(_ context.Context, name string) Fact {
	const source = "recorded of the target"
	for _, f := range r.finding.Facts {
		if f.Name == name {
			return f
		}
	}
	switch target := r.finding.Target; {
	case name == "file.sha256" && target.SHA256 != "":
		return Fact{Name: name, Value: target.SHA256, Grade: GradeVerified, Source: source}
	case name == "file.size":
		return Fact{Name: name, Value: target.Size, Grade: GradeVerified, Source: source}
	}
	return Unavailable(name, "it was not asked for when the finding was made")
}

// NoFacts knows nothing: every fact is unavailable.
type NoFacts struct{}

// Fact implements [Facts].
func (NoFacts) Fact(_ context.Context, name string) Fact {
	return Unavailable(name, "nothing is known about this target")
}
