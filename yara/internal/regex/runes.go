package regex

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// runeRange is lo..hi, both included.
type runeRange struct{ lo, hi rune }

// runeSet is a set of characters: of bytes, or of code points under (?u). In
// normal form its ranges ascend and do not touch; all operations but append
// take and give normal sets.
type runeSet []runeRange

// runesOf returns the bytes of s as characters.
func runesOf(s Set) runeSet {
	var out runeSet
	for b := range rune(256) {
		if s.Has(byte(b)) {
			out = append(out, runeRange{b, b})
		}
	}
	return out.normal()
}

// bytes returns the set of the characters below 256.
func (s runeSet) bytes() Set {
	var out Set
	for _, r := range s {
		if r.lo <= 0xFF {
			out.AddRange(byte(r.lo), byte(min(r.hi, 0xFF)))
		}
	}
	return out
}

// normal sorts the ranges and joins those that touch.
func (s runeSet) normal() runeSet {
	sorted := slices.Clone(s)
	slices.SortFunc(sorted, func(a, b runeRange) int { return int(a.lo - b.lo) })
	out := sorted[:0]
	for _, r := range sorted {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s runeSet) union(t runeSet) runeSet { return slices.Concat(s, t).normal() }

// negate returns the characters up to top that are not in s.
func (s runeSet) negate(top rune) runeSet {
	var out runeSet
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, runeRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= top {
		out = append(out, runeRange{next, top})
	}
	return out
}

func (s runeSet) intersect(t runeSet) runeSet {
	var out runeSet
	for i, j := 0, 0; i < len(s) && j < len(t); {
		lo, hi := max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi)
		if lo <= hi {
			out = append(out, runeRange{lo, hi})
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (s runeSet) subtract(t runeSet) runeSet { return s.intersect(t.negate(utf8.MaxRune)) }

// fold returns s with every character that differs from one in it by case only.
func (s runeSet) fold() runeSet {
	out := slices.Clone(s)
	for _, r := range s {
		for c := r.lo; c <= min(r.hi, unicode.MaxRune); c++ {
			for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
				out = append(out, runeRange{f, f})
			}
		}
	}
	return out.normal()
}

// surrogates have no encoding.
var surrogates = runeSet{{0xD800, 0xDFFF}}

// node returns a node that matches the UTF-8 encodings of the characters.
func (s runeSet) node() *Node {
	var alts []*Node
	for _, r := range s.subtract(surrogates) {
		alts = utf8Range(alts, r.lo, r.hi)
	}
	return Alternate(alts...)
}

// utf8Range appends nodes for lo..hi. It splits the range until all encodings
// of a part are of one length and each of their bytes is any of a range.
func utf8Range(alts []*Node, lo, hi rune) []*Node {
	for _, top := range []rune{0x7F, 0x7FF, 0xFFFF} {
		if lo <= top && top < hi {
			return utf8Range(utf8Range(alts, lo, top), top+1, hi)
		}
	}
	if hi >= utf8.RuneSelf {
		for low := rune(0x3F); low <= 0x3FFFF; low = low<<6 | 0x3F {
			if lo&^low == hi&^low {
				break
			}
			if lo&low != 0 {
				return utf8Range(utf8Range(alts, lo, lo|low), (lo|low)+1, hi)
			}
			if hi&low != low {
				return utf8Range(utf8Range(alts, lo, hi&^low-1), hi&^low, hi)
			}
		}
	}
	first, last := utf8.AppendRune(nil, lo), utf8.AppendRune(nil, hi)
	subs := make([]*Node, len(first))
	for i := range first {
		subs[i] = Class(RangeSet(first[i], last[i]))
	}
	return append(alts, Concat(subs...))
}

// runesIn returns the characters of tables.
func runesIn(tables ...*unicode.RangeTable) runeSet {
	var out runeSet
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			out = append(out, runeRange{lo, hi})
			return
		}
		for c := lo; c <= hi; c += stride {
			out = append(out, runeRange{c, c})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return out.normal()
}

func unicodeDigit() runeSet { return runesIn(unicode.Nd) }
func unicodeSpace() runeSet { return runesIn(unicode.White_Space) }

// unicodeWord is \w as UTS 18 defines it.
func unicodeWord() runeSet {
	return runesIn(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}

// property reads \pL, \p{Greek}, \p{^Lu}, \P{Script=Greek}.
func (p *parser) property() runeSet {
	start := p.pos
	negated := p.src[p.pos+1] == 'P'
	p.pos += 2
	name := ""
	switch {
	case p.eat("{"):
		var ok bool
		if name, _, ok = strings.Cut(p.src[p.pos:], "}"); !ok {
			p.fail(CodeBadEscape, "the escape is not finished", start, len(p.src), "")
			return nil
		}
		p.pos += len(name) + 1
	case p.more():
		name = string(p.next().r)
	}
	if !p.flags.unicode {
		p.fail(CodeUnicode, "Unicode properties are allowed under (?u) only", start, p.pos, "")
		return nil
	}
	s, ok := propertySet(strings.TrimPrefix(name, "^"))
	if !ok {
		p.fail(CodeBadEscape, "unknown Unicode property", start, p.pos, "")
		return nil
	}
	if negated != strings.HasPrefix(name, "^") {
		return s.negate(utf8.MaxRune)
	}
	return s
}

// propertySet looks a property up by its name, a category's or a script's.
// Case, blanks, '-' and '_' do not count.
func propertySet(name string) (runeSet, bool) {
	if i := strings.IndexAny(name, "=:"); i >= 0 {
		name = name[i+1:]
	}
	name = plainName(name)
	switch name {
	case "any":
		return runeSet{{0, utf8.MaxRune}}, true
	case "ascii":
		return runeSet{{0, unicode.MaxASCII}}, true
	case "assigned":
		return runesIn(unicode.C).union(runesIn(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)), true
	case "alphabetic":
		return runesIn(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	}
	for alias, of := range unicode.CategoryAliases {
		if plainName(alias) == name {
			name = plainName(of)
			break
		}
	}
	for _, tables := range []map[string]*unicode.RangeTable{unicode.Categories, unicode.Scripts, unicode.Properties} {
		for known, t := range tables {
			if plainName(known) == name {
				return runesIn(t), true
			}
		}
	}
	return nil, false
}

func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(s))
}
