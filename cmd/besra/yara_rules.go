package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/syntax"
)

// load compiles or reads the rules, and says what is wrong with them.
func (y *yaraFlags) load(stdio stdio, args []string) (*yara.Rules, error) {
	if y.atomTable != "" {
		if _, err := os.Stat(y.atomTable); err != nil {
			return nil, &yaraError{"error loading atom quality table: could not open file", err}
		}
	}
	if y.compiled {
		return readCompiled(args[0])
	}
	files, err := y.compile.ruleFiles(args)
	if err != nil {
		return nil, unopenedRules(err)
	}
	c, err := y.compile.compileFiles(stdio, files)
	if err != nil {
		return nil, unopenedRules(err)
	}
	if err := c.refuseCompiled(); err != nil {
		return nil, err
	}
	warnings := y.report(stdio.err, c)
	switch {
	case c.diags.HasErrors(), warnings > 0 && y.failOnWarnings:
		return nil, &exitError{exitYARA, nil}
	}
	return c.rules, y.checkStrings(c.rules)
}

// refuseCompiled tells of a source that is a compiled file.
func (c *compiled) refuseCompiled() error {
	for file := int32(0); ; file++ {
		name, text, ok := c.lookup(file)
		switch {
		case !ok:
			return nil
		case bytes.HasPrefix(text, []byte(compiledMagic)):
			return &hintError{fmt.Errorf("%s: a file of compiled rules", name), "scan with it with -C"}
		}
	}
}

// unknownEscapes finds escapes in regexps that mean nothing and are read as
// the character behind the backslash.
func unknownEscapes(c *compiled) diag.List {
	var list diag.List
	for index := int32(0); ; index++ {
		name, text, ok := c.lookup(index)
		if !ok {
			diag.Resolve(list, c.lookup)
			return list
		}
		f, _ := syntax.Parse(&syntax.Source{Name: name, Text: text, Index: index})
		for _, item := range f.Items {
			if rule, ok := item.(*syntax.Rule); ok {
				list = append(list, ruleEscapes(rule)...)
			}
		}
	}
}

func ruleEscapes(rule *syntax.Rule) (list diag.List) {
	look := func(lit *syntax.RegexpLit) {
		if escape := unknownEscape(lit.Text); escape != "" {
			list = append(list, &diag.Diagnostic{Code: "unknown_escape", Severity: diag.Warning,
				Title: "unknown escape sequence `" + escape + "`", Span: lit.Span})
		}
	}
	for _, p := range rule.Patterns {
		if p.Regexp != nil {
			look(p.Regexp)
		}
	}
	if rule.Condition != nil {
		syntax.Walk(rule.Condition, func(x syntax.Expr) bool {
			if re, ok := x.(*syntax.RegexpExpr); ok {
				look(&re.Lit)
			}
			return true
		})
	}
	return list
}

// knownEscapes are the characters that mean something behind a backslash, or
// need one somewhere, in YARA's regexps.
const knownEscapes = "nrtfaxwWsSdDbB" + `\^$.|()[]*+?"'-{}#:_=/!,@<>~&%`

// unknownEscape returns the first backslash before another character.
func unknownEscape(re string) string {
	for i := 0; i+1 < len(re); i++ {
		if re[i] != '\\' {
			continue
		}
		i++
		if strings.IndexByte(knownEscapes, re[i]) < 0 {
			return re[i-1 : i+1]
		}
	}
	return ""
}

func (y *yaraFlags) checkStrings(rules *yara.Rules) error {
	if y.maxStrings <= 0 {
		return nil
	}
	for r := range rules.All() {
		n := 0
		for range r.Patterns() {
			n++
		}
		if n > y.maxStrings {
			origin, line, _ := r.Position()
			return &yaraError{fmt.Sprintf("error: rule \"%s\" in %s(%d): too many strings in rule \"%s\" (limit: %d)",
				r.Name(), origin, line, r.Name(), y.maxStrings), nil}
		}
	}
	return nil
}

// compiledMagic begins files of compiled rules, and foreignMagic those of
// yarac.
const (
	compiledMagic = "BESRAYPR"
	foreignMagic  = "YARA"
)

// readCompiled reads a file made by `besra rule compile`.
func readCompiled(name string) (*yara.Rules, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	head, _ := r.Peek(len(compiledMagic))
	const again = "make it again of the rules: besra rule compile -o FILE RULES…"
	switch {
	case string(head) == compiledMagic:
	case bytes.HasPrefix(head, []byte(foreignMagic)):
		return nil, &hintError{fmt.Errorf("%s: compiled by another engine, and of no use to this one", name), again}
	default:
		return nil, &hintError{fmt.Errorf("%s: not a file of compiled rules", name), "-C is for what besra rule compile writes; rules in source form need no option"}
	}
	rules, err := yara.ReadRules(r, yara.FindModules(standard.Named))
	if err == nil {
		if _, more := r.ReadByte(); more == nil {
			err = errors.New("something stands behind the rules: the file is damaged")
		}
	}
	if err != nil {
		return nil, &hintError{fmt.Errorf("%s: %w", name, err), again}
	}
	return rules, nil
}

// setExternals gives a scanner of compiled rules the variables of --define.
// Rules that were compiled just now have them already.
func (y *yaraFlags) setExternals(s *yara.Scanner) error {
	if !y.compiled {
		return nil
	}
	var errs []error
	for _, d := range y.compile.defines {
		name, value, err := parseDefine(d)
		if err == nil {
			err = s.SetExternal(name, value)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// loadModuleData reads the files of --module-data, by module.
func loadModuleData(args []string) (map[string][]byte, error) {
	data := make(map[string][]byte)
	for _, arg := range args {
		name, path, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("--module-data %q: want MODULE=FILE", arg)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--module-data %s: %w", name, err)
		}
		data[name] = b
	}
	return data, nil
}
