package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/spf13/pflag"
)

// compileFlags say how rules are read. All commands that compile rules share
// them.
type compileFlags struct {
	dialect         dialectFlag
	defines         []string
	includeDirs     []string
	ignoreModules   []string
	relaxed         bool
	pathAsNamespace bool
}

func (c *compileFlags) register(f *pflag.FlagSet) {
	f.Var(&c.dialect, "dialect", "whose answer counts where YARA and YARA-X differ: yara, yarax")
	f.StringArrayVarP(&c.defines, "define", "d", nil, "external variable, as VAR=VALUE; may be repeated")
	f.StringArrayVarP(&c.includeDirs, "include-dir", "I", nil, "look for included files here, too; may be repeated")
	f.StringArrayVar(&c.ignoreModules, "ignore-module", nil, "leave out the rules that use this module; may be repeated")
	f.BoolVar(&c.pathAsNamespace, "path-as-namespace", false, "a namespace for each file: its path")
}

func (c *compileFlags) registerRelaxed(f *pflag.FlagSet) {
	f.BoolVar(&c.relaxed, "relaxed-re-syntax", false, "read unknown escapes and stray braces in regexps as YARA does")
}

// options turns the flags into those of the compiler.
func (c *compileFlags) options() ([]yara.Option, error) {
	opts := []yara.Option{yara.Dialect(c.dialect), yara.WithModules(standard.Modules()...),
		yara.IgnoreModules(c.ignoreModules...), yara.Includes(includeOpener(c.includeDirs))}
	if c.relaxed {
		opts = append(opts, yara.RelaxedRegexps())
	}
	for _, d := range c.defines {
		name, value, err := parseDefine(d)
		if err != nil {
			return nil, err
		}
		opts = append(opts, yara.Define(name, value))
	}
	return opts, nil
}

// dialectFlag is a flag for a dialect.
type dialectFlag yara.Dialect

// String implements [pflag.Value].
func (d *dialectFlag) String() string {
	if yara.Dialect(*d) == yara.LibYARA {
		return "yara"
	}
	return "yarax"
}

// Type implements [pflag.Value].
func (d *dialectFlag) Type() string { return "dialect" }

// Set implements [pflag.Value].
func (d *dialectFlag) Set(name string) error {
	switch strings.ToLower(name) {
	case "yara", "libyara":
		*d = dialectFlag(yara.LibYARA)
	case "yarax", "yara-x":
		*d = dialectFlag(yara.YARAX)
	default:
		return errors.New("want yara or yarax")
	}
	return nil
}

// parseDefine reads VAR=VALUE as yara does: digits are an integer, digits with
// one point a float, true and false a bool, everything else a string.
func parseDefine(text string) (name string, value any, err error) {
	name, v, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", nil, fmt.Errorf("--define %q: want VAR=VALUE", text)
	}
	number := strings.TrimPrefix(v, "-")
	switch digits, points := strings.Trim(number, "0123456789."), strings.Count(number, "."); {
	case v == "true", v == "false":
		return name, v == "true", nil
	case number == "" || digits != "" || points > 1 || number[0] == '.':
		return name, v, nil
	case points == 1:
		value, err = strconv.ParseFloat(v, 64)
	default:
		value, err = strconv.ParseInt(v, 10, 64)
	}
	if err != nil {
		err = fmt.Errorf("--define %q: the number is too large", text)
	}
	return name, value, err
}

// includeOpener finds included files: beside the file that includes them, then
// in dirs.
func includeOpener(dirs []string) func(from, name string) (string, []byte, error) {
	return func(from, name string) (string, []byte, error) {
		if filepath.IsAbs(name) {
			text, err := readRegular(name)
			return name, text, err
		}
		path := from[:1+strings.LastIndexAny(from, "/"+string(os.PathSeparator))] + name
		text, err := readRegular(path)
		for _, d := range dirs {
			if err == nil {
				break
			}
			other := filepath.Join(d, name)
			if t, e := readRegular(other); e == nil {
				path, text, err = other, t, nil
			}
		}
		return path, text, err
	}
}

// readRegular reads a file, and no device that never ends.
func readRegular(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	return os.ReadFile(name)
}

// ruleFile is a file of rules and the namespace that its rules go to; empty
// for the default one.
type ruleFile struct{ namespace, path string }

// parseRuleFile reads [NAMESPACE:]FILE. A file that exists under the whole name
// needs no namespace, and a colon before a backslash is that of a drive.
func parseRuleFile(arg string) ruleFile {
	if _, err := os.Stat(arg); err == nil {
		return ruleFile{path: arg}
	}
	namespace, path, ok := strings.Cut(arg, ":")
	if !ok || strings.HasPrefix(path, `\`) {
		return ruleFile{path: arg}
	}
	return ruleFile{namespace, path}
}

// ruleFiles reads the arguments of a command; a directory stands for the .yar
// and .yara files below it.
func (c *compileFlags) ruleFiles(args []string) ([]ruleFile, error) {
	var files []ruleFile
	for _, arg := range args {
		f := parseRuleFile(arg)
		paths, err := expandRules(f.path)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			namespace := f.namespace
			if namespace == "" && c.pathAsNamespace {
				namespace = p
			}
			files = append(files, ruleFile{namespace, p})
		}
	}
	return files, nil
}

// expandRules lists the rule files below a directory, sorted; of a file it
// returns the file.
func expandRules(path string) ([]string, error) {
	info, err := os.Stat(path)
	if path == "-" || err == nil && !info.IsDir() {
		return []string{path}, nil
	}
	if err != nil {
		return nil, &hintError{err, "give a file or a directory of rules, or - for standard input"}
	}
	var paths []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yar", ".yara"}, filepath.Ext(p)) {
			paths = append(paths, p)
		}
		return err
	})
	if err == nil && len(paths) == 0 {
		err = &hintError{fmt.Errorf("%s: no rules in this directory", path), "files of rules are named *.yar or *.yara"}
	}
	return paths, err
}

// readRules reads a file of rules; - is standard input.
func readRules(stdio stdio, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdio.in)
	}
	return os.ReadFile(path)
}

// compiled is what compiling gave.
type compiled struct {
	rules  *yara.Rules
	diags  diag.List
	lookup diag.Lookup
}

// compileFiles compiles all files together. The error is that of a file that
// cannot be read; what is wrong with rules is among the diagnostics.
func (c *compileFlags) compileFiles(stdio stdio, files []ruleFile) (*compiled, error) {
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	compiler := yara.NewCompiler(opts...)
	for _, f := range files {
		text, err := readRules(stdio, f.path)
		if err != nil {
			return nil, err
		}
		compiler.AddSource(yara.Source{Namespace: f.namespace, Origin: f.path, Text: text})
	}
	rules, diags := compiler.Build()
	return &compiled{rules, diags, compiler.Lookup}, nil
}
