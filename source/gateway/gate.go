package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/besra-hunt/besra"
)

// Gate hands objects to a run and waits for what becomes of them. It is safe
// for concurrent use.
type Gate struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	to      besra.Receiver
	limits  Limits
	held    atomic.Int64
	handing sync.WaitGroup
}

// NewGate returns the gate to one run, which ends with ctx.
func NewGate(ctx context.Context, to besra.Receiver, l Limits) *Gate {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Gate{ctx: ctx, cancel: cancel, to: to, limits: l.WithDefaults()}
}

// Context ends with the run, and when the receiver takes nothing any more.
func (g *Gate) Context() context.Context { return g.ctx }

// End waits until nothing is being handed over, and returns why the run was
// over, or else err.
func (g *Gate) End(err error) error {
	g.handing.Wait()
	cause := context.Cause(g.ctx)
	g.cancel(nil)
	if cause != nil {
		return cause
	}
	return err
}

// Gap reports something that was not read.
func (g *Gate) Gap(gap besra.Gap) { g.to.Gap(gap) }

// Body is an object in memory. It implements [besra.Content].
type Body struct {
	Data []byte
	// Over says which limit kept the rest from being read; nil where Data is all.
	Over *besra.LimitError

	gate     *Gate
	reserved int64
	done     atomic.Bool
}

// Bytes implements [besra.Content].
func (b *Body) Bytes() []byte { return b.Data }

// Close implements [besra.Content]. The bytes stay, for an echo.
func (b *Body) Close() error { return nil }

// Release gives the memory back to the limit; the second time it does nothing.
func (b *Body) Release() {
	if !b.done.Swap(true) {
		b.gate.held.Add(-b.reserved)
	}
}

const step = 64 << 10

// Read reads an object up to the limits. The error is that of r; what came
// before it is in the body. Where Over is set, the rest is still in r. The
// caller releases the body, or hands it to Ask.
func (g *Gate) Read(r io.Reader) (*Body, error) {
	b := &Body{gate: g}
	for {
		if !b.reserve(step) {
			b.Over = &besra.LimitError{Limit: "objects in memory", Max: g.limits.Held}
			return b, nil
		}
		room := min(step, g.limits.Object-int64(len(b.Data)))
		err := b.fill(r, room)
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case room < step: // the limit is reached, and one byte more shows whether anything is left
			return b, b.probe(r)
		}
	}
}

// NewBody returns an empty object, for what comes in pieces.
func (g *Gate) NewBody() *Body { return &Body{gate: g} }

// Append adds to the object as far as the limits allow; Over tells where they
// did not.
func (b *Body) Append(p []byte) {
	if b.Over != nil {
		return
	}
	if room := b.gate.limits.Object - int64(len(b.Data)); int64(len(p)) > room {
		b.Over = &besra.LimitError{Limit: "object size", Max: b.gate.limits.Object}
		p = p[:room]
	}
	for int64(len(b.Data)+len(p)) > b.reserved {
		if !b.reserve(step) {
			b.Over = &besra.LimitError{Limit: "objects in memory", Max: b.gate.limits.Held}
			return
		}
	}
	b.Data = append(b.Data, p...)
}

// reserve takes n bytes of the limit.
func (b *Body) reserve(n int64) bool {
	if b.gate.held.Add(n) > b.gate.limits.Held {
		b.gate.held.Add(-n)
		return false
	}
	b.reserved += n
	return true
}

// fill appends n bytes, or what comes before an error.
func (b *Body) fill(r io.Reader, n int64) error {
	b.Data = slices.Grow(b.Data, int(n))
	for end := len(b.Data) + int(n); len(b.Data) < end; {
		m, err := r.Read(b.Data[len(b.Data):end])
		b.Data = b.Data[:len(b.Data)+m]
		if err != nil {
			return err
		}
	}
	return nil
}

// probe reads one byte beyond the limit.
func (b *Body) probe(r io.Reader) error {
	var one [1]byte
	n, err := io.ReadFull(r, one[:])
	if n == 1 {
		b.Data = append(b.Data, one[0])
		b.Over = &besra.LimitError{Limit: "object size", Max: b.gate.limits.Object}
		return nil
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// Ask hands over a target whose content is b and waits for the answer, which
// also tells what the limits kept from being read. The body is released when
// the run is done with it, however long that takes.
func (g *Gate) Ask(t besra.Target, b *Body) besra.Answer {
	t.Size = int64(len(b.Data))
	t.Open = func(ctx context.Context) (besra.Content, error) { return b, ctx.Err() }
	done := make(chan besra.Answer, 1)
	t.Done = func(a besra.Answer) { b.Release(); done <- a }
	if err := g.ctx.Err(); err != nil { // connections end a moment later than the run
		b.Release()
		return missed(t, "interrupted", err)
	}
	g.handing.Go(func() {
		if err := g.to.Target(t); err != nil {
			g.cancel(err) // first, so that whoever is answered does not ask again
			t.Done(missed(t, "interrupted", err))
		}
	})
	late := time.NewTimer(g.limits.Wait)
	defer late.Stop()
	var a besra.Answer
	select {
	case a = <-done:
	case <-g.ctx.Done():
		a = missed(t, "interrupted", g.ctx.Err())
	case <-late.C:
		a = missed(t, ReasonLate, errors.New("no answer within "+g.limits.Wait.String()))
		g.to.Gap(a.Gaps[0])
	}
	if b.Over != nil {
		gap := besra.Gap{Kind: besra.GapSkip, Target: besra.Text(t.Name), Reason: ReasonLimit, Detail: b.Over.Error(), Count: 1}
		g.to.Gap(gap)
		a.AddGap(gap)
	}
	return a
}

func missed(t besra.Target, reason string, err error) besra.Answer {
	var a besra.Answer
	a.AddGap(besra.Gap{Kind: besra.GapError, Target: besra.Text(t.Name), Reason: reason, Detail: err.Error(), Count: 1})
	return a
}
