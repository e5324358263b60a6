package diff

import (
	"iter"
	"math/rand/v2"
	"strings"
)

// A node is a piece of rule text: parts[0] kid[0] parts[1] kid[1] … It knows
// the grammar only as far as shrinking needs it: a node may be replaced by any
// node of the same kind below it, and by its kind's leaf.
type node struct {
	kind  string
	parts []string
	kids  []*node
	emit  func(*rand.Rand) []byte // bytes that match, of a pattern's nodes
}

// leaves are the smallest texts of each kind. Kinds that are not listed are
// never replaced by a leaf.
var leaves = map[string][]string{
	"rule": {""}, "strings": {""}, "pattern": {""}, "modifier": {""}, "extra": {""},
	"bool": {"true", "false", "#a > 0"}, "int": {"0", "1"}, "float": {"0.5"}, "str": {`"a"`},
	"small": {"0", "1"}, "quantifier": {"any", "all"}, "set": {"them"},
	"re": {"a", "b"}, "hex": {"61", "62"}, "repeat": {"*"}, "text": {"a", "b", "ab"},
}

// leaf returns a node without kids.
func leaf(kind, text string) *node { return &node{kind: kind, parts: []string{text}} }

// form returns a node of a format in which each % stands for a kid; %% is a
// percent sign.
func form(kind, format string, kids ...*node) *node {
	const percent = "\x00"
	parts := strings.Split(strings.ReplaceAll(format, "%%", percent), "%")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], percent, "%")
	}
	return &node{kind: kind, parts: parts, kids: kids}
}

// list returns a node of its kids, one after the other.
func list(kind, open, separator, end string, kids ...*node) *node {
	n := &node{kind: kind, kids: kids, parts: []string{open}}
	for range kids {
		n.parts = append(n.parts, separator)
	}
	n.parts[len(kids)] += end
	return n
}

func (n *node) write(b *strings.Builder) {
	for i, p := range n.parts {
		b.WriteString(p)
		if i < len(n.kids) {
			n.kids[i].write(b)
		}
	}
}

// String returns the text.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// below yields the nodes below n, the near ones first.
func (n *node) below() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for queue := n.kids; len(queue) > 0; queue = queue[1:] {
			if !yield(queue[0]) {
				return
			}
			queue = append(queue[:len(queue):len(queue)], queue[0].kids...)
		}
	}
}

// simpler yields trees that have one node replaced by something simpler, the
// most drastic ones first.
func (n *node) simpler() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, text := range leaves[n.kind] {
			if len(n.kids) > 0 || n.parts[0] != text {
				if !yield(leaf(n.kind, text)) {
					return
				}
			}
		}
		for d := range n.below() {
			if d.kind == n.kind && !yield(d) {
				return
			}
		}
		for i := range n.kids {
			for k := range n.kids[i].simpler() {
				if !yield(n.with(i, k)) {
					return
				}
			}
		}
	}
}

// with returns a copy of n with another kid.
func (n *node) with(i int, kid *node) *node {
	c := *n
	c.kids = append([]*node(nil), n.kids...)
	c.kids[i] = kid
	return &c
}
