package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroups are the headings under which the help of hunts shows their flags, in
// its order. A command has those that it knows.
var flagGroups = []struct{ title, flags string }{
	{"Detections", "pack param trust-key ignore-invalid"},
	{"What is answered", "policy fail-closed allow token-file tls-cert tls-key max-object max-held max-connections max-transfer answer-within grace"},
	{"What is watched", "since snapshot once quiet method"},
	{"What is read", "root files-from include exclude max-size follow one-file-system network-fs dry-run"},
	{"In other places", "pid name regions skip-process platform after"},
	{"Archives and mail", "password no-archives archive-depth archive-members archive-member-size archive-bytes archive-ratio mail-trusted"},
	{"Results", "format output show-suppressed baseline fail-on strict facts ledger tag host no-progress profile"},
	{"Copies of what was found", "collect collect-password collect-max-size collect-max-total"},
	{"Stop, and go on", "checkpoint resume"},
	{"How much of the machine", "workers timeout max-cpu max-iops max-memory nice cache cache-stat"},
	{"To a syslog collector", "syslog-spool syslog-spool-max syslog-ca"},
	{"To Microsoft Sentinel", "sink no-suppressed sentinel-config sentinel-endpoint sentinel-rule sentinel-stream sentinel-spool sentinel-spool-max sentinel-wait"},
	{"Else", "help"},
}

// grouped shows a command's flags under headings.
func grouped(cmd *cobra.Command) *cobra.Command {
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		out := cmd.OutOrStderr()
		fmt.Fprintf(out, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
		for _, g := range flagGroups {
			list := pflag.NewFlagSet("", pflag.ContinueOnError)
			list.SortFlags = false
			for name := range strings.FieldsSeq(g.flags) {
				if f := cmd.Flags().Lookup(name); f != nil {
					list.AddFlag(f)
				}
			}
			if list.HasFlags() {
				fmt.Fprintf(out, "\n%s:\n%s", g.title, list.FlagUsagesWrapped(columns(out)))
			}
		}
		return nil
	})
	return cmd
}

// columns is the width of a terminal, and 0 for what is none.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(f.Fd()); err == nil {
			return width
		}
	}
	return 0
}
