package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sentinel/ingest"
	"github.com/besra-hunt/besra/sink/sentinel"
	"github.com/spf13/pflag"
)

// sinkFlags say where a hunt delivers findings besides its outputs.
type sinkFlags struct {
	names []string
	ship  shipFlags
	wait  time.Duration
}

func (s *sinkFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&s.names, "sink", nil, "deliver findings to a service beside the hunt: sentinel")
	s.ship.at.registerFile(f, "sentinel-config")
	s.ship.register(f, "sentinel-")
	f.DurationVar(&s.wait, "sentinel-wait", 30*time.Second, "how long to wait at the end for what is not delivered yet; the rest stays in the spool")
}

func (s *sinkFlags) any() bool { return len(s.names) > 0 }

// open returns the sinks.
func (s *sinkFlags) open(stdio stdio) ([]besra.Sink, error) {
	var sinks []besra.Sink
	for i, name := range s.names {
		if name != "sentinel" || i > 0 {
			return sinks, fmt.Errorf("--sink %q: want sentinel, once", name)
		}
		one, err := s.sentinel(stdio)
		if err != nil {
			return sinks, fmt.Errorf("--sink sentinel: %w", err)
		}
		sinks = append(sinks, one)
	}
	return sinks, nil
}

func (s *sinkFlags) sentinel(stdio stdio) (besra.Sink, error) {
	l, err := s.ship.open()
	if err != nil {
		return nil, err
	}
	conn, err := ingest.Open(ingest.Options{Account: l.account, To: l.to, Spool: l.spool, Wait: s.wait})
	if err != nil {
		return nil, err
	}
	encoder := ingest.NewEncoder()
	encoder.NoSuppressed = s.ship.noSuppressed
	return &toSentinel{sentinel.New(conn, encoder), l, conn, encoder, stdio}, nil
}

// oneLine words an error without its line ends.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// toSentinel is the way to Sentinel beside a hunt. Its end tells what was
// delivered.
type toSentinel struct {
	besra.Sink
	line    line
	conn    *ingest.Conn
	encoder *ingest.Encoder
	stdio   stdio
}

// Close implements [besra.Sink]. That something waits is a warning, since it is
// not lost; that something was dropped is an error.
func (t *toSentinel) Close() error {
	err := errors.Join(t.Sink.Close(), t.conn.Close())
	totals, cause := t.conn.Outcome()
	st, statusErr := t.line.spool.Status()
	w := t.stdio.err
	tellEncoder(w, t.encoder)
	fmt.Fprintf(w, "Sentinel: %d findings delivered, %d wait\n", totals.Rows, st.Waiting)
	if totals.Quarantined > 0 {
		fmt.Fprintf(w, "besra: warning: Sentinel refuses %d findings; they are kept in %s with the reason\n", totals.Quarantined, t.line.spool.QuarantineFile())
	}
	if st.Waiting > 0 && cause != nil {
		fmt.Fprintf(w, "besra: warning: %d findings wait in %s: %s\n", st.Waiting, t.line.spool.Dir(), oneLine(cause))
		hint := "the next hunt delivers them, or besra sentinel spool flush"
		if h, ok := errors.AsType[*hintError](hinted(cause)); ok {
			hint = h.hint + "; then " + hint
		}
		fmt.Fprintf(w, "besra: hint: %s\n", hint)
	}
	return errors.Join(err, statusErr)
}
