package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/spf13/cobra"
)

// ruleCompile is `besra rule compile`.
type ruleCompile struct {
	compile       compileFlags
	output        string
	ignoreInvalid bool
}

func ruleCompileCommand(stdio stdio) *cobra.Command {
	var r ruleCompile
	cmd := &cobra.Command{
		Use:   "compile [flags] -o OUT [NAMESPACE:]RULES…",
		Short: "Compile rules to a file that loads fast",
		Long: `Compile rules into one file for "besra yara -C", which loads it in a small part of the time. The file is
versioned and checksummed: one that is damaged, or of another version, is refused. External variables
are declared with --define; a scan can give them other values of the same type.

Whose answer counts where YARA and YARA-X differ is decided here, by --dialect.`,
		Example: "  besra rule compile -o rules.yarc rules/\n  besra rule compile --dialect yara -d filename= -o rules.yarc a.yar team:b.yar",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return r.run(stdio, args) },
	}
	f := cmd.Flags()
	r.compile.register(f)
	r.compile.registerRelaxed(f)
	f.StringVarP(&r.output, "output", "o", "", "file to write; - is standard output")
	f.BoolVar(&r.ignoreInvalid, "ignore-invalid", false, "go on without rules that are invalid; they are shown")
	_ = cmd.MarkFlagRequired("output") // the flag exists
	return cmd
}

func (r *ruleCompile) run(stdio stdio, args []string) error {
	files, err := r.compile.ruleFiles(args)
	if err != nil {
		return err
	}
	c, err := r.compile.compileFiles(stdio, files)
	if err != nil {
		return err
	}
	errs, warnings := c.split()
	if err := diag.Render(stdio.err, errs, c.lookup, diag.Options{Color: colorful(stdio.err)}); err != nil {
		return err
	}
	if len(errs) > 0 && !r.ignoreInvalid {
		return &exitError{exitContent, &hintError{fmt.Errorf("%s; nothing was written", plural(len(errs), "error")),
			"mend the rules, or go on without them with --ignore-invalid"}}
	}
	var out bytes.Buffer
	if _, err := c.rules.WriteTo(&out); err != nil {
		return err
	}
	if err := r.write(stdio, out.Bytes()); err != nil {
		return err
	}
	r.summarize(stdio.err, c, out.Len(), len(errs), warnings)
	return nil
}

// split returns the errors, and the number of warnings.
func (c *compiled) split() (errs diag.List, warnings int) {
	for _, d := range c.diags {
		if d.Severity == diag.Error {
			errs = append(errs, d)
		} else {
			warnings++
		}
	}
	return errs, warnings
}

func (r *ruleCompile) write(stdio stdio, data []byte) error {
	if r.output == "-" {
		_, err := stdio.out.Write(data)
		return err
	}
	return writeAtomic(r.output, data)
}

func (r *ruleCompile) summarize(w io.Writer, c *compiled, size, errs, warnings int) {
	s := c.rules.Stats()
	fmt.Fprintf(w, "%s: %s, %s, %d bytes\n", r.output, plural(s.Rules, "rule"), plural(s.Patterns, "string"), size)
	if errs > 0 {
		fmt.Fprintf(w, "besra: warning: %s: the rules with them were left out\n", plural(errs, "error"))
	}
	if warnings > 0 {
		fmt.Fprintf(w, "besra: note: %s: besra rule check shows them\n", plural(warnings, "warning"))
	}
}
