package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/besra-hunt/besra/report"
	"github.com/spf13/cobra"
)

func reportCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "report", Short: "Work with the records of hunts"}
	cmd.AddCommand(reportRenderCommand(stdio), reportDiffCommand(stdio))
	return cmd
}

func reportRenderCommand(stdio stdio) *cobra.Command {
	var o outputFlags
	cmd := &cobra.Command{
		Use:   "render FILE…",
		Short: "Render the ndjson record of a hunt in another format",
		Long: "Render the master record of one or more hunts. Every format is a function of it:\n" +
			"rendering later gives what the hunt itself would have written. - is standard input.",
		Example: "  besra hunt --format ndjson / > hunt.ndjson\n  besra report render hunt.ndjson --format csv",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return renderReport(cmd, stdio, o, args)
		},
	}
	o.register(cmd.Flags())
	return cmd
}

func renderReport(cmd *cobra.Command, stdio stdio, o outputFlags, files []string) (err error) {
	in, done, err := openAll(stdio, files)
	if err != nil {
		return err
	}
	defer done()
	out, err := o.open(stdio)
	if err != nil {
		return err
	}
	res, err := report.Render(cmd.Context(), in, out)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	for _, w := range res.Warnings {
		fmt.Fprintf(stdio.err, "besra: warning: %s\n", w)
	}
	if res.Runs > res.Unfinished {
		fmt.Fprintln(stdio.err, report.ClosingLine(res.Summary))
	}
	if err != nil {
		return &exitError{exitContent, err}
	}
	return nil
}

// openAll reads files one after the other; "-" is standard input.
func openAll(stdio stdio, names []string) (io.Reader, func(), error) {
	var readers []io.Reader
	var open []*os.File
	done := func() {
		for _, f := range open {
			f.Close()
		}
	}
	for _, name := range names {
		if name == "-" {
			readers = append(readers, stdio.in)
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			done()
			return nil, nil, &hintError{err, "give the file that `besra hunt --format ndjson` wrote"}
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			done()
			return nil, nil, errors.New(name + " is a directory")
		}
		open, readers = append(open, f), append(readers, f)
	}
	return io.MultiReader(readers...), done, nil
}
