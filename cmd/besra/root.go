package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdio is where a command reads and writes: results on out, all else on err.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// The exit codes. An error and a finding never share one, and "incomplete"
// never looks like "clean".
const (
	exitDone        = 0
	exitFindings    = 1   // findings at or above --fail-on, stale exclusions with --fail-stale
	exitUsage       = 2   // wrong flags, or the run could not start or go on
	exitContent     = 3   // a rule, detection or exclusion is invalid
	exitIncomplete  = 4   // with --strict: something was not read
	exitInterrupted = 130 // Ctrl-C; the counts so far are shown
)

// patience is how long an interrupted program may take to end before it says
// what it waits for.
const patience = 2 * time.Second

// exitError is an error with its exit code. A nil err means that everything
// has been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// hintError is an error with what to do about it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// run runs one command line and returns its exit code.
func run(args []string, io stdio) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, and who waits is told so.
	defer context.AfterFunc(ctx, func() {
		stop()
		time.AfterFunc(patience, func() {
			fmt.Fprintln(os.Stderr, "besra: what is under way is being finished; a second Ctrl-C ends it at once")
		})
	})()
	root := rootCommand(io)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err}
	}
	if exit.err != nil {
		printError(io.err, exit.err)
	}
	return exit.code
}

func printError(w io.Writer, err error) {
	var foreign *yaraError
	if errors.As(err, &foreign) {
		fmt.Fprintln(w, foreign.text)
		return
	}
	fmt.Fprintf(w, "besra: error: %s\n", err)
	var hint *hintError
	if errors.As(err, &hint) {
		fmt.Fprintf(w, "besra: hint: %s\n", hint.hint)
	}
}

func rootCommand(io stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "besra",
		Short: "Hunt with YARA detections whose false positives are code",
		Long: `Besra takes detections (a YARA rule, the hypothesis behind it, and its known false
positives as executable exclusions), hunts with them, and says what it did not see.

Exit codes: 0 done, 1 findings at or above --fail-on, 2 usage or a run that could not go on,
3 invalid content, 4 incomplete with --strict, 130 interrupted (a checkpoint is kept).
Each flag can be set in the environment: --max-size as BESRA_MAX_SIZE.`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return flagsFromEnv(cmd.Flags()) },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &hintError{err, fmt.Sprintf("%s --help lists the flags", cmd.CommandPath())}
	})
	root.AddCommand(huntCommand(io), serveCommand(io), watchCommand(io), detectionCommand(io), packCommand(io), exclusionCommand(io), reportCommand(io), versionCommand(io),
		ledgerCommand(io), explainCommand(io), yaraCommand(io), ruleCommand(io), moduleCommand(io), sentinelCommand(io))
	return root
}

// flagsFromEnv sets each flag that was not given from BESRA_<NAME>.
func flagsFromEnv(flags *pflag.FlagSet) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "BESRA_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(errs...)
}
