package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/spool"
)

// Conn delivers rows beside a hunt: Write puts a row into the spool and returns,
// and another goroutine delivers what waits. That the service is away, or
// refuses, costs the hunt nothing; what was not delivered waits in the spool. A
// Conn is used from one goroutine.
type Conn struct {
	shipper *Shipper
	rows    *spool.Writer
	wait    time.Duration
	cancel  context.CancelFunc
	wake    chan struct{}
	last    chan struct{} // closed when no more rows come
	ended   chan struct{}

	mu      sync.Mutex
	totals  Totals
	err     error // of the last delivery
	trouble error // why the delivery pauses now
	closing bool
	lost    int64 // rows that the spool failed to take
	lostErr error
}

// Options are those of a [Conn].
type Options struct {
	Account *azure.Account
	To      Destination
	Spool   *spool.Spool
	// Wait is how long Close waits for the rest to be delivered, as long as
	// nothing is in the way. 0 does not wait.
	Wait     time.Duration
	Progress func(Progress)
}

const (
	// linger lets findings come together to batches: a call a finding would use
	// up the calls that a rule takes in a minute.
	linger = time.Second
	// retryStopped is the pause after an answer that somebody must do something
	// about, such as giving a role, which a long hunt may live to see.
	retryStopped = time.Minute
	// askBusy is how often to ask whether another process delivers still.
	askBusy = 100 * time.Millisecond
)

// Open begins to deliver.
func Open(o Options) (*Conn, error) {
	rows, err := o.Spool.Writer()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Conn{rows: rows, wait: o.Wait, cancel: cancel, wake: make(chan struct{}, 1), last: make(chan struct{}), ended: make(chan struct{})}
	client := o.Account.Ingestion(o.To.Endpoint, azure.Options{Waiting: c.waiting})
	c.shipper = &Shipper{Spool: o.Spool, Upload: &Upload{Client: client, To: o.To, Quarantine: o.Spool.Quarantine}, Progress: o.Progress}
	go c.deliver(ctx)
	return c, nil
}

// waiting notes that the service is away. When the hunt is over, nobody waits
// for it to come back.
func (c *Conn) waiting(_ time.Duration, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = cause
	if c.closing {
		c.cancel()
	}
}

// Write keeps one row, with or without a line end. It never fails: a row that
// the spool cannot take is counted and told by Close.
func (c *Conn) Write(row []byte) (int, error) {
	_, err := c.rows.Append(bytes.TrimSuffix(row, []byte("\n")))
	if err != nil {
		c.mu.Lock()
		c.lost++
		c.lostErr = err
		c.mu.Unlock()
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return len(row), nil
}

// deliver drains the spool whenever there is something in it, until the end.
func (c *Conn) deliver(ctx context.Context) {
	defer close(c.ended)
	for last := false; ; {
		totals, err := c.shipper.Drain(ctx)
		c.note(totals, err)
		busy := errors.Is(err, ErrBusy)
		switch {
		case ctx.Err() != nil || last && !busy:
			return
		case busy:
			last = c.pause(ctx, askBusy, last)
		case err != nil:
			last = c.pause(ctx, retryStopped, false)
		default:
			select {
			case <-c.wake:
				last = c.pause(ctx, linger, false)
			case <-c.last:
				last = true
			case <-ctx.Done():
			}
		}
	}
}

// pause waits, or until no more rows come, and reports whether that is so. When
// it was so before, it waits to the end.
func (c *Conn) pause(ctx context.Context, d time.Duration, last bool) bool {
	end := c.last
	if last {
		end = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-end:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	return last
}

func (c *Conn) note(t Totals, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Batches += t.Batches
	c.totals.Rows += t.Rows
	c.totals.Quarantined += t.Quarantined
	if c.err = err; err == nil {
		c.trouble = nil
	}
}

// Close delivers the rest as far as it can in its time. What still waits is no
// error, see [Conn.Outcome]; what was dropped or lost is.
func (c *Conn) Close() error {
	err := c.rows.Close()
	c.mu.Lock()
	c.closing = true
	if c.trouble != nil || c.wait == 0 {
		c.cancel()
	}
	c.mu.Unlock()
	close(c.last)
	t := time.NewTimer(c.wait)
	defer t.Stop()
	select {
	case <-c.ended:
	case <-t.C:
	}
	c.cancel()
	<-c.ended
	if n := c.rows.Dropped(); n > 0 {
		err = errors.Join(err, fmt.Errorf("the spool %s is full: %d findings were not kept for Sentinel", c.shipper.Spool.Dir(), n))
	}
	if c.lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d findings could not be kept for Sentinel: %w", c.lost, c.lostErr))
	}
	return err
}

// Outcome tells, after Close, what was delivered, and why no more was where
// something waits.
func (c *Conn) Outcome() (Totals, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.trouble != nil:
		return c.totals, c.trouble
	case errors.Is(c.err, context.Canceled):
		return c.totals, errors.New("there was not enough time")
	}
	return c.totals, c.err
}
