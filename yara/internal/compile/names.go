package compile

import (
	"iter"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
)

// namespace is a scope of rules and imports.
type namespace struct {
	name    string
	index   int32
	imports map[string]int32 // module name to Program.Modules
	absent  map[string]bool  // modules whose import failed
	rules   map[string]*ruleName
	order   []*ruleName // of declaration
	// wildcards are the rule_prefix* that conditions used, and where: no later
	// rule may match one, as the condition would silently miss it.
	wildcards map[string]diag.Span
}

// ruleName is a declared rule.
type ruleName struct {
	name   string
	span   diag.Span
	index  int32 // in Program.Rules, or -1 where the rule was left out
	global bool
	// missing is the ignored module that the rule was left out for.
	missing string
}

func (c *Compiler) namespace(name string) *namespace {
	if ns := c.spaceNames[name]; ns != nil {
		return ns
	}
	ns := &namespace{name: name, index: int32(len(c.spaces)),
		imports: make(map[string]int32), absent: make(map[string]bool), rules: make(map[string]*ruleName), wildcards: make(map[string]diag.Span)}
	c.spaces = append(c.spaces, ns)
	c.spaceNames[name] = ns
	c.prog.Namespaces = append(c.prog.Namespaces, program.Namespace{Name: name})
	return ns
}

// taken reports a rule name that something else in the namespace has.
func (c *Compiler) taken(ns *namespace, name string) bool {
	if _, ok := ns.imports[name]; ok {
		return true
	}
	_, ok := c.externals[name]
	return ok
}

func (ns *namespace) declare(r *ruleName) {
	ns.rules[r.name] = r
	ns.order = append(ns.order, r)
}

// wildcardOf returns the earlier wildcard that a rule's name matches, if any.
func (ns *namespace) wildcardOf(name string) (prefix string, at diag.Span, ok bool) {
	for i := 0; len(ns.wildcards) > 0 && i <= len(name); i++ {
		if at, ok := ns.wildcards[name[:i]]; ok {
			return name[:i], at, true
		}
	}
	return "", diag.Span{}, false
}

// guessBudget bounds the names that suggestions of one Add may look at.
const guessBudget = 1_000_000

// closest returns the candidate that name most probably stands for, or "".
func (c *Compiler) closest(name string, candidates iter.Seq[string]) string {
	const longest = 48
	if len(name) == 0 || len(name) > longest {
		return ""
	}
	best, bound := "", max(1, len(name)/3)
	for cand := range candidates {
		if c.guesses--; c.guesses < 0 {
			break
		}
		if len(cand) > longest || cand == name {
			continue
		}
		if d := distance(name, cand, bound); d < bound || d == bound && best == "" {
			best, bound = cand, d
		}
	}
	return best
}

// distance is the edit distance with transpositions, or limit+1 where it is
// more than limit. A difference of case counts nothing but breaks ties.
func distance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff > limit || -diff > limit {
		return limit + 1
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev2, prev, row = prev, row, prev2
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+b2i(a[i-1] != b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		if slices.Min(row) > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// didYouMean returns the note for the closest candidate, or nothing.
func (c *Compiler) didYouMean(name string, candidates iter.Seq[string]) []string {
	if best := c.closest(name, candidates); best != "" {
		return []string{"did you mean `" + best + "`?"}
	}
	return nil
}

// join lists words in prose: "`a`, `b` and `c`".
func join(words []string, last string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" " + last + " ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString("`" + w + "`")
	}
	return b.String()
}
