package main

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
	"github.com/spf13/cobra"
)

// ruleFmt is `besra rule fmt`.
type ruleFmt struct {
	check, write, diff bool
	indent             int
	config             configFlag
}

func ruleFmtCommand(stdio stdio) *cobra.Command {
	var r ruleFmt
	cmd := &cobra.Command{
		Use:   "fmt [flags] FILE|DIR|-…",
		Short: "Format rules",
		Long: `Format rules in the one style and print them, or with --write replace the files. Comments stay, and so
does the meaning: a file whose rules would become others is not written. - is standard input.

With --check nothing is written: the files that are not formatted are listed, and the exit code is 3.
With --diff it is shown what would change.`,
		Example: "  besra rule fmt -w rules/\n  besra rule fmt --check rules/\n  besra rule fmt -d rules/ | less\n  besra rule fmt - < a.yar",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(stdio, cmd.Flags().Changed("indent"), args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.check, "check", false, "list the files that are not formatted; exit with 3 where there are any")
	f.BoolVarP(&r.write, "write", "w", false, "replace the files")
	f.BoolVarP(&r.diff, "diff", "d", false, "show what would change as a unified diff, and write nothing; exit with 3 where there is any")
	f.IntVar(&r.indent, "indent", 2, "blanks a level")
	r.config.register(f)
	return cmd
}

func (r *ruleFmt) run(stdio stdio, indentGiven bool, args []string) error {
	config, err := r.config.read()
	if err != nil {
		return err
	}
	if config.Fmt.Indent != 0 && !indentGiven {
		r.indent = config.Fmt.Indent
	}
	if r.indent < 1 || r.indent > 16 {
		return fmt.Errorf("--indent %d: want 1 to 16", r.indent)
	}
	if r.write && (r.check || r.diff) {
		return errors.New("--write does not go with --check or --diff")
	}
	changed, failed := 0, 0
	for _, arg := range args {
		paths, err := expandRules(arg)
		if err != nil {
			return err
		}
		for _, p := range paths {
			different, err := r.file(stdio, p)
			var said *exitError
			switch {
			case errors.As(err, &said):
				failed++
			case err != nil:
				return err
			case different:
				changed++
			}
		}
	}
	switch {
	case failed > 0:
		return &exitError{exitContent, fmt.Errorf("%s could not be formatted", plural(failed, "file"))}
	case (r.check || r.diff) && changed > 0:
		return &exitError{exitContent, &hintError{fmt.Errorf("%s not formatted", plural(changed, "file")), "besra rule fmt -w formats them"}}
	}
	return nil
}

// file formats one file and reports whether that changes it. An exitError says
// that the rules are at fault, and has been told.
func (r *ruleFmt) file(stdio stdio, path string) (different bool, err error) {
	text, err := readRules(stdio, path)
	if err != nil {
		return false, err
	}
	formatted, diags, err := formatRules(path, text, r.indent)
	if diags.HasErrors() {
		lookup := func(int32) (string, []byte, bool) { return path, text, true }
		_ = diag.Render(stdio.err, diags, lookup, diag.Options{Color: colorful(stdio.err)})
		return false, &exitError{exitContent, nil}
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	different = !bytes.Equal(text, formatted)
	switch {
	case r.diff:
		err = writeDiff(stdio.out, path, text, formatted)
	case r.check && different:
		_, err = fmt.Fprintln(stdio.out, path)
	case r.check, r.write && path != "-" && !different:
	case r.write && path != "-":
		err = writeAtomic(path, formatted)
	default:
		_, err = stdio.out.Write(formatted)
	}
	return different, err
}

// formatRules formats a text, and makes sure that it parses to the same rules
// with the same comments and would not change again.
func formatRules(name string, text []byte, indent int) ([]byte, diag.List, error) {
	before, diags := syntax.Parse(&syntax.Source{Name: name, Text: text})
	if diags.HasErrors() {
		return nil, diags, nil
	}
	once, err := printRules(before, indent)
	if err != nil {
		return nil, nil, err
	}
	after, diags := syntax.Parse(&syntax.Source{Name: name, Text: once})
	if diags.HasErrors() || !sameTree(reflect.ValueOf(before.Items), reflect.ValueOf(after.Items)) || !sameComments(before, after) {
		return nil, nil, errors.New("formatting would change the rules; this is a fault of the formatter, the file is left as it is")
	}
	twice, err := printRules(after, indent)
	if err == nil && !bytes.Equal(once, twice) {
		err = errors.New("formatting does not settle; this is a fault of the formatter, the file is left as it is")
	}
	return once, nil, err
}

func printRules(f *syntax.File, indent int) ([]byte, error) {
	var b bytes.Buffer
	err := syntax.Print(&b, f, syntax.PrintOptions{Indent: indent})
	return b.Bytes(), err
}

var spanType = reflect.TypeFor[diag.Span]()

// sameTree reports whether two trees are equal but for the places of things.
func sameTree(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Interface, reflect.Pointer:
		return sameTree(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type() != spanType && !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// sameComments compares comments but for their blanks, which are indented
// anew.
func sameComments(a, b *syntax.File) bool {
	if len(a.Comments) != len(b.Comments) {
		return false
	}
	for i, c := range a.Comments {
		if strings.Join(strings.Fields(c.Text), "") != strings.Join(strings.Fields(b.Comments[i].Text), "") {
			return false
		}
	}
	return true
}
