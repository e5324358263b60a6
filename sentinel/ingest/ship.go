package ingest

import (
	"context"
	"errors"

	"github.com/besra-hunt/besra/sentinel/spool"
)

// batchBytes is what a batch holds of rows, in bytes: under [MaxBody] with its
// commas.
const batchBytes = 980_000

// parallel is how many batches are under way at once.
const parallel = 4

// Shipper delivers what waits in a spool.
type Shipper struct {
	Spool  *spool.Spool
	Upload *Upload
	// Progress, if set, is told of each batch, in order.
	Progress func(Progress)
}

// Progress is one batch.
type Progress struct {
	Batch int // counted from 1
	Sent
}

// Totals are what was delivered.
type Totals struct {
	Batches     int
	Rows        int64
	Quarantined int64
}

// ErrBusy says that another process delivers what waits in the spool.
var ErrBusy = errors.New("another process delivers what waits in the spool")

// Drain delivers everything that waits. Rows that come meanwhile may wait on, so
// that a slow trickle does not make a call of each. Rows that were delivered are
// out of the spool whatever ends it.
func (s *Shipper) Drain(ctx context.Context) (Totals, error) {
	r, err := s.Spool.Reader()
	if err != nil {
		return Totals{}, err
	}
	if r == nil {
		return Totals{}, ErrBusy
	}
	d := &drain{s: s, r: r}
	err = d.run(ctx)
	return d.totals, errors.Join(err, r.Close())
}

// drain is one delivery under way: batches are sent side by side, and noted as
// done in the order in which they were read.
type drain struct {
	s      *Shipper
	r      *spool.Reader
	queue  []*flight
	totals Totals
}

// flight is a batch that is being sent.
type flight struct {
	batch spool.Batch
	sent  Sent
	err   error
	done  chan struct{}
}

func (d *drain) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for more := true; more; {
		batch, err := d.r.Next(batchBytes)
		if more = batch.More; err == nil {
			d.start(ctx, batch)
		}
		for err == nil && len(d.queue) > 0 && (len(d.queue) == parallel || !more) {
			err = d.land()
		}
		if err != nil {
			cancel()
			return d.abandon(err)
		}
	}
	return nil
}

func (d *drain) start(ctx context.Context, batch spool.Batch) {
	f := &flight{batch: batch, done: make(chan struct{})}
	d.queue = append(d.queue, f)
	if len(batch.Rows) == 0 { // there is nothing, or nothing but damage
		close(f.done)
		return
	}
	go func() {
		defer close(f.done)
		f.sent, f.err = d.s.Upload.Send(ctx, batch.Rows)
	}()
}

// land waits for the oldest batch and notes it.
func (d *drain) land() error {
	f := d.queue[0]
	<-f.done
	d.queue = d.queue[1:]
	if f.err != nil {
		return f.err
	}
	if len(f.batch.Rows) > 0 {
		d.tell(f)
	}
	return d.r.Done(f.batch, f.sent.Rows)
}

func (d *drain) tell(f *flight) {
	d.totals.Batches++
	d.totals.Rows += int64(f.sent.Rows)
	d.totals.Quarantined += int64(f.sent.Quarantined)
	if d.s.Progress != nil {
		d.s.Progress(Progress{d.totals.Batches, f.sent})
	}
}

// abandon waits for what is under way after a failure; what was delivered of it
// is delivered again.
func (d *drain) abandon(err error) error {
	for _, f := range d.queue {
		<-f.done
	}
	return err
}
