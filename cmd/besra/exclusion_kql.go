package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/spf13/cobra"
)

// kqlFlags are the flags of `besra exclusion kql`.
type kqlFlags struct {
	tables []string
	ids    []string
	params []string
}

func exclusionKQLCommand(stdio stdio) *cobra.Command {
	var k kqlFlags
	var names []string
	for _, t := range kql.Tables() {
		names = append(names, t.Name)
	}
	cmd := &cobra.Command{
		Use:   "kql [PACK…]",
		Short: "Show exclusions as queries in KQL, and what of them is not portable",
		Long: `Compile the exclusions of packs, of the embedded one where none is named, to the Kusto Query
Language, for the table that findings land in or for another. A query leaves out exactly the rows
that the exclusion would keep out of sight at the sensor. What a table cannot say is an error with
its place, and then the exit code is 3.`,
		Example: "  besra exclusion kql detections/\n  besra exclusion kql --table DeviceFileEvents --id log-job",
		RunE:    func(_ *cobra.Command, args []string) error { return k.run(stdio, args) },
	}
	cmd.Flags().StringSliceVar(&k.tables, "table", []string{kql.FindingsTable}, "table, or all: "+strings.Join(names, ", "))
	cmd.Flags().StringSliceVar(&k.ids, "id", nil, "show the exclusion with this id alone; may be repeated")
	cmd.Flags().StringArrayVar(&k.params, "param", nil, "NAME=VALUE or DETECTION/NAME=VALUE: set a parameter, as for hunt")
	return cmd
}

func (k *kqlFlags) run(stdio stdio, args []string) error {
	tables, err := tablesNamed(k.tables)
	if err != nil {
		return err
	}
	packs, err := loadPacks(args)
	if err != nil {
		return &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, k.params); err != nil {
		return err
	}
	shown, refused := 0, 0
	for _, p := range packs {
		for _, d := range p.Detections {
			for _, x := range d.CompileExclusions(func(problems []*exclusion.Problem) { refused += printProblems(stdio.err, problems) }) {
				if len(k.ids) > 0 && !slices.Contains(k.ids, x.ID()) {
					continue
				}
				shown++
				for _, t := range tables {
					refused += showKQL(stdio, d.ID, x, t)
				}
			}
		}
	}
	switch {
	case shown == 0 && len(k.ids) > 0:
		return fmt.Errorf("no exclusion has the id %s", strings.Join(k.ids, " or "))
	case refused > 0:
		fmt.Fprintf(stdio.err, "%d exclusions, %d problems\n", shown, refused)
		return &exitError{exitContent, nil}
	}
	return nil
}

func tablesNamed(names []string) ([]kql.Table, error) {
	if slices.Equal(names, []string{"all"}) {
		return kql.Tables(), nil
	}
	var out []kql.Table
	for _, name := range names {
		t, ok := kql.TableNamed(name)
		if !ok {
			return nil, &hintError{fmt.Errorf("exclusions do not compile for the table %q", name), "besra exclusion kql --help names the tables"}
		}
		out = append(out, t)
	}
	return out, nil
}

// showKQL prints one exclusion over one table, and returns the number of problems.
func showKQL(stdio stdio, detection string, x *exclusion.Exclusion, t kql.Table) int {
	q, problems := kql.Compile(x, t, kql.Options{Detection: detection})
	if len(problems) > 0 {
		return printProblems(stdio.err, problems)
	}
	note := map[besra.Effect]string{besra.EffectSuppress: "leaves rows out", besra.EffectDowngrade: "lowers the severity to " + string(q.To),
		besra.EffectAnnotate: "only annotates"}[q.Effect]
	text := t.Name + "\n" + kql.Pipe(q)
	if q.Effect == besra.EffectAnnotate {
		text = t.Name + "\n" + q.Condition()
	}
	fmt.Fprintf(stdio.out, "// %s of %s: %s\n%s\n\n", x.ID(), detection, note, text)
	return 0
}

func printProblems(w io.Writer, problems []*exclusion.Problem) int {
	for _, p := range problems {
		fmt.Fprintln(w, p.Error())
	}
	return len(problems)
}
