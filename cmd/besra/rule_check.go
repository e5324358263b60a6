package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
	"github.com/spf13/cobra"
)

// ruleCheck is `besra rule check`.
type ruleCheck struct {
	compile          compileFlags
	config           configFlag
	format           string
	schemaFile       string
	schema           *ruleSchema
	disabled         []string
	warningsAsErrors bool

	report checkReport
}

// checkReport is what is said of all files; it is the JSON form, too.
type checkReport struct {
	Files       int       `json:"files"`
	Errors      int       `json:"errors"`
	Warnings    int       `json:"warnings"`
	Diagnostics diag.List `json:"diagnostics"`
}

func ruleCheckCommand(stdio stdio) *cobra.Command {
	var c ruleCheck
	cmd := &cobra.Command{
		Use:   "check [flags] FILE|DIR…",
		Short: "Find errors and weak spots in rules",
		Long: `Compile rule files, each on its own, and show every error and warning with its place. Of a directory
all .yar and .yara files are checked. A schema says what metadata, names and tags rules must have: under
"check:" in .besra-rules.yaml, here or in a directory above, or in a file of its own.

A comment "// suppress: CODE" before a rule, or before or behind a line of it, silences a warning.
Exits with 3 where there is an error.`,
		Example: "  besra rule check rules/\n  besra rule check --meta-schema schema.yaml --warnings-as-errors rules/\n" +
			"  besra rule check -d filename= -f json a.yar",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.run(stdio, args) },
	}
	f := cmd.Flags()
	c.compile.register(f)
	c.compile.registerRelaxed(f)
	f.StringVarP(&c.format, "format", "f", "text", "output format: text, json")
	c.config.register(f)
	f.StringVar(&c.schemaFile, "meta-schema", "", "YAML file with what metadata, names and tags must be")
	f.StringSliceVar(&c.disabled, "disable-warning", nil, "do not give the warnings of this code; may be repeated")
	f.BoolVar(&c.warningsAsErrors, "warnings-as-errors", false, "exit with 3 on warnings, too")
	return cmd
}

func (c *ruleCheck) run(stdio stdio, args []string) error {
	if c.format != "text" && c.format != "json" {
		return fmt.Errorf("--format %q: want text or json", c.format)
	}
	if err := c.configure(); err != nil {
		return err
	}
	files, err := c.compile.ruleFiles(args)
	if err != nil {
		return err
	}
	c.report.Diagnostics = diag.List{}
	for _, f := range files {
		if err := c.file(stdio, f); err != nil {
			return err
		}
	}
	return c.finish(stdio)
}

// configure reads the file of the project, and the schema that was named
// instead of the one in it.
func (c *ruleCheck) configure() error {
	config, err := c.config.read()
	if err != nil {
		return err
	}
	c.schema = &config.Check.Schema
	c.disabled = append(c.disabled, config.Check.DisabledWarnings...)
	c.warningsAsErrors = c.warningsAsErrors || config.Check.WarningsAsErrors
	if c.schemaFile != "" {
		c.schema, err = readSchema(c.schemaFile)
	}
	return err
}

// file checks one file and, as text, shows what there is to say at once.
func (c *ruleCheck) file(stdio stdio, f ruleFile) error {
	rules, err := c.compile.compileFiles(stdio, []ruleFile{f})
	if err != nil {
		return err
	}
	diags := append(c.checkSchema(rules), rules.diags...)
	diags = slices.DeleteFunc(diags, func(d *diag.Diagnostic) bool {
		return d.Severity == diag.Warning && slices.Contains(c.disabled, d.Code)
	})
	diags.Sort()
	diag.Resolve(diags, rules.lookup)
	c.count(diags)
	if c.format == "json" {
		c.report.Diagnostics = append(c.report.Diagnostics, diags...)
		return nil
	}
	if c.report.Files > 1 && len(diags) > 0 && c.report.Errors+c.report.Warnings > len(diags) {
		fmt.Fprintln(stdio.out) // between two files
	}
	return diag.Render(stdio.out, diags, rules.lookup, diag.Options{Color: colorful(stdio.out), Width: terminalWidth(stdio.out)})
}

// checkSchema holds the file itself, and not what it includes, to the schema.
func (c *ruleCheck) checkSchema(rules *compiled) diag.List {
	name, text, ok := rules.lookup(0)
	if c.schema == nil || !ok {
		return nil
	}
	tree, _ := syntax.Parse(&syntax.Source{Name: name, Text: text})
	return c.schema.check(tree)
}

func (c *ruleCheck) count(diags diag.List) {
	c.report.Files++
	for _, d := range diags {
		if d.Severity == diag.Error {
			c.report.Errors++
		} else {
			c.report.Warnings++
		}
	}
}

func (c *ruleCheck) finish(stdio stdio) error {
	r := &c.report
	if c.format == "json" {
		if err := encodeJSON(stdio.out, r, "  "); err != nil {
			return err
		}
	}
	printCheckSummary(stdio.err, r)
	if r.Errors > 0 || c.warningsAsErrors && r.Warnings > 0 {
		return &exitError{exitContent, nil}
	}
	return nil
}

func printCheckSummary(w io.Writer, r *checkReport) {
	fmt.Fprintf(w, "%s, %s, %s\n", plural(r.Files, "file"), plural(r.Errors, "error"), plural(r.Warnings, "warning"))
}
