package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/besra-hunt/besra/detection"
	"github.com/spf13/cobra"
)

func detectionCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "detection", Short: "Import and test detections"}
	cmd.AddCommand(detectionImportCommand(stdio), detectionTestCommand(stdio), detectionSchemaCommand(stdio),
		detectionExplainCommand(stdio), detectionDocCommand(stdio), detectionCoverageCommand(stdio), detectionNewCommand(stdio))
	return cmd
}

func detectionImportCommand(stdio stdio) *cobra.Command {
	var dir, source string
	var force bool
	cmd := &cobra.Command{
		Use:   "import PAGE|RULES…",
		Short: "Make detections of catalogue pages and rule repositories",
		Long: `Read catalogue pages (plain text: hypothesis, rule, false-positive scenarios) and write for
each a detection: a YAML file beside the .yar file of its rule. The exclusions are drafts: what
could not be translated, and what the linter says of the rest, is printed.

A .yar file, or a folder with some, is a rule repository: a pack is written with a detection for
each rule, filled with what the rule's meta says (severity, score, ATT&CK, licence, author, hashes,
references, TLP) and the contexts that follow from its compiled form. A folder without rule files
is a folder of pages; one that cannot be read does not stop the others.`,
		Example: "  besra detection import page.txt --dir detections\n  besra detection import signature-base/ --source https://github.com/Neo23x0/signature-base --dir pack",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return importAll(stdio, args, dir, source, force)
		},
	}
	cmd.Flags().StringVarP(&dir, "dir", "d", ".", "directory to write to; it is made where it is absent")
	cmd.Flags().BoolVar(&force, "force", false, "replace files that exist")
	cmd.Flags().StringVar(&source, "source", "", "address of the rule repository, kept as the provenance of its rules")
	return cmd
}

func importPage(stdio stdio, name, dir string, force bool) error {
	text, err := readPage(stdio, name)
	if err != nil {
		return err
	}
	page, err := detection.ParsePage(name, text)
	if err != nil {
		return pageError(err)
	}
	draft, err := detection.DraftPage(name, filepath.Base(name), page)
	if err != nil {
		return pageError(err)
	}
	paths, err := draft.Write(dir, force)
	if err != nil {
		return err
	}
	d := draft.Detection
	fmt.Fprintf(stdio.out, "%s: %s\n", d.ID, d.Title)
	fmt.Fprintf(stdio.out, "  %d patterns, %d scenarios, %d exclusions drafted, %d known-bad hashes\n",
		d.Rule.Patterns, len(d.Scenarios), len(d.Exclusions()), len(d.Rule.KnownBad))
	for _, p := range paths {
		fmt.Fprintf(stdio.out, "  wrote %s\n", p)
	}
	for _, n := range draft.Notes {
		fmt.Fprintf(stdio.out, "  note: %s\n", n)
	}
	lintDetection(stdio.out, d)
	return nil
}

// pageError gives the error of a page its exit code and lifts its hint.
func pageError(err error) error {
	if detection.IsPageError(err) {
		return &exitError{exitContent, err}
	}
	return err
}

func readPage(stdio stdio, name string) ([]byte, error) {
	r := stdio.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &hintError{err, "give the page as a text file, or - for standard input"}
		}
		defer f.Close()
		r = f
	}
	return io.ReadAll(io.LimitReader(r, detection.MaxPageSize+1))
}

// lintDetection prints what the linter says of the exclusions of d.
func lintDetection(w io.Writer, d *detection.Detection) {
	for _, p := range detection.Lint(d, time.Now()) {
		fmt.Fprintf(w, "  lint: %s\n", p)
	}
}
