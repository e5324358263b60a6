package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/report"
	"github.com/spf13/cobra"
)

// explainFlags are the flags of `besra explain`.
type explainFlags struct {
	ledger ledgerFlag
	record string
	packs  []string
	params []string
	format string
}

func explainCommand(stdio stdio) *cobra.Command {
	var e explainFlags
	cmd := &cobra.Command{
		Use:   "explain FINDING",
		Short: "Tell why a finding was shown, suppressed or left undecided",
		Long: `Ask the exclusions of the finding's detection again, by the facts that were recorded with it, and
show the tree of each expression: the outcome of every part, and each fact with its value, its
source and its grade. FINDING is the beginning of its id, in a ledger or in the ndjson record of a
hunt (--record, - is standard input).`,
		Example: "  besra explain 3f9c21 --ledger soc.ledger\n  besra explain 3f9c21 --record hunt.ndjson --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.run(cmd.Context(), stdio, args[0])
		},
	}
	e.ledger.register(cmd)
	f := cmd.Flags()
	f.StringVar(&e.record, "record", "", "the ndjson record of a hunt")
	f.StringArrayVarP(&e.packs, "pack", "p", nil, "folder of detections the hunt used (default: the embedded pack); may be repeated")
	f.StringArrayVar(&e.params, "param", nil, "NAME=VALUE or DETECTION/NAME=VALUE: parameters that the hunt was given; may be repeated")
	f.StringVarP(&e.format, "format", "f", "text", "output format: text, json")
	return cmd
}

func (e *explainFlags) run(ctx context.Context, stdio stdio, id string) error {
	if e.format != "text" && e.format != "json" {
		return fmt.Errorf("--format %q: want text or json", e.format)
	}
	found, err := e.find(stdio, id)
	if err != nil {
		return err
	}
	packs, err := loadPacks(e.packs)
	if err != nil {
		return &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, e.params); err != nil {
		return err
	}
	out := explained{Finding: found, Exclusions: []exclusionExplained{}}
	out.explain(ctx, packs)
	if e.format == "json" {
		return writeJSON(stdio.out, out)
	}
	return out.text(stdio.out, colorful(stdio.out))
}

// find returns the finding, from the ledger or from the record.
func (e *explainFlags) find(stdio stdio, id string) (*besra.Finding, error) {
	if e.record != "" {
		return e.findInRecord(stdio, id)
	}
	if e.ledger.name == "" {
		return nil, &hintError{errors.New("it is not said where the finding is"), "--ledger FILE or --record FILE names where a hunt wrote it"}
	}
	h, err := e.ledger.load(nil)
	if err != nil {
		return nil, err
	}
	i, err := h.Find(id)
	if err != nil {
		return nil, &hintError{err, "besra ledger show lists the findings with their ids"}
	}
	return &i.Finding, nil
}

func (e *explainFlags) findInRecord(stdio stdio, id string) (*besra.Finding, error) {
	in, done, err := openAll(stdio, []string{e.record})
	if err != nil {
		return nil, err
	}
	defer done()
	var found *besra.Finding
	for rec, err := range report.Read(in) {
		switch {
		case err != nil:
			fmt.Fprintf(stdio.err, "besra: warning: %v\n", err)
		case rec.Finding == nil || !strings.HasPrefix(rec.Finding.ID, id):
		case found != nil && found.ID != rec.Finding.ID:
			return nil, fmt.Errorf("more than one finding begins with %s: give more of its id", id)
		default:
			found = rec.Finding
		}
	}
	if found == nil {
		return nil, fmt.Errorf("there is no finding %s in %s", id, e.record)
	}
	return found, nil
}

// explained is a finding with the explanation of each exclusion.
type explained struct {
	Finding    *besra.Finding       `json:"finding"`
	Exclusions []exclusionExplained `json:"exclusions"`
	Notes      []string             `json:"notes,omitempty"`
}

// exclusionExplained is what was recorded of one exclusion, and what it says of
// the recorded facts now. Recorded is nil where it was not asked then, Now where
// it no longer exists.
type exclusionExplained struct {
	Exclusion string                 `json:"exclusion"`
	Recorded  *besra.Decision        `json:"recorded,omitempty"`
	Now       *exclusion.Explanation `json:"now,omitempty"`
}

func (o *explained) explain(ctx context.Context, packs []*detection.Pack) {
	f := o.Finding
	xs := o.exclusions(packs)
	for _, x := range xs {
		if !x.For(f.Target.Context) {
			continue
		}
		now := x.ExplainFinding(ctx, f, besra.Recorded(f), f.Time)
		o.Exclusions = append(o.Exclusions, exclusionExplained{x.ID(), o.recorded(x.ID()), &now})
	}
	for _, d := range f.Decisions {
		if !slices.ContainsFunc(o.Exclusions, func(e exclusionExplained) bool { return e.Exclusion == d.Exclusion }) {
			o.Exclusions = append(o.Exclusions, exclusionExplained{d.Exclusion, &d, nil})
		}
	}
}

// exclusions compiles those of the finding's detection.
func (o *explained) exclusions(packs []*detection.Pack) []*exclusion.Exclusion {
	for _, p := range packs {
		if p.Name != o.Finding.Detection.Pack {
			continue
		}
		set, faults := detection.Compile(p)
		for _, fault := range faults {
			o.Notes = append(o.Notes, "the pack has a fault: "+fault.Error())
		}
		if set == nil {
			continue
		}
		for e := range set.Entries() {
			if e.Detection.ID != o.Finding.Detection.ID {
				continue
			}
			if e.Detection.Version != o.Finding.Detection.Version {
				o.Notes = append(o.Notes, fmt.Sprintf("the hunt used version %q of the detection, this is %q", o.Finding.Detection.Version, e.Detection.Version))
			}
			return e.Exclusions
		}
	}
	o.Notes = append(o.Notes, fmt.Sprintf("detection %s of pack %s is not at hand (--pack): only what was recorded can be shown", o.Finding.Detection.ID, o.Finding.Detection.Pack))
	return nil
}

func (o *explained) recorded(id string) *besra.Decision {
	for i := range o.Finding.Decisions {
		if o.Finding.Decisions[i].Exclusion == id {
			return &o.Finding.Decisions[i]
		}
	}
	return nil
}

// text writes the explanation for a person.
func (o *explained) text(w io.Writer, color bool) error {
	f := o.Finding
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  rule       %s of detection %s\n  target     %s (%s) on %s\n  verdict    %s, %s\n",
		printable(f.ID), printable(f.Rule.Name), printable(f.Detection.ID), printable(f.Target.Name), printable(f.Target.Context), printable(f.Host),
		printable(f.Verdict), printable(f.Severity))
	if s := f.Suppression; s != nil {
		fmt.Fprintf(&b, "  because    %s: %s\n             owner %s, expires %s\n", printable(s.Exclusion), printable(s.Reason), printable(s.Owner), printable(s.Expires))
	}
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "  note       %s\n", printable(n))
	}
	for _, e := range o.Exclusions {
		b.WriteByte('\n')
		e.text(&b, color)
	}
	if len(o.Exclusions) == 0 {
		b.WriteString("\nno exclusion was asked\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (e exclusionExplained) text(b *strings.Builder, color bool) {
	switch {
	case e.Now == nil:
		fmt.Fprintf(b, "%s: %s (%s)\n  %s\n  the exclusion is no longer in the pack: this is what was recorded\n", printable(e.Exclusion),
			printable(e.Recorded.Outcome), printable(e.Recorded.Effect), printable(e.Recorded.Why))
		return
	case color:
		b.WriteString(e.Now.Color())
	default:
		b.WriteString(e.Now.Text())
	}
	switch {
	case e.Recorded == nil:
		b.WriteString("  it was not asked at the time: another exclusion had suppressed the finding, or it is new\n")
	case e.Recorded.Outcome != e.Now.Decision.Outcome:
		fmt.Fprintf(b, "  at the time it was %s: %s\n", printable(e.Recorded.Outcome), printable(e.Recorded.Why))
	}
}
