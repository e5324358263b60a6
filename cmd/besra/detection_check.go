package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/report/junit"
	"github.com/spf13/cobra"
)

// testFlags are the flags of `besra detection test`.
type testFlags struct {
	verbose    bool
	format     string
	junit      string
	noMutation bool
	at         date
}

func detectionTestCommand(stdio stdio) *cobra.Command {
	var t testFlags
	cmd := &cobra.Command{
		Use:   "test [PACK…]",
		Short: "Prove that detections and their exclusions do what they say",
		Long: `Run every sample against its rule, and every benign fixture and malicious twin against the
rule and its exclusion; see that the rule still fires beside each exclusion (control probe); and
put one fault after the other into each exclusion (a part dropped, a path widened, a comparison
turned, a list emptied), which a fixture must notice. Without a pack the embedded one is tested.
Exits with 3 where a check fails or a pack is invalid.`,
		Example: "  besra detection test detections/\n  besra detection test --junit report.xml --format ndjson detections/",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.run(cmd, stdio, args)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&t.verbose, "verbose", "v", false, "print the checks that passed, too")
	f.StringVarP(&t.format, "format", "f", "text", "output format: text, ndjson (a check a line)")
	f.StringVar(&t.junit, "junit", "", "write the results as JUnit XML to this file, too")
	f.BoolVar(&t.noMutation, "no-mutation", false, "do not put faults into the exclusions")
	f.Var(&t.at, "at", "the day as of which exclusions are asked, such as 2027-01-31 (default: today)")
	return cmd
}

func (t *testFlags) run(cmd *cobra.Command, stdio stdio, args []string) error {
	if t.format != "text" && t.format != "ndjson" {
		return fmt.Errorf("--format %q: want text or ndjson", t.format)
	}
	packs, err := loadPacks(args)
	if err != nil {
		return &exitError{exitContent, err}
	}
	var checks []detection.Check
	for _, p := range packs {
		some, err := detection.Test(cmd.Context(), p, detection.TestOptions{At: t.at.Time, NoMutation: t.noMutation})
		if err != nil {
			return &exitError{exitContent, err}
		}
		checks = append(checks, some...)
	}
	if err := t.write(stdio, checks); err != nil {
		return err
	}
	failed := 0
	for _, c := range checks {
		if c.Failure != "" {
			failed++
		}
	}
	fmt.Fprintf(stdio.err, "%d checks, %d failed\n", len(checks), failed)
	if failed > 0 {
		return &exitError{exitContent, nil}
	}
	return nil
}

func (t *testFlags) write(stdio stdio, checks []detection.Check) error {
	if t.junit != "" {
		if err := writeJUnit(t.junit, checks); err != nil {
			return err
		}
	}
	if t.format == "ndjson" {
		enc := json.NewEncoder(stdio.out)
		for _, c := range checks {
			if err := enc.Encode(c); err != nil {
				return err
			}
		}
		return nil
	}
	return printChecks(stdio.out, checks, t.verbose)
}

// name names the detection and exclusion of a check.
func checkName(c detection.Check) string {
	if c.Exclusion == "" {
		return c.Detection
	}
	return c.Detection + "/" + c.Exclusion
}

// printChecks prints what failed, and what the tests of each exclusion are
// worth.
func printChecks(w io.Writer, checks []detection.Check, verbose bool) error {
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	for i, c := range checks {
		switch {
		case c.Failure != "" && c.Hint != "":
			say("FAIL %s: %s %q: %s\n     hint: %s\n", checkName(c), c.Kind, c.Name, c.Failure, c.Hint)
		case c.Failure != "":
			say("FAIL %s: %s %q: %s\n", checkName(c), c.Kind, c.Name, c.Failure)
		case verbose:
			say("ok   %s: %s %q\n", checkName(c), c.Kind, c.Name)
		}
		if i+1 == len(checks) || checkName(checks[i+1]) != checkName(c) {
			say("%s\n", tally(checks[:i+1], checkName(c)))
		}
	}
	return err
}

// kindNames name the kinds of check in the order they are told.
var kindNames = []struct {
	kind detection.CheckKind
	many string
}{{detection.KindSample, "samples"}, {detection.KindFixture, "fixtures"}, {detection.KindTwin, "twins"},
	{detection.KindProbe, "probes"}, {detection.KindMutant, "mutants noticed"}}

// tally says how many checks of each kind passed.
func tally(checks []detection.Check, name string) string {
	line := name + ":"
	for _, k := range kindNames {
		all, passed := 0, 0
		for _, c := range checks {
			if checkName(c) == name && c.Kind == k.kind {
				all++
				if c.Failure == "" {
					passed++
				}
			}
		}
		if all > 0 {
			line += fmt.Sprintf(" %d/%d %s", passed, all, k.many)
		}
	}
	return line
}

func writeJUnit(name string, checks []detection.Check) error {
	var suites []junit.Suite
	for _, c := range checks {
		if n := len(suites); n == 0 || suites[n-1].Name != c.Detection {
			suites = append(suites, junit.Suite{Name: c.Detection, File: c.Path})
		}
		s := &suites[len(suites)-1]
		class := c.Detection
		if c.Exclusion != "" {
			class += "." + c.Exclusion
		}
		s.Cases = append(s.Cases, junit.Case{Class: class, Name: string(c.Kind) + ": " + c.Name,
			Duration: c.Duration, Failure: c.Failure, Kind: string(c.Kind), Detail: c.Hint})
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := junit.Write(f, "besra detection test", suites); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
