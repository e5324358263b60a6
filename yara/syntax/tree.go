// Package syntax turns the text of YARA rules into a tree and back.
//
//	file, diags := syntax.Parse(&syntax.Source{Name: "a.yar", Text: text})
//	err := syntax.Print(w, file, syntax.PrintOptions{})
//
// [Parse] accepts the union of both dialects, YARA 4.5 and YARA-X 1.20;
// grammar.txt beside this file is the grammar. The tree keeps every comment
// and every span, so that [Print] (the formatter) loses nothing. [ExprString]
// writes one expression, [Walk] visits the expressions below one. Names, types
// and the legality of modifiers are not its business: that is package compile.
//
// A rule with an error is left out of the tree. The codes of the errors are
// syntax_error, unterminated_string, unterminated_regexp, unterminated_comment,
// invalid_escape, invalid_utf8, invalid_hex_pattern, invalid_regexp_modifier,
// integer_overflow, duplicate_modifier (a warning on a rule's own modifiers),
// nesting_too_deep and source_too_large.
package syntax

import "github.com/besra-hunt/besra/yara/diag"

// File is one parsed source.
type File struct {
	Items    []Item     // imports, includes and rules, in source order
	Comments []*Comment // all comments, in source order
	Source   *Source
	// Incomplete is set where something was left out of Items because of an
	// error. Print refuses such a file.
	Incomplete bool
}

// Source is a named text.
type Source struct {
	Name  string
	Text  []byte // not to be changed once it is parsed
	Index int32  // the File of its spans
}

// Comment is one // or /* */ comment, its delimiters included, a line break
// behind // not.
type Comment struct {
	diag.Span
	Text string
}

// Item is *Import, *Include or *Rule.
type Item interface{ item() }

// Import is `import "pe"`.
type Import struct {
	diag.Span
	Name StringLit
}

// Include is `include "other.yar"`.
type Include struct {
	diag.Span
	Path StringLit
}

// Rule is one rule.
type Rule struct {
	diag.Span
	Global, Private bool
	// GlobalSpan and PrivateSpan are where the modifiers stand.
	GlobalSpan, PrivateSpan diag.Span
	Name                    Ident
	Tags                    []Ident
	Meta                    []*Meta
	Patterns                []*Pattern
	Condition               Expr
	// RuleSpan is the word rule, OpenSpan the opening brace; the closing one
	// ends Span. The others are the words meta, strings and condition, zero
	// where there is none.
	RuleSpan, OpenSpan                   diag.Span
	MetaSpan, StringsSpan, ConditionSpan diag.Span
}

func (*Import) item()  {}
func (*Include) item() {}
func (*Rule) item()    {}

// Ident is a name with its place.
type Ident struct {
	diag.Span
	Name string
}

// StringLit is a text literal: Raw as written between the quotes, Value with
// escapes resolved (any bytes).
type StringLit struct {
	diag.Span
	Raw       string
	Value     string
	MultiLine bool // written """…"""
}

// Meta is one `key = value` of the meta section.
type Meta struct {
	diag.Span
	Key   Ident
	Value Expr // *IntLit, *FloatLit, *BoolLit or *TextLit, with the sign folded in
}

// Pattern is one entry of the strings section.
type Pattern struct {
	diag.Span
	ID        Ident // with its '$'; just "$" where anonymous
	Modifiers []*Modifier
	// Exactly one of the three is set.
	Text   *StringLit
	Hex    *Hex
	Regexp *RegexpLit
}

// Modifier is one word after a pattern, with its argument.
type Modifier struct {
	diag.Span
	Name string // nocase, wide, ascii, fullword, private, xor, base64, base64wide
	// HasRange is set for xor(n) and xor(lo-hi).
	HasRange     bool
	Lo, Hi       int64
	LoRaw, HiRaw string // as written; HiRaw is empty for xor(n)
	// Alphabet is set for base64("…") and base64wide("…").
	Alphabet *StringLit
}

// Hex is the body of a hex pattern: a sequence of HexToken. Its span includes
// the braces.
type Hex struct {
	diag.Span
	Tokens []HexToken
}

// HexToken is *HexByte, *HexJump or *HexAlt.
type HexToken interface{ hexToken() }

// HexByte is AB, A?, ?B, ?? or ~AB, ~A?, ~?B: a byte b is accepted when
// (b & Mask == Value) != Not.
type HexByte struct {
	diag.Span
	Value, Mask byte
	Not         bool
}

// HexJump is [n], [n-m], [n-] or [-].
type HexJump struct {
	diag.Span
	Min, Max int64  // Max is -1 where unbounded
	Raw      string // as written, without blanks and brackets: "4", "0x10-", "-"
}

// HexAlt is ( … | … ).
type HexAlt struct {
	diag.Span
	Alts [][]HexToken
}

func (*HexByte) hexToken() {}
func (*HexJump) hexToken() {}
func (*HexAlt) hexToken()  {}

// RegexpLit is /re/flags: the text between the slashes as written, and the
// flags behind. Its grammar is package regex's business.
type RegexpLit struct {
	diag.Span
	Text            string
	CaseInsensitive bool // flag i
	DotAll          bool // flag s
}

// Expr is a node of a condition.
type Expr interface {
	Pos() diag.Span
	expr()
}

type node struct{ diag.Span }

// Pos returns the node's span.
func (n node) Pos() diag.Span { return n.Span }
func (node) expr()            {}

// Op is an operator of Unary and Binary.
type Op uint8

// The operators, loosest binding first; see grammar.txt.
const (
	OpInvalid Op = iota
	OpOr
	OpAnd
	OpNot     // unary
	OpDefined // unary
	OpEq
	OpNe
	OpContains
	OpIContains
	OpStartsWith
	OpIStartsWith
	OpEndsWith
	OpIEndsWith
	OpIEquals
	OpMatches
	OpLt
	OpLe
	OpGt
	OpGe
	OpBitOr
	OpBitXor
	OpBitAnd
	OpShl
	OpShr
	OpAdd
	OpSub
	OpMul
	OpDiv // written \
	OpMod
	OpNeg    // unary -
	OpBitNot // unary ~
)

// The expressions.
type (
	// BoolLit is true or false.
	BoolLit struct {
		node
		Value bool
	}
	// IntLit is an integer literal; Value has KB and MB applied.
	IntLit struct {
		node
		Raw      string
		Value    int64
		Overflow bool // does not fit an int64; Value is then 0
	}
	// FloatLit is a floating-point literal.
	FloatLit struct {
		node
		Raw   string
		Value float64
	}
	// TextLit is a text literal in a condition.
	TextLit struct {
		node
		Lit StringLit
	}
	// RegexpExpr is a regexp literal in a condition.
	RegexpExpr struct {
		node
		Lit RegexpLit
	}
	// Filesize and Entrypoint are the keywords.
	Filesize   struct{ node }
	Entrypoint struct{ node }
	// PatternRef is $a, or $ inside a for … of; At or In qualify it.
	PatternRef struct {
		node
		ID string
		At Expr
		In *Range
	}
	// PatternCount is #a, or #a in (lo..hi).
	PatternCount struct {
		node
		ID string // with '#' replaced by '$'
		In *Range
	}
	// PatternOffset is @a or @a[i].
	PatternOffset struct {
		node
		ID    string
		Index Expr
	}
	// PatternLength is !a or !a[i].
	PatternLength struct {
		node
		ID    string
		Index Expr
	}
	// Name is an identifier: a variable, module, rule or external.
	Name struct {
		node
		Name string
	}
	// Field is X.Name.
	Field struct {
		node
		X    Expr
		Name Ident
	}
	// Index is X[Index].
	Index struct {
		node
		X, Index Expr
	}
	// Call is Fun(Args…), integer readers such as uint16be(0) included.
	Call struct {
		node
		Fun  Expr
		Args []Expr
	}
	// Paren is ( X ).
	Paren struct {
		node
		X Expr
	}
	// Unary is not, defined, - and ~.
	Unary struct {
		node
		Op Op
		X  Expr
	}
	// Binary is X Op Y. Chains of and, or are left-associative.
	Binary struct {
		node
		Op     Op
		OpSpan diag.Span
		X, Y   Expr
	}
	// Of is Quantifier of Set, with at or in.
	Of struct {
		node
		Quantifier Quantifier
		// Exactly one of the three is set: them or a pattern set, or a
		// list whose items are rule names (with wildcards) or boolean
		// expressions.
		Patterns *PatternSet
		Items    []Expr // *Name, *RuleWildcard or any boolean expression
		At       Expr
		In       *Range
	}
	// ForOf is for Quantifier of Set : ( Body ).
	ForOf struct {
		node
		Quantifier Quantifier
		Patterns   *PatternSet
		Body       Expr
	}
	// ForIn is for Quantifier Vars in Iterable : ( Body ).
	ForIn struct {
		node
		Quantifier Quantifier
		Vars       []Ident
		// Exactly one is set.
		Range *Range // (lo..hi)
		List  []Expr // (e1, e2, …)
		Over  Expr   // an array or dictionary
		Body  Expr
	}
	// With is with a = e, b = e : ( Body ).
	With struct {
		node
		Vars   []Ident
		Values []Expr
		Body   Expr
	}
	// RuleWildcard is rule_prefix* in the set of an Of.
	RuleWildcard struct {
		node
		Prefix string
	}
)

// Range is (Lo..Hi), both ends inclusive.
type Range struct {
	diag.Span
	Lo, Hi Expr
}

// QuantifierKind tells quantifiers apart.
type QuantifierKind uint8

// The quantifiers.
const (
	QuantAll QuantifierKind = iota
	QuantAny
	QuantNone
	QuantN       // Expr of …
	QuantPercent // Expr% of …
)

// Quantifier says how many must hold.
type Quantifier struct {
	diag.Span
	Kind QuantifierKind
	Expr Expr // for QuantN and QuantPercent
}

// PatternSet is them, or ($a, $b*, …).
type PatternSet struct {
	diag.Span
	Them  bool
	Items []PatternSetItem
}

// PatternSetItem is $a or $a*; "$*" has ID "$" and Wildcard.
type PatternSetItem struct {
	diag.Span
	ID       string
	Wildcard bool
}
