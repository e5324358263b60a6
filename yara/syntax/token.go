package syntax

import (
	"math/bits"
	"strings"
)

// kind is a kind of token, or of what a message can say was expected.
type kind uint8

// The kinds, in the order messages list them.
const (
	tBad     kind = iota // nothing sensible; the lexer has reported it
	tUnknown             // a character that starts no token

	kImport
	kInclude // only in messages: include is a plain identifier
	kGlobal
	kPrivate
	kRule
	kMeta
	kStrings
	kCondition

	xExpression // only in messages, as all x… kinds
	xOperator
	xModifier
	xByte
	tIdent
	tPattern // $a
	tCount   // #a
	tOffset  // @a
	tLength  // !a
	tInt
	tFloat
	tString
	tRegexp

	kAll
	kAnd
	kAny
	kAscii
	kAt
	kBase64
	kBase64Wide
	kContains
	kDefined
	kEndsWith
	kEntrypoint
	kFalse
	kFilesize
	kFor
	kFullword
	kIContains
	kIEndsWith
	kIEquals
	kIn
	kIStartsWith
	kMatches
	kNocase
	kNone
	kNot
	kOf
	kOr
	kStartsWith
	kThem
	kTrue
	kWide
	kXor

	tEq
	tNe
	tLt
	tLe
	tGt
	tGe
	tShl
	tShr
	tAmp
	tPipe
	tCaret
	tTilde
	tPlus
	tMinus
	tStar
	tBackslash
	tPercent
	tAssign
	tColon
	tComma
	tDot
	tLBracket
	tRBracket
	tLParen
	tRParen
	tLBrace
	tRBrace
	tEOF

	numKinds
)

// words describes the kinds in messages; those of fixed text are quoted.
var words = [numKinds]string{
	tBad: "something unreadable", tUnknown: "a stray character",
	kImport: "`import`", kInclude: "`include`", kGlobal: "`global`", kPrivate: "`private`", kRule: "`rule`",
	kMeta: "`meta`", kStrings: "`strings`", kCondition: "`condition`",
	xExpression: "expression", xOperator: "operator", xModifier: "pattern modifier", xByte: "byte",
	tIdent: "identifier", tPattern: "pattern identifier", tCount: "pattern count",
	tOffset: "pattern offset", tLength: "pattern length",
	tInt: "integer", tFloat: "float", tString: "string", tRegexp: "regexp",
	kAll: "`all`", kAnd: "`and`", kAny: "`any`", kAscii: "`ascii`", kAt: "`at`", kBase64: "`base64`",
	kBase64Wide: "`base64wide`", kContains: "`contains`", kDefined: "`defined`", kEndsWith: "`endswith`",
	kEntrypoint: "`entrypoint`", kFalse: "`false`", kFilesize: "`filesize`", kFor: "`for`",
	kFullword: "`fullword`", kIContains: "`icontains`", kIEndsWith: "`iendswith`", kIEquals: "`iequals`",
	kIn: "`in`", kIStartsWith: "`istartswith`", kMatches: "`matches`", kNocase: "`nocase`", kNone: "`none`",
	kNot: "`not`", kOf: "`of`", kOr: "`or`", kStartsWith: "`startswith`", kThem: "`them`", kTrue: "`true`",
	kWide: "`wide`", kXor: "`xor`",
	tEq: "`==`", tNe: "`!=`", tLt: "`<`", tLe: "`<=`", tGt: "`>`", tGe: "`>=`", tShl: "`<<`", tShr: "`>>`",
	tAmp: "`&`", tPipe: "`|`", tCaret: "`^`", tTilde: "`~`", tPlus: "`+`", tMinus: "`-`", tStar: "`*`",
	tBackslash: "`\\`", tPercent: "`%`", tAssign: "`=`", tColon: "`:`", tComma: "`,`", tDot: "`.`",
	tLBracket: "`[`", tRBracket: "`]`", tLParen: "`(`", tRParen: "`)`", tLBrace: "`{`", tRBrace: "`}`",
	tEOF: "end of file",
}

// keywords are the reserved words of both dialects. The words with and include
// are reserved in YARA-X only; they are identifiers here, and the parser tells
// them by what follows.
var keywords = func() map[string]kind {
	m := make(map[string]kind)
	for k := range numKinds {
		if k.isKeyword() && k != kInclude {
			m[strings.Trim(words[k], "`")] = k
		}
	}
	return m
}()

// keyword returns the kind of an identifier-shaped word.
func keyword(word string) kind {
	if k, ok := keywords[word]; ok {
		return k
	}
	return tIdent
}

// isKeyword reports whether the kind is a reserved word.
func (k kind) isKeyword() bool {
	return k != tIdent && strings.HasPrefix(words[k], "`") && words[k][1] >= 'a' && words[k][1] <= 'z'
}

// token is a kind with the bytes of the source it stands at.
type token struct {
	kind       kind
	start, end int32
}

// kindSet is a set of kinds.
type kindSet [2]uint64

// setOf returns the set of some kinds.
func setOf(kinds ...kind) (s kindSet) {
	for _, k := range kinds {
		s.add(k)
	}
	return s
}

func (s *kindSet) add(k kind) { s[k/64] |= 1 << (k % 64) }

func (s kindSet) has(k kind) bool { return s[k/64]&(1<<(k%64)) != 0 }

// describe lists the set in words: "`:`, `{` or identifier".
func (s kindSet) describe() string {
	var all []string
	for half, b := range s {
		for ; b != 0; b &= b - 1 {
			all = append(all, words[half*64+bits.TrailingZeros64(b)])
		}
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
