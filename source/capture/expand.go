package capture

import (
	"context"
	"errors"
	"io"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// Expander finds the objects in the directions and datagrams that a [Source]
// yields: bodies of HTTP, messages of SMTP, IMAP and POP3, names of DNS as text, files of FTP
// under their own name. It is a [besra.Expander]; its zero value is ready.
type Expander struct{}

// protocol is one that objects are found in.
type protocol struct {
	kind string
	is   func(f *streamFacts, content []byte) bool
	walk func(*dialogue) error
}

var protocols = []protocol{
	{"http", func(_ *streamFacts, b []byte) bool { return isRequest(b) || isResponse(b) }, (*dialogue).http},
	{"smtp", isSMTP, (*dialogue).smtp},
	{"ftp", func(f *streamFacts, _ []byte) bool { return f.peer != nil && f.peer.transfer.named() }, (*dialogue).ftp},
	{"imap", isIMAP, (*dialogue).imap},
	{"pop3", isPOP3, (*dialogue).pop3},
	{"dns", isDNS, (*dialogue).dns},
}

// find returns the protocol of a target of this package; nil for any other.
func find(outer besra.Target, content []byte) (*streamFacts, *protocol) {
	f, ok := outer.Facts.(*streamFacts)
	if !ok {
		return nil, nil
	}
	for i := range protocols {
		if protocols[i].is(f, content) {
			return f, &protocols[i]
		}
	}
	return nil, nil
}

// Kind implements [besra.Expander].
func (Expander) Kind(outer besra.Target, content []byte) string {
	if _, p := find(outer, content); p != nil {
		return p.kind
	}
	return ""
}

// Expand implements [besra.Expander].
func (Expander) Expand(ctx context.Context, outer besra.Target, content []byte, budget *besra.Budget, to besra.Receiver) error {
	f, p := find(outer, content)
	if p == nil {
		return nil
	}
	return p.walk(&dialogue{ctx: ctx, outer: outer, facts: f, content: content, budget: budget, to: to})
}

// dialogue is one direction whose objects are on their way to the receiver.
type dialogue struct {
	ctx     context.Context
	outer   besra.Target
	facts   *streamFacts
	content []byte
	budget  *besra.Budget
	to      besra.Receiver
}

// object is something that a protocol carries.
type object struct {
	name    string
	body    func() (io.Reader, error)
	place   []byte // the object itself, where it lies in the direction as it is
	cut     bool   // place ends too early
	context besra.Context
	state   func(g *facts.Given) // facts beyond those of the flow
}

// yield hands an object to the receiver.
func (d *dialogue) yield(o object) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if d.budget.Members <= 0 {
		return &besra.LimitError{Limit: "members"}
	}
	d.budget.Members--
	context := besra.ContextNetwork
	if o.context != "" {
		context = o.context
	}
	g := facts.NewGiven(context, d.outer.Facts)
	if context == besra.ContextNetwork {
		d.facts.flow.state(g)
	}
	if o.state != nil {
		o.state(g)
	}
	return d.to.Target(besra.Target{Name: d.outer.Name + "!" + o.name, Context: context, Size: -1, Facts: g, Open: d.open(o)})
}

// open reads an object within the budget.
func (d *dialogue) open(o object) func(context.Context) (besra.Content, error) {
	return func(ctx context.Context) (besra.Content, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.body == nil {
			if o.cut {
				d.tellCut(o, io.ErrUnexpectedEOF)
			}
			return held(o.place), nil
		}
		r, err := o.body()
		if err != nil {
			return nil, &objectError{err}
		}
		data, err := d.budget.Unpack(r)
		var limit *besra.LimitError
		switch {
		case errors.As(err, &limit):
			return nil, err
		case err == nil:
		case len(data.Bytes()) == 0:
			return nil, &objectError{err}
		default: // what came is scanned, what did not is told
			d.tellCut(o, err)
		}
		return data, nil
	}
}

func (d *dialogue) tellCut(o object, err error) {
	d.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(d.outer.Name + "!" + o.name), Reason: ReasonCut, Detail: err.Error(), Count: 1})
}

// ReasonCut says that an object was not carried, or captured, to its end.
const ReasonCut = "cut"

// objectError says why an object was not read.
type objectError struct{ err error }

func (e *objectError) Error() string { return e.err.Error() }
func (e *objectError) Unwrap() error { return e.err }

// Reason is the stable word of a gap.
func (e *objectError) Reason() string { return ReasonCut }
