package watch

import (
	"context"
	"time"

	"github.com/besra-hunt/besra"
)

// Reasons of gaps of the files that are walked.
const (
	reasonNotFound = "not_found"
	reasonOwn      = "own"
)

// written passes on files that were noticed, with who wrote them.
type written struct {
	besra.Receiver
	by map[string]*writer
}

// Target implements [besra.Receiver].
func (w *written) Target(t besra.Target) error {
	if by := w.by[t.Name]; by != nil {
		t.Facts = by.before(t.Facts)
	}
	return w.Receiver.Target(t)
}

// Gap implements [besra.Receiver]. That a file which changed is gone is in the
// nature of watching; and of what the run itself writes nothing is told, or it
// would write for ever.
func (w *written) Gap(g besra.Gap) {
	switch g.Reason {
	case reasonOwn:
		return
	case reasonNotFound, ReasonVanished:
		g.Kind, g.Reason = besra.GapSkip, ReasonVanished
	}
	w.Receiver.Gap(g)
}

// changed passes on files that changed after a time.
type changed struct {
	besra.Receiver
	since time.Time
}

// Target implements [besra.Receiver].
func (c *changed) Target(t besra.Target) error {
	if at, ok := changedAt(t.Facts); ok && at.Before(c.since) {
		return nil
	}
	return c.Receiver.Target(t)
}

// changedAt is when the file or what is known of it changed: the change of the
// inode, which its owner cannot set back, or of the content where there is none.
func changedAt(f besra.Facts) (time.Time, bool) {
	for _, name := range []string{"file.ctime", "file.mtime"} {
		if at, ok := f.Fact(context.Background(), name).Value.(time.Time); ok {
			return at, true
		}
	}
	return time.Time{}, false
}
