package mail

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/emersion/go-message"
)

// header is the head of a message.
type header struct{ message.Header }

// state states what the sender says.
func (h *header) state(g *facts.Given) {
	h.address(g, "mail.from", "From")
	h.address(g, "mail.reply_to", "Reply-To")
	if from, ok := h.addressOf("From"); ok {
		_, domain, _ := strings.Cut(from, "@")
		g.State("mail.from_domain", besra.Text(domain), besra.GradeWeak, "header From")
	}
	if subject, err := h.Text("Subject"); err == nil && h.Has("Subject") {
		g.State("mail.subject", besra.Text(subject), besra.GradeWeak, "header Subject")
	}
	if id := h.Get("List-Id"); id != "" {
		g.State("mail.list_id", besra.Text(listID(id)), besra.GradeWeak, "header List-Id")
	}
	if date, err := mail.ParseDate(h.Get("Date")); err == nil {
		g.State("mail.date", date.UTC(), besra.GradeWeak, "header Date")
	}
}

// delivery states what the receiving side put before the head.
func (h *header) delivery(g *facts.Given, trusted []string) {
	if from, ok := h.addressOf("Return-Path"); ok {
		g.State("mail.envelope_from", besra.Text(from), besra.GradeAsserted, "header Return-Path")
	}
	if at, ok := receivedAt(h.Get("Received")); ok {
		g.State("mail.received", at, besra.GradeAsserted, "topmost header Received")
	}
	h.authentication(g, trusted)
}

func (h *header) address(g *facts.Given, fact, name string) {
	value, ok := h.addressOf(name)
	if ok || name == "Reply-To" && !h.Has(name) {
		g.State(fact, besra.Text(value), besra.GradeWeak, "header "+name)
	}
}

// addressOf returns the one address of a header, in lower case.
func (h *header) addressOf(name string) (string, bool) {
	list, err := mail.ParseAddressList(h.Get(name))
	if err != nil || len(list) != 1 {
		return "", false // of several senders none is the sender
	}
	return strings.ToLower(list[0].Address), true
}

// listID is what stands in angle brackets (RFC 2919).
func listID(s string) string {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// receivedAt is the date behind the last semicolon (RFC 5321, 4.4).
func receivedAt(s string) (time.Time, bool) {
	i := strings.LastIndexByte(s, ';')
	if i < 0 {
		return time.Time{}, false
	}
	at, err := mail.ParseDate(strings.TrimSpace(s[i+1:]))
	return at.UTC(), err == nil
}

// authentication reads the results of the topmost header of a trusted server
// (RFC 8601): those further down may have come with the message.
func (h *header) authentication(g *facts.Given, trusted []string) {
	for _, value := range h.Values("Authentication-Results") {
		parts := strings.Split(value, ";")
		server := strings.ToLower(strings.TrimSpace(strings.Fields(parts[0] + " -")[0]))
		if !slices.ContainsFunc(trusted, func(t string) bool { return strings.EqualFold(t, server) }) {
			continue
		}
		for _, method := range []string{"dkim", "spf", "dmarc"} {
			if result, ok := resultOf(parts[1:], method); ok {
				g.State("mail."+method, result, besra.GradeAsserted, "Authentication-Results of "+server)
			}
		}
		return
	}
}

// resultOf finds "method=result" among the results. Of several results of one
// method the least good counts: one passing signature proves nothing of others.
func resultOf(results []string, method string) (worst string, ok bool) {
	for _, r := range results {
		field, _, _ := strings.Cut(strings.TrimSpace(r), " ") // properties follow
		name, value, has := strings.Cut(strings.ToLower(field), "=")
		if name == method && has && (!ok || worst == "pass") {
			worst, ok = value, true
		}
	}
	return worst, ok
}

// partFacts are the facts of a part of a message.
type partFacts struct{ *facts.Given }

// inMessage reports whether something was found in a message, at any depth.
func inMessage(f besra.Facts) bool {
	for {
		if _, is := f.(*partFacts); is {
			return true
		}
		inner, ok := f.(interface{ Outer() besra.Facts })
		if !ok {
			return false
		}
		f = inner.Outer()
	}
}

// envelope takes over what is known of the delivery of the message around, or
// what a mail server said of it, which no header can: it stands above what the
// message says of it.
func envelope(ctx context.Context, g *facts.Given, outer besra.Facts) {
	for _, name := range []string{"mail.envelope_from", "mail.envelope_to", "mail.client_ip", "mail.helo", "mail.user", "mail.received"} {
		if f := outer.Fact(ctx, name); f.Known() {
			g.State(name, f.Value, f.Grade, f.Source)
		}
	}
}
