package diff

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"

	"github.com/besra-hunt/besra/yara"
)

// Oracle is an engine to compare with, and the dialect that should agree.
type Oracle struct {
	Engine
	Dialect yara.Dialect
}

// Difference is a case on which an oracle gives another answer.
type Difference struct {
	Seed   uint64
	Oracle Oracle
	Set    Set
	Data   []byte
	Kind   Kind
	What   string // in a line
	Ours   Answer
	Theirs Answer
}

// Tally counts what was compared, and what was explained, by reason.
type Tally struct {
	Sets, Cases, Pairs int // Cases are pairs of a set and data of its own
	Matched            int // pairs in which a rule matches
	Refused            map[string]int
	Explained          map[string]int
}

// Runner compares groups and keeps count.
type Runner struct {
	Oracles []Oracle
	Tally   Tally
}

// Run compares the group of a seed with all oracles, and returns the
// differences that are not explained.
func (r *Runner) Run(seed uint64) ([]Difference, error) {
	g := Generate(seed)
	if r.Tally.Explained == nil {
		r.Tally.Explained, r.Tally.Refused = make(map[string]int), make(map[string]int)
	}
	r.Tally.Sets += len(g.Sets)
	r.Tally.Cases += len(g.Data)
	var found []Difference
	refused := make([][]string, len(g.Sets))
	for _, o := range r.Oracles {
		rules, index := g.asked(o)
		theirs, err := o.Ask(rules, g.Data)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		ours, _ := r.variant(seed, o.Dialect).Ask(rules, g.Data)
		for k, i := range index {
			if theirs[k].Refused != "" {
				refused[i] = append(refused[i], theirs[k].Refused)
				r.Tally.Refused[o.Name()]++
			}
			more, err := r.compare(seed, o, g, i, ours[k], theirs[k])
			if err != nil {
				return nil, fmt.Errorf("seed %d: %w", seed, err)
			}
			found = append(found, more...)
		}
	}
	return append(found, r.takes(seed, g, refused)...), nil
}

// asked returns the sets that an oracle is asked about. Modern ones need what
// only YARA-X has.
func (g *Group) asked(o Oracle) (rules []string, index []int) {
	for i, s := range g.Sets {
		if !s.Modern || o.Dialect == yara.YARAX {
			rules, index = append(rules, s.String()), append(index, i)
		}
	}
	return rules, index
}

// variant draws a way to run the engine: all must say the same.
func (r *Runner) variant(seed uint64, d yara.Dialect) Besra {
	rnd := rand.New(rand.NewPCG(seed, 2))
	return Besra{Dialect: d, AllMatches: rnd.IntN(2) == 0, Roundtrip: rnd.IntN(4) == 0}
}

func (r *Runner) compare(seed uint64, o Oracle, g *Group, set int, ours, theirs Answer) (found []Difference, err error) {
	d := Difference{Seed: seed, Oracle: o, Set: g.Sets[set]}
	switch {
	case theirs.Refused != "":
		return nil, nil // takes looks at what all refuse
	case ours.Refused != "":
		d.Kind, d.What = Refuses, ours.Refused
		d.Ours, d.Theirs = ours, theirs
		why, err := Explained(d.Set.String(), &d)
		if why != "" {
			r.Tally.Explained[why]++
			return nil, err
		}
		return []Difference{d}, err
	}
	text := d.Set.String()
	for j := range g.Data {
		r.Tally.Pairs++
		if len(theirs.Scans[j].Rules) > 0 {
			r.Tally.Matched++
		}
		c := d.at(g.Data[j], ours.Scans[j], theirs.Scans[j])
		if c.Kind == Same {
			continue
		}
		why, err := Explained(text, &c)
		if err != nil {
			return nil, err
		}
		if why != "" {
			r.Tally.Explained[why]++
			continue
		}
		found = append(found, c)
	}
	return found, nil
}

// at compares on one target.
func (d Difference) at(data []byte, ours, theirs Scan) Difference {
	d.Data = data
	d.Ours, d.Theirs = Answer{Scans: []Scan{ours}}, Answer{Scans: []Scan{theirs}}
	d.Kind, d.What = Compare(ours, theirs)
	return d
}

// overflows finds that a constant is too large, in an error.
var overflows = regexp.MustCompile(`integer overflow|number out of range`)

// takes finds the sets that every oracle refuses and the engine takes.
func (r *Runner) takes(seed uint64, g *Group, refused [][]string) (found []Difference) {
	for i, s := range g.Sets {
		switch {
		case s.Modern || len(refused[i]) < len(r.Oracles) || len(r.Oracles) < 2:
			continue
		case slices.ContainsFunc(refused[i], overflows.MatchString):
			r.Tally.Explained["constants that overflow"]++
			continue
		}
		if a := (Besra{}).answer(s.String(), nil); a.Refused == "" {
			o := r.Oracles[0]
			found = append(found, Difference{Seed: seed, Oracle: o, Set: s, Kind: Takes, What: "all oracles refuse it"})
		}
	}
	return found
}

// Again asks the oracle and the engine anew for a changed case.
func (d Difference) Again(rules *node, data []byte) (Difference, error) {
	text := rules.String()
	theirs, err := d.Oracle.Ask([]string{text}, [][]byte{data})
	if err != nil {
		return d, err
	}
	ours := Besra{Dialect: d.Oracle.Dialect}.answer(text, [][]byte{data})
	c := d
	c.Set.tree, c.Kind = rules, Same
	switch {
	case theirs[0].Refused != "":
		return c, nil
	case ours.Refused != "":
		c.Kind, c.What = Refuses, ours.Refused
		c.Ours, c.Theirs, c.Data = ours, theirs[0], data
		return c, nil
	}
	c = c.at(data, ours.Scans[0], theirs[0].Scans[0])
	if c.Kind == Same {
		return c, nil
	}
	why, err := Explained(text, &c)
	if why != "" {
		c.Kind = Same
	}
	return c, err
}
