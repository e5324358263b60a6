package atom

import (
	"sync"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

// item is one element of a regexp that is read as a sequence.
type item struct {
	node     *regex.Node
	min, max int // the lengths of its matches, max -1 being unbounded
	// isSet is set for one byte of a set, of which forms are the forms, and
	// isLook for an assertion.
	isSet, isLook bool
	forms         *[2]form
	// alts are the alternatives of an alternation.
	alts []*regex.Node
}

// How much of a repetition is written out, in items, and how many items a
// sequence may have for that.
const (
	maxCopied = 64
	maxItems  = 4096
)

// linear returns n as a sequence.
func linear(n *regex.Node) []item { return appendItems(nil, n) }

func appendItems(items []item, n *regex.Node) []item {
	switch n.Op {
	case regex.OpEmpty:
		return items
	case regex.OpLit:
		for _, c := range n.Lit {
			items = append(items, byteItems()[c])
		}
		return items
	case regex.OpSet:
		return append(items, setItem(n))
	case regex.OpLook:
		return append(items, item{node: n, isLook: true})
	case regex.OpConcat:
		for _, s := range n.Subs {
			items = appendItems(items, s)
		}
		return items
	case regex.OpRepeat:
		return appendRepeat(items, n)
	}
	return append(items, item{node: n, min: n.MinLen(), max: n.MaxLen(), alts: n.Subs})
}

// setItem returns the item of a node that takes one byte.
func setItem(n *regex.Node) item {
	s, _ := n.OneByte()
	return item{node: n, min: 1, max: 1, isSet: true, forms: formsOf(s)}
}

// byteItems are the items of single bytes, of which there are many.
var byteItems = sync.OnceValue(func() *[256]item {
	var items [256]item
	for b := range items {
		items[b] = setItem(regex.Literal([]byte{byte(b)}))
	}
	return &items
})

// appendRepeat writes out turns that there must be, as far as they are small:
// x{3,} is xxx{1,}, say.
func appendRepeat(items []item, n *regex.Node) []item {
	sub := n.Subs[0]
	copies := 0
	if one := linear(sub); n.Min > 0 && len(items) < maxItems && useful(one) {
		copies = min(n.Min, max(maxCopied/len(one), 1))
		for range copies {
			items = append(items, one...)
		}
	}
	if n.Max == copies {
		return items
	}
	left := n.Max
	if left > 0 {
		left -= copies
	}
	rest := regex.Repeat(sub, n.Min-copies, left, n.Greedy)
	return append(items, item{node: rest, min: rest.MinLen(), max: rest.MaxLen()})
}

// useful reports whether there is something in the items that an atom can be
// made of.
func useful(items []item) bool {
	for _, it := range items {
		if it.isSet && it.forms[0].members != nil || len(it.alts) > 0 {
			return true
		}
	}
	return false
}

// nodeOf returns the items as a node again.
func nodeOf(items []item) *regex.Node {
	nodes := make([]*regex.Node, len(items))
	for i := range items {
		nodes[i] = items[i].node
	}
	return regex.Concat(nodes...)
}

// fixedLen returns the length of the items' matches where they are all of one.
func fixedLen(items []item) (int, bool) {
	sum := 0
	for i := range items {
		if items[i].min != items[i].max {
			return 0, false
		}
		sum += items[i].min
	}
	return sum, true
}

// endOfRun returns the end of the run of positions, and assertions among them,
// that begins at items[from]. It is from where there is none.
func endOfRun(items []item, from int) int {
	to := from
	for i := from; i < len(items) && (items[i].isSet || items[i].isLook); i++ {
		if items[i].isSet {
			to = i + 1
		}
	}
	return to
}

// startOfRun is the start of the run that ends at items[to].
func startOfRun(items []item, to int) int {
	from := to
	for i := to - 1; i >= 0 && (items[i].isSet || items[i].isLook); i-- {
		if items[i].isSet {
			from = i
		}
	}
	return from
}
