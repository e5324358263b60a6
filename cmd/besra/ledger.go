package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/ledger"
	"github.com/besra-hunt/besra/sink/ndjson"
	"github.com/spf13/cobra"
)

// ledgerFlag is the flag of every command that reads a ledger.
type ledgerFlag struct{ name string }

func (l *ledgerFlag) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.name, "ledger", "", "the ledger that hunts wrote (besra hunt --ledger FILE)")
}

// file returns the name of the ledger, which may be an argument instead.
func (l *ledgerFlag) file(args []string) (string, error) {
	switch {
	case len(args) > 0:
		return args[0], nil
	case l.name != "":
		return l.name, nil
	}
	return "", &hintError{errors.New("no ledger given"), "--ledger FILE names the one that besra hunt --ledger FILE wrote"}
}

// load reads the ledger; one that is not whole is invalid content.
func (l *ledgerFlag) load(args []string) (*ledger.History, error) {
	name, err := l.file(args)
	if err != nil {
		return nil, err
	}
	h, err := ledger.Load(name)
	var damaged *ledger.DamagedError
	if errors.As(err, &damaged) {
		return nil, &exitError{exitContent, &hintError{err, "besra ledger verify tells all that is wrong"}}
	}
	return h, err
}

func ledgerCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Show and verify what hunts found and what was kept out of sight"}
	cmd.AddCommand(ledgerShowCommand(stdio), ledgerVerifyCommand(stdio), ledgerMarkCommand(stdio))
	return cmd
}

// showFlags are the flags of `besra ledger show`.
type showFlags struct {
	ledger ledgerFlag
	by     string
	since  date
	format string
}

func ledgerShowCommand(stdio stdio) *cobra.Command {
	var s showFlags
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the findings of a ledger, or count them",
		Long: `Show each finding of a ledger once, as it was last made, suppressed or not; with --by count them
by what they have in common. --format ndjson writes the records of the hunts, which
besra report render turns into any other format.`,
		Example: "  besra ledger show soc.ledger --by exclusion --since 30d\n  besra ledger show soc.ledger --format ndjson | besra report render - --format csv",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), stdio, args) },
	}
	s.ledger.register(cmd)
	f := cmd.Flags()
	f.StringVar(&s.by, "by", "", "count by "+strings.Join(ledger.Keys(), ", "))
	f.Var(&s.since, "since", "only findings made on this day or later, or within this span, such as 7d")
	f.StringVarP(&s.format, "format", "f", "text", "output format: text, json, ndjson")
	return cmd
}

func (s *showFlags) run(ctx context.Context, stdio stdio, args []string) error {
	h, err := s.ledger.load(args)
	if err != nil {
		return err
	}
	h = h.Since(s.since.Time)
	switch {
	case s.format == "ndjson" && s.by == "":
		name, _ := s.ledger.file(args)
		return s.records(ctx, stdio.out, name)
	case s.format != "text" && s.format != "json":
		return fmt.Errorf("--format %q: want text or json, or ndjson without --by", s.format)
	case s.by != "":
		groups, err := h.Group(s.by)
		if err != nil {
			return err
		}
		if s.format == "json" {
			return writeJSON(stdio.out, groups)
		}
		return printGroups(stdio.out, s.by, groups)
	case s.format == "json":
		return writeJSON(stdio.out, h.Findings)
	}
	return printItems(stdio.out, h.Findings)
}

// records writes the records in the ledger as they were written.
func (s *showFlags) records(ctx context.Context, w io.Writer, name string) error {
	out := ndjson.New(w)
	return ledger.Records(name, func(r besra.Record) error {
		if r.Finding != nil && r.Finding.Time.Before(s.since.Time) {
			return nil
		}
		return out.Write(ctx, r)
	})
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printable returns text on one line, fit for a terminal, and a dash for none.
func printable[S ~string](s S) string {
	if s == "" {
		return "-"
	}
	return besra.Text(s).Printable()
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func printGroups(w io.Writer, by string, groups []*ledger.Group) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tfindings\talert\tundecided\tdowngraded\tsuppressed\thosts\ttrue positive\tbenign\tlast\n", by)
	for _, g := range groups {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", printable(g.Key), g.Findings,
			g.Verdicts[besra.VerdictAlert], g.Verdicts[besra.VerdictUndecided], g.Verdicts[besra.VerdictDowngraded],
			g.Verdicts[besra.VerdictSuppressed], g.Hosts, g.Marks[ledger.TruePositive], g.Marks[ledger.Benign], minute(g.Last))
	}
	return t.Flush()
}

func printItems(w io.Writer, items []*ledger.Item) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "id\tlast\tverdict\tseverity\thost\trule\texclusion\tmark\ttarget\n")
	for _, i := range items {
		f := i.Finding
		exclusion, mark := "", ledger.Disposition("")
		if f.Suppression != nil {
			exclusion = f.Suppression.Exclusion
		}
		if i.Mark != nil {
			mark = i.Mark.Disposition
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(shortID(f.ID)), minute(i.Last), printable(f.Verdict),
			printable(f.Severity), printable(f.Host), printable(f.Rule.Name), printable(exclusion), printable(mark), printable(f.Target.Name))
	}
	return t.Flush()
}

// shortID is enough of a finding's id to name it to besra explain.
func shortID(id string) string { return id[:min(len(id), 12)] }

func ledgerVerifyCommand(stdio stdio) *cobra.Command {
	var l ledgerFlag
	var heads []string
	var format string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Find out whether a ledger is what was written",
		Long: `Follow the chain of hashes from the first entry to the last, and tell what was changed, taken out,
put in or reordered, and where. That entries were cut off at the end is told by the head that is
kept beside the ledger, and by heads noted elsewhere (--head). Exits with 3 on a problem.`,
		Example: "  besra ledger verify soc.ledger\n  besra ledger verify soc.ledger --head 812:9f86d081884c7d65",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return verifyLedger(stdio, l, args, heads, format)
		},
	}
	l.register(cmd)
	cmd.Flags().StringArrayVar(&heads, "head", nil, "a head that was noted elsewhere, SEQ:HASH; may be repeated")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "output format: text, json")
	return cmd
}

func verifyLedger(stdio stdio, l ledgerFlag, args, heads []string, format string) error {
	name, err := l.file(args)
	if err != nil {
		return err
	}
	var anchors []ledger.Head
	for _, text := range heads {
		h, err := ledger.ParseHead(text)
		if err != nil {
			return fmt.Errorf("--head: %w", err)
		}
		anchors = append(anchors, h)
	}
	v, err := ledger.Verify(name, anchors...)
	if err != nil {
		return &exitError{exitContent, fmt.Errorf("%s: %w", name, err)}
	}
	if format == "json" {
		err = writeJSON(stdio.out, v)
	} else {
		err = printVerification(stdio.out, name, v)
	}
	if err == nil && len(v.Problems) > 0 {
		return &exitError{exitContent, fmt.Errorf("%s is not what was written: %d problems", name, len(v.Problems)+v.More)}
	}
	return err
}

func printVerification(w io.Writer, name string, v ledger.Verification) error {
	for _, p := range v.Problems {
		fmt.Fprintf(w, "%s: %v\n", name, p)
	}
	if v.More > 0 {
		fmt.Fprintf(w, "%s: %d more problems\n", name, v.More)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(w, "%s: note: %s\n", name, n)
	}
	state := "whole"
	if len(v.Problems) > 0 {
		state = "NOT WHOLE"
	}
	_, err := fmt.Fprintf(w, "%s: %s, %d entries, %d findings, %d marks, %s to %s\nhead %s\n", name, state,
		v.Entries, v.Findings, v.Marks, minute(v.First), minute(v.Last), v.Head)
	return err
}

func ledgerMarkCommand(stdio stdio) *cobra.Command {
	var l ledgerFlag
	var m ledger.Mark
	cmd := &cobra.Command{
		Use:   "mark FINDING true-positive|benign",
		Short: "Note what was found out about a finding",
		Long: `Append to the ledger that a finding is a true positive or benign. FINDING is the beginning of its
id. The last mark counts. Exclusions that would hide a true positive are refused by
besra exclusion backtest.`,
		Example: "  besra ledger mark 3f9c21 true-positive --ledger soc.ledger --note INC-4711",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := l.load(nil)
			if err != nil {
				return err
			}
			i, err := h.Find(args[0])
			if err != nil {
				return &hintError{err, "besra ledger show lists the findings with their ids"}
			}
			m.Finding, m.Disposition, m.Source = i.Finding.ID, ledger.Disposition(args[1]), "besra ledger mark"
			return markFinding(stdio, l.name, m, i)
		},
	}
	l.register(cmd)
	cmd.Flags().StringVar(&m.By, "by", userName(), "who says so")
	cmd.Flags().StringVar(&m.Note, "note", "", "why, or where it was decided")
	return cmd
}

func markFinding(stdio stdio, name string, m ledger.Mark, i *ledger.Item) error {
	file, err := ledger.Open(name)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Mark(m), file.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdio.out, "%s is %s: %s on %s\n", shortID(m.Finding), m.Disposition, printable(i.Finding.Target.Name), printable(i.Finding.Host))
	return err
}

// userName is the name of who runs besra, or "".
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
