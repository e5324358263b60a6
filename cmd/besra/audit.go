package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/besra-hunt/besra/ledger"
)

// printUses writes the audit as a table, and what it comes to.
func printUses(w io.Writer, h *ledger.History, uses []ledger.Use) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "exclusion\tstate\thid\tdowngraded\tundecided\thosts\twould show\tlast held\texpires\towner")
	stale := 0
	for _, u := range uses {
		last := "never"
		if !u.Last.IsZero() {
			last = minute(u.Last)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", printable(u.Detection+"/"+u.Exclusion), u.State,
			u.Hid, u.Downgraded, u.Undecided, u.Hosts, u.WouldShow, last, printable(u.Expires), printable(u.Owner))
		if u.Stale() {
			stale++
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, u := range uses {
		for _, id := range u.Confirmed {
			fmt.Fprintf(w, "WARNING: %s hides a confirmed true positive: %s\n", printable(u.Detection+"/"+u.Exclusion), printable(shortID(id)))
		}
	}
	_, err := fmt.Fprintf(w, "%d exclusions, %d stale; the ledger has %d findings of %d runs, %s to %s\n",
		len(uses), stale, len(h.Findings), h.Runs, minute(h.First), minute(h.Last))
	return err
}
