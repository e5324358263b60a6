package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/besra-hunt/besra/report"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/ingest"
	"github.com/besra-hunt/besra/sentinel/spool"
	"github.com/besra-hunt/besra/sink/sentinel"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// shipFlags say to which stream findings go, and where they wait for it.
type shipFlags struct {
	at           azureFlags
	endpoint     string
	rule         string
	stream       string
	spool        string
	spoolMax     size
	noSuppressed bool
}

// register adds the flags; their names begin with a prefix.
func (s *shipFlags) register(f *pflag.FlagSet, prefix string) {
	f.StringVar(&s.endpoint, prefix+"endpoint", "", "address that takes findings: the rule's own, https://….ingest.monitor.azure.com")
	f.StringVar(&s.rule, prefix+"rule", "", "immutable id of the data collection rule, dcr-…")
	f.StringVar(&s.stream, prefix+"stream", "", "stream of the rule (default "+azure.DefaultStream+")")
	f.StringVar(&s.spool, prefix+"spool", "", "folder in which findings wait until they are delivered (default: "+defaultSpool()+")")
	f.Var(&s.spoolMax, prefix+"spool-max", "size at which new findings are dropped from the spool and counted (default 512MiB)")
	f.BoolVar(&s.noSuppressed, "no-suppressed", false, "do not send suppressed findings, which go as benign positives with the exclusion's id")
}

// defaultSpool is where findings wait: what a service keeps for itself.
func defaultSpool() string {
	const name = "besra/sentinel"
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, name)
	}
	if runtime.GOOS == "windows" {
		if dir, err := os.UserCacheDir(); err == nil {
			return filepath.Join(dir, name)
		}
	}
	if dir, err := os.UserHomeDir(); err == nil {
		return filepath.Join(dir, ".local/state", name)
	}
	return filepath.Join("/var/lib", name)
}

func (s *shipFlags) dir() string { return cmp.Or(s.spool, defaultSpool()) }

// line is the way to Sentinel: as whom, where to, and what waits.
type line struct {
	account *azure.Account
	to      ingest.Destination
	spool   *spool.Spool
}

// open reads the configuration and opens the spool.
func (s *shipFlags) open() (line, error) {
	config, err := s.at.config()
	if err != nil {
		return line{}, err
	}
	config = azure.Config{Endpoint: s.endpoint, Rule: s.rule, Stream: s.stream}.Or(config)
	if err := config.CheckIngestion(); err != nil {
		return line{}, &hintError{err, "besra sentinel apply tells the endpoint and the rule; keep them in " + azureConfigName}
	}
	l := line{to: ingest.Destination{Endpoint: config.Endpoint, Rule: config.Rule, Stream: cmp.Or(config.Stream, azure.DefaultStream)}}
	if l.account, err = azure.Connect(config); err != nil {
		return l, err
	}
	l.spool, err = spool.Open(s.dir(), l.to.String(), int64(s.spoolMax))
	if _, other := errors.AsType[*spool.OtherDestinationError](err); other {
		err = &hintError{err, "a spool serves one stream: name another folder with --spool"}
	}
	return l, err
}

// shipper delivers by the line, and tells of pauses and batches.
func (l line) shipper(stdio stdio) *ingest.Shipper {
	client := l.account.Ingestion(l.to.Endpoint, azure.Options{Waiting: tellWaiting(stdio)})
	s := &ingest.Shipper{Spool: l.spool, Upload: &ingest.Upload{Client: client, To: l.to, Quarantine: l.spool.Quarantine}}
	if colorful(stdio.err) {
		s.Progress = tellBatch(stdio.err)
	}
	return s
}

// tellBatch tells of each batch on a terminal.
func tellBatch(w io.Writer) func(ingest.Progress) {
	total := 0
	return func(p ingest.Progress) {
		total += p.Rows
		fmt.Fprintf(w, "batch %d: %d findings, %d KB (%d KB sent) in %s; %d delivered\n",
			p.Batch, p.Rows, p.Bytes/1000, p.Compressed/1000, p.Took.Round(time.Millisecond), total)
	}
}

func sentinelShipCommand(stdio stdio) *cobra.Command {
	var s shipFlags
	cmd := &cobra.Command{
		Use:   "ship FILE…",
		Short: "Deliver the findings of ndjson records to Sentinel",
		Long: `Send the findings of one or more records to the workspace's table of findings. They go through the
spool, so that a delivery that was stopped goes on with the next ship, hunt or spool flush. Sending
a record twice is harmless: the content that besra exports counts each FindingId once. - is standard
input. Exits with 3 where lines or findings could not be used.`,
		Example: "  besra hunt -f ndjson=hunt.ndjson /srv\n  besra sentinel ship hunt.ndjson",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.ship(cmd.Context(), stdio, args) },
	}
	s.at.register(cmd.Flags())
	s.register(cmd.Flags(), "")
	return cmd
}

func (s *shipFlags) ship(ctx context.Context, stdio stdio, names []string) error {
	in, done, err := openAll(stdio, names)
	if err != nil {
		return err
	}
	defer done()
	l, err := s.open()
	if err != nil {
		return err
	}
	rows, err := l.spool.Writer()
	if err != nil {
		return err
	}
	d := &shipment{ctx: ctx, stdio: stdio, shipper: l.shipper(stdio), rows: rows}
	encoder := ingest.NewEncoder()
	encoder.NoSuppressed = s.noSuppressed
	res, readErr := report.Render(ctx, in, sentinel.New(d, encoder))
	err = rows.Close()
	for _, w := range res.Warnings {
		fmt.Fprintf(stdio.err, "besra: warning: %s\n", w)
	}
	if err == nil && d.err == nil {
		d.drain()
	}
	tellEncoder(stdio.err, encoder)
	return d.end(l.spool, errors.Join(readErr, err))
}

// shipment puts rows into the spool, and makes room by delivering where it is
// full: a file can wait, where a hunt cannot.
type shipment struct {
	ctx     context.Context
	stdio   stdio
	shipper *ingest.Shipper
	rows    *spool.Writer
	totals  ingest.Totals
	err     error // of delivering
}

// Write implements [io.Writer]: a row a call.
func (d *shipment) Write(row []byte) (int, error) {
	for {
		kept, err := d.rows.Offer(row[:len(row)-1])
		if kept || err != nil {
			return len(row), err
		}
		before := d.totals.Rows
		if d.drain(); d.err != nil {
			return 0, d.err
		}
		if d.totals.Rows == before {
			return 0, errors.New("the spool is full, and nothing in it can be delivered: give it more room with --spool-max")
		}
	}
}

// askAgain is how often to ask whether another process delivers still.
const askAgain = 200 * time.Millisecond

// drain delivers what waits, after another process that does so already.
func (d *shipment) drain() {
	for told := false; ; told = true {
		totals, err := d.shipper.Drain(d.ctx)
		d.totals.Batches += totals.Batches
		d.totals.Rows += totals.Rows
		d.totals.Quarantined += totals.Quarantined
		if d.err = err; !errors.Is(err, ingest.ErrBusy) {
			return
		}
		if !told {
			fmt.Fprintf(d.stdio.err, "besra: %v: waiting for it\n", err)
		}
		select {
		case <-time.After(askAgain):
		case <-d.ctx.Done():
			return
		}
	}
}

// end tells what was delivered, and what was not and why.
func (d *shipment) end(s *spool.Spool, readErr error) error {
	st, err := s.Status()
	if err != nil {
		return err
	}
	fmt.Fprintf(d.stdio.err, "Sentinel: %d findings delivered in %d batches, %d in quarantine, %d wait\n",
		d.totals.Rows, d.totals.Batches, d.totals.Quarantined, st.Waiting)
	if d.totals.Quarantined > 0 {
		fmt.Fprintf(d.stdio.err, "besra: warning: Sentinel refuses %d findings; they are kept in %s with the reason\n", d.totals.Quarantined, s.QuarantineFile())
	}
	switch {
	case d.ctx.Err() != nil:
		return &exitError{exitInterrupted, nil}
	case d.err != nil:
		return hinted(d.err)
	case readErr != nil:
		return &exitError{exitContent, readErr}
	case d.totals.Quarantined > 0:
		return &exitError{exitContent, nil}
	}
	return nil
}

// hinted adds what to do about a delivery that was stopped.
func hinted(err error) error {
	if stop, ok := errors.AsType[*ingest.StoppedError](err); ok && stop.Hint != "" {
		return &hintError{err, stop.Hint}
	}
	return err
}

// tellEncoder tells what rows do not say.
func tellEncoder(w io.Writer, e *ingest.Encoder) {
	if e.Trimmed > 0 {
		fmt.Fprintf(w, "besra: warning: %d findings were cut to the limits of a row: their column Trimmed says where\n", e.Trimmed)
	}
	if e.LeftOut > 0 {
		fmt.Fprintf(w, "Sentinel: %d suppressed findings left out\n", e.LeftOut)
	}
}
