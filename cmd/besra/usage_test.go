package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestGrouped wants each flag of the hunts once in their help, under a heading.
func TestGrouped(t *testing.T) {
	for _, cmd := range []*cobra.Command{huntCommand(stdio{}), watchCommand(stdio{}), serveCommand(stdio{})} {
		var out strings.Builder
		cmd.SetOut(&out)
		cmd.InitDefaultHelpFlag()
		if err := cmd.Usage(); err != nil {
			t.Fatal(err)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			n := strings.Count(out.String(), "      --"+f.Name+" ") + strings.Count(out.String(), ", --"+f.Name+" ")
			if n != 1 && !f.Hidden {
				t.Errorf("the help of %s lists --%s %d times: see flagGroups", cmd.Name(), f.Name, n)
			}
		})
		if !strings.Contains(out.String(), "\nHow much of the machine:\n  -j, --workers int") {
			t.Errorf("no heading in\n%s", out.String())
		}
	}
}
