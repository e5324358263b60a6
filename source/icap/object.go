package icap

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/httpbody"
)

// objectFacts are the facts of a body, and what separates its parts.
type objectFacts struct {
	*facts.Given
	boundary string
}

// target is the object of the exchange, without its bytes.
func (e *exchange) target(size int) besra.Target {
	g := facts.NewGiven(besra.ContextNetwork, e.config.Facts)
	g.State("file.size", int64(size), besra.GradeVerified, "body that was handed over")
	e.statePeers(g)
	if r := e.http; r != nil {
		const source = "HTTP request that the proxy passed on"
		g.State("net.url", besra.Text(urlOf(r).String()), besra.GradeWeak, source)
		if host := urlOf(r).Hostname(); host != "" {
			g.State("net.host", besra.Text(host), besra.GradeWeak, source)
		}
		if agent := r.UserAgent(); agent != "" {
			g.State("net.user_agent", besra.Text(agent), besra.GradeWeak, source)
		}
	}
	return besra.Target{Name: e.name, Context: besra.ContextNetwork, Facts: &objectFacts{g, httpbody.Boundary(e.httpHeader())}}
}

// statePeers states who sends to whom: in a request the client does, in a
// response the server.
func (e *exchange) statePeers(g *facts.Given) {
	from, to := "X-Client-Ip", "X-Server-Ip"
	if e.method == "RESPMOD" {
		from, to = to, from
	}
	e.stateAddress(g, "net.src.ip", from)
	e.stateAddress(g, "net.dst.ip", to)
	g.State("net.time", time.Now().UTC(), besra.GradeAsserted, "time at which the proxy handed it over")
	if user := userOf(e.header.Get("X-Authenticated-User")); user != "" {
		g.State("net.user", besra.Text(user), besra.GradeAsserted, "X-Authenticated-User of the proxy")
	}
}

func (e *exchange) stateAddress(g *facts.Given, fact, header string) {
	if ip, err := netip.ParseAddr(e.header.Get(header)); err == nil {
		g.State(fact, ip.Unmap().String(), besra.GradeAsserted, header+" of the proxy")
	}
}

// userOf undoes the base64 that most proxies write, such as of "Local://jane".
func userOf(s string) string {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && strings.Contains(string(b), "://") {
		return string(b)
	}
	return s
}

// targetName is the URL of the object, behind the method where it is sent.
func (e *exchange) targetName() string {
	if e.http == nil {
		host, _, _ := net.SplitHostPort(e.conn.RemoteAddr().String()) // the port would make every object another one
		return "icap:" + strings.ToLower(e.method) + " by " + host
	}
	if e.method == "REQMOD" {
		return e.http.Method + " " + urlOf(e.http).String()
	}
	return urlOf(e.http).String()
}

// urlOf is the absolute URL of a request, without user and password.
func urlOf(r *http.Request) *url.URL {
	u := *r.URL
	u.User = nil
	if u.Host == "" {
		u.Scheme, u.Host = "http", r.Host
	}
	return &u
}

// Expander finds the parts of forms (multipart) in what a [Source] yields: the
// files that someone uploads. It is a [besra.Expander]; its zero value is ready.
type Expander struct{}

// Kind implements [besra.Expander].
func (Expander) Kind(outer besra.Target, _ []byte) string {
	if f, ok := outer.Facts.(*objectFacts); ok && f.boundary != "" {
		return "multipart"
	}
	return ""
}

// Expand implements [besra.Expander].
func (Expander) Expand(ctx context.Context, outer besra.Target, content []byte, budget *besra.Budget, to besra.Receiver) error {
	f, ok := outer.Facts.(*objectFacts)
	if !ok {
		return nil
	}
	in := multipart.NewReader(bytes.NewReader(content), f.boundary)
	for i := 1; ; i++ {
		p, err := in.NextRawPart()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == io.EOF:
			return nil
		case err != nil:
			return &formError{err}
		case budget.Members <= 0:
			return &besra.LimitError{Limit: "members"}
		}
		budget.Members--
		if err := to.Target(part(outer, httpbody.PartName(p, i), p, budget)); err != nil {
			return err
		}
	}
}

// part is one part of a form. It has the facts of the whole.
func part(outer besra.Target, name string, r io.Reader, budget *besra.Budget) besra.Target {
	g := facts.NewGiven(besra.ContextNetwork, outer.Facts)
	g.Inherit("net")
	return besra.Target{Name: outer.Name + "!" + name, Context: besra.ContextNetwork, Size: -1, Facts: g,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			data, err := budget.Unpack(r)
			var limit *besra.LimitError
			if errors.As(err, &limit) {
				return nil, err
			}
			return data, nil // what a cut form lacks is told where its next part is looked for
		}}
}

// formError says why a form was not read to its end.
type formError struct{ err error }

func (e *formError) Error() string { return "form: " + e.err.Error() }
func (e *formError) Unwrap() error { return e.err }

// Reason is the stable word of a gap.
func (*formError) Reason() string { return "damaged" }
