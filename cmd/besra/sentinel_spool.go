package main

import (
	"fmt"
	"time"

	"github.com/besra-hunt/besra/sentinel/spool"
	"github.com/spf13/cobra"
)

func sentinelSpoolCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "spool", Short: "Look after findings that wait to be delivered"}
	cmd.AddCommand(spoolStatusCommand(stdio), spoolFlushCommand(stdio))
	return cmd
}

func spoolStatusCommand(stdio stdio) *cobra.Command {
	var dir, format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell what waits, and what became of findings so far",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := spool.Look(dir)
			if err != nil {
				return &hintError{err, "--spool names the folder, which the first delivery makes"}
			}
			return tellStatus(stdio, s, format)
		},
	}
	cmd.Flags().StringVar(&dir, "spool", defaultSpool(), "folder of the spool")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "output format: text, json")
	return cmd
}

func tellStatus(stdio stdio, s *spool.Spool, format string) error {
	st, err := s.Status()
	switch {
	case err != nil:
		return err
	case format == "json":
		return writeJSON(stdio.out, st)
	case format != "text":
		return fmt.Errorf("--format %q: want text or json", format)
	}
	oldest := ""
	if !st.Oldest.IsZero() {
		oldest = ", since " + st.Oldest.Format(time.RFC3339)
	}
	now := ""
	if st.Delivering {
		now = ", being delivered now"
	}
	_, err = fmt.Fprintf(stdio.out, "%s\nfor %s\nwaiting      %d findings%s%s\non disk      %d bytes in %d segments\ndelivered    %d\ndropped      %d\nquarantined  %d\ndamaged      %d bytes\n",
		s.Dir(), st.Destination, st.Waiting, oldest, now, st.Bytes, st.Segments, st.Delivered, st.Dropped, st.Quarantined, st.Damaged)
	return err
}

func spoolFlushCommand(stdio stdio) *cobra.Command {
	var s shipFlags
	var quarantine bool
	cmd := &cobra.Command{
		Use:   "flush",
		Short: "Deliver what waits",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := s.open()
			if err == nil && quarantine {
				_, err = l.spool.Release()
			}
			if err != nil {
				return err
			}
			d := &shipment{ctx: cmd.Context(), stdio: stdio, shipper: l.shipper(stdio)}
			d.drain()
			return d.end(l.spool, nil)
		},
	}
	s.at.register(cmd.Flags())
	s.register(cmd.Flags(), "")
	cmd.Flags().MarkHidden("no-suppressed")
	cmd.Flags().BoolVar(&quarantine, "quarantine", false, "also what Sentinel has refused before")
	return cmd
}
