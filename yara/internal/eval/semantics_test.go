package eval

import (
	"math"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// Each case builds a condition and says whether it holds; "undefined" is seen
// by what not and defined make of it. Data is "MZ\x90\x00" and so on; pattern 0
// matches at 2, 5 and 9, pattern 1 nowhere, pattern 2 at 5.
func TestSemantics(t *testing.T) {
	const (
		I = module.Integer
		F = module.Float
		B = module.Bool
		S = module.String
	)
	quant := func(k program.QuantKind) program.Quant { return program.Quant{Kind: k, N: program.None} }
	n := func(b *builder, v int64) program.Quant { return program.Quant{Kind: program.QuantN, N: b.integer(v)} }
	percent := func(b *builder, v int64) program.Quant {
		return program.Quant{Kind: program.QuantPercent, N: b.integer(v)}
	}
	all, anyOf, none := quant(program.QuantAll), quant(program.QuantAny), quant(program.QuantNone)
	eq := func(b *builder, x, y id) id { return b.logic(program.OpEqInt, x, y) }
	ints := func(op program.Op, x, y, want int64) func(*builder) id {
		return func(b *builder) id {
			return eq(b, b.node(op, I, 0, b.integer(x), b.integer(y)), b.integer(want))
		}
	}
	arith := func(op program.Op, x, y int64) func(*builder) id {
		return func(b *builder) id {
			return eq(b, b.node(op, I, 0, b.integer(x), b.integer(y)), b.integer(0))
		}
	}
	texts := func(op program.Op, x, y string, fold int64) func(*builder) id {
		return func(b *builder) id { return b.node(op, B, fold, b.text(x), b.text(y)) }
	}
	readInt := func(offset int64, code program.ReadCode, want int64) func(*builder) id {
		return func(b *builder) id {
			return eq(b, b.node(program.OpReadInt, I, int64(code), b.integer(offset)), b.integer(want))
		}
	}
	ofPatterns := func(q func(*builder) program.Quant, bounds func(*builder) [3]id) func(*builder) id {
		return func(b *builder) id {
			o := bounds(b)
			i := b.list(program.OpOfPatterns, B, 0, q(b), o[2], 0, 1, 2)
			b.prog.Nodes[i].A, b.prog.Nodes[i].B = o[0], o[1]
			return i
		}
	}
	static := func(q program.Quant) func(*builder) program.Quant { return func(*builder) program.Quant { return q } }
	nowhere := func(*builder) [3]id { return [3]id{program.None, program.None, program.None} }
	atOffset := func(o int64) func(*builder) [3]id {
		return func(b *builder) [3]id { return [3]id{b.integer(o), program.None, program.None} }
	}
	within := func(lo, hi int64) func(*builder) [3]id {
		return func(b *builder) [3]id { return [3]id{program.None, b.integer(lo), b.integer(hi)} }
	}
	atUndefined := func(b *builder) [3]id { return [3]id{b.undef(I), program.None, program.None} }
	loop := func(q program.QuantKind, lo, hi int64, divides int64) func(*builder) id {
		return func(b *builder) id {
			i := b.slot(I, 0)
			body := eq(b, b.node(program.OpModInt, I, 0, i, b.integer(divides)), b.integer(0))
			return b.loop(program.OpForRange, quant(q), 0, body, b.integer(lo), b.integer(hi))
		}
	}
	loopN := func(count, lo, hi int64) func(*builder) id { // even numbers
		return func(b *builder) id {
			body := eq(b, b.node(program.OpModInt, I, 0, b.slot(I, 0), b.integer(2)), b.integer(0))
			return b.loop(program.OpForRange, n(b, count), 0, body, b.integer(lo), b.integer(hi))
		}
	}

	tests := []struct {
		name    string
		build   func(*builder) id
		want    truth
		libyara truth // where it differs, else the same as want
	}{
		{"true", func(b *builder) id { return b.truth(true) }, yes, yes},
		{"undefined", func(b *builder) id { return b.undef(B) }, undefined, undefined},
		{"not true", func(b *builder) id { return b.logic(program.OpNot, b.truth(true)) }, no, no},
		{"not false", func(b *builder) id { return b.logic(program.OpNot, b.truth(false)) }, yes, yes},
		{"not undefined", func(b *builder) id { return b.logic(program.OpNot, b.undef(B)) }, undefined, undefined},
		{"defined undefined", func(b *builder) id { return b.logic(program.OpDefined, b.undef(B)) }, no, no},
		{"defined undefined int", func(b *builder) id { return b.logic(program.OpDefined, b.undef(I)) }, no, no},
		{"defined undefined float", func(b *builder) id { return b.logic(program.OpDefined, b.undef(F)) }, no, no},
		{"defined undefined text", func(b *builder) id { return b.logic(program.OpDefined, b.undef(S)) }, no, no},
		{"defined 1", func(b *builder) id { return b.logic(program.OpDefined, b.integer(1)) }, yes, yes},
		{"defined false", func(b *builder) id { return b.logic(program.OpDefined, b.truth(false)) }, yes, yes},
		{"true and undefined", func(b *builder) id { return b.and(b.truth(true), b.undef(B)) }, no, no},
		{"undefined and true", func(b *builder) id { return b.and(b.undef(B), b.truth(true)) }, no, no},
		{"not (undefined and true)", func(b *builder) id {
			return b.logic(program.OpNot, b.and(b.undef(B), b.truth(true)))
		}, yes, yes},
		{"true or undefined", func(b *builder) id { return b.or(b.truth(true), b.undef(B)) }, yes, yes},
		{"undefined or true", func(b *builder) id { return b.or(b.undef(B), b.truth(true)) }, yes, yes},
		{"undefined or false", func(b *builder) id { return b.or(b.undef(B), b.truth(false)) }, no, no},
		{"true and true", func(b *builder) id { return b.and(b.truth(true), b.truth(true)) }, yes, yes},

		{"undefined == 1", func(b *builder) id { return eq(b, b.undef(I), b.integer(1)) }, undefined, undefined},
		{"1 == undefined", func(b *builder) id { return eq(b, b.integer(1), b.undef(I)) }, undefined, undefined},
		{"1 + undefined == 1", func(b *builder) id {
			return eq(b, b.node(program.OpAddInt, I, 0, b.integer(1), b.undef(I)), b.integer(1))
		}, undefined, undefined},
		{"-undefined", func(b *builder) id {
			return eq(b, b.node(program.OpNegInt, I, 0, b.undef(I)), b.integer(1))
		}, undefined, undefined},
		{"undefined text == text", func(b *builder) id {
			return b.logic(program.OpEqText, b.undef(S), b.text("a"))
		}, undefined, undefined},
		{"undefined contains", func(b *builder) id {
			return b.logic(program.OpContains, b.undef(S), b.text("a"))
		}, undefined, undefined},
		{"contains undefined", func(b *builder) id {
			return b.logic(program.OpContains, b.text("a"), b.undef(S))
		}, undefined, undefined},
		{"true == undefined", func(b *builder) id {
			return b.logic(program.OpEqBool, b.truth(true), b.undef(B))
		}, undefined, undefined},
		{"true == true", func(b *builder) id { return b.logic(program.OpEqBool, b.truth(true), b.truth(true)) }, yes, yes},
		{"true != true", func(b *builder) id { return b.logic(program.OpNeBool, b.truth(true), b.truth(true)) }, no, no},
		{"bool of undefined", func(b *builder) id { return b.logic(program.OpToBool, b.undef(I)) }, undefined, undefined},
		{"bool of 0", func(b *builder) id { return b.logic(program.OpToBool, b.integer(0)) }, no, no},
		{"bool of -1", func(b *builder) id { return b.logic(program.OpToBool, b.integer(-1)) }, yes, yes},
		{"bool of 0.0", func(b *builder) id { return b.logic(program.OpToBool, b.float(0)) }, no, no},
		{"bool of 0.1", func(b *builder) id { return b.logic(program.OpToBool, b.float(0.1)) }, yes, yes},
		{"bool of empty", func(b *builder) id { return b.logic(program.OpToBool, b.text("")) }, no, no},
		{"bool of text", func(b *builder) id { return b.logic(program.OpToBool, b.text("0")) }, yes, yes},

		{"7 \\ 2", ints(program.OpDivInt, 7, 2, 3), yes, yes},
		{"-7 \\ 2", ints(program.OpDivInt, -7, 2, -3), yes, yes},
		{"7 \\ 0", arith(program.OpDivInt, 7, 0), undefined, undefined},
		{"min \\ -1", arith(program.OpDivInt, math.MinInt64, -1), undefined, undefined},
		{"-7 % 3", ints(program.OpModInt, -7, 3, -1), yes, yes},
		{"7 % 0", arith(program.OpModInt, 7, 0), undefined, undefined},
		{"min % -1", arith(program.OpModInt, math.MinInt64, -1), yes, undefined},
		{"max + 1 wraps", ints(program.OpAddInt, math.MaxInt64, 1, math.MinInt64), yes, yes},
		{"min - 1 wraps", ints(program.OpSubInt, math.MinInt64, 1, math.MaxInt64), yes, yes},
		{"max * 2 wraps", ints(program.OpMulInt, math.MaxInt64, 2, -2), yes, yes},
		{"1 << 63", ints(program.OpShl, 1, 63, math.MinInt64), yes, yes},
		{"1 << 64", ints(program.OpShl, 1, 64, 0), yes, yes},
		{"1 << -1", arith(program.OpShl, 1, -1), no, undefined},
		{"-8 >> 1", ints(program.OpShr, -8, 1, -4), yes, yes},
		{"-8 >> 64", ints(program.OpShr, -8, 64, 0), yes, yes},
		{"8 >> -1", arith(program.OpShr, 8, -1), yes, undefined},
		{"6 & 3", ints(program.OpBitAnd, 6, 3, 2), yes, yes},
		{"6 | 3", ints(program.OpBitOr, 6, 3, 7), yes, yes},
		{"6 ^ 3", ints(program.OpBitXor, 6, 3, 5), yes, yes},
		{"~0 == -1", func(b *builder) id {
			return eq(b, b.node(program.OpBitNot, I, 0, b.integer(0)), b.integer(-1))
		}, yes, yes},

		{"float equality is exact", func(b *builder) id {
			sum := b.node(program.OpSubFlt, F, 0, b.float(2.62), b.float(3))
			return b.logic(program.OpEqFlt, sum, b.float(-0.38))
		}, no, yes},
		{"float inequality is exact", func(b *builder) id {
			sum := b.node(program.OpSubFlt, F, 0, b.float(2.62), b.float(3))
			return b.logic(program.OpNeFlt, sum, b.float(-0.38))
		}, yes, no},
		{"1 as float / 0", func(b *builder) id {
			q := b.node(program.OpDivFlt, F, 0, b.node(program.OpToFlt, F, 0, b.integer(1)), b.float(0))
			return b.logic(program.OpGtFlt, q, b.float(math.MaxFloat64))
		}, yes, yes},
		{"-1.5 < -1.0", func(b *builder) id {
			return b.logic(program.OpLtFlt, b.node(program.OpNegFlt, F, 0, b.float(1.5)), b.float(-1))
		}, yes, yes},

		{"abc < abd", texts(program.OpLtText, "abc", "abd", 0), yes, yes},
		{"ab >= abc", texts(program.OpGeText, "ab", "abc", 0), no, no},
		{"contains", texts(program.OpContains, "foobar", "oba", 0), yes, yes},
		{"contains case", texts(program.OpContains, "foObar", "oba", 0), no, no},
		{"icontains", texts(program.OpContains, "fOoBAr", "oba", 1), yes, yes},
		{"icontains at the end", texts(program.OpContains, "fOoBAr", "BAR", 1), yes, yes},
		{"icontains empty", texts(program.OpContains, "", "", 1), yes, yes},
		{"icontains longer", texts(program.OpContains, "a", "aa", 1), no, no},
		{"icontains beyond ASCII", texts(program.OpContains, "CAFÉ", "fé", 1), yes, no},
		{"istartswith beyond ASCII", texts(program.OpStarts, "mañana", "MAÑ", 1), yes, no},
		{"iequals beyond ASCII", texts(program.OpIEquals, "ÉÄß", "éäß", 1), yes, no},
		{"iequals of what is not UTF-8", texts(program.OpIEquals, "\xffA\xc3", "\xffa\xc3", 1), yes, yes},
		{"iequals of other bytes", texts(program.OpIEquals, "\xffA", "\xfea", 1), no, no},
		{"iequals of lengths that change", texts(program.OpIEquals, "İ", "i̇", 1), yes, no},
		{"@ is no `", texts(program.OpIEquals, "@[", "`{", 1), no, no},
		{"startswith", texts(program.OpStarts, "foobar", "foo", 0), yes, yes},
		{"startswith longer", texts(program.OpStarts, "foo", "foobar", 0), no, no},
		{"istartswith", texts(program.OpStarts, "FOObar", "foo", 1), yes, yes},
		{"endswith", texts(program.OpEnds, "foobar", "bar", 0), yes, yes},
		{"iendswith", texts(program.OpEnds, "fooBAR", "bar", 1), yes, yes},
		{"iendswith longer", texts(program.OpEnds, "foo", "FOObar", 1), no, no},
		{"iequals", texts(program.OpIEquals, "FOO", "foo", 1), yes, yes},
		{"iequals longer", texts(program.OpIEquals, "FOO", "foo ", 1), no, no},
		{"length", func(b *builder) id {
			return eq(b, b.node(program.OpTextLen, I, 0, b.text("a\x00b")), b.integer(3))
		}, yes, yes},

		{"filesize", func(b *builder) id { return eq(b, b.node(program.OpSize, I, 0), b.integer(12)) }, yes, yes},
		{"uint8(0)", readInt(0, program.MakeRead(1, false, false), 'M'), yes, yes},
		{"uint16(0)", readInt(0, program.MakeRead(2, false, false), 0x5A4D), yes, yes},
		{"uint16be(0)", readInt(0, program.MakeRead(2, false, true), 0x4D5A), yes, yes},
		{"int8(2)", readInt(2, program.MakeRead(1, true, false), -112), yes, yes},
		{"int32(4)", readInt(4, program.MakeRead(4, true, false), -1), yes, yes},
		{"uint32(4)", readInt(4, program.MakeRead(4, false, false), 0xFFFFFFFF), yes, yes},
		{"uint8(11)", readInt(11, program.MakeRead(1, false, false), 0x40), yes, yes},
		{"uint8(12)", readInt(12, program.MakeRead(1, false, false), 0), undefined, undefined},
		{"uint32(9)", readInt(9, program.MakeRead(4, false, false), 0), undefined, undefined},
		{"uint8(-1)", readInt(-1, program.MakeRead(1, false, false), 0), undefined, undefined},
		{"uint32(max)", readInt(math.MaxInt64, program.MakeRead(4, false, false), 0), undefined, undefined},
		{"float32(8)", func(b *builder) id {
			f := b.node(program.OpReadFlt, F, int64(program.MakeRead(4, true, false)), b.integer(8))
			return b.logic(program.OpEqFlt, f, b.float(2))
		}, yes, yes},
		{"float64(8)", func(b *builder) id {
			f := b.node(program.OpReadFlt, F, int64(program.MakeRead(8, true, false)), b.integer(8))
			return b.logic(program.OpEqFlt, f, b.float(2))
		}, undefined, undefined},

		{"$0", func(b *builder) id { return b.node(program.OpFound, B, 0) }, yes, yes},
		{"$1", func(b *builder) id { return b.node(program.OpFound, B, 1) }, no, no},
		{"$0 at 5", func(b *builder) id { return b.node(program.OpFoundAt, B, 0, b.integer(5)) }, yes, yes},
		{"$0 at 6", func(b *builder) id { return b.node(program.OpFoundAt, B, 0, b.integer(6)) }, no, no},
		{"$0 at undefined", func(b *builder) id { return b.node(program.OpFoundAt, B, 0, b.undef(I)) }, undefined, undefined},
		{"$0 in (3..5)", func(b *builder) id { return b.node(program.OpFoundIn, B, 0, b.integer(3), b.integer(5)) }, yes, yes},
		{"$0 in (6..8)", func(b *builder) id { return b.node(program.OpFoundIn, B, 0, b.integer(6), b.integer(8)) }, no, no},
		{"$0 in (8..6)", func(b *builder) id { return b.node(program.OpFoundIn, B, 0, b.integer(8), b.integer(6)) }, no, no},
		{"$0 in (-1..max)", func(b *builder) id {
			return b.node(program.OpFoundIn, B, 0, b.integer(-1), b.integer(math.MaxInt64))
		}, yes, yes},
		{"$0 in (0..undefined)", func(b *builder) id {
			return b.node(program.OpFoundIn, B, 0, b.integer(0), b.undef(I))
		}, undefined, undefined},
		{"#0 == 3", func(b *builder) id { return eq(b, b.node(program.OpCount, I, 0), b.integer(3)) }, yes, yes},
		{"#0 in (3..9) == 2", func(b *builder) id {
			return eq(b, b.node(program.OpCountIn, I, 0, b.integer(3), b.integer(9)), b.integer(2))
		}, yes, yes},
		{"@0[2] == 5", func(b *builder) id { return eq(b, b.node(program.OpOffset, I, 0, b.integer(2)), b.integer(5)) }, yes, yes},
		{"!0[3] == 7", func(b *builder) id { return eq(b, b.node(program.OpLength, I, 0, b.integer(3)), b.integer(7)) }, yes, yes},
		{"@0[0]", func(b *builder) id { return eq(b, b.node(program.OpOffset, I, 0, b.integer(0)), b.integer(0)) }, undefined, undefined},
		{"@0[4]", func(b *builder) id { return eq(b, b.node(program.OpOffset, I, 0, b.integer(4)), b.integer(0)) }, undefined, undefined},
		{"@1[1]", func(b *builder) id { return eq(b, b.node(program.OpOffset, I, 1, b.integer(1)), b.integer(0)) }, undefined, undefined},

		{"all of them", ofPatterns(static(all), nowhere), no, no},
		{"any of them", ofPatterns(static(anyOf), nowhere), yes, yes},
		{"none of them", ofPatterns(static(none), nowhere), no, no},
		{"2 of them", ofPatterns(func(b *builder) program.Quant { return n(b, 2) }, nowhere), yes, yes},
		{"3 of them", ofPatterns(func(b *builder) program.Quant { return n(b, 3) }, nowhere), no, no},
		{"0 of them", ofPatterns(func(b *builder) program.Quant { return n(b, 0) }, nowhere), no, no},
		{"0 of them at 7", ofPatterns(func(b *builder) program.Quant { return n(b, 0) }, atOffset(7)), yes, yes},
		{"-1 of them at 7", ofPatterns(func(b *builder) program.Quant { return n(b, -1) }, atOffset(7)), no, yes},
		{"-1 of them", ofPatterns(func(b *builder) program.Quant { return n(b, -1) }, nowhere), yes, yes},
		{"66% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, 66) }, nowhere), yes, yes},
		{"67% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, 67) }, nowhere), no, no},
		{"0% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, 0) }, nowhere), no, yes},
		{"0% of them at 7", ofPatterns(func(b *builder) program.Quant { return percent(b, 0) }, atOffset(7)), yes, yes},
		{"-1% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, -1) }, nowhere), no, yes},
		{"-50% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, -50) }, nowhere), yes, yes},
		{"101% of them", ofPatterns(func(b *builder) program.Quant { return percent(b, 101) }, nowhere), no, no},
		{"undefined of them", ofPatterns(func(b *builder) program.Quant {
			return program.Quant{Kind: program.QuantN, N: b.undef(I)}
		}, nowhere), undefined, no}, // libyara: all of them
		{"undefined% of them", ofPatterns(func(b *builder) program.Quant {
			return program.Quant{Kind: program.QuantPercent, N: b.undef(I)}
		}, nowhere), undefined, undefined},
		{"2 of them at 5", ofPatterns(func(b *builder) program.Quant { return n(b, 2) }, atOffset(5)), yes, yes},
		{"2 of them at 2", ofPatterns(func(b *builder) program.Quant { return n(b, 2) }, atOffset(2)), no, no},
		{"2 of them in (4..6)", ofPatterns(func(b *builder) program.Quant { return n(b, 2) }, within(4, 6)), yes, yes},
		{"any of them in (6..8)", ofPatterns(static(anyOf), within(6, 8)), no, no},
		{"any of them at undefined", ofPatterns(static(anyOf), atUndefined), no, undefined},
		{"none of them at undefined", ofPatterns(static(none), atUndefined), yes, undefined},
		{"any of bools", func(b *builder) id {
			return b.ids(program.OpOfBools, anyOf, 0, program.None, b.truth(false), b.truth(true), b.undef(B))
		}, yes, yes},
		{"any of bools, one undefined", func(b *builder) id {
			return b.ids(program.OpOfBools, anyOf, 0, program.None, b.truth(false), b.undef(B), b.truth(true))
		}, undefined, undefined},
		{"all of bools, one undefined", func(b *builder) id {
			return b.ids(program.OpOfBools, all, 0, program.None, b.truth(true), b.undef(B))
		}, undefined, undefined},
		{"none of bools, one undefined", func(b *builder) id {
			return b.ids(program.OpOfBools, none, 0, program.None, b.truth(false), b.undef(B))
		}, undefined, undefined},
		{"for all of them: # > 0", func(b *builder) id {
			body := b.logic(program.OpGtInt, b.node(program.OpCount, I, -1), b.integer(0))
			return b.list(program.OpForOf, B, 0, all, body, 0, 2)
		}, yes, yes},
		{"for 2 of them: $ at 5", func(b *builder) id {
			body := b.node(program.OpFoundAt, B, -1, b.integer(5))
			return b.list(program.OpForOf, B, 0, n(b, 2), body, 0, 1, 2)
		}, yes, yes},

		{"for all i in (2..2): even", loop(program.QuantAll, 2, 2, 2), yes, yes},
		{"for all i in (1..4): even", loop(program.QuantAll, 1, 4, 2), no, no},
		{"for any i in (1..4): even", loop(program.QuantAny, 1, 4, 2), yes, yes},
		{"for none i in (3..3): even", loop(program.QuantNone, 3, 3, 2), yes, yes},
		{"for none i in (1..4): even", loop(program.QuantNone, 1, 4, 2), no, no},
		{"for all i in (5..4)", loop(program.QuantAll, 5, 4, 2), no, no},
		{"for none i in (5..4)", loop(program.QuantNone, 5, 4, 2), no, no},
		{"body undefined is false", loop(program.QuantAny, 1, 4, 0), no, no},
		{"for none, body undefined", loop(program.QuantNone, 1, 4, 0), yes, yes},
		{"for 2 i in (1..4): even", loopN(2, 1, 4), yes, yes},
		{"for 3 i in (1..4): even", loopN(3, 1, 4), no, no},
		{"for 0 i in (1..4): even", loopN(0, 1, 4), no, no},
		{"for 0 i in (3..3): even", loopN(0, 3, 3), yes, yes},
		{"ends at the greatest integer", loop(program.QuantAll, math.MaxInt64, math.MaxInt64, 1), yes, yes},
		{"range wider than an integer", loop(program.QuantAny, math.MinInt64, math.MaxInt64, 1), yes, yes},
		{"for all i in (undefined..4)", func(b *builder) id {
			return b.loop(program.OpForRange, all, 0, b.truth(true), b.undef(I), b.integer(4))
		}, no, no},
		{"for any s in (a, undefined, b): s == b", func(b *builder) id {
			body := b.logic(program.OpEqText, b.slot(S, 1), b.text("b"))
			return b.ids(program.OpForList, anyOf, 1, body, b.text("a"), b.undef(S), b.text("b"))
		}, yes, yes},
		{"for all s in (b, undefined): s == b", func(b *builder) id {
			body := b.logic(program.OpEqText, b.slot(S, 1), b.text("b"))
			return b.ids(program.OpForList, all, 1, body, b.text("b"), b.undef(S))
		}, no, no},
		{"nested loops", func(b *builder) id { // for any i in (1..5): for any j in (1..5): i * j == 20 and i < j
			i, j := b.slot(I, 0), b.slot(I, 1)
			body := b.and(eq(b, b.node(program.OpMulInt, I, 0, i, j), b.integer(20)), b.logic(program.OpLtInt, i, j))
			inner := b.loop(program.OpForRange, anyOf, 1, body, b.integer(1), b.integer(5))
			return b.loop(program.OpForRange, anyOf, 0, inner, b.integer(1), b.integer(5))
		}, yes, yes},
		{"with", func(b *builder) id {
			return b.loop(program.OpWith, program.Quant{}, 2, eq(b, b.slot(I, 2), b.integer(3)), b.integer(3))
		}, yes, yes},
		{"with undefined", func(b *builder) id {
			return b.loop(program.OpWith, program.Quant{}, 2, b.logic(program.OpDefined, b.slot(I, 2)), b.undef(I))
		}, no, no},
	}
	data := "MZ\x90\x00\xff\xff\xff\xff\x00\x00\x00\x40"
	f := &fake{matches: map[int32][]search.Match{
		0: found(at(2, 1), at(5, 2), at(9, 7)),
		2: found(at(5, 1)),
	}}
	for _, tt := range tests {
		for _, dialect := range []program.Dialect{program.YARAX, program.LibYARA} {
			want := tt.want
			if dialect == program.LibYARA {
				want = tt.libyara
			}
			if got := truthOf(t, dialect, tt.build, data, f); got != want {
				t.Errorf("%s (dialect %d): got %v, want %v", tt.name, dialect, got, want)
			}
		}
	}
}

// truthOf evaluates a condition as a rule's, and under not and defined.
func truthOf(t *testing.T, dialect program.Dialect, build func(*builder) id, data string, f *fake) truth {
	t.Helper()
	holds := func(wrap func(*builder, id) id) bool {
		b := &builder{}
		b.prog.Dialect = dialect
		b.prog.Patterns = make([]program.Pattern, 3)
		b.rule(program.Rule{Condition: wrap(b, build(b))})
		s := b.state(t)
		if err := run(s, data, f); err != nil {
			t.Fatal(err)
		}
		return len(s.Matching()) == 1
	}
	plain := holds(func(_ *builder, i id) id { return i })
	negated := holds(func(b *builder, i id) id { return b.logic(program.OpNot, i) })
	known := holds(func(b *builder, i id) id { return b.logic(program.OpDefined, i) })
	switch {
	case plain && !negated && known:
		return yes
	case !plain && negated && known:
		return no
	case !plain && !negated && !known:
		return undefined
	}
	t.Errorf("inconsistent: holds %v, not holds %v, defined %v", plain, negated, known)
	return 0
}
