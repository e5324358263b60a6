package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/spf13/cobra"
)

// suitFlags are the flags of `besra detection explain`.
type suitFlags struct {
	packs  []string
	format string
}

func detectionExplainCommand(stdio stdio) *cobra.Command {
	var x suitFlags
	cmd := &cobra.Command{
		Use:   "explain NAME|FILE…",
		Short: "Say where rules can be used, what they cost, how prone they are",
		Long: `Derive from compiled rules where they can be used (file, archive member, process memory, network
stream, HTTP body, mail, image layer, object store) and why, which files they can match, what
their patterns cost, and how likely chance satisfies them. NAME is a rule or a detection of the
packs, of the embedded one where none is named; FILE a rule or detection file, or a folder of them.`,
		Example: "  besra detection explain rules.yar\n  besra detection explain --pack detections/ EQGRP_MixText --format json",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return x.run(stdio, args) },
	}
	cmd.Flags().StringArrayVarP(&x.packs, "pack", "p", nil, "where to look for NAME; may be repeated")
	cmd.Flags().StringVarP(&x.format, "format", "f", "text", "text or json (a rule a line)")
	return cmd
}

func (x *suitFlags) run(stdio stdio, args []string) error {
	if x.format != "text" && x.format != "json" {
		return fmt.Errorf("--format %q: want text or json", x.format)
	}
	var names []string
	files := slices.Clone(x.packs)
	for _, a := range args {
		if _, err := os.Stat(a); err == nil {
			files = append(files, a)
		} else {
			names = append(names, a)
		}
	}
	packs, err := loadPacks(files)
	if err != nil {
		return &exitError{exitContent, err}
	}
	set, faults := detection.Compile(packs...)
	for _, f := range faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	if set == nil {
		return &exitError{exitContent, fmt.Errorf("no rule could be compiled")}
	}
	found := 0
	for rule := range set.Rules.All() {
		e := set.Entry(rule)
		if e == nil || len(names) > 0 && !slices.Contains(names, rule.Name()) && !slices.Contains(names, e.Detection.ID) {
			continue
		}
		found++
		if err := x.print(stdio.out, detection.Explain(rule)); err != nil {
			return err
		}
	}
	if found == 0 {
		return &exitError{exitContent, &hintError{fmt.Errorf("no rule or detection is called %s", strings.Join(names, ", ")),
			"--pack names the pack to look in"}}
	}
	return nil
}

func (x *suitFlags) print(w io.Writer, e *detection.Explanation) error {
	if x.format == "json" {
		return json.NewEncoder(w).Encode(e)
	}
	p := &outline{w: w}
	p.line("%s (%s:%d)", e.Rule, e.Origin, e.Line)
	p.field("matches", strings.Join(e.Classes, "; "))
	p.field("platforms", orAny(strings.Join(e.Platforms, ", ")))
	p.field("header", strings.Join(e.Headers, ", "))
	p.field("size", e.Size)
	p.field("modules", strings.Join(e.Fields, ", "))
	p.field("externals", strings.Join(e.Externals, ", "))
	p.field("needs rules", strings.Join(e.Rules, ", "))
	p.field("patterns", fmt.Sprintf("%d%s", e.Patterns, counts(e.Counts)))
	p.field("cost", e.Cost+": "+e.CostWhy)
	p.field("false positives", fmt.Sprintf("%s: the easiest match has %.0f bits of evidence against chance%s", e.FalsePositives, e.Evidence, weak(e.Weak)))
	for _, name := range []string{"YARA 4.5", "YARA-X"} {
		p.field(name, engine(e.Engines[name]))
	}
	p.line("  use in")
	for _, u := range e.Uses {
		p.line("%s", strings.TrimRight(fmt.Sprintf("    %-15s %-8s %s", u.Place, u.Fit, strings.Join(u.Reasons, "; ")), " "))
	}
	for _, d := range e.Details {
		if d.Note != "" {
			p.line("  %s (%s): %s", d.ID, d.Kind, d.Note)
		}
	}
	return p.err
}

// outline prints lines and keeps the first error.
type outline struct {
	w   io.Writer
	err error
}

func (p *outline) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *outline) field(name, value string) {
	if value != "" {
		p.line("  %-16s%s", name, value)
	}
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

func engine(problem string) string {
	if problem == "" {
		return "takes it"
	}
	return "does not take it: " + problem
}

func weak(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	if len(ids) > 5 {
		ids = append(slices.Clone(ids[:5]), "…")
	}
	return "; weak alone: " + strings.Join(ids, ", ")
}

func counts(by map[string]int) string {
	var parts []string
	for _, word := range []string{"text", "hex", "regexp", "ascii", "wide", "nocase", "fullword", "xor", "base64"} {
		if by[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", by[word], word))
		}
	}
	if parts == nil {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
