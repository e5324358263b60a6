package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/ledger"
	"github.com/spf13/cobra"
)

// backtestFlags are the flags of `besra exclusion backtest`.
type backtestFlags struct {
	ledger    ledgerFlag
	detection string
	exclusion []string
	packs     []string
	since     date
	format    string
}

func exclusionBacktestCommand(stdio stdio) *cobra.Command {
	var b backtestFlags
	cmd := &cobra.Command{
		Use:   "backtest NEW.yaml",
		Short: "Tell what an exclusion would have hidden, from the ledger",
		Long: `Ask new exclusions about the findings of a ledger, by the facts that were recorded with them;
nothing is scanned. NEW.yaml is a detection, or a list of exclusions as they stand in one (then
--detection names the detection whose findings, parameters and known-bad hashes count). Tells what
would have been hidden, on which hosts, and where too little was recorded to decide.
Exits with 3 where a confirmed true positive would be hidden (besra ledger mark).`,
		Example: "  besra exclusion backtest new.yaml --ledger soc.ledger --detection eqgrp-mixtext\n" +
			"  besra exclusion backtest detections/eqgrp-mixtext.yaml --exclusion log-job --ledger soc.ledger",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return b.run(cmd.Context(), stdio, args[0]) },
	}
	b.ledger.register(cmd)
	f := cmd.Flags()
	f.StringVar(&b.detection, "detection", "", "detection whose findings a list of exclusions is asked about (default: all findings)")
	f.StringArrayVar(&b.exclusion, "exclusion", nil, "only this exclusion of NEW.yaml; may be repeated")
	f.StringArrayVarP(&b.packs, "pack", "p", nil, "pack that has the detection (default: the embedded one)")
	f.Var(&b.since, "since", "only findings made on this day or later, or within this span, such as 30d")
	f.StringVarP(&b.format, "format", "f", "text", "output format: text, json")
	return cmd
}

func (b *backtestFlags) run(ctx context.Context, stdio stdio, name string) error {
	if b.format != "text" && b.format != "json" {
		return fmt.Errorf("--format %q: want text or json", b.format)
	}
	subject, err := b.subject(name)
	if err != nil {
		return err
	}
	h, err := b.ledger.load(nil)
	if err != nil {
		return err
	}
	h = h.Since(b.since.Time)
	trials, refused := []ledger.Trial{}, 0
	for _, x := range subject.Exclusions {
		t := ledger.Backtest(ctx, h, subject.Detection, x)
		trials = append(trials, t)
		refused += len(t.Refused())
	}
	if b.format == "json" {
		err = writeJSON(stdio.out, trials)
	} else {
		err = printTrials(stdio.out, trials)
	}
	if err == nil && refused > 0 {
		return &exitError{exitContent, &hintError{fmt.Errorf("refused: %d confirmed true positives would be hidden", refused),
			"narrow the exclusion by a fact in which they differ: besra explain FINDING shows their facts"}}
	}
	return err
}

// subject compiles the exclusions of a file.
func (b *backtestFlags) subject(name string) (ledger.Subject, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return ledger.Subject{}, err
	}
	d, err := b.detectionOf(name, text)
	if err != nil {
		return ledger.Subject{}, &exitError{exitContent, fmt.Errorf("%s: %w", name, err)}
	}
	var first *exclusion.Problem
	xs := d.CompileExclusions(func(problems []*exclusion.Problem) {
		if i := slices.IndexFunc(problems, isError); first == nil && i >= 0 {
			first = problems[i]
		}
	})
	if first != nil {
		return ledger.Subject{}, &exitError{exitContent, fmt.Errorf("%s: %w", name, first)}
	}
	if len(b.exclusion) > 0 {
		xs = slices.DeleteFunc(xs, func(x *exclusion.Exclusion) bool { return !slices.Contains(b.exclusion, x.ID()) })
	}
	if len(xs) == 0 {
		return ledger.Subject{}, &exitError{exitContent, fmt.Errorf("%s has no such exclusion", name)}
	}
	return ledger.Subject{Detection: d.ID, Exclusions: xs}, nil
}

func isError(p *exclusion.Problem) bool { return p.Level == exclusion.LevelError }

// detectionOf reads a detection, or makes one of a list of exclusions.
func (b *backtestFlags) detectionOf(name string, text []byte) (*detection.Detection, error) {
	if detection.IsFile(text) {
		d, err := detection.Parse(text)
		if err == nil && b.detection != "" && b.detection != d.ID {
			err = fmt.Errorf("it is the detection %s, not %s", d.ID, b.detection)
		}
		return d, err
	}
	specs, err := detection.ParseExclusions(text)
	if err != nil {
		return nil, err
	}
	base := detection.Detection{ID: b.detection}
	if b.detection != "" {
		packs, err := loadPacks(b.packs)
		if err != nil {
			return nil, err
		}
		found := findDetection(packs, b.detection)
		if found == nil {
			return nil, &hintError{fmt.Errorf("detection %s is in no pack", b.detection), "--pack names the pack that has it"}
		}
		base = *found
	}
	base.Scenarios = []detection.Scenario{{ID: "new", Exclusions: specs}}
	return &base, nil
}

func findDetection(packs []*detection.Pack, id string) *detection.Detection {
	for _, p := range packs {
		for _, d := range p.Detections {
			if d.ID == id {
				return d
			}
		}
	}
	return nil
}

// maxShown bounds the findings of one kind that a trial lists.
const maxShown = 10

func printTrials(w io.Writer, trials []ledger.Trial) error {
	var b strings.Builder
	for _, t := range trials {
		fmt.Fprintf(&b, "%s: asked about %d findings\n", printable(t.Exclusion), t.Considered)
		printHits(&b, "would suppress", t.Suppressed)
		printHits(&b, "would downgrade", t.Downgraded)
		printHits(&b, "would annotate", t.Annotated)
		printHits(&b, "undecided", t.Undecided)
		for _, fact := range slices.Sorted(maps.Keys(t.Missing)) {
			fmt.Fprintf(&b, "    %d for want of %s\n", t.Missing[fact], fact)
		}
		printHits(&b, "failed on", t.Failed)
		for _, hit := range t.Refused() {
			fmt.Fprintf(&b, "  REFUSED: %s on %s is a confirmed true positive (%s), marked by %s\n",
				printable(hit.Target), printable(hit.Host), printable(shortID(hit.Finding)), printable(hit.Mark.By))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printHits(b *strings.Builder, what string, hits []ledger.Hit) {
	fmt.Fprintf(b, "  %s %d", what, len(hits))
	if len(hits) == 0 {
		b.WriteByte('\n')
		return
	}
	hosts := ledger.Hosts(hits)
	names := []string{}
	for _, h := range hosts[:min(len(hosts), maxShown)] {
		names = append(names, fmt.Sprintf("%s %d", printable(h.Host), h.Findings))
	}
	fmt.Fprintf(b, " on %d hosts: %s\n", len(hosts), strings.Join(names, ", "))
	for _, h := range hits[:min(len(hits), maxShown)] {
		was := printable(h.Was)
		if h.By != "" {
			was += " by " + printable(h.By)
		}
		fmt.Fprintf(b, "    %s  %s  (so far %s)\n", printable(shortID(h.Finding)), printable(h.Target), was)
	}
	if more := len(hits) - maxShown; more > 0 {
		fmt.Fprintf(b, "    and %d more\n", more)
	}
}

// auditFlags are the flags of `besra exclusion audit`.
type auditFlags struct {
	ledger    ledgerFlag
	soon      string
	at        date
	failStale bool
	format    string
}

func exclusionAuditCommand(stdio stdio) *cobra.Command {
	var a auditFlags
	cmd := &cobra.Command{
		Use:   "audit [PACK…]",
		Short: "Tell what each exclusion hid, and which are stale",
		Long: `Hold the exclusions of packs, of the embedded one where none is named, against a ledger: what each
has hidden and where, what would show again if it lapsed, which have never held of anything, which
have expired or soon will, and which are in the ledger and no longer in a pack.`,
		Example: "  besra exclusion audit --ledger soc.ledger --soon 60d\n  besra exclusion audit detections/ --ledger soc.ledger --fail-stale",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), stdio, args) },
	}
	a.ledger.register(cmd)
	f := cmd.Flags()
	f.StringVar(&a.soon, "soon", "30d", "an exclusion that expires within this span is expiring")
	f.Var(&a.at, "at", "the day of the audit (default: today)")
	f.BoolVar(&a.failStale, "fail-stale", false, "exit with 1 where an exclusion is expired, expiring or unused")
	f.StringVarP(&a.format, "format", "f", "text", "output format: text, json")
	return cmd
}

func (a *auditFlags) run(ctx context.Context, stdio stdio, args []string) error {
	soon, err := parseSpan(a.soon)
	if err != nil {
		return fmt.Errorf("--soon %q: want a span such as 30d", a.soon)
	}
	if a.format != "text" && a.format != "json" {
		return fmt.Errorf("--format %q: want text or json", a.format)
	}
	packs, err := loadPacks(args)
	if err != nil {
		return &exitError{exitContent, err}
	}
	h, err := a.ledger.load(nil)
	if err != nil {
		return err
	}
	set, faults := detection.Compile(packs...)
	if len(faults) > 0 {
		return &exitError{exitContent, errors.New(faults[0].Error())}
	}
	var subjects []ledger.Subject
	for e := range set.Entries() {
		subjects = append(subjects, ledger.Subject{Detection: e.Detection.ID, Exclusions: e.Exclusions})
	}
	at := a.at.Time
	if at.IsZero() {
		at = time.Now()
	}
	uses := ledger.Audit(ctx, h, subjects, at, soon)
	if a.format == "json" {
		err = writeJSON(stdio.out, uses)
	} else {
		err = printUses(stdio.out, h, uses)
	}
	if err == nil && a.failStale && slices.ContainsFunc(uses, ledger.Use.Stale) {
		return &exitError{exitFindings, nil}
	}
	return err
}
