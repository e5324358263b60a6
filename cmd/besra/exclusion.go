package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/spf13/cobra"
)

func exclusionCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "exclusion", Short: "Lint exclusions, show their language"}
	cmd.AddCommand(exclusionLintCommand(stdio), exclusionFunctionsCommand(stdio))
	return cmd
}

func exclusionLintCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "lint [PACK…]",
		Short: "Find what is wrong with exclusions that may well work",
		Long: `Check the exclusions of packs, of the embedded one where none is named: tautologies, lone paths
that an intruder can write to, whole tools, missing owners and expiries, and more. Exits with 3 on
an error; warnings and notes are printed.`,
		RunE: func(_ *cobra.Command, args []string) error {
			packs, err := loadPacks(args)
			if err != nil {
				return &exitError{exitContent, err}
			}
			failed := 0
			for _, p := range packs {
				for _, d := range p.Detections {
					failed += printProblems(stdio.out, d)
				}
			}
			if failed > 0 {
				return &exitError{exitContent, fmt.Errorf("%d errors", failed)}
			}
			return nil
		},
	}
}

// printProblems prints what the linter says and returns the number of errors.
func printProblems(w io.Writer, d *detection.Detection) (failed int) {
	for _, p := range detection.Lint(d, time.Now()) {
		fmt.Fprintf(w, "%s: %s\n", d.Path, p)
		if p.Level == exclusion.LevelError {
			failed++
		}
	}
	return failed
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
