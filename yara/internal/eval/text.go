package eval

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// Short names for the kinds that evaluators switch over.
const (
	boolKind  = module.Bool
	intKind   = module.Integer
	floatKind = module.Float
	textKind  = module.String
)

// text evaluates a node of kind String; ok is false where it is undefined.
func (s *State) text(id program.NodeID) (text string, ok bool) {
	n := &s.plan.prog.Nodes[id]
	switch n.Op {
	case program.OpText:
		return s.plan.prog.Texts[n.V], true
	case program.OpUndef:
		return "", false
	}
	return s.given(id, n).Text()
}

// textOperation evaluates contains and its kin, and matches.
func (s *State) textOperation(n *program.Node) truth {
	a, ok := s.text(n.A)
	if !ok {
		return undefined
	}
	if n.Op == program.OpMatches {
		return is(s.matchers[n.V].MatchString(a))
	}
	b, ok := s.text(n.B)
	if !ok {
		return undefined
	}
	fold := n.V != 0 || n.Op == program.OpIEquals
	if fold && !s.plan.libyara && !(isASCII(a) && isASCII(b)) {
		a, b, fold = lowerText(a), lowerText(b), false
	}
	switch n.Op {
	case program.OpContains:
		return is(contains(a, b, fold))
	case program.OpStarts:
		return is(len(a) >= len(b) && equal(a[:len(b)], b, fold))
	case program.OpEnds:
		return is(len(a) >= len(b) && equal(a[len(a)-len(b):], b, fold))
	}
	return is(len(a) == len(b) && equal(a, b, fold))
}

// equal compares texts of one length; with fold, without ASCII case.
func equal(a, b string, fold bool) bool {
	if !fold {
		return a == b
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func contains(a, b string, fold bool) bool {
	if !fold {
		return strings.Contains(a, b)
	}
	for i := 0; i <= len(a)-len(b); i++ {
		if equal(a[i:i+len(b)], b, true) {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lowerText lowers the case of every character. YARA-X ignores the case of all
// letters where a text is not ASCII, libyara only that of ASCII letters. Bytes
// that are not UTF-8 stay what they are.
func lowerText(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteByte(s[0])
		case r == 'İ': // the one letter that becomes two
			b.WriteString("i̇")
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		s = s[n:]
	}
	return b.String()
}
