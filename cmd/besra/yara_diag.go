package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// report prints what there is to say about rules in the lines that yara prints.
// On a terminal an error is shown in full besides. It returns the number of
// warnings.
func (y *yaraFlags) report(w io.Writer, c *compiled) (warnings int) {
	diags := slices.Clone(c.diags)
	if y.strictEscape {
		diags = append(diags, unknownEscapes(c)...)
	}
	if !y.noWarnings && yara.Dialect(y.compile.dialect) == yara.LibYARA {
		diags = withOpenDots(diags, c)
	}
	owner := ruleFinder{lookup: c.lookup, files: make(map[int32]*syntax.File)}
	for _, d := range diags {
		switch {
		case d.Severity == diag.Error:
			fmt.Fprintln(w, yaraLine(d, &owner))
			if colorful(w) {
				_ = diag.Render(w, diag.List{d}, c.lookup, diag.Options{Color: true, Width: terminalWidth(w)})
			}
		case !y.noWarnings && y.warns(d, owner.text(d.Span)):
			warnings++
			fmt.Fprintln(w, yaraLine(d, &owner))
		}
	}
	return warnings
}

// yaraLine is a diagnostic in the form of yara.
func yaraLine(d *diag.Diagnostic, owner *ruleFinder) string {
	rule, pattern := owner.find(d.Span)
	text := yaraWording(d, owner.text(d.Span), pattern)
	if rule == "" || outsideRule[d.Code] {
		return fmt.Sprintf("%s(%d): %s: %s", d.Origin, d.Line, d.Severity, text)
	}
	return fmt.Sprintf("%s: rule \"%s\" in %s(%d): %s", d.Severity, rule, d.Origin, d.Line, text)
}

// outsideRule are the codes of what yara finds before it is in a rule.
var outsideRule = map[string]bool{"duplicate_rule": true, "unknown_module": true, "include_failed": true}

// yaraWordings are yara's words for a code. NAME is what the title names, TEXT
// the offending text, STRING the name of the string that it lies in, COUNT what
// is asked for of how many, LABEL what is said of it. A code without words is told by title and label.
var yaraWordings = map[string]string{
	"unknown_identifier":           `undefined identifier "NAME"`,
	"unknown_pattern":              `undefined string "NAME"`,
	"empty_pattern_set":            `undefined string "NAME"`,
	"unused_pattern":               `unreferenced string "NAME"`,
	"duplicate_rule":               `duplicated identifier "NAME"`,
	"duplicate_pattern":            `duplicated string identifier "NAME"`,
	"duplicate_tag":                `duplicated tag identifier "NAME"`,
	"duplicate_variable":           `duplicated loop identifier "NAME"`,
	"duplicate_modifier":           `duplicated modifier`,
	"unknown_module":               `unknown module "NAME"`,
	"unknown_field":                `invalid field name "NAME"`,
	"wrong_arguments":              `wrong arguments for function "NAME"`,
	"include_failed":               `can't open include file: NAME`,
	"division_by_zero":             `division by zero`,
	"unterminated_string":          `unterminated string`,
	"invalid_escape":               `illegal escape sequence`,
	"integer_overflow":             `integer overflow in "TEXT"`,
	"empty_pattern":                `empty string "NAME"`,
	"unbound_pattern":              `wrong use of anonymous string`,
	"invalid_base64_alphabet":      `length of base64 alphabet must be 64`,
	"invalid_modifier_combination": `invalid modifier combination: NAME`,
	"mismatching_types":            `type mismatch`,
	"syntax_error":                 `syntax error, LABEL`,
	"invalid_regexp":               `invalid regular expression "STRING": LABEL`,
	"bad_repetition":               `invalid regular expression "STRING": bad repeat interval`,
	"invalid_hex_pattern":          `invalid hex string "STRING": LABEL`,
	"ambiguous_expr":               `consider using "none" keyword, it is less ambiguous.`,
	"deprecated_entrypoint":        `using deprecated "entrypoint" keyword. Use the "entry_point" function from PE module instead.`,
	"non_bool_expr":                `using literal string TEXT in a boolean operation.`,
	"unsatisfiable_expr":           `multiple strings at an offset is usually false.`,
	"invariant_expr":               `expression always false - requesting COUNT.`,
	"open_dot":                     `STRING contains .*, .+ or .{x,} consider using .{,N}, .{1,N} or {x,N} with a reasonable value for N`,
	"slow_pattern":                 `string "STRING" may slow down scanning`,
}

var quoted = regexp.MustCompile("`([^`]*)`")

func yaraWording(d *diag.Diagnostic, text, pattern string) string {
	words, ok := yaraWordings[d.Code]
	if !ok || strings.Contains(words, "STRING") && pattern == "" {
		return joinText(d.Title, d.Primary)
	}
	var names []string
	for _, m := range quoted.FindAllStringSubmatch(d.Title, -1) {
		names = append(names, m[1])
	}
	label := strings.ReplaceAll(d.Primary, "`", `"`)
	return strings.NewReplacer("NAME", strings.Join(names, " "), "TEXT", text, "STRING", pattern,
		"COUNT", strings.TrimPrefix(label, asksFor), "LABEL", label).Replace(words)
}

func joinText(title, label string) string {
	if label == "" {
		return title
	}
	return title + ": " + label
}

// ruleFinder finds the rule and the pattern that a place lies in. It parses
// sources when first asked for one.
type ruleFinder struct {
	lookup diag.Lookup
	files  map[int32]*syntax.File
}

// find returns the names of the rule and of the pattern that a span starts in,
// empty where it starts in none. A rule that did not parse is not in the tree:
// then the last that begins before the span must do.
func (r *ruleFinder) find(at diag.Span) (rule, pattern string) {
	items := r.file(at.File).Items
	i, _ := slices.BinarySearchFunc(items, at.Start, func(item syntax.Item, start int32) int {
		return cmp.Compare(itemEnd(item), start+1)
	})
	if i < len(items) {
		rule, ok := items[i].(*syntax.Rule)
		if !ok || at.Start < rule.Start {
			return r.lastBefore(at)
		}
		for _, p := range rule.Patterns {
			if p.Start <= at.Start && at.Start < p.End {
				pattern = p.ID.Name
			}
		}
		return rule.Name.Name, pattern
	}
	return r.lastBefore(at)
}

// farBack is how many bytes before a place a rule is looked for.
const farBack = 1 << 15

// lastBefore returns the last rule and pattern that begin before a span.
func (r *ruleFinder) lastBefore(at diag.Span) (rule, pattern string) {
	_, text, ok := r.lookup(at.File)
	if !ok || at.IsZero() || int(at.Start) > len(text) {
		return "", ""
	}
	before := string(text[max(0, at.Start-farBack):at.Start])
	for end := len(before); end > 0; {
		end = strings.LastIndex(before[:end], "rule")
		if end < 0 {
			break
		}
		m := ruleStart.FindStringSubmatchIndex(before[end:])
		if m == nil || end > 0 && isWord(before[end-1]) {
			continue
		}
		if ids := patternStart.FindAllStringSubmatch(before[end+m[1]:], -1); len(ids) > 0 {
			pattern = ids[len(ids)-1][1]
		}
		return before[end+m[2] : end+m[3]], pattern
	}
	return "", ""
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

var (
	ruleStart    = regexp.MustCompile(`^rule\s+([A-Za-z_][A-Za-z0-9_]*)`)
	patternStart = regexp.MustCompile(`(\$[A-Za-z0-9_]*)\s*=`)
)

// text returns the text of a span.
func (r *ruleFinder) text(at diag.Span) string {
	_, text, ok := r.lookup(at.File)
	if !ok || at.Start < 0 || int(at.End) > len(text) || at.Start > at.End {
		return ""
	}
	return string(text[at.Start:at.End])
}

func (r *ruleFinder) file(index int32) *syntax.File {
	if f, ok := r.files[index]; ok {
		return f
	}
	f := &syntax.File{}
	if name, text, ok := r.lookup(index); ok {
		f, _ = syntax.Parse(&syntax.Source{Name: name, Text: text, Index: index})
	}
	r.files[index] = f
	return f
}
