package syntax

import (
	"strings"
	"testing"
)

// condition parses an expression.
func condition(t *testing.T, text string) Expr {
	t.Helper()
	f, l := Parse(&Source{Text: []byte("rule r { condition: " + text + "\n}")})
	if l.HasErrors() {
		t.Fatalf("%s: %v", text, l)
	}
	return f.Items[0].(*Rule).Condition
}

// grouped writes an expression with parentheses around every operator, to
// show what binds to what.
func grouped(x Expr) string {
	switch e := x.(type) {
	case *Binary:
		return "(" + grouped(e.X) + " " + e.Op.String() + " " + grouped(e.Y) + ")"
	case *Unary:
		return "(" + e.Op.String() + " " + grouped(e.X) + ")"
	}
	return ExprString(x)
}

func TestPrecedence(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a or b or c", "((a or b) or c)"},
		{"a or b and c", "(a or (b and c))"},
		{"a and b or c", "((a and b) or c)"},
		{"not a and b", "((not a) and b)"},
		{"not a == b", "(not (a == b))"},
		{"defined a + b and c", "((defined (a + b)) and c)"},
		{"not not defined a", "(not (not (defined a)))"},
		{"a == b < c", "(a == (b < c))"},
		{"a < b == c", "((a < b) == c)"},
		{"a == b != c", "((a == b) != c)"},
		{"a contains b == c", "((a contains b) == c)"},
		{"a == b | c", "(a == (b | c))"},
		{"a | b ^ c & d << e + f * g", "(a | (b ^ (c & (d << (e + (f * g))))))"},
		{`a * b \ c % d * e`, `((((a * b) \ c) % d) * e)`},
		{"a << b >> c", "((a << b) >> c)"},
		{"a - b - c + d", "(((a - b) - c) + d)"},
		{"-a * b", "((- a) * b)"},
		{"-a.b[1]", "(- a.b[1])"},
		{"~a & b", "((~ a) & b)"},
		{"- -~a", "(- (- (~ a)))"},
		{"a - -b", "(a - (- b))"},
		{"$a at a + b or c", "($a at a + b or c)"},
		{"#a in (1..2) + 1 == 3", "((#a in (1..2) + 1) == 3)"},
		{"1 + 1 of them and b", "(1 + 1 of them and b)"},
		{"not all of them", "(not all of them)"},
		{"a matches /b/ or c", "((a matches /b/) or c)"},
	} {
		if got := grouped(condition(t, tt.text)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestExprString(t *testing.T) {
	for _, text := range []string{
		"true", "false", "1", "0x1F", "1KB", "1.5", `"a\x00"`, "/a/is", "filesize", "entrypoint",
		"$", "$a", "$a at 1", "$a in (1..2)", "#a", "#", "#a in (1..2)", "@a", "@a[1]", "!a[1]",
		"a.b.c[1](2, true)", "(a or b) and not c", "-1 + ~2", "all of them", "50% of ($a, $b*)",
		"any of ($a) at 0", "2 of them in (0..filesize)", "none of (a, b*)", "any of (true, $a and $b)",
		"for all of them: ($)", "for 1 of ($a*): (# > 1)", "for any i in (1..2): (i)", `for any s in ("a", "b"): (s)`,
		"for all k, v in a.b: (k == v)", "for 5% i in (1): (i)", "with a = 1, b = 2: (a)",
	} {
		if got := ExprString(condition(t, "  "+strings.ReplaceAll(text, " ", " /**/\n "))); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	if got := ExprString(nil); got != "" {
		t.Errorf("got %q for no expression", got)
	}
}

// TestBuilt checks that trees which were built and not parsed print so that
// they mean what they are.
func TestBuilt(t *testing.T) {
	name := func(s string) Expr { return &Name{Name: s} }
	sum := &Binary{Op: OpAdd, X: name("a"), Y: name("b")}
	or := &Binary{Op: OpOr, X: name("a"), Y: name("b")}
	for _, tt := range []struct {
		x    Expr
		want string
	}{
		{&IntLit{Value: 12}, "12"},
		{&FloatLit{Value: 2}, "2.0"},
		{&TextLit{Lit: StringLit{Value: "a\"\\\n\r\t\x00\xffż"}}, `"a\"\\\n\r\t\x00\xffż"`},
		{&TextLit{}, `""`},
		{&Binary{Op: OpMul, X: sum, Y: sum}, "(a + b) * (a + b)"},
		{&Binary{Op: OpSub, X: sum, Y: sum}, "a + b - (a + b)"},
		{&Binary{Op: OpAnd, X: or, Y: or}, "(a or b) and (a or b)"},
		{&Binary{Op: OpOr, X: or, Y: or}, "a or b or (a or b)"},
		{&Unary{Op: OpNot, X: or}, "not (a or b)"},
		{&Unary{Op: OpNot, X: &Binary{Op: OpEq, X: name("a"), Y: sum}}, "not a == a + b"},
		{&Unary{Op: OpNeg, X: sum}, "-(a + b)"},
		{&Unary{Op: OpNeg, X: &Unary{Op: OpNeg, X: name("a")}}, "--a"},
		{&Of{Quantifier: Quantifier{Kind: QuantPercent, Expr: sum}, Patterns: &PatternSet{Them: true}}, "(a + b)% of them"},
		{&PatternRef{ID: "$a", In: &Range{Lo: name("a"), Hi: sum}}, "$a in (a..a + b)"},
	} {
		if got := ExprString(tt.x); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestWalk(t *testing.T) {
	text := `a.b[c](d) and $x at e and #x in (f..g) and @x[h] and !x[i] and not (j) and ` +
		`k of them at l and any of them in (m..n) and any of (o, p) and for q of them: (r) and ` +
		`for s t in (u..v): (w) and for any t in (x, y): (z) and for any t in a1: (b1) and with t = c1: (d1)`
	var got []string
	Walk(condition(t, text), func(x Expr) bool {
		if n, ok := x.(*Name); ok {
			got = append(got, n.Name)
		}
		return true
	})
	want := "a c d e f g h i j k l m n o p q r s u v w x y z a1 b1 c1 d1"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	n := 0
	Walk(condition(t, "(a) and (b)"), func(x Expr) bool {
		n++
		_, paren := x.(*Paren)
		return !paren
	})
	if n != 3 {
		t.Errorf("got %d visits, want 3: what is below a false is left out", n)
	}
}
