package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/ledger"
	"github.com/besra-hunt/besra/ledger/draft"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/besra-hunt/besra/sentinel/disposition"
	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// dispositionFlags are the flags of `besra sentinel dispositions`.
type dispositionFlags struct {
	at       azureFlags
	ledger   ledgerFlag
	packs    []string
	since    date
	dryRun   bool
	overrule bool
	drafts   string
	format   string
}

func sentinelDispositionsCommand(stdio stdio) *cobra.Command {
	var d dispositionFlags
	cmd := &cobra.Command{
		Use:   "dispositions",
		Short: "Read back how incidents were closed, and mark the findings",
		Long: `Read the classification of closed incidents, mark their findings on the ledger as true positives or
benign, and draft, for every detection with benign findings, the narrowest exclusion of two facts or
more that holds of all of them and of no confirmed true positive. A draft is tried on the ledger
before it is shown; it works when somebody owns it, gives a reason and a date, and puts it into the
detection. An exclusion that would hide a confirmed true positive is refused by besra exclusion
backtest from then on.`,
		Example: "  besra sentinel dispositions --ledger soc.ledger --since 30d --drafts drafts.yaml\n  besra exclusion backtest drafts.yaml --ledger soc.ledger",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), stdio) },
	}
	f := cmd.Flags()
	d.at.register(f)
	f.StringVar(&d.at.given.WorkspaceID, "workspace-id", "", "id of the workspace for queries, a GUID, to ask for alerts whose incident shows no finding")
	d.ledger.register(cmd)
	f.StringArrayVarP(&d.packs, "pack", "p", nil, "pack that has the detections (default: the embedded one)")
	f.Var(&d.since, "since", "only incidents changed on this day or later, or within this span, such as 30d")
	f.BoolVar(&d.dryRun, "dry-run", false, "tell what would be marked, and mark nothing")
	f.BoolVar(&d.overrule, "overrule", false, "let an incident make a confirmed true positive benign")
	f.StringVar(&d.drafts, "drafts", "", "write the drafts to this file, too, as besra exclusion backtest reads it")
	f.StringVarP(&d.format, "format", "f", "text", "output format: text, json")
	return cmd
}

func (d *dispositionFlags) run(ctx context.Context, stdio stdio) error {
	if d.format != "text" && d.format != "json" {
		return fmt.Errorf("--format %q: want text or json", d.format)
	}
	h, err := d.ledger.load(nil)
	if err != nil {
		return err
	}
	packs, err := loadPacks(d.packs)
	if err != nil {
		return &exitError{exitContent, err}
	}
	reader, err := d.reader(stdio)
	if err != nil {
		return err
	}
	incidents, err := reader.Read(ctx, d.since.Time)
	if azure.Status(err) == 403 {
		err = &hintError{err, "give the identity the role \"Microsoft Sentinel Reader\" on the workspace"}
	}
	if err != nil {
		return err
	}
	w := disposition.Weigh(incidents, h, d.overrule)
	if err := d.mark(h, w.Marks); err != nil {
		return err
	}
	drafts := draft.Propose(ctx, h, compileIn(packs))
	if err := d.write(drafts); err != nil {
		return err
	}
	if d.format == "json" {
		return writeJSON(stdio.out, struct {
			disposition.Weighed
			Drafts []draft.Draft `json:"drafts"`
		}{w, drafts})
	}
	return d.print(stdio.out, h, w, drafts)
}

func (d *dispositionFlags) reader(stdio stdio) (*disposition.Reader, error) {
	config, err := d.at.config()
	if err == nil {
		err = config.CheckWorkspace()
	}
	if err != nil {
		return nil, err
	}
	account, err := azure.Connect(config)
	if err != nil {
		return nil, err
	}
	o := azure.Options{Tries: managerTries, Waiting: tellWaiting(stdio)}
	return &disposition.Reader{Manager: account.Manager(o), Workspace: config.WorkspacePath(), Query: account.Query(o), WorkspaceID: config.WorkspaceID,
		Ignore: content.ExclusionLabel}, nil
}

// mark writes the marks to the ledger, and into the history that was read of it.
func (d *dispositionFlags) mark(h *ledger.History, marks []ledger.Mark) error {
	for _, m := range marks {
		h.Mark(m)
	}
	if d.dryRun || len(marks) == 0 {
		return nil
	}
	file, err := ledger.Open(d.ledger.name)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if err := file.Mark(m); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}

// compileIn compiles an exclusion as the detection of a pack would have it: with
// its parameters, lists and known-bad hashes.
func compileIn(packs []*detection.Pack) func(string, exclusion.Spec) (*exclusion.Exclusion, error) {
	return func(id string, s exclusion.Spec) (*exclusion.Exclusion, error) {
		base := detection.Detection{ID: id}
		if found := findDetection(packs, id); found != nil {
			base = *found
		}
		base.Scenarios = []detection.Scenario{{ID: "new", Exclusions: []exclusion.Spec{s}}}
		var first error
		xs := base.CompileExclusions(func(problems []*exclusion.Problem) {
			for _, p := range problems {
				if isError(p) && first == nil {
					first = p
				}
			}
		})
		if len(xs) == 0 {
			return nil, errors.Join(first, errors.New("the exclusion does not compile"))
		}
		return xs[0], nil
	}
}

// write writes the drafts to their file.
func (d *dispositionFlags) write(drafts []draft.Draft) error {
	if d.drafts == "" {
		return nil
	}
	var specs []exclusion.Spec
	for _, one := range drafts {
		if one.Spec.When != "" {
			specs = append(specs, one.Spec)
		}
	}
	text, err := yaml.Marshal(specs)
	if err != nil {
		return err
	}
	return os.WriteFile(d.drafts, text, 0o666)
}

func (d *dispositionFlags) print(w io.Writer, h *ledger.History, got disposition.Weighed, drafts []draft.Draft) error {
	var b strings.Builder
	what := "marked"
	if d.dryRun {
		what = "would mark"
	}
	for _, m := range got.Marks {
		i, _ := h.Find(m.Finding)
		fmt.Fprintf(&b, "%s %s  %s  %s on %s  (%s, %s)\n", what, shortID(m.Finding), m.Disposition, printable(i.Finding.Target.Name), printable(i.Finding.Host),
			m.Source, printable(m.Note))
	}
	for _, c := range got.Conflicts {
		fmt.Fprintf(&b, "CONFLICT %s  %s calls it benign, %s confirmed it as a true positive: left as it is (--overrule)\n",
			shortID(c.Mark.Finding), c.Mark.Source, printable(c.Has.Source))
	}
	fmt.Fprintf(&b, "%d closed incidents: %d findings marked, %d known, %d in conflict, %d not on this ledger; %d incidents undetermined, %d without a finding of ours\n",
		got.Incidents, len(got.Marks), got.Known, len(got.Conflicts), got.Foreign, got.Undetermined, got.Without)
	for _, one := range drafts {
		if err := printDraft(&b, one); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printDraft(b *strings.Builder, d draft.Draft) error {
	fmt.Fprintf(b, "\n%s in context %s: %d benign, %d true positives\n", printable(d.Detection), d.Context, d.Benign, d.True)
	if d.Spec.When == "" {
		fmt.Fprintf(b, "  no draft: %s\n", printable(d.Why))
		return nil
	}
	effect := "would suppress"
	hits := d.Trial.Suppressed
	if d.Downgrades {
		effect, hits = "its facts can be forged, so it would only downgrade", d.Trial.Downgraded
	}
	fmt.Fprintf(b, "  backtest: %s %d of %d findings, %d of them unmarked, no true positive\n\n", effect, len(hits), d.Trial.Considered, d.Others)
	text, err := yaml.Marshal([]exclusion.Spec{d.Spec})
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		b.WriteString("    " + line)
	}
	return nil
}
