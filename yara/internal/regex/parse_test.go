package regex

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	strict, relaxed, lib := Options{}, Options{Relaxed: true}, Options{LibYARA: true}
	fold, dotAll, matches := Options{CaseInsensitive: true}, Options{DotAll: true}, Options{Matches: true}
	tests := []struct {
		src  string
		o    Options
		want string
	}{
		// Structure.
		{``, strict, `()`},
		{`abc`, strict, `abc`},
		{`ab|c|`, strict, `(ab|c|())`},
		{`(|a)b`, strict, `(()|a)b`},
		{`a(b|c)d`, strict, `a[b-c]d`},
		{`a(bc|d)`, strict, `a(bc|d)`},
		{`((a))`, strict, `a`},
		{`a]b}`, strict, `a\]b\}`},
		{`a()b`, strict, `ab`},
		// Quantifiers.
		{`a*b*`, strict, `a*b*`},
		{`a+?b??c*?`, strict, `a+?b??c*?`},
		{`a{3}b{2,}c{,4}d{1,5}`, strict, `a{3}b{2,}c{0,4}d{1,5}`},
		{`a{ 2 , 3 }b{2 }`, strict, `a{2,3}b{2}`},
		{`(ab){2}{3}`, strict, `((ab){2}){3}`},
		{`a*+`, strict, `(a*)+`},
		{`(ab)+`, strict, `(ab)+`},
		{`a{0}b`, strict, `b`},
		{`a{1}`, strict, `a`},
		{`^*a`, strict, `(\A)*a`},
		{`a*b*?`, matches, `a*b*?`},
		{`(?U)a+b`, strict, `a+?b`},
		{`a{x}b{`, relaxed, `a\{x\}b\{`},
		{`a{,}`, relaxed, `a*`},
		{`{2}`, relaxed, `\{2\}`},
		{`a{ 2,3 }`, lib, `a\{ 2\,3 \}`},
		{`a{2 , 3}`, lib, `a{2,3}`},
		// Escapes.
		{`\x41\x{42}\u0043\U00000044`, strict, `ABCD`},
		{`\n\t\r\f\v\a`, strict, `\x0A\x09\x0D\x0C\x0B\x07`},
		{`\.\-\/\ \<\>\_\"`, strict, `\.\-/ \<\>_\"`},
		{`\d\D`, strict, `[0-9][^0-9]`},
		{`\w\W\s\S`, strict, `[0-9A-Z_a-z][^0-9A-Z_a-z][\x09-\x0D ][^\x09-\x0D ]`},
		{`\A\z\b\B^$`, strict, `\A\z\b\B\A\z`},
		{`\b{start}\b{end}\b{start-half}\b{end-half}`, strict, `\b{start}\b{end}\b{start-half}\b{end-half}`},
		{`\b{2}`, strict, `(\b){2}`},
		{`\xe9`, strict, `\xE9`},
		{`\u00e9`, strict, `\xC3\xA9`},
		{`\R\q`, relaxed, `Rq`},
		{`\µ`, relaxed, `\xC2\xB5`},
		{`\A\z\v\pL\u`, lib, `AzvpLu`},
		{`\b{start}`, lib, `\b\{start\}`},
		// Characters that are not ASCII.
		{`é+`, strict, `(\xC3\xA9)+`},
		{`é+`, lib, `\xC3\xA9+`},
		{"\xE9+", strict, `\xE9+`},
		{`aé`, fold, `[Aa]\xC3\xA9`},
		// Classes.
		{`[abc]`, strict, `[a-c]`},
		{`[^abc]`, strict, `[^a-c]`},
		{`[]a]`, strict, `[\]a]`},
		{`[^]a]`, strict, `[^\]a]`},
		{`[]-a]`, strict, `[\-\]a]`},
		{`[-a]`, strict, `[\-a]`},
		{`[a-]`, strict, `[\-a]`},
		{`[--a]`, strict, `[\-a]`},
		{`[--a]`, lib, `[\--a]`},
		{`[a-c-e]`, strict, `[\-a-ce]`},
		{`[\w-]`, strict, `[\-0-9A-Z_a-z]`},
		{`[\.-z]`, strict, `[\.-z]`},
		{`[\x41-\x43]`, strict, `[A-C]`},
		{`[\xe9-\xff]`, strict, `[\xE9-\xFF]`},
		{`[\n\]\-]`, strict, `[\x0A\-\]]`},
		{`[a[bc]d]`, strict, `[a-d]`},
		{`[a[bc]`, lib, `[\[a-c]`},
		{`[[:alpha:]_]`, strict, `[A-Z_a-z]`},
		{`[[:^alpha:]]`, strict, `[^A-Za-z]`},
		{`[^[:space:]]`, strict, `[^\x09-\x0D ]`},
		{`[[:foo:]]`, strict, `[:fo]`},
		{`[[:alpha:]]`, lib, `[:\[ahlp]\]`},
		{`[a-z&&[^aeiou]]`, strict, `[b-df-hj-np-tv-z]`},
		{`[a-g--c-d]`, strict, `[a-be-g]`},
		{`[a-g~~d-z]`, strict, `[a-ch-z]`},
		{`[a&&]`, strict, `[]`},
		{`[a&b~c]`, strict, `[\&a-c\~]`},
		{`[\w-z]`, relaxed, `[w-z]`},
		{`[a-\d]`, relaxed, `[a-d]`},
		{`[\b\1]`, relaxed, `[1b]`},
		{`[\d\B]`, lib, `[0-9B]`},
		{`[^a]`, fold, `[^Aa]`},
		{`[a-c]`, fold, `[A-Ca-c]`},
		{`[^[b-c]]`, fold, `[^B-Cb-c]`},
		// Flags.
		{`a.`, dotAll, `a[^]`},
		{`a.`, strict, `a[^\x0A]`},
		{`ab`, fold, `[Aa][Bb]`},
		{`a(?i)b|c`, strict, `(a[Bb]|[Cc])`},
		{`(?i:a)b`, strict, `[Aa]b`},
		{`(a(?i)b)c`, strict, `a[Bb]c`},
		{`(?-i)a`, fold, `a`},
		{`(?s-i:.a)b`, fold, `[^]a[Bb]`},
		{`(?m)^a$`, strict, `(?mR:^)a(?mR:$)`},
		{`(?m)^a$`, matches, `(?m:^)a(?m:$)`},
		{`(?mR)^a.`, matches, `(?mR:^)a[^\x0A\x0D]`},
		{"(?x) a b # c\n d [ e f ] g +", strict, `abd[e-f]g+`},
		{`(?x)a\ b`, strict, `a b`},
		{`(?P<n>a)(?<m>b)`, strict, `ab`},
		// Unicode.
		{`(?u)é`, strict, `\xC3\xA9`},
		{`(?iu)é`, strict, `(\xC3\x89|\xC3\xA9)`},
		{`(?u)[é-ê]`, strict, `\xC3[\xA9-\xAA]`},
		{`(?u)\xe9`, strict, `\xC3\xA9`},
		{`(?u)[\x{7f}-\x{80}]`, strict, `(\x7F|\xC2\x80)`},
		{`(?u)\p{ASCII}`, strict, `[\x00-\x7F]`},
		{`(?iu)k`, strict, `([Kk]|\xE2\x84\xAA)`},
		{`(?u)(?-u:\w)`, strict, `[0-9A-Z_a-z]`},
	}
	for _, test := range tests {
		n, err := Parse(test.src, test.o)
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		if got := n.String(); got != test.want {
			t.Errorf("%s %+v: got %s, want %s", test.src, test.o, got, test.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		src   string
		code  string
		start int
		end   int
	}{
		{`a(b`, CodeInvalid, 1, 2},
		{`ab)`, CodeInvalid, 2, 3},
		{`*a`, CodeInvalid, 0, 1},
		{`a|+`, CodeInvalid, 2, 3},
		{`(?i)*`, CodeInvalid, 4, 5},
		{`{2}`, CodeInvalid, 0, 1},
		{`a+b*?`, CodeMixedGreediness, 3, 5},
		{`a{2}b??`, CodeMixedGreediness, 5, 7},
		{`a{3,2}`, CodeBadRepetition, 1, 6},
		{`a{x}`, CodeBadRepetition, 1, 4},
		{`ab{`, CodeBadRepetition, 2, 3},
		{`a{,}`, CodeBadRepetition, 1, 4},
		{`a{}`, CodeBadRepetition, 1, 3},
		{`a{4294967296}`, CodeBadRepetition, 1, 13},
		{`a\R`, CodeBadEscape, 1, 3},
		{`a\`, CodeBadEscape, 1, 2},
		{`\x4`, CodeBadEscape, 0, 3},
		{`\xZZ`, CodeBadEscape, 0, 4},
		{`\x{110000}`, CodeBadEscape, 0, 10},
		{`\x{41`, CodeBadEscape, 0, 5},
		{`\b{foo}`, CodeBadEscape, 0, 7},
		{`[\b]`, CodeBadEscape, 1, 3},
		{`\é`, CodeBadEscape, 0, 2},
		{`x[a`, CodeBadClass, 1, 2},
		{`[]`, CodeBadClass, 0, 1},
		{`[z-a]`, CodeBadClassRange, 1, 4},
		{`[\w-z]`, CodeBadClassRange, 1, 5},
		{`[a-\d]`, CodeBadClassRange, 1, 5},
		{`[é]`, CodeNonASCII, 1, 3},
		{`[\u00e9]`, CodeNonASCII, 1, 7},
		{`\1`, CodeBackreference, 0, 2},
		{`(?P=n)`, CodeBackreference, 0, 4},
		{`a(?=b)`, CodeLookaround, 1, 4},
		{`(?<!b)`, CodeLookaround, 0, 4},
		{`(?q)`, CodeBadGroup, 2, 3},
		{`(?ii)`, CodeBadGroup, 3, 4},
		{`(?i-)a`, CodeBadGroup, 0, 5},
		{`(?)a`, CodeBadGroup, 0, 3},
		{`(?P<1>a)`, CodeBadGroup, 4, 5},
		{`(?P<n>a)(?<n>b)`, CodeBadGroup, 11, 12},
		{`\p{L}`, CodeUnicode, 0, 5},
		{`(?u)\b`, CodeUnicode, 4, 6},
		{`(?u)\p{Nonsense}`, CodeBadEscape, 4, 16},
		{strings.Repeat("(", 300) + strings.Repeat(")", 300), CodeTooDeep, 250, 251},
		{strings.Repeat("[", 300), CodeTooDeep, 250, 251},
		{"a" + strings.Repeat("*", 300), CodeTooDeep, 251, 252},
	}
	for _, test := range tests {
		n, err := Parse(test.src, Options{})
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%.40s: got %v, %v, want %s", test.src, n, err, test.code)
			continue
		}
		if e.Code != test.code || e.Start != test.start || e.End != test.end {
			t.Errorf("%.40s: got %s [%d:%d] (%s), want %s [%d:%d]", test.src, e.Code, e.Start, e.End, e.Message, test.code, test.start, test.end)
		}
		if e.Message == "" || strings.HasSuffix(e.Message, ".") {
			t.Errorf("%.40s: message %q", test.src, e.Message)
		}
	}
}

func TestLengths(t *testing.T) {
	tests := []struct {
		src      string
		min, max int
	}{
		{``, 0, 0}, {`abc`, 3, 3}, {`a|bcd`, 1, 3}, {`a*`, 0, -1}, {`a{2,5}b?`, 2, 6}, {`\bab$`, 2, 2},
		{`(ab|c){3}`, 3, 6}, {`(a*b){2}`, 2, -1}, {`\b*`, 0, 0}, {`(a{1000000}){1000000}`, tooLong, tooLong},
	}
	for _, test := range tests {
		n, err := Parse(test.src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n.MinLen() != test.min || n.MaxLen() != test.max {
			t.Errorf("%s: got %d..%d, want %d..%d", test.src, n.MinLen(), n.MaxLen(), test.min, test.max)
		}
	}
}

func TestProperties(t *testing.T) {
	tests := []struct {
		src                                string
		anchored, greedy, empty, arbitrary bool
		first                              string
	}{
		{`^ab`, true, false, false, false, `[a]`},
		{`(^a|\bb)`, false, false, false, false, `[a-b]`},
		{`(^a|^b)c`, true, false, false, false, `[a-b]`},
		{`\b^a`, true, false, false, false, `[a]`},
		{`a?b`, false, true, false, false, `[a-b]`},
		{`a??b`, false, false, false, false, `[a-b]`},
		{`(a|)`, false, false, true, false, `[^]`},
		{`(?s).*foo`, false, true, false, true, `[^]`},
		{`(?s)..{2,}foo`, false, true, false, true, `[^]`},
		{`(?s).{2,5}foo`, false, true, false, false, `[^]`},
		{`[\s\S]+foo`, false, true, false, true, `[^]`},
		{`.*foo`, false, true, false, false, `[^\x0A]`},
	}
	for _, test := range tests {
		n, err := Parse(test.src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		first := n.First()
		if n.Anchored() != test.anchored || n.IsGreedy() != test.greedy || n.MatchesEmpty() != test.empty ||
			n.ArbitraryPrefix() != test.arbitrary || first.String() != test.first {
			t.Errorf("%s: got anchored %v, greedy %v, empty %v, arbitrary %v, first %v", test.src, n.Anchored(),
				n.IsGreedy(), n.MatchesEmpty(), n.ArbitraryPrefix(), &first)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a(b|c)*d{2,3}?`, `[^]a-z\d[:alpha:]&&[^x]]`, `(?iu-s:\p{L}é)`, `\b{start}\x{41}\u0041`, `a{,}{`, `(?x) # \`, `[\w-z]`} {
		f.Add(s, byte(0))
		f.Add(s, byte(0xFF))
	}
	f.Fuzz(func(t *testing.T, src string, opts byte) {
		o := Options{opts&1 != 0, opts&2 != 0, opts&4 != 0, opts&8 != 0, opts&16 != 0}
		n, err := Parse(src, o)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Code == "" || e.Start < 0 || e.Start > e.End || e.End > len(src) {
				t.Fatalf("%q: %#v", src, err)
			}
			return
		}
		lo, hi := n.MinLen(), n.MaxLen()
		if lo < 0 || hi >= 0 && hi < lo {
			t.Fatalf("%q: lengths %d..%d", src, lo, hi)
		}
		if r := n.Reverse(); r.MinLen() != lo || r.MaxLen() != hi {
			t.Fatalf("%q: reversed %v", src, r)
		}
		if w := n.Wide(); lo < tooLong/2 && w.MinLen() != 2*lo {
			t.Fatalf("%q: wide %v", src, w)
		}
	})
}
