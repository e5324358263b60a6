package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/lint"
	"github.com/spf13/cobra"
)

func exclusionCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "exclusion", Short: "Lint, backtest and audit exclusions"}
	cmd.AddCommand(exclusionLintCommand(stdio), exclusionFunctionsCommand(stdio), exclusionFactsCommand(stdio),
		exclusionKQLCommand(stdio),
		exclusionBacktestCommand(stdio), exclusionAuditCommand(stdio))
	return cmd
}

// lintFlags are the flags of `besra exclusion lint`.
type lintFlags struct {
	format  string
	explain string
	strict  bool
	params  []string
}

func exclusionLintCommand(stdio stdio) *cobra.Command {
	var l lintFlags
	cmd := &cobra.Command{
		Use:   "lint [PACK…]",
		Short: "Find what is wrong with exclusions that may well work",
		Long: `Check the exclusions of packs, of the embedded one where none is named: tautologies, lone paths
that an intruder can write to, whole tools, missing owners and expiries, and more. Exits with 3 on
an error, and with --strict on a warning too. Every problem has a code that --explain explains.`,
		Example: "  besra exclusion lint detections/\n  besra exclusion lint --explain lone-path\n  besra exclusion lint --format json detections/",
		RunE: func(_ *cobra.Command, args []string) error {
			if l.explain != "" {
				return explainLint(stdio.out, l.explain)
			}
			return l.run(stdio, args)
		},
	}
	cmd.Flags().StringVarP(&l.format, "format", "f", "text", "text or json")
	cmd.Flags().StringVar(&l.explain, "explain", "", "explain a code, or all with \"all\"")
	cmd.Flags().StringArrayVar(&l.params, "param", nil, "NAME=VALUE or DETECTION/NAME=VALUE: set a parameter, as for hunt")
	cmd.Flags().BoolVar(&l.strict, "strict", false, "exit with 3 on a warning, too")
	return cmd
}

// lintFinding is one problem, and the detection it is of.
type lintFinding struct {
	Pack      string `json:"pack"`
	Path      string `json:"path"`
	Detection string `json:"detection"`
	*exclusion.Problem
	when string // the expression, where the problem has a place in it
}

// lintReport is what the linter says of some packs.
type lintReport struct {
	Problems   []lintFinding           `json:"problems"`
	Exclusions int                     `json:"exclusions"`
	Counts     map[exclusion.Level]int `json:"counts"`
}

func (l *lintFlags) run(stdio stdio, args []string) error {
	if l.format != "text" && l.format != "json" {
		return fmt.Errorf("--format %q: want text or json", l.format)
	}
	packs, err := loadPacks(args)
	if err != nil {
		return &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, l.params); err != nil {
		return err
	}
	report := lintPacks(packs, time.Now())
	print := report.text
	if l.format == "json" {
		print = report.json
	}
	if err := print(stdio.out); err != nil {
		return err
	}
	errors, warnings := report.Counts[exclusion.LevelError], report.Counts[exclusion.LevelWarning]
	fmt.Fprintf(stdio.err, "%d exclusions: %d errors, %d warnings, %d notes\n", report.Exclusions, errors, warnings, report.Counts[exclusion.LevelNote])
	if errors > 0 || l.strict && warnings > 0 {
		return &exitError{exitContent, nil}
	}
	return nil
}

func lintPacks(packs []*detection.Pack, at time.Time) *lintReport {
	r := &lintReport{Problems: []lintFinding{}, Counts: map[exclusion.Level]int{}}
	for _, p := range packs {
		for _, d := range p.Detections {
			specs := d.Exclusions()
			r.Exclusions += len(specs)
			for _, problem := range detection.Lint(d, at) {
				r.Counts[problem.Level]++
				f := lintFinding{Pack: p.Name, Path: d.Path, Detection: d.ID, Problem: problem}
				if i := slices.IndexFunc(specs, func(s exclusion.Spec) bool { return s.ID == problem.Exclusion }); i >= 0 && problem.Line > 0 {
					f.when = specs[i].When
				}
				r.Problems = append(r.Problems, f)
			}
		}
	}
	return r
}

func (r *lintReport) json(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func (r *lintReport) text(w io.Writer) error {
	for _, f := range r.Problems {
		if err := f.text(w); err != nil {
			return err
		}
	}
	return nil
}

// text prints a problem with the line of the expression that it is in.
func (f lintFinding) text(w io.Writer) error {
	at := strings.TrimSpace(f.Exclusion + " " + f.Field)
	if f.Line > 0 {
		at += fmt.Sprintf(":%d:%d", f.Line, f.Column)
	}
	_, err := fmt.Fprintf(w, "%s[%s]: %s\n  in %s: %s\n", f.Level, f.Code, f.Message, f.Path, at)
	if f.when != "" && err == nil {
		line := strings.Split(f.when, "\n")[f.Line-1]
		_, err = fmt.Fprintf(w, "  | %s\n  | %s^\n", line, strings.Repeat(" ", f.Column-1))
	}
	if f.Hint != "" && err == nil {
		_, err = fmt.Fprintf(w, "  mend: %s\n", f.Hint)
	}
	return err
}

func explainLint(w io.Writer, code string) error {
	codes := lint.Codes()
	if code != "all" {
		c, ok := lint.Explain(code)
		if !ok {
			return &hintError{fmt.Errorf("there is no code %q", code), "besra exclusion lint --explain all lists them"}
		}
		codes = []lint.Code{c}
	}
	for _, c := range codes {
		fmt.Fprintf(w, "%s (%s)\n    %s\n    mend: %s\n", c.Code, c.Level, c.Why, c.Mend)
		if c.Bad != "" {
			fmt.Fprintf(w, "    bad:  %s\n    good: %s\n", c.Bad, c.Good)
		}
	}
	return nil
}

func exclusionFunctionsCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use: "functions", Short: "Show the functions that an exclusion can call", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, f := range exclusion.Functions() {
				_, err := fmt.Fprintf(stdio.out, "%s\n    %s\n    %s\n    example: %s\n\n",
					f.Name, strings.Join(f.Signatures, "\n    "), f.Doc, f.Example)
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func exclusionFactsCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use:       "facts [CONTEXT]",
		Short:     "Show the facts that an exclusion can ask for",
		Long:      "Show every fact with its type, its meaning, and the best grade it has in each context, or in one.",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: contextWords(),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(contextWords(), args[0]) {
				return fmt.Errorf("%q is not a context: want %s", args[0], strings.Join(contextWords(), ", "))
			}
			return printFacts(stdio.out, args)
		},
	}
}

func contextWords() []string {
	var words []string
	for _, c := range besra.Contexts() {
		words = append(words, string(c))
	}
	return words
}

func printFacts(w io.Writer, only []string) error {
	for _, d := range besra.Vocabulary() {
		grades := d.GradeText()
		if len(only) > 0 {
			if !d.In(besra.Context(only[0])) {
				continue
			}
			grades = d.Grades[besra.Context(only[0])].String()
		}
		if _, err := fmt.Fprintf(w, "%s  %s  (%s)\n    %s\n", d.Name, d.Type, cmp.Or(grades, "–"), d.Doc); err != nil {
			return err
		}
	}
	return nil
}
