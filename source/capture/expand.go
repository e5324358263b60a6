package capture

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// Expander finds the objects in the directions and datagrams that a [Source]
// yields: bodies of HTTP, messages of SMTP, IMAP and POP3, names of DNS as text,
// files of FTP under their own name. It is a [besra.Expander]; its zero value is ready.
type Expander struct{}

// protocol is what one direction speaks, where objects are found in it.
type protocol struct {
	kind string
	is   func(f *streamFacts, content []byte) bool
	walk func(*dialogue) error
	head func(f *framer, b []byte) (n int, err error) // nil where there is none
	body body                                         // that it begins with
	role role
}

// role is how messages of two directions belong together.
type role uint8

const (
	asks    role = iota + 1 // the first message is answered by the first of the other
	answers                 // the other way round
)

var protocols = []protocol{
	{kind: "http", is: func(_ *streamFacts, b []byte) bool { return isRequest(b) }, walk: (*dialogue).requests, head: requestHead, role: asks},
	{kind: "http", is: func(_ *streamFacts, b []byte) bool { return isResponse(b) }, walk: (*dialogue).responses, head: responseHead, role: answers},
	{kind: "http2", is: isHTTP2, walk: (*dialogue).http2},
	{kind: "smtp", is: isSMTP, walk: (*dialogue).smtp, head: smtpHead},
	{kind: "ftp", is: func(f *streamFacts, _ []byte) bool { return f.window.file != "" }, walk: (*dialogue).ftp, body: body{coding: counted, left: toTheEnd}},
	{kind: "imap", is: isIMAPServer, walk: (*dialogue).fetched, head: imapHead},
	{kind: "imap", is: isIMAPClient, walk: (*dialogue).appended, head: imapHead},
	{kind: "pop3", is: isPOP3, walk: (*dialogue).pop3, head: pop3Head},
	{kind: "dns", is: isDNS, walk: (*dialogue).dns},
}

// framed reports whether it is known where messages begin.
func (p *protocol) framed() bool { return p.head != nil || p.body.coding != 0 }

func (p *protocol) framer() framer { return framer{head: p.head, body: p.body} }

// protocolOf returns the protocol of a direction that begins with content; nil
// where none is known.
func protocolOf(f *streamFacts, content []byte) *protocol {
	for i := range protocols {
		if protocols[i].is(f, content) {
			return &protocols[i]
		}
	}
	return nil
}

// find returns the protocol of a target of this package; nil for any other.
func find(outer besra.Target, content []byte) (*streamFacts, *protocol) {
	f, ok := outer.Facts.(*streamFacts)
	if !ok {
		return nil, nil
	}
	if f.window.protocol != nil {
		return f, f.window.protocol
	}
	return f, protocolOf(f, content[f.window.from:])
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
	d := &dialogue{ctx: ctx, outer: outer, flow: f.flow, window: f.window, framer: p.framer(), content: content, budget: budget, to: to}
	if d.window.framer != nil {
		d.framer = *d.window.framer
	}
	d.framer.heard.other = d.window.other
	return p.walk(d)
}

// dialogue is one direction whose objects are on their way to the receiver.
type dialogue struct {
	ctx     context.Context
	outer   besra.Target
	flow    flow
	window  window
	framer  framer // as it is where the window begins
	content []byte
	budget  *besra.Budget
	to      besra.Receiver
}

// object is something that a protocol carries, or a part of it.
type object struct {
	name    string
	at      int64 // where the part begins
	short   bool  // it ends too early
	piece   bool  // it is a part that was asked for alone, which is told
	goesOn  bool  // but the next window has more
	body    func() (io.Reader, error)
	place   []byte // the object itself, where it lies in the direction as it is
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
		d.flow.state(g)
	}
	if o.state != nil {
		o.state(g)
	}
	if o.at > 0 || o.short || o.piece {
		g.Partial(partSeen)
	}
	return d.to.Target(besra.Target{Name: d.name(o), Context: context, Size: -1, Facts: g, Open: d.open(o)})
}

func (d *dialogue) name(o object) string {
	name := d.outer.Name + "!" + o.name
	if o.at > 0 {
		name += "@" + strconv.FormatInt(o.at, 10)
	}
	return name
}

// open reads an object within the budget.
func (d *dialogue) open(o object) func(context.Context) (besra.Content, error) {
	return func(ctx context.Context) (besra.Content, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.body == nil {
			d.tellShort(o)
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
			d.tellShort(o)
		case len(data.Bytes()) == 0:
			return nil, &objectError{err}
		default: // what came is scanned, what did not is told
			d.tellCut(o, err)
		}
		return data, nil
	}
}

// tellShort tells that an object ends too early: once, where it goes on in parts.
func (d *dialogue) tellShort(o object) {
	switch {
	case !o.short:
	case !o.goesOn:
		d.tellCut(o, io.ErrUnexpectedEOF)
	case o.at == 0:
		d.tell(besra.GapSkip, d.name(o), ReasonPartial, inParts)
	}
}

// inParts is what is said of a file that is larger than may be held.
const inParts = "the file is larger than what may be held: it was scanned in parts"

func (d *dialogue) tellCut(o object, err error) {
	d.tell(besra.GapError, d.name(o), ReasonCut, err.Error())
}

func (d *dialogue) tell(kind besra.GapKind, name, reason, detail string) {
	d.to.Gap(besra.Gap{Kind: kind, Target: besra.Text(name), Reason: reason, Detail: detail, Count: 1})
}

// ReasonCut says that an object was not carried, or captured, to its end.
const ReasonCut = "cut"

// objectError says why an object was not read.
type objectError struct{ err error }

func (e *objectError) Error() string { return e.err.Error() }
func (e *objectError) Unwrap() error { return e.err }

// Reason is the stable word of a gap.
func (e *objectError) Reason() string { return ReasonCut }
