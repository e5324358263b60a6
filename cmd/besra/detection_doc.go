package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/detection/site"
	"github.com/spf13/cobra"
)

func detectionDocCommand(stdio stdio) *cobra.Command {
	var out, title string
	cmd := &cobra.Command{
		Use:   "doc [PACK…]",
		Short: "Render a catalogue of detections as a static site",
		Long: `Render packs, the embedded one where none is named, as a static site: an index with search and
facets, a page a detection, the coverage of MITRE ATT&CK and its Navigator layer. It needs no server
and asks for nothing outside of its folder: open index.html.`,
		Example: "  besra detection doc detections/ -o site/",
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := catalogue(stdio, title, args)
			if err != nil {
				return err
			}
			if err := s.Write(out); err != nil {
				return err
			}
			fmt.Fprintf(stdio.out, "%s: %d detections\n", filepath.Join(out, "index.html"), len(s.Pages))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "site", "directory to write to; it is made where it is absent")
	cmd.Flags().StringVar(&title, "title", "Besra detections", "title of the site")
	return cmd
}

// catalogue makes the site of packs. What cannot be used is told, and the rest
// is in it.
func catalogue(stdio stdio, title string, names []string) (*site.Site, error) {
	packs, err := loadPacks(names)
	if err != nil {
		return nil, &exitError{exitContent, err}
	}
	s, faults := site.New(title, packs...)
	for _, f := range faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	if len(s.Pages) == 0 {
		return nil, &exitError{exitContent, fmt.Errorf("the packs hold no detection that can be used")}
	}
	return s, nil
}

func detectionCoverageCommand(stdio stdio) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "coverage [PACK…]",
		Short:   "Say which techniques of MITRE ATT&CK detections name",
		Example: "  besra detection coverage detections/\n  besra detection coverage --format navigator detections/ > layer.json",
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := catalogue(stdio, "Besra detections", args)
			switch {
			case err != nil:
				return err
			case format == "navigator":
				enc := json.NewEncoder(stdio.out)
				enc.SetIndent("", " ")
				return enc.Encode(site.Layer(s.Title, s.Pages))
			case format != "text":
				return fmt.Errorf("--format %q: want text or navigator", format)
			}
			return printCoverage(stdio, s)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or navigator (a layer of ATT&CK Navigator)")
	return cmd
}

func printCoverage(stdio stdio, s *site.Site) error {
	p := &outline{w: stdio.out}
	for _, c := range site.Matrix(s.Pages) {
		if len(c.Cells) == 0 {
			continue
		}
		p.line("%s %s", c.Tactic.ID, c.Tactic.Name)
		for _, cell := range c.Cells {
			p.line("  %-10s %4d  %s", cell.Technique.ID, len(cell.IDs), cell.Technique.Name)
		}
	}
	some := 0
	for _, page := range s.Pages {
		if page.Attack.Version != "" {
			some++
		}
	}
	p.line("%d of %d detections say where in ATT&CK they belong", some, len(s.Pages))
	return p.err
}

func detectionNewCommand(stdio stdio) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Begin a detection: a file with every field that is needed",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := detection.Skeleton(args[0])
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
			name := filepath.Join(dir, args[0]+".yaml")
			if err := writeNew(name, text, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(stdio.out, "wrote %s\n", name)
			return nil
		},
	}
	cmd.Flags().StringVarP(&dir, "dir", "d", ".", "directory to write to; it is made where it is absent")
	return cmd
}
