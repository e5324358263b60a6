package diff

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara"
)

// Explained names the known difference between the engines that a difference
// is, and is empty where it is none. docs/differences.md lists them under
// these names. Every filter must be as narrow as the case allows: what it
// covers, nobody looks at again.
//
// Where other rules match, the patterns are asked for by themselves: a
// condition differs because a match does, or because YARA-X looks for
// patterns only once a condition has come to ask for one.
func Explained(rules string, d *Difference) (string, error) {
	if d.Kind == Refuses && strings.Contains(d.What, "[matches_empty]") {
		switch {
		case emptyInside.MatchString(rules):
			return "yara-x loses an empty alternative", nil
		case emptyClass.MatchString(rules):
			return "yara-x takes a class of nothing", nil
		}
	}
	if d.Kind == Refuses && strings.Contains(d.What, "[division_by_zero]") && strings.Contains(rules, " >> ") && d.Oracle.Dialect == yara.LibYARA {
		return "libyara shifts constants to the left", nil
	}
	if d.Kind == Failure && d.Theirs.Scans[0].Failed == tooManyFibers {
		return "libyara gives up on a regexp", nil
	}
	if why := explainedMatches(rules, d); why != "" {
		return why, nil
	}
	if d.Kind != Rules && d.Kind != Matches {
		return "", nil
	}
	if d.Oracle.Dialect == yara.YARAX {
		early := reworded(rules, "for all of them : (# >= 0) and (", ")")
		for _, f := range []struct{ name, rules string }{
			{"yara-x searches late", early},
			{"yara-x miscounts 0 of them", ofSet.ReplaceAllStringFunc(early, everywhere)},
		} {
			c, err := d.ask(f.rules)
			if err != nil || c.Kind == Same {
				return f.name, err
			}
		}
	}
	shown := privateRule.ReplaceAllString(privatePattern.ReplaceAllString(rules, "$1"), "rule ")
	c, err := d.ask(reworded(shown, "for all of them : (# >= 0) or (", ")"))
	if err != nil || c.Kind != Matches {
		return "", err
	}
	return explainedMatches(shown, &c), nil
}

// tooManyFibers is what libyara says of a regexp with more than 1,024 ways to go
// on.
const tooManyFibers = "internal error: 46"

// condition is a rule's condition, and what is before it.
var condition = regexp.MustCompile(`(?s)( strings:\n.*?condition:\n)(.*?)(\n\})`)

// privatePattern is a pattern that is private, up to that word, and
// privateRule a rule.
var (
	privatePattern = regexp.MustCompile(`(?m)^(  \$\w+ = .*) private`)
	privateRule    = regexp.MustCompile(`private +rule `)
)

// reworded puts something around the condition of each rule with patterns.
func reworded(rules, before, behind string) string {
	return condition.ReplaceAllString(rules, "${1}"+before+"${2}"+behind+"${3}")
}

// ofSet is a set of patterns with a quantifier before it.
var ofSet = regexp.MustCompile(` of (them|\(\$[^)]*\))( in| at| :)?`)

// everywhere says the same of a set in more words.
func everywhere(set string) string {
	if strings.HasSuffix(set, ")") || strings.HasSuffix(set, "them") {
		return set + " in (0..filesize)"
	}
	return set
}

// ask asks both engines about other rules on the same data.
func (d *Difference) ask(rules string) (Difference, error) {
	theirs, err := d.Oracle.Ask([]string{rules}, [][]byte{d.Data})
	ours := Besra{Dialect: d.Oracle.Dialect}.answer(rules, [][]byte{d.Data})
	if err != nil || theirs[0].Refused != "" || ours.Refused != "" {
		return Difference{Kind: Refuses}, err
	}
	return d.at(d.Data, ours.Scans[0], theirs[0].Scans[0]), nil
}

// explainedMatches names what all differences between the matches are.
func explainedMatches(rules string, d *Difference) string {
	if d.Kind != Matches {
		return ""
	}
	if d.Oracle.Dialect == yara.YARAX && len(d.Theirs.Scans[0].Matches) == 0 {
		return "yara-x does not search"
	}
	ours, theirs := d.Ours.Scans[0].Matches, d.Theirs.Scans[0].Matches
	why := ""
	for _, m := range append(without(ours, theirs), without(theirs, ours)...) {
		one := matchFilter{m, rules, declared(rules, m), d}.name()
		if one == "" {
			return ""
		}
		why = one
	}
	return why
}

// matchFilter looks at a match that only one side has.
type matchFilter struct {
	Match
	rules string
	text  string // of the pattern, from the equals sign on
	*Difference
}

// declared finds the line that declares a match's pattern.
func declared(rules string, m Match) string {
	_, rule, _ := strings.Cut(rules, " rule "+m.Rule+" {")
	_, text, _ := strings.Cut(rule, "  "+m.Pattern+" =")
	text, _, _ = strings.Cut(text, "\n")
	return strings.TrimSpace(text)
}

func (f matchFilter) name() string {
	isText := strings.HasPrefix(f.text, `"`)
	words := f.text[strings.LastIndexAny(f.text, `"/}`)+1:]
	fullword, wide := strings.Contains(words, " fullword"), strings.Contains(words, " wide")
	switch {
	case f.Oracle.Dialect == yara.YARAX && f.Offset+f.Length > int64(len(f.Data)) && strings.Contains(words, "base64wide"):
		return "yara-x cuts no base64wide"
	case isText && f.otherLength() && (wide && strings.Contains(words, " ascii") || strings.Contains(words, " base64")):
		return "one of two encodings"
	case f.onlyOurs() && f.atVariable() && f.Oracle.Dialect == yara.LibYARA:
		return "libyara pins to a variable"
	case isText && f.onlyTheirs() && f.Oracle.Dialect == yara.LibYARA && wide && xorOnly.MatchString(words):
		return "libyara finds wide xor text in ascii"
	case isText:
		return ""
	case f.otherLength():
		return "atoms decide the length"
	case f.Oracle.Dialect == yara.YARAX && f.miscounted(fullword || wide):
		return "yara-x miscounts a repetition"
	case f.onlyOurs() && f.Oracle.Dialect == yara.YARAX && f.byAnEdge():
		return "yara-x stops a byte before an edge"
	case f.onlyOurs() && f.Oracle.Dialect == yara.LibYARA && emptyTurns.MatchString(f.text) && !fullword && f.possible():
		return "libyara misses turns of nothing"
	case f.onlyOurs() && wideJump.MatchString(f.text):
		return "one length before a wide jump"
	case fullword && wide && f.Oracle.Dialect == yara.LibYARA && f.besideBytes():
		return "libyara asks the bytes beside a wide word"
	case fullword && someLengths.MatchString(f.text):
		return "atoms decide the length of a word"
	case emptyAlternative.MatchString(f.text) && f.Oracle.Dialect == yara.YARAX:
		return "yara-x loses an empty alternative"
	}
	return ""
}

// emptyInside finds the regexps of rules with such an alternative.
var emptyInside = regexp.MustCompile(`(?m)= /.*(\(\||\|\)|\|\|)|= /\||\|/\w*( |$)`)

// emptyAlternative finds an alternative of nothing in a regexp.
var emptyAlternative = regexp.MustCompile(`\(\||\|\)|^/\||\|/\w*( |$)`)

// wideJump finds jumps of 200 bytes and more in a hex pattern: both engines
// match what is before them by itself, and take the first length of that.
var wideJump = regexp.MustCompile(`^\{.*\[(\d*-|[2-9]\d\d|\d+-[2-9]\d\d)\]`)

func (f matchFilter) onlyTheirs() bool { return !slices.Contains(f.Ours.Scans[0].Matches, f.Match) }

func (f matchFilter) onlyOurs() bool { return !slices.Contains(f.Theirs.Scans[0].Matches, f.Match) }

// xorOnly finds the modifiers of xor text that is not searched in ascii.
var xorOnly = regexp.MustCompile(`^(?: \w+)*? xor(\(|$| wide| fullword| private)`)

// someLengths finds patterns whose matches may have more than one length.
var someLengths = regexp.MustCompile(`[*+?{|]|\[\d*-`)

// emptyClass finds classes of regexps that no byte is in.
var emptyClass = regexp.MustCompile(`(?m)= /.*\[\^[^\]]*(\\w[^\]]*\\W|\\W[^\]]*\\w|\\s[^\]]*\\S|\\S[^\]]*\\s|\\d[^\]]*\\D|\\D[^\]]*\\[dSw]|\\[Sw][^\]]*\\D|\\S[^\]]*\\W|\\W[^\]]*\\S)`)

// atVariable reports whether a condition asks for the pattern at what comes
// from a variable alone.
func (f matchFilter) atVariable() bool {
	return regexp.MustCompile(regexp.QuoteMeta(f.Pattern) + ` at \(?[^a-z()$#@!]*ext_i`).MatchString(f.rules)
}

// edgeDots finds regexps that end in a dot that may be left out, and those
// that begin with one.
var (
	lastDots  = regexp.MustCompile(`\.(\?|\*|\+|\{[\d,]*\})\??\)*/\w*( |$)`)
	firstDots = regexp.MustCompile(`^/\(*(\.|\[[^\]]*\])(\?|\*|\+|\{[\d,]*\})`)
)

// byAnEdge reports whether a match of a regexp with repeated dots ends with
// the data, or begins at most a byte behind their beginning.
func (f matchFilter) byAnEdge() bool {
	return lastDots.MatchString(f.text) && f.Offset+f.Length >= int64(len(f.Data))-1 ||
		firstDots.MatchString(f.text) && f.Offset <= 1
}

// besideBytes reports whether the bytes beside a wide match make it no word,
// or one, where the units of two bytes say otherwise.
func (f matchFilter) besideBytes() bool {
	at := func(i int64) byte {
		if i < 0 || i >= int64(len(f.Data)) {
			return 0
		}
		return f.Data[i]
	}
	end := f.Offset + f.Length
	bytewise := alphanumeric(at(f.Offset-1)) || alphanumeric(at(end))
	unitwise := at(f.Offset-1) == 0 && alphanumeric(at(f.Offset-2)) || alphanumeric(at(end)) && end+1 < int64(len(f.Data)) && at(end+1) == 0
	return bytewise != unitwise
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || (c|0x20) >= 'a' && (c|0x20) <= 'z'
}

// counted finds a repetition with bounds, or a jump, behind something that
// there is more than one way through.
var counted = regexp.MustCompile(`\{[\d,]+\}|[|)\]*+?].*\[\d+`)

// miscounted reports whether a third engine says that YARA-X is wrong about
// a repetition: the match is none, or it is one.
func (f matchFilter) miscounted(bounded bool) bool {
	if f.onlyTheirs() {
		return f.impossible()
	}
	matches, known := f.third()
	return known && matches && !bounded && counted.MatchString(f.text)
}

// impossible reports whether a third engine says that a regexp does not match
// the bytes of the match.
func (f matchFilter) impossible() bool {
	matches, known := f.third()
	return known && !matches && f.text[0] == '/'
}

// emptyTurns finds a repetition with two bounds of a group that ends in what may
// be left out.
var emptyTurns = regexp.MustCompile(`[?*}|]\)+\{\d*,\d+\}`)

// possible reports whether a third engine says that the bytes match.
func (f matchFilter) possible() bool {
	matches, known := f.third()
	return known && matches
}

// third asks Go's regexps whether the bytes of the match are one, whatever is
// beside them.
func (f matchFilter) third() (matches, known bool) {
	if f.Offset+f.Length > int64(len(f.Data)) {
		return false, false
	}
	re, err := regexp.Compile(f.translated())
	if err != nil {
		return false, false
	}
	bytes := f.Data[f.Offset : f.Offset+f.Length]
	if wideWord.MatchString(f.text) && len(bytes)%2 == 0 && len(bytes) > 0 && bytes[1] == 0 {
		bytes = narrow(bytes)
	}
	return re.MatchString(latin1(bytes)), true
}

// wideWord finds the modifier.
var wideWord = regexp.MustCompile(`[/}] ?.* wide\b`)

// translated writes a regexp or hex pattern in Go's syntax.
func (f matchFilter) translated() string {
	if f.text[0] == '{' {
		body, _, _ := strings.Cut(f.text[1:], "}")
		return "^(?s:" + hexToken.ReplaceAllStringFunc(strings.ReplaceAll(body, " ", ""), hexAsRegexp) + ")$"
	}
	end := strings.LastIndexByte(f.text, '/')
	flags := "(?s"
	if !strings.HasPrefix(f.text[end+1:], "s") && !strings.HasPrefix(f.text[end+1:], "is") {
		flags = "(?-s"
	}
	if strings.HasPrefix(f.text[end+1:], "i") || strings.Contains(f.text[end:], " nocase") {
		flags = strings.Replace(flags, "?", "?i", 1)
	}
	return "^" + flags + ":" + strings.ReplaceAll(f.text[1:end], "{,", "{0,") + ")$"
}

// hexToken is a jump or a byte of a hex pattern.
var hexToken = regexp.MustCompile(`\[[\d-]*\]|~?[\dA-F?]{2}`)

func hexAsRegexp(token string) string {
	if token[0] == '[' {
		lo, hi, span := strings.Cut(strings.Trim(token, "[]"), "-")
		if !span {
			hi = lo
		}
		return fmt.Sprintf(".{%s,%s}", cmp.Or(lo, "0"), hi)
	}
	not := ""
	if token[0] == '~' {
		not, token = "^", token[1:]
	}
	var set strings.Builder
	for b := range 256 {
		text := fmt.Sprintf("%02X", b)
		if (token[0] == '?' || token[0] == text[0]) && (token[1] == '?' || token[1] == text[1]) {
			fmt.Fprintf(&set, `\x{%s}`, text)
		}
	}
	return "[" + not + set.String() + "]"
}

// narrow drops every other byte.
func narrow(b []byte) []byte {
	var low []byte
	for i := 0; i < len(b); i += 2 {
		low = append(low, b[i])
	}
	return low
}

// latin1 makes a character of each byte.
func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// otherLength reports whether both sides have a match there, of two lengths.
func (f matchFilter) otherLength() bool {
	has := func(list []Match) bool {
		for _, m := range list {
			if m.Rule == f.Rule && m.Pattern == f.Pattern && m.Offset == f.Offset {
				return true
			}
		}
		return false
	}
	return has(f.Ours.Scans[0].Matches) && has(f.Theirs.Scans[0].Matches)
}
