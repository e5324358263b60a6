package diff

import (
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
	if d.Kind == Refuses && strings.Contains(d.What, "[matches_empty]") && emptyInside.MatchString(rules) {
		return "yara-x loses an empty alternative", nil
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
	c, err := d.ask(reworded(rules, "for all of them : (# >= 0) or (", ")"))
	if err != nil || c.Kind != Matches {
		return "", err
	}
	if why := explainedMatches(rules, &c); why != "" {
		return why, nil
	}
	return "", nil
}

// tooManyFibers is what libyara says of a regexp with more than 1,024 ways to go
// on.
const tooManyFibers = "internal error: 46"

// condition is a rule's condition, and what is before it.
var condition = regexp.MustCompile(`(?s)( strings:\n.*?condition:\n)(.*?)(\n\})`)

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
	case f.onlyOurs() && strings.Contains(f.rules, f.Pattern+" at ext_i") && f.Oracle.Dialect == yara.LibYARA:
		return "libyara pins to a variable"
	case isText:
		return ""
	case f.otherLength():
		return "atoms decide the length"
	case f.onlyTheirs() && f.impossible():
		return "yara-x miscounts a repetition"
	case f.onlyOurs() && wideJump.MatchString(f.text):
		return "one length before a wide jump"
	case fullword:
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

// impossible reports whether a third engine says that a regexp does not match
// the bytes of the match.
func (f matchFilter) impossible() bool {
	end := strings.LastIndexByte(f.text, '/')
	if f.text[0] != '/' || f.Oracle.Dialect != yara.YARAX || f.Offset+f.Length > int64(len(f.Data)) {
		return false
	}
	flags := "(?s"
	if !strings.HasPrefix(f.text[end+1:], "s") && !strings.HasPrefix(f.text[end+1:], "is") {
		flags = "(?-s"
	}
	if strings.HasPrefix(f.text[end+1:], "i") || strings.Contains(f.text[end:], " nocase") {
		flags = strings.Replace(flags, "?", "?i", 1)
	}
	re, err := regexp.Compile("^" + flags + ":" + strings.ReplaceAll(f.text[1:end], "{,", "{0,") + ")$")
	if err != nil {
		return false
	}
	bytes := f.Data[f.Offset : f.Offset+f.Length]
	if strings.Contains(f.text[end:], " wide") && len(bytes)%2 == 0 && bytes[1] == 0 {
		bytes = narrow(bytes)
	}
	return !re.MatchString(latin1(bytes))
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
