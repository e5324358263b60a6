package detection

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/besra-hunt/besra/lazyregexp"
)

// THOR takes a message out of its report where one of a list of regular
// expressions, a line each, matches it. The message is text over everything;
// only what stands behind the name of a field, and speaks of nothing else, is a
// fact that can be asked for.

// thorField is a field of a message, and the fact it shows.
var thorField = lazyregexp.New(`^\^?(FILE|MD5|SHA1|SHA256|OWNER): ?(.+)$`)

var thorFacts = map[string]string{"FILE": "file.path", "MD5": "file.md5", "SHA1": "file.sha1", "SHA256": "file.sha256", "OWNER": "file.owner.name"}

// thorAny finds the names of fields, and so an expression over several.
var thorAny = lazyregexp.New(`[A-Z][A-Z0-9_]+: `)

// THORFilters drafts a scenario of each line of a list of false-positive
// filters. What cannot be said exactly becomes a question to the analyst, and a
// note with its line. The error is a *PageError.
func THORFilters(name string, text []byte) (*Draft, error) {
	if err := checkPageText(name, text); err != nil {
		return nil, err
	}
	d := filterDraft()
	about := ""
	for i, line := range textLines(string(text)) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "#"); ok || line == "" {
			about = strings.TrimSpace(comment)
			continue
		}
		if _, err := regexp.Compile(line); err != nil {
			return nil, &PageError{Name: name, Line: i + 1, Msg: "not a regular expression: " + err.Error()}
		}
		s := PageScenario{Title: firstOf(about, fmt.Sprintf("filter of line %d", i+1)), Filter: line, Line: i + 1, FilterLine: i + 1}
		d.filtered(s, func(string) (*logic, []string, error) { return thorLine(line) })
	}
	if len(d.Detection.Scenarios) == 0 {
		return nil, &PageError{Name: name, Msg: "there is no filter in it", Hint: "a list of filters has a regular expression a line"}
	}
	return d, nil
}

func thorLine(line string) (*logic, []string, error) {
	m := thorField().FindStringSubmatch(line)
	if m == nil {
		return nil, nil, errors.New("it may match anywhere in a message, which no fact is")
	}
	if thorAny().MatchString(m[2]) {
		return nil, nil, errors.New("it speaks of more than one field")
	}
	fact := thorFacts[m[1]]
	re, err := thorPattern(m[2], isPath(fact))
	if err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(fact, "file.md5") || strings.HasPrefix(fact, "file.sha") {
		re = "(?i)^(?:" + re + ")"
	} else {
		re = "^(?:" + re + ")"
	}
	return called(fact + ".matches(" + celString(re) + ")"), []string{fact}, nil
}

// thorPattern takes over what stands behind a field. In paths a backslash
// stands for either slash, since facts spell paths with /.
func thorPattern(re string, path bool) (string, error) {
	var b strings.Builder
	depth, class := 0, false
	for i := 0; i < len(re); i++ {
		switch c := re[i]; {
		case c == '\\' && i+1 < len(re):
			i++
			if re[i] == 'Q' || class && re[i] == '\\' && path {
				return "", fmt.Errorf("%q cannot be said exactly", re[i-1:i+1])
			}
			if re[i] == '\\' && path {
				b.WriteString(`[\\/]`)
			} else {
				b.WriteString(re[i-1 : i+1])
			}
			continue
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return "", errors.New("one of its alternatives may match anywhere in a message")
		case c == '$':
			return "", errors.New("$ is the end of the message, not of the field")
		}
		b.WriteByte(re[i])
	}
	return b.String(), nil
}
