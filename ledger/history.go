package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// History is what a ledger tells, finding by finding.
type History struct {
	Ledger string // id
	// First and Last are the times of the first and the last entry.
	First, Last time.Time
	Runs        int
	// Findings holds each finding once, in the order of first appearance.
	Findings []*Item
	byID     map[string]*Item
}

// Item is a finding with what became of it.
type Item struct {
	// Finding is as it was last made. Its patterns have their counts and no
	// matches: the ledger itself has them.
	Finding besra.Finding `json:"finding"`
	// First and Last are the times at which it was first and last made.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Times int       `json:"times"`
	// Mark is the last disposition; nil where nobody has said anything.
	Mark *Mark `json:"mark,omitempty"`
}

// Confirmed reports whether somebody has found that the item is what its
// detection looks for.
func (i *Item) Confirmed() bool { return i.Mark != nil && i.Mark.Disposition == TruePositive }

// DamagedError says that a ledger is not what was written.
type DamagedError struct {
	Name    string
	Problem Problem // the first
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is not as it was written: %v", e.Name, e.Problem)
}

// Load reads a ledger. One that is not whole is a [*DamagedError]: what is
// concluded from it would be worth nothing.
func Load(name string) (*History, error) {
	h := &History{byID: map[string]*Item{}}
	v := &verifier{each: func(e Entry) error {
		h.entry(e)
		return nil
	}}
	if err := v.file(name, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(v.v.Problems) > 0 {
		return nil, &DamagedError{name, v.v.Problems[0]}
	}
	h.Ledger, h.First, h.Last = v.v.Ledger, v.v.First, v.v.Last
	return h, nil
}

func (h *History) entry(e Entry) {
	switch {
	case e.Mark != nil:
		h.Mark(*e.Mark)
	case e.Record != nil && e.Record.Run != nil:
		h.Runs++
	case e.Record != nil && e.Record.Finding != nil:
		h.finding(*e.Record.Finding)
	}
}

// Mark notes a disposition in the history alone, as [Ledger.Mark] does on the
// ledger. A finding that is not on it is left alone.
func (h *History) Mark(m Mark) {
	if i := h.byID[m.Finding]; i != nil {
		i.Mark = &m
	}
}

func (h *History) finding(f besra.Finding) {
	f.Patterns = slices.Clone(f.Patterns)
	for n := range f.Patterns {
		f.Patterns[n].Matches = nil
	}
	i := h.byID[f.ID]
	if i == nil {
		i = &Item{First: f.Time, Last: f.Time}
		h.byID[f.ID] = i
		h.Findings = append(h.Findings, i)
	}
	i.Times++
	if !f.Time.Before(i.Last) {
		i.Finding, i.Last = f, f.Time
	}
}

// Has reports whether a finding is on the ledger, by its whole id.
func (h *History) Has(id string) bool { return h.byID[id] != nil }

// Find returns the finding whose id begins with a prefix.
func (h *History) Find(prefix string) (*Item, error) {
	if prefix == "" {
		return nil, errors.New("the id of a finding is empty")
	}
	var found *Item
	for _, i := range h.Findings {
		if !strings.HasPrefix(i.Finding.ID, prefix) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("more than one finding begins with %s: give more of its id", prefix)
		}
		found = i
	}
	if found == nil {
		return nil, fmt.Errorf("there is no finding %s in the ledger", prefix)
	}
	return found, nil
}

// Since returns the history without findings that were last made before t.
func (h *History) Since(t time.Time) *History {
	out := *h
	out.Findings = slices.DeleteFunc(slices.Clone(h.Findings), func(i *Item) bool { return i.Last.Before(t) })
	return &out
}

// Group is what some findings have in common.
type Group struct {
	Key      string                `json:"key"`
	Findings int                   `json:"findings"`
	Verdicts map[besra.Verdict]int `json:"verdicts"`
	Hosts    int                   `json:"hosts"`
	Marks    map[Disposition]int   `json:"marks,omitempty"`
	First    time.Time             `json:"first"`
	Last     time.Time             `json:"last"`
	hosts    map[string]bool
}

// keys say what findings can be grouped by.
var keys = map[string]func(*Item) string{
	"exclusion": func(i *Item) string {
		if i.Finding.Suppression == nil {
			return ""
		}
		return i.Finding.Detection.ID + "/" + i.Finding.Suppression.Exclusion
	},
	"host":      func(i *Item) string { return i.Finding.Host },
	"detection": func(i *Item) string { return i.Finding.Detection.ID },
	"rule":      func(i *Item) string { return i.Finding.Rule.Name },
	"verdict":   func(i *Item) string { return string(i.Finding.Verdict) },
}

// Keys lists what [History.Group] takes.
func Keys() []string { return slices.Sorted(maps.Keys(keys)) }

// Group counts findings by a key, the largest group first. Findings without the
// key, such as an alert without exclusion, have the key "".
func (h *History) Group(by string) ([]*Group, error) {
	key, ok := keys[by]
	if !ok {
		return nil, fmt.Errorf("findings are grouped by %s, not by %q", strings.Join(Keys(), ", "), by)
	}
	groups := map[string]*Group{}
	for _, i := range h.Findings {
		k := key(i)
		g := groups[k]
		if g == nil {
			g = &Group{Key: k, Verdicts: map[besra.Verdict]int{}, Marks: map[Disposition]int{}, First: i.First, Last: i.Last, hosts: map[string]bool{}}
			groups[k] = g
		}
		g.add(i)
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b *Group) int {
		return cmp.Or(b.Findings-a.Findings, strings.Compare(a.Key, b.Key))
	}), nil
}

func (g *Group) add(i *Item) {
	g.Findings++
	g.Verdicts[i.Finding.Verdict]++
	if i.Mark != nil {
		g.Marks[i.Mark.Disposition]++
	}
	g.hosts[i.Finding.Host] = true
	g.Hosts = len(g.hosts)
	if i.First.Before(g.First) {
		g.First = i.First
	}
	if i.Last.After(g.Last) {
		g.Last = i.Last
	}
}

// Records hands the records in a ledger to f, as they were written, in order. A
// ledger that is not whole is a [*DamagedError], which comes after what could be
// read.
func Records(name string, f func(besra.Record) error) error {
	v := &verifier{each: func(e Entry) error {
		if e.Record == nil {
			return nil
		}
		return f(*e.Record)
	}}
	if err := v.file(name, nil); err != nil {
		return err
	}
	if len(v.v.Problems) > 0 {
		return &DamagedError{name, v.v.Problems[0]}
	}
	return nil
}
