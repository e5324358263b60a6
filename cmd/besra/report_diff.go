package main

import (
	"context"
	"fmt"
	"os"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/report"
	"github.com/spf13/cobra"
)

func reportDiffCommand(stdio stdio) *cobra.Command {
	var format, failOn string
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Tell what is new, changed and gone between two hunts",
		Long: `Compare two ndjson records by detection, rule, host and target: what was found anew, what changed
its verdict or its content, and what is gone. --fail-on exits with 1 where a finding that is new
or changed and not suppressed has this severity or above.`,
		Example: "  besra report diff monday.ndjson tuesday.ndjson --fail-on medium",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if failOn != "" && besra.Severity(failOn).Rank() < 0 {
				return fmt.Errorf("--fail-on %q: want informational, low, medium or high", failOn)
			}
			d, err := diffFiles(cmd, stdio, args)
			if err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(stdio.out, d)
			} else {
				_, err = fmt.Fprint(stdio.out, d.Text())
			}
			if err == nil && failOn != "" && worstNew(d) >= besra.Severity(failOn).Rank() {
				return &exitError{exitFindings, nil}
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "output format: text, json")
	cmd.Flags().StringVar(&failOn, "fail-on", "", "exit with 1 on a new or changed finding of this severity or above")
	return cmd
}

func diffFiles(cmd *cobra.Command, stdio stdio, names []string) (report.Delta, error) {
	before, doneBefore, err := openAll(stdio, names[:1])
	if err != nil {
		return report.Delta{}, err
	}
	defer doneBefore()
	after, doneAfter, err := openAll(stdio, names[1:])
	if err != nil {
		return report.Delta{}, err
	}
	defer doneAfter()
	d, err := report.Diff(cmd.Context(), before, after)
	for _, w := range d.Warnings {
		fmt.Fprintf(stdio.err, "besra: warning: %s\n", w)
	}
	if err != nil {
		return d, &exitError{exitContent, err}
	}
	return d, nil
}

// worstNew is the rank of the worst severity of what is new or changed; -1 for
// none.
func worstNew(d report.Delta) int {
	worst := -1
	look := func(b report.Brief) {
		if b.Verdict != besra.VerdictSuppressed {
			worst = max(worst, b.Severity.Rank())
		}
	}
	for _, b := range d.New {
		look(b)
	}
	for _, c := range d.Changed {
		look(c.Is)
	}
	return worst
}

// readBaseline reads the record of --baseline; without it everything is new.
func (h *huntFlags) readBaseline(ctx context.Context, stdio stdio) (*report.Baseline, error) {
	if h.baseline == "" {
		return &report.Baseline{}, nil
	}
	f, err := os.Open(h.baseline)
	if err != nil {
		return nil, &hintError{err, "--baseline takes the ndjson record of an earlier hunt"}
	}
	defer f.Close()
	base, err := report.ReadBaseline(ctx, f)
	if err != nil {
		return nil, &exitError{exitContent, err}
	}
	for _, w := range base.Warnings {
		fmt.Fprintf(stdio.err, "besra: warning: %s: %s\n", h.baseline, w)
	}
	return base, nil
}
