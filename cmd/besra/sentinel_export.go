package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// contentFlags choose what is made for Sentinel.
type contentFlags struct {
	options    content.Options
	params     []string
	trust      []string
	without    []string
	stableOnly bool
}

func (c *contentFlags) register(f *pflag.FlagSet) {
	var names []string
	for _, k := range content.Kinds() {
		names = append(names, k.Name)
	}
	f.StringArrayVar(&c.options.Detections, "detection", nil, "build queries, hunts and functions of this detection alone; may be repeated")
	f.StringSliceVar(&c.without, "without", nil, "kinds of content to leave out: "+strings.Join(names, ", "))
	f.BoolVar(&c.stableOnly, "stable-only", false, "leave out what only previews of APIs take: hunts")
	f.IntVar(&c.options.Retention, "retention", 0, "days that the table keeps findings (default: as the workspace)")
	f.BoolVar(&c.options.AuditSuppressed, "audit-suppressed", false, "also raise incidents of suppressed findings, which automation rules close as benign")
	f.StringArrayVar(&c.params, "param", nil, "site parameter as NAME=VALUE or DETECTION/NAME=VALUE; may be repeated")
	f.StringArrayVar(&c.trust, "trust-key", nil, "file of a public key to trust for signed packs; may be repeated")
}

// build makes the content of packs, and tells what is wrong with it: a bundle
// is returned only where everything that was asked for can be used.
func (c *contentFlags) build(stdio stdio, names []string) (*content.Bundle, error) {
	if err := c.leaveOut(); err != nil {
		return nil, err
	}
	packs, err := loadPacks(names, c.trust...)
	if err != nil {
		return nil, &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, c.params); err != nil {
		return nil, err
	}
	if err := haveDetections(packs, c.options.Detections); err != nil {
		return nil, err
	}
	bundle, _ := content.Build(c.options, packs...)
	_, faults := detection.Compile(packs...) // those of Build, and of the rules
	for _, f := range faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	problems := bundle.Lint()
	for _, p := range problems {
		fmt.Fprintf(stdio.err, "error: %s\n", p.Error())
	}
	if n := len(faults) + len(problems); n > 0 {
		return nil, &exitError{exitContent, &hintError{fmt.Errorf("%d parts of the content cannot be used in Sentinel", n),
			"--detection and --without choose what is made"}}
	}
	return bundle, nil
}

// haveDetections wants every id to be that of a detection of the packs.
func haveDetections(packs []*detection.Pack, ids []string) error {
	for _, id := range ids {
		has := func(p *detection.Pack) bool {
			return slices.ContainsFunc(p.Detections, func(d *detection.Detection) bool { return d.ID == id })
		}
		if !slices.ContainsFunc(packs, has) {
			return fmt.Errorf("--detection %s: no pack has it", id)
		}
	}
	return nil
}

func (c *contentFlags) leaveOut() error {
	for _, name := range c.without {
		k := content.KindNamed(name)
		if k == nil {
			return fmt.Errorf("--without %s: there is no such kind of content", name)
		}
		c.options.Without = append(c.options.Without, k)
	}
	for _, k := range content.Kinds() {
		if c.stableOnly && k.Preview {
			c.options.Without = append(c.options.Without, k)
		}
	}
	return nil
}

func sentinelExportCommand(stdio stdio) *cobra.Command {
	var c contentFlags
	var out, format string
	cmd := &cobra.Command{
		Use:   "export [PACK…]",
		Short: "Write content for Microsoft Sentinel: rules, hunts, functions, workbook",
		Long: `Write what packs, the embedded one where none is named, are in Microsoft Sentinel: the table of
findings and the data collection rule, one scheduled rule for each severity, hunting queries and
hunts of each detection, its exclusions as functions in KQL, watchlists, automation rules, a
workbook, and parsers of ASIM.

--format arm gives templates in the layout of Sentinel Repositories, each with the parameter
workspace; --format yaml the shape of Microsoft's repository of Sentinel content. The same packs
give the same files. REPORT.md says which exclusions a table cannot express: their findings stay
visible.`,
		Example: "  besra sentinel export -o sentinel/\n  besra sentinel export detections/ -o sentinel/ --stable-only",
		RunE: func(_ *cobra.Command, args []string) error {
			bundle, err := c.build(stdio, args)
			if err != nil {
				return err
			}
			var files content.Files
			switch format {
			case "arm":
				files, err = bundle.ARM()
			case "yaml":
				files, err = bundle.YAML()
			default:
				return fmt.Errorf("--format %q: want arm or yaml", format)
			}
			if err != nil {
				return err
			}
			return writeExport(stdio, out, files, bundle)
		},
	}
	c.register(cmd.Flags())
	cmd.Flags().StringVarP(&out, "output", "o", "sentinel", "directory to write to; it is made where it is absent")
	cmd.Flags().StringVarP(&format, "format", "f", "arm", "arm or yaml")
	return cmd
}

// writeExport writes the files and says what is in them, and what is not.
func writeExport(stdio stdio, dir string, files content.Files, bundle *content.Bundle) error {
	removed, err := files.Write(dir)
	if err != nil {
		return err
	}
	for _, k := range content.Kinds() {
		if n := len(bundle.Of(k)); n > 0 {
			preview := ""
			if k.Preview {
				preview = "  (preview API)"
			}
			fmt.Fprintf(stdio.out, "%5d %s%s\n", n, k.Name, preview)
		}
	}
	fmt.Fprintf(stdio.out, "%s: %d files\n", dir, len(files))
	for _, name := range removed {
		fmt.Fprintf(stdio.out, "removed %s, which is no longer part of it\n", name)
	}
	return tellLeft(stdio, bundle.Report)
}

// tellLeft says which exclusions have no effect on findings in Sentinel; of the
// other tables, only how many.
func tellLeft(stdio stdio, r content.Report) error {
	others := 0
	for _, t := range r.Left() {
		if t.Table != kql.FindingsTable {
			others++
			continue
		}
		fmt.Fprintf(stdio.err, "not in Sentinel: exclusion %s of %s: %s; what the sensor decides stands\n", t.Exclusion, t.Detection, t.Why)
	}
	if others > 0 {
		fmt.Fprintf(stdio.err, "other tables cannot express exclusions in %d cases: REPORT.md says which and why\n", others)
	}
	return nil
}
