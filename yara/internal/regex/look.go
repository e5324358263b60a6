package regex

// Assertion is a condition on a place between bytes. It is a kind, with a unit
// where the kind looks at characters.
type Assertion uint8

// The kinds of assertion.
const (
	Begin           Assertion = 1 + iota // ^ \A: nothing before
	End                                  // $ \z: nothing behind
	WordBoundary                         // \b: a word byte on one side only
	NotWordBoundary                      // \B
	WordStart                            // \b{start}: a word byte behind only
	WordEnd                              // \b{end}: a word byte before only
	WordStartHalf                        // \b{start-half}: no word byte before
	WordEndHalf                          // \b{end-half}: no word byte behind
	LineBegin                            // (?m:^): begin, or \n before
	LineEnd                              // (?m:$): end, or \n behind
	LineBeginCRLF                        // as LineBegin, where \r, \n, \r\n and \n\r end a line
	LineEndCRLF                          // as LineEnd, likewise
	lookKinds
)

// The units of an assertion that looks at words or lines: a byte; the low byte
// of a 16-bit unit whatever its high byte, as YARA-X reads `wide`; or the
// same, where a unit with a high byte that is not zero is no word character,
// as libyara does. Begin and End know the wide form alone: half a unit before or
// behind is as good as nothing.
const (
	wide       Assertion = 0x40
	wideStrict Assertion = 0x80

	kindMask  = 0x3F
	unitsMask = wide | wideStrict
)

// valid reports whether a is a known assertion.
func (a Assertion) valid() bool {
	k := a & kindMask
	if k == 0 || k >= lookKinds || a&unitsMask == unitsMask {
		return false
	}
	return a&wideStrict == 0 || k != Begin && k != End
}

// narrowWord reports whether a depends only on whether there are bytes on its
// sides and whether they are word bytes: what a state of the DFA remembers.
func (a Assertion) narrowWord() bool { return a >= Begin && a <= WordEndHalf }

// side is what an assertion sees on one side.
type side uint8

const (
	nothing side = iota // the data ends
	other               // a byte that is no word byte
	word                // a word byte
)

// sideOf says what a byte is.
func sideOf(b byte) side {
	if setWord.Has(b) {
		return word
	}
	return other
}

// sideBefore says what is before data[p], sideBehind what is at it.
func sideBefore(data []byte, p int) side {
	if p > 0 {
		return sideOf(data[p-1])
	}
	return nothing
}

func sideBehind(data []byte, p int) side {
	if p < len(data) {
		return sideOf(data[p])
	}
	return nothing
}

// between reports whether a, which is narrowWord, holds between two sides.
func (a Assertion) between(before, behind side) bool {
	w, v := before == word, behind == word
	switch a & kindMask {
	case Begin:
		return before == nothing
	case End:
		return behind == nothing
	case WordBoundary:
		return w != v
	case NotWordBoundary:
		return w == v
	case WordStart:
		return !w && v
	case WordEnd:
		return w && !v
	case WordStartHalf:
		return !w
	case WordEndHalf:
		return !v
	}
	return false
}

// holds reports whether a holds in data before data[p].
func (a Assertion) holds(data []byte, p int) bool {
	switch kind, part := a&kindMask, int(a&wide/wide); {
	case kind == Begin:
		return p <= part
	case kind == End:
		return p+part >= len(data)
	case kind >= LineBegin:
		return a.holdsLine(data, p)
	}
	before, behind := nothing, nothing
	switch a & unitsMask {
	case 0:
		before, behind = sideBefore(data, p), sideBehind(data, p)
	default:
		if p >= 2 {
			before = unitSide(a, data[p-2], data[p-1])
		}
		if p+2 <= len(data) {
			behind = unitSide(a, data[p], data[p+1])
		}
	}
	return a.between(before, behind)
}

// unitSide says what a 16-bit unit is.
func unitSide(a Assertion, low, high byte) side {
	if a&wideStrict != 0 && high != 0 {
		return other
	}
	return sideOf(low)
}

// noByte stands for the end of the data among bytes.
const noByte = -1

// holdsLine is holds for the assertions about lines.
func (a Assertion) holdsLine(data []byte, p int) bool {
	before, behind, size := noByte, noByte, 1
	if a&unitsMask != 0 {
		size = 2
	}
	if p >= size {
		before = int(data[p-size])
	}
	if p+size <= len(data) {
		behind = int(data[p])
	}
	switch a & kindMask {
	case LineBegin:
		return before == noByte || before == '\n'
	case LineEnd:
		return behind == noByte || behind == '\n'
	case LineBeginCRLF:
		return before == noByte || endsLine(before, behind)
	}
	return behind == noByte || endsLine(behind, before)
}

// endsLine reports whether c ends a line on its own: it is \n or \r and the
// byte on its other side is not the other half of a pair.
func endsLine(c, neighbour int) bool {
	return c == '\n' && neighbour != '\r' || c == '\r' && neighbour != '\n'
}

// String shows the assertion as it is written.
func (a Assertion) String() string {
	names := [...]string{Begin: `\A`, End: `\z`, WordBoundary: `\b`, NotWordBoundary: `\B`,
		WordStart: `\b{start}`, WordEnd: `\b{end}`, WordStartHalf: `\b{start-half}`, WordEndHalf: `\b{end-half}`,
		LineBegin: `(?m:^)`, LineEnd: `(?m:$)`, LineBeginCRLF: `(?mR:^)`, LineEndCRLF: `(?mR:$)`}
	if !a.valid() {
		return `\?`
	}
	switch a & unitsMask {
	case wide:
		return "wide" + names[a&kindMask]
	case wideStrict:
		return "wide!" + names[a&kindMask]
	}
	return names[a&kindMask]
}
