// Package mail finds what is in messages: bodies and attachments of MIME trees,
// the messages of mailboxes, the parts of Outlook's own formats. It is a
// [besra.Expander]; a Maildir is a directory of messages, and needs nothing more.
//
//	eml    a message of RFC 5322 with its MIME parts (RFC 2045), and files in uuencode
//	mbox   messages behind "From " lines (RFC 4155, with mboxrd's quoting)
//	msg    Outlook's message in a compound file ([MS-OXMSG])
//	tnef   winmail.dat ([MS-OXTNEF])
//
// A part is named by its file name, or by its place in the tree: "a.eml!invoice.zip",
// "a.eml!part-1.2.txt". Each has the facts of the message around it. What a
// sender wrote is weak. What the receiving side stamped is asserted, and the
// results of authentication count only from a server that is named as trusted:
// anyone can write such a header. Of a message within a message nothing is
// stamped: the sender wrote all of it.
package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// Config says whom to believe.
type Config struct {
	// Trusted names the servers (authserv-id of RFC 8601) whose
	// Authentication-Results are believed: those that remove what bears their name
	// from messages that come in (section 5 there), for it would be believed, too.
	Trusted []string
}

// Expander is the [besra.Expander] of mail.
type Expander struct{ config Config }

// New returns the expander that c describes.
func New(c Config) *Expander { return &Expander{c} }

// format is one form of mail.
type format struct {
	kind  string
	is    func(content []byte) bool
	walk  func(*walk) error
	whole bool // what is in it are messages, not parts of one
}

var formats = []format{
	{"mbox", isMbox, (*walk).mbox, true},
	{"mail", isMessage, (*walk).message, false},
	{"msg", isOutlook, (*walk).outlook, false},
	{"tnef", isTNEF, (*walk).tnef, false},
}

func find(outer besra.Target, content []byte) *format {
	content = begun(content)
	for i := range formats {
		if formats[i].is(content) || formats[i].kind == "mail" && isCarried(outer, content) {
			return &formats[i]
		}
	}
	return nil
}

// begun leaves out a byte order mark and empty lines before the first header,
// which editors leave there.
func begun(content []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), "\r\n")
}

// isCarried takes what came as a message, by its source: whatever header it has.
func isCarried(outer besra.Target, content []byte) bool {
	_, part := outer.Facts.(*partFacts)
	line, _, _ := bytes.Cut(content[:min(len(content), maxHead)], []byte("\n"))
	_, header := headerName(line)
	return outer.Context == besra.ContextMail && !part && header
}

// Kind implements [besra.Expander].
func (e *Expander) Kind(outer besra.Target, content []byte) string {
	if f := find(outer, content); f != nil {
		return f.kind
	}
	return ""
}

// Expand implements [besra.Expander].
func (e *Expander) Expand(ctx context.Context, outer besra.Target, content []byte, budget *besra.Budget, to besra.Receiver) error {
	f := find(outer, content)
	if f == nil {
		return nil
	}
	w := &walk{config: e.config, format: f, ctx: ctx, outer: outer, content: begun(content), budget: budget, to: to}
	err := f.walk(w)
	if err == nil || w.stopped != nil {
		return w.stopped
	}
	return &Error{f.kind, err}
}

// Error says why mail was not read to its end.
type Error struct {
	Format string
	Err    error
}

// Error implements error.
func (e *Error) Error() string { return e.Format + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonDamaged is the stable word of a gap: the mail breaks its format.
const ReasonDamaged = "damaged"

// Reason returns ReasonDamaged.
func (e *Error) Reason() string { return ReasonDamaged }

// walk is one piece of mail on its way to the receiver.
type walk struct {
	config  Config
	format  *format
	ctx     context.Context
	outer   besra.Target
	content []byte
	budget  *besra.Budget
	to      besra.Receiver
	stopped error
	header  *header // of the message under way; nil outside one
}

var errStop = errors.New("stopped")

// yield hands a part to the receiver. body is read when the part is opened.
func (w *walk) yield(name string, body io.Reader) error {
	if err := w.ctx.Err(); err != nil {
		return w.stop(err)
	}
	switch {
	case w.budget.Members <= 0:
		return w.stop(&besra.LimitError{Limit: "members"})
	case w.budget.Bytes <= 0:
		return w.stop(w.budget.Spent())
	}
	w.budget.Members--
	err := w.to.Target(besra.Target{Name: w.outer.Name + "!" + name, Context: besra.ContextMail, Size: -1, Facts: w.facts(name),
		Open: func(ctx context.Context) (besra.Content, error) { return w.open(ctx, name, body) }})
	if err != nil {
		return w.stop(err)
	}
	return nil
}

// facts are those of a part, or of a message in a mailbox.
func (w *walk) facts(name string) besra.Facts {
	g := facts.NewGiven(besra.ContextMail, w.outer.Facts)
	g.Path(name, "name of the part")
	if w.header == nil {
		g.Inherit("mail")
	} else {
		w.header.state(g)
		if !inMessage(w.outer.Facts) {
			w.header.delivery(g, w.config.Trusted)
		}
		envelope(w.ctx, g, w.outer.Facts)
	}
	if w.format.whole {
		return g
	}
	return &partFacts{g}
}

func (w *walk) stop(err error) error {
	w.stopped = err
	return errStop
}

// open reads a part within the budget. Of a part that is damaged, what can be
// read is scanned, and the damage is told.
func (w *walk) open(ctx context.Context, name string, body io.Reader) (besra.Content, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := w.budget.Unpack(body)
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		return nil, err
	}
	if err != nil {
		w.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(w.outer.Name + "!" + name), Reason: ReasonDamaged, Detail: err.Error(), Count: 1})
	}
	return data, nil
}

// numbered names a part by its place in the tree.
func numbered(place []int, ending string) string {
	s := make([]string, len(place))
	for i, n := range place {
		s[i] = strconv.Itoa(n)
	}
	return "part-" + strings.Join(s, ".") + ending
}

// clean makes a name that a sender chose fit to be one: no directories, and
// never empty.
func clean(name, otherwise string) string {
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if name == "" || name == "." || name == ".." {
		return otherwise
	}
	return name
}
