package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// asksFor is how a label begins that says how many are asked for of how many.
const asksFor = "it asks for "

// warns reports whether yara has a warning for this, too, text being what it
// points at: yara has few, and scripts run with --fail-on-warnings. The others
// are for `besra rule check`.
func (y *yaraFlags) warns(d *diag.Diagnostic, text string) bool {
	if yara.Dialect(y.compile.dialect) == yara.YARAX {
		return true
	}
	switch d.Code {
	case "ambiguous_expr", "deprecated_entrypoint", "ignored_module", "ignored_rule", "open_dot", "slow_pattern",
		"unknown_escape", "unsupported_module":
		return true
	case "invariant_expr":
		return strings.HasPrefix(d.Primary, asksFor) && !strings.HasPrefix(text, "for")
	case "non_bool_expr":
		return strings.HasPrefix(text, `"`)
	case "unsatisfiable_expr":
		return strings.HasPrefix(d.Title, "expression can hardly")
	}
	return false
}

// withOpenDots adds the warnings about .* that yara gives, each before what is
// said of a later place.
func withOpenDots(diags diag.List, c *compiled) diag.List {
	for index := int32(0); ; index++ {
		name, text, ok := c.lookup(index)
		if !ok {
			return diags
		}
		f, _ := syntax.Parse(&syntax.Source{Name: name, Text: text, Index: index})
		for _, item := range f.Items {
			if rule, ok := item.(*syntax.Rule); ok {
				diags = ruleDots(diags, rule, c.lookup)
			}
		}
	}
}

func ruleDots(diags diag.List, rule *syntax.Rule, lookup diag.Lookup) diag.List {
	for _, p := range rule.Patterns {
		if p.Regexp == nil || !openDot(p.Regexp.Text) {
			continue
		}
		d := &diag.Diagnostic{Code: "open_dot", Severity: diag.Warning, Span: p.Span,
			Title: "`" + p.ID.Name + "` repeats a dot without end"}
		diag.Resolve(diag.List{d}, lookup)
		at := slices.IndexFunc(diags, func(o *diag.Diagnostic) bool {
			return o.Span.File == d.Span.File && o.Span.Start >= d.Span.Start
		})
		if at < 0 {
			at = len(diags)
		}
		diags = slices.Insert(diags, at, d)
	}
	return diags
}

// openRepeat is a quantifier without an upper bound, anyRepeat any.
var (
	openRepeat = regexp.MustCompile(`^(\*|\+|\{\s*\d+\s*,\s*\})`)
	anyRepeat  = regexp.MustCompile(`^[*+?{]`)
)

// openDot reports whether a regexp has a dot that is repeated without end, not
// counting, as yara does, what is in alternatives and in repeated groups.
func openDot(re string) bool {
	type group struct{ found, alternatives bool }
	open := []group{{}}
	for i := 0; i < len(re); i++ {
		top := &open[len(open)-1]
		switch re[i] {
		case '\\':
			i++
		case '[':
			i = classEnd(re, i)
		case '(':
			open = append(open, group{})
		case '|':
			top.alternatives = true
		case '.':
			top.found = top.found || openRepeat.MatchString(re[i+1:])
		case ')':
			if len(open) > 1 {
				open = open[:len(open)-1]
				if top.found && !top.alternatives && !anyRepeat.MatchString(re[i+1:]) {
					open[len(open)-1].found = true
				}
			}
		}
	}
	return open[0].found && !open[0].alternatives
}

// classEnd returns the index of the bracket that closes the class at i.
func classEnd(re string, i int) int {
	i++
	if i < len(re) && re[i] == '^' {
		i++
	}
	if i < len(re) && re[i] == ']' {
		i++
	}
	for ; i < len(re) && re[i] != ']'; i++ {
		if re[i] == '\\' {
			i++
		}
	}
	return i
}
