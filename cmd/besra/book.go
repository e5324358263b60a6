package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/ledger"
)

// book is the ledger of a hunt; without one it does nothing.
type book struct {
	stdio stdio
	name  string
	file  *ledger.Ledger
	sink  besra.Sink
}

// openBook opens the ledger before anything is read: a hunt that cannot say
// what it hid does not begin.
func openBook(stdio stdio, name string) (*book, error) {
	b := &book{stdio: stdio, name: name}
	if name == "" {
		return b, nil
	}
	file, err := ledger.Open(name)
	if err != nil {
		return nil, &hintError{fmt.Errorf("--ledger: %w", err), "besra ledger verify FILE tells what is wrong with it"}
	}
	for _, r := range file.Recovered() {
		fmt.Fprintf(stdio.err, "besra: warning: %s ended in a half-written entry of %d bytes, which was cut off: its writer was killed\n", name, r.Bytes)
	}
	b.file, b.sink = file, file.Sink()
	return b, nil
}

// before returns a sink that writes to the ledger and then to out. What an
// earlier part of the hunt found is on the ledger already.
func (b *book) before(out besra.Sink, past *earlier) besra.Sink {
	if b.file == nil {
		return out
	}
	return &tee{[]besra.Sink{past.only(b.sink), out}}
}

// sync brings to the disk what was appended so far.
func (b *book) sync() error {
	if b.file == nil {
		return nil
	}
	return b.file.Sync()
}

// close brings the ledger to the disk and tells its head, for those who want to
// note it elsewhere. The second time it does nothing.
func (b *book) close() error {
	if b.file == nil {
		return nil
	}
	head, appended := b.file.Head()
	err := b.file.Close()
	b.file = nil
	if err == nil {
		fmt.Fprintf(b.stdio.err, "ledger %s: %d entries appended, head %s\n", b.name, appended, head)
	}
	return err
}

// tee is a sink that writes to several, in order.
type tee struct{ sinks []besra.Sink }

// Write implements [besra.Sink].
func (t *tee) Write(ctx context.Context, r besra.Record) error {
	for _, s := range t.sinks {
		if err := s.Write(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [besra.Sink].
func (t *tee) Close() error {
	var errs []error
	for _, s := range t.sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
