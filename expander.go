package besra

import (
	"bytes"
	"context"
	"io"
	"strconv"
)

// Expander finds what lies inside a target: the members of an archive, the
// parts of a mail, the streams of a document. What it finds are targets like
// any other, scanned before the next one is looked for, so that nothing is
// unpacked to disk and memory holds one member a level. An Expander is safe for
// concurrent use and passes the contract suite in source/sourcetest.
type Expander interface {
	// Kind names the format of a content ("zip", "mail"), or is empty where the
	// expander knows no way into it. It looks at a bounded number of bytes.
	Kind(outer Target, content []byte) string
	// Expand hands each target inside outer, whose bytes are content, to the
	// receiver, and spends the budget. A target is opened, if at all, before
	// the receiver returns, and is not valid afterwards. What concerns one
	// member (damaged, encrypted, too large) is the error of opening it or a
	// gap; an error of Expand says why the rest of outer was not reached.
	Expand(ctx context.Context, outer Target, content []byte, budget *Budget, to Receiver) error
}

// Budget is what one outermost target may still cost, shared by everything that
// is found inside it at any depth: the limit that stops archive bombs. It
// belongs to one goroutine.
type Budget struct {
	// Members is how many more targets may be found.
	Members int64
	// Bytes is how many more bytes may be unpacked. Ratio, where it is not 0, is
	// where they come from: so many for each byte of the outermost target.
	Bytes, Ratio int64
	// Member is the size of the largest single member that is unpacked.
	Member int64

	spare []byte // memory of a member that was closed
}

// Spent says that no more bytes may be unpacked.
func (b *Budget) Spent() *LimitError {
	if b.Ratio > 0 {
		return &LimitError{Limit: "ratio", Max: b.Ratio}
	}
	return &LimitError{Limit: "bytes"}
}

// Unpack unpacks one member into memory and spends what it costs. A
// [*LimitError] says that it is larger than the budget allows; with any other
// error the content is what came before it.
func (b *Budget) Unpack(r io.Reader) (*Unpacked, error) {
	limit := min(b.Member, b.Bytes)
	buf := bytes.NewBuffer(b.spare[:0])
	b.spare = nil
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	u := &Unpacked{buf.Bytes(), b}
	if n > limit {
		u.Close()
		return nil, &LimitError{Limit: "member size", Max: limit}
	}
	b.Bytes -= n
	return u, err
}

// Unpacked is a member in memory. It is a [Content] whose memory is used again
// once it is closed.
type Unpacked struct {
	data   []byte
	budget *Budget
}

// Bytes implements [Content].
func (u *Unpacked) Bytes() []byte { return u.data }

// maxSpare is how much memory is kept for the next member, in bytes.
const maxSpare = 8 << 20

// Close implements [Content].
func (u *Unpacked) Close() error {
	if u.budget != nil && cap(u.data) > cap(u.budget.spare) && cap(u.data) <= maxSpare {
		u.budget.spare = u.data
	}
	*u = Unpacked{}
	return nil
}

// LimitError says which limit kept something inside a target from being read.
type LimitError struct {
	// Limit names it: "members", "bytes", "ratio", "member size", "dictionary", "depth".
	Limit string
	// Max is the limit that was reached; 0 where a total was used up.
	Max int64
	// Size is what was announced, where something was.
	Size int64
}

// Error implements error.
func (e *LimitError) Error() string {
	s := "the limit of " + e.Limit
	if e.Max > 0 {
		s += " (" + strconv.FormatInt(e.Max, 10) + ")"
	}
	if e.Size > 0 {
		return s + " is below its " + strconv.FormatInt(e.Size, 10) + " bytes"
	}
	return s + " is reached"
}

// Reason is the stable word of a gap: "limit".
func (*LimitError) Reason() string { return "limit" }
