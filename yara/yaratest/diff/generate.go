package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Set is a rule set that Generate made.
type Set struct {
	tree *node
	// Modern is set where the rules may use what yara 4.2 does not have yet.
	Modern bool
}

// String returns the rules.
func (s Set) String() string { return s.tree.String() }

// Group is some rule sets and targets of one alphabet.
type Group struct {
	Sets []Set
	Data [][]byte
	// Own is, for each target, the index of the set whose words it is made of.
	Own []int
}

// Texts returns the rules of all sets.
func (g *Group) Texts() []string {
	texts := make([]string, len(g.Sets))
	for i, s := range g.Sets {
		texts[i] = s.String()
	}
	return texts
}

// The size of a group.
const (
	setsPerGroup = 4
	dataPerSet   = 16
)

// alphabets are what a group's literals are made of: small ones make chance
// matches, overlaps and near misses.
var alphabets = []string{
	"ab", "aAb", "abc", "abXY", "ab_ 1", "a \n.", "a\x00b", "\x00\x01\xff", "ab\x00\xff1_", "MZab\x90", "abcdefghijklmnopqrstuvwxyz",
}

// generator makes one group.
type generator struct {
	*rand.Rand
	alphabet string
	modern   bool
}

// Generate makes the group of a seed.
func Generate(seed uint64) *Group {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0xBE5A))}
	g.alphabet = pick(g, alphabets)
	group := &Group{}
	for i := range setsPerGroup {
		g.modern = g.chance(4)
		tree, words := g.rules()
		group.Sets = append(group.Sets, Set{tree, g.modern})
		for range dataPerSet {
			group.Data = append(group.Data, g.data(words))
			group.Own = append(group.Own, i)
		}
	}
	return group
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// between returns a number of lo to hi.
func (g *generator) between(lo, hi int) int { return lo + g.IntN(hi-lo+1) }

// word is a pattern's node: emit makes its matches.
type word = func(*rand.Rand) []byte

// rules makes a rule set: mostly one rule, sometimes some that refer to each
// other.
func (g *generator) rules() (*node, []word) {
	n := 1
	if g.chance(8) {
		n = g.between(2, 4)
	}
	var kids []*node
	var words []word
	var names []string
	for i := range n {
		name := fmt.Sprintf("r%d", i)
		rule, more := g.rule(name, names)
		kids, words, names = append(kids, rule), append(words, more...), append(names, name)
	}
	return list("rules", "", "\n", "", kids...), words
}

func (g *generator) rule(name string, earlier []string) (*node, []word) {
	var patterns []*node
	var words []word
	var ids []string
	for i := range g.IntN(5) {
		id := string(rune('a' + i))
		if g.chance(6) && i > 0 {
			id = "a" + id // for $a*
		}
		p := g.pattern("$" + id)
		patterns, words, ids = append(patterns, p), append(words, p.emit), append(ids, id)
	}
	c := &conditions{generator: g, ids: ids, rules: earlier, depth: g.between(1, 4)}
	strs := leaf("strings", "")
	if len(ids) > 0 {
		strs = list("strings", " strings:\n", "", "", patterns...)
	}
	prefix := ""
	if len(earlier) > 0 || g.chance(20) {
		prefix = pick(g, []string{"", "", "", "private ", "global ", "global private "})
	}
	return form("rule", "% rule "+name+" {%\n condition:\n  %\n}", leaf("modifier", prefix), strs, c.whole()), words
}

// whole makes a condition that uses every pattern, as both languages demand.
func (c *conditions) whole() *node {
	b := c.boolean(c.depth)
	switch c.IntN(8) {
	case 0:
		b = form("bool", "% and (%)", c.gate(), b)
	case 1:
		b = form("bool", "% and % and (%)", c.gate(), c.gate(), b)
	}
	if c.all(b) {
		return b
	}
	return form("bool", pick(c.generator, []string{
		"(%) and any of them", "(%) or all of them", "for all of them : (# >= 0) and (%)", "for all of them : (# >= 0) and (%)",
		"any of them and (%)", "(%) or 2 of them",
	}), b)
}

// all reports whether the condition uses all patterns by name.
func (c *conditions) all(b *node) bool {
	text := b.String()
	if strings.Contains(text, "them") || strings.Contains(text, "$*") {
		return true
	}
	for _, id := range c.ids {
		used := false
		for _, sign := range []string{"$", "#", "@", "!"} {
			for _, end := range []string{" ", ")", "[", ","} {
				used = used || strings.Contains(text+" ", sign+id+end)
			}
		}
		if !used {
			return false
		}
	}
	return true
}
