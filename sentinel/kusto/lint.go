package kusto

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/exclusion/kql"
)

// MaxQuery is the greatest length of a rule's query in Sentinel, in characters.
const MaxQuery = 10_000

// maxGroups is how many groups an expression of KQL can have that capture.
const maxGroups = 16

// Lint reports what Microsoft's parser does not look at: regular expressions,
// columns of the tables that exclusions compile for compared with values of
// another type, and the limits of rules. It needs no parser.
func Lint(query string) []Diagnostic {
	l := &linter{query: query, tokens: tokens(query), types: map[string]kql.Type{}}
	l.columns()
	if n := utf8.RuneCountInString(query); n > MaxQuery {
		l.say("query-length", token{}, fmt.Sprintf("the query has %d characters; a rule takes %d", n, MaxQuery))
	}
	for i := range l.tokens {
		l.everything(i)
		l.regexps(i)
		l.comparison(i)
		l.weekday(i)
		l.nullText(i)
	}
	return l.found
}

type linter struct {
	query  string
	tokens []token
	types  map[string]kql.Type // of columns, where all tables of the query agree
	found  []Diagnostic
}

func (l *linter) say(code string, at token, message string) {
	l.found = append(l.found, Diagnostic{Code: code, Severity: "Error", Message: message, Offset: at.offset, Length: len(at.text)}.placed(l.query))
}

// at returns a token, or an empty one past the ends.
func (l *linter) at(i int) token {
	if i < 0 || i >= len(l.tokens) {
		return token{}
	}
	return l.tokens[i]
}

// columns learns the types of the columns of the tables that the query names,
// but for names that it gives something else.
func (l *linter) columns() {
	for _, t := range kql.Tables() {
		if !slices.ContainsFunc(l.tokens, func(k token) bool { return k.kind == word && k.text == t.Name }) {
			continue
		}
		for _, c := range t.Columns {
			if have, ok := l.types[c.Name]; ok && have != c.Type {
				l.types[c.Name] = ""
				continue
			}
			l.types[c.Name] = c.Type
		}
	}
	for i, t := range l.tokens {
		if t.text == "=" {
			delete(l.types, l.at(i-1).text)
		}
	}
}

// everything reports "search *" and "union *", which rules do not take.
func (l *linter) everything(i int) {
	t := l.at(i)
	if t.kind == word && (t.text == "search" || t.text == "union") && l.at(i+1).text == "*" {
		l.say("unbounded-query", t, t.text+" * is not allowed in a rule")
	}
}

// regexpArguments are the functions that take an expression, with its place.
var regexpArguments = map[string]int{"extract": 0, "extract_all": 0, "replace_regex": 1, "count_regex": 1, "trim": 0, "trim_start": 0, "trim_end": 0}

func (l *linter) regexps(i int) {
	t := l.at(i)
	switch place, takes := regexpArguments[t.text]; {
	case t.kind != word:
	case t.text == "regex" && l.at(i-1).text == "matches":
		l.regexp(l.at(i + 1))
	case takes && l.at(i+1).text == "(":
		l.regexp(l.argument(i+2, place))
	}
}

// argument returns the first token of an argument, by its place.
func (l *linter) argument(i, place int) token {
	depth := 0
	for ; i < len(l.tokens) && depth >= 0 && place > 0; i++ {
		switch l.tokens[i].text {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		case ",":
			if depth == 0 {
				place--
			}
		}
	}
	return l.at(i)
}

func (l *linter) regexp(t token) {
	if t.kind != literal {
		return
	}
	if err := checkRegexp(unquote(t.text)); err != nil {
		l.say("invalid-regexp", t, err.Error())
	}
}

// look is a group that looks around, which KQL does not have, as RE2 has not.
var look = regexp.MustCompile(`\(\?(?:<?[=!])`)

// checkRegexp reports an expression that KQL does not take. The two syntaxes
// differ in details, so only what is wrong in both is.
func checkRegexp(re string) error {
	if look.MatchString(re) {
		return errors.New("KQL has no look-around in regular expressions")
	}
	parsed, err := syntax.Parse(regexp.MustCompile(`\(\?[a-zA-Z]*-[a-zA-Z]+:`).ReplaceAllString(re, "(?:"), syntax.Perl)
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		switch wrong.Code {
		case syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingBracket, syntax.ErrMissingRepeatArgument, syntax.ErrTrailingBackslash:
			return err
		}
		return nil
	}
	if n := parsed.MaxCap(); n > maxGroups {
		return fmt.Errorf("the regular expression has %d groups that capture; KQL takes %d", n, maxGroups)
	}
	return nil
}

var comparisons = []string{"==", "!=", "<", ">", "<=", ">=", "=~", "!~"}

// comparison reports a column that is compared with a value of another type.
func (l *linter) comparison(i int) {
	op, column, value := l.at(i), l.at(i-1), l.at(i+1)
	t, known := l.types[column.text]
	if !slices.Contains(comparisons, op.text) || !known || column.kind != word || l.at(i-2).text == "." {
		return
	}
	number := t == kql.Int || t == kql.Long || t == kql.Real
	switch {
	case number && value.kind == literal:
		l.say("type", value, fmt.Sprintf("%s is a %s, and is compared with text", column.text, t))
	case t == kql.String && value.kind == numeral:
		l.say("type", value, fmt.Sprintf("%s is a string, and is compared with a number", column.text))
	}
}

// weekday reports dayofweek(t) == 6: it gives a timespan, 6d.
func (l *linter) weekday(i int) {
	if l.at(i).text != "dayofweek" || l.at(i+1).text != "(" {
		return
	}
	depth, j := 1, i+2
	for ; j < len(l.tokens) && depth > 0; j++ {
		switch l.tokens[j].text {
		case "(":
			depth++
		case ")":
			depth--
		}
	}
	value := l.at(j + 1)
	if value.text == "(" {
		value = l.at(j + 2)
	}
	if slices.Contains(append(comparisons, "in", "!in", "between"), l.at(j).text) && value.kind == numeral && strings.Trim(value.text, "0123456789") == "" {
		l.say("weekday", value, "dayofweek gives a timespan: Saturday is 6d, not 6")
	}
}

// nullText reports a test of text for null, which it never is.
func (l *linter) nullText(i int) {
	t, column := l.at(i), l.at(i+2)
	if (t.text == "isnull" || t.text == "isnotnull") && l.at(i+1).text == "(" && l.at(i+3).text == ")" && l.types[column.text] == kql.String {
		l.say("null-text", t, column.text+" is a string, which is never null: ask isempty or isnotempty")
	}
}
