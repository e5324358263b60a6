package yaratest

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/besra-hunt/besra/yara/module"
)

// Score counts outcomes.
type Score struct{ Passed, Failed, Absent, Skipped int }

func (s *Score) add(st Status) {
	switch st {
	case Passed:
		s.Passed++
	case Failed:
		s.Failed++
	case Absent:
		s.Absent++
	case Skipped:
		s.Skipped++
	}
}

// Report is the outcome of all vectors.
type Report struct {
	Outcomes []Outcome
	byCell   map[cell]*Score
}

type cell struct {
	family Family
	group  string
}

// RunVectors runs the vectors one after the other.
func RunVectors(vectors []*Vector, modules []*module.Module) *Report {
	r := &Report{byCell: make(map[cell]*Score)}
	for _, v := range vectors {
		o := v.Run(modules)
		r.Outcomes = append(r.Outcomes, o)
		for _, c := range []cell{{v.Family(), v.Group}, {v.Family(), ""}} {
			if r.byCell[c] == nil {
				r.byCell[c] = new(Score)
			}
			r.byCell[c].add(o.Status)
		}
	}
	return r
}

// Score returns the counts of a family.
func (r *Report) Score(f Family) Score {
	if s := r.byCell[cell{f, ""}]; s != nil {
		return *s
	}
	return Score{}
}

// WriteTable writes the counts by family and group.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "family\tgroup\tpassed\tfailed\tmodule absent\tskipped\t")
	for _, f := range []Family{Both, OnlyYARAX, OnlyLibYARA, Neither} {
		for _, group := range []string{"language", "syntax", "modules", ""} {
			s := r.byCell[cell{f, group}]
			if s == nil {
				continue
			}
			if group == "" {
				group = "all"
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t\n", f, group, s.Passed, s.Failed, s.Absent, s.Skipped)
		}
	}
	return t.Flush()
}

// WriteFailures writes every vector that did not pass: its family, identity,
// why, and its rules.
func (r *Report) WriteFailures(w io.Writer) error {
	names := [...]string{Failed: "FAILED", Absent: "absent", Skipped: "skipped"}
	for _, st := range []Status{Failed, Skipped, Absent} {
		for _, o := range r.Outcomes {
			if o.Status != st {
				continue
			}
			_, err := fmt.Fprintf(w, "%s [%s] %s (%s)\n\t%s\n", names[st], o.Vector.Family(), o.Vector.ID, o.Vector.Kind, o.Why)
			if err == nil && st == Failed {
				_, err = fmt.Fprintf(w, "%s\n", o.Vector.text())
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// MissingModules counts the vectors that wait for each module.
func (r *Report) MissingModules() map[string]int {
	counts := make(map[string]int)
	for _, o := range r.Outcomes {
		if o.Status == Absent {
			counts[o.Why]++
		}
	}
	return counts
}

// Failures returns the outcomes that failed, those of the weightier families
// first.
func (r *Report) Failures() []Outcome {
	rank := []Family{Both, OnlyYARAX, OnlyLibYARA, Neither}
	var list []Outcome
	for _, o := range r.Outcomes {
		if o.Status == Failed {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Outcome) int {
		return slices.Index(rank, a.Vector.Family()) - slices.Index(rank, b.Vector.Family())
	})
	return list
}
