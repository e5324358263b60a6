package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

func TestPolicy(t *testing.T) {
	found := func(s besra.Severity, v besra.Verdict) besra.Answer {
		var a besra.Answer
		a.AddFinding(&besra.Finding{Severity: s, Verdict: v, Rule: besra.RuleRef{Name: "R\r\nX: y", Author: "Ä"}})
		return a
	}
	var missedOne besra.Answer
	missedOne.AddGap(besra.Gap{Reason: "encrypted"})
	tests := []struct {
		name   string
		answer besra.Answer
		closed bool
		want   Action
		reason string
	}{
		{"nothing", besra.Answer{}, false, Allow, ""},
		{"high", found(besra.SeverityHigh, besra.VerdictAlert), false, Block, "R??X: y by ??"},
		{"undecided", found(besra.SeverityHigh, besra.VerdictUndecided), false, Block, "R??X: y by ??"},
		{"suppressed", found(besra.SeverityHigh, besra.VerdictSuppressed), false, Allow, ""},
		{"medium", found(besra.SeverityMedium, besra.VerdictAlert), false, Quarantine, "R??X: y by ??"},
		{"low", found(besra.SeverityLow, besra.VerdictDowngraded), false, Log, "R??X: y by ??"},
		{"missed, open", missedOne, false, Allow, ""},
		{"missed, closed", missedOne, true, Block, "not looked at to its end: encrypted"},
	}
	for _, tt := range tests {
		p := DefaultPolicy()
		if err := p.Set([]string{"medium=quarantine", "LOW=log"}); err != nil {
			t.Fatal(err)
		}
		p.FailClosed = tt.closed
		if v := p.Judge(tt.answer); v.Action != tt.want || v.Reason() != tt.reason {
			t.Errorf("%s: got %s %q, want %s %q", tt.name, v.Action, v.Reason(), tt.want, tt.reason)
		}
	}
	for _, bad := range []string{"", "high", "high=", "high=maybe", "huge=block"} {
		if err := new(Policy).Set([]string{bad}); err == nil {
			t.Errorf("policy %q: got no error", bad)
		}
	}
}

// TestRead holds reading to the limits of one object and of all.
func TestRead(t *testing.T) {
	limits := Limits{Object: 100, Held: 3 * step}
	g := NewGate(t.Context(), &sourcetest.Recorder{}, limits)
	tests := []struct {
		name  string
		r     io.Reader
		bytes int
		over  bool
		err   error
	}{
		{"empty", strings.NewReader(""), 0, false, nil},
		{"small", iotest.OneByteReader(strings.NewReader("small")), 5, false, nil},
		{"exactly", strings.NewReader(strings.Repeat("x", 100)), 100, false, nil},
		{"one more", strings.NewReader(strings.Repeat("x", 101)), 101, true, nil},
		{"much more", strings.NewReader(strings.Repeat("x", 1000)), 101, true, nil},
		{"cut", io.MultiReader(strings.NewReader("cut"), iotest.ErrReader(io.ErrUnexpectedEOF)), 3, false, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		b, err := g.Read(tt.r)
		if len(b.Data) != tt.bytes || (b.Over != nil) != tt.over || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %d bytes, over %v, error %v", tt.name, len(b.Data), b.Over, err)
		}
		b.Release()
		b.Release()
	}
	if n := g.held.Load(); n != 0 {
		t.Errorf("%d bytes are held after all was released", n)
	}
	one, _ := g.Read(strings.NewReader("x"))
	two, _ := g.Read(strings.NewReader("x"))
	three, _ := g.Read(strings.NewReader("x"))
	four, err := g.Read(strings.NewReader("x"))
	if four.Over == nil || err != nil {
		t.Errorf("beyond what may be held: got %+v, %v, want the limit", four, err)
	}
	for _, b := range []*Body{one, two, three, four} {
		b.Release()
	}
}

// TestAppend holds an object that comes in pieces to the same limits.
func TestAppend(t *testing.T) {
	g := NewGate(t.Context(), &sourcetest.Recorder{}, Limits{Object: 10, Held: step})
	b := g.NewBody()
	b.Append([]byte("0123456"))
	if b.Over != nil {
		t.Errorf("got %v below the limit", b.Over)
	}
	b.Append([]byte("789xyz"))
	b.Append([]byte("more"))
	if string(b.Data) != "0123456789" || b.Over == nil {
		t.Errorf("got %q, over %v", b.Data, b.Over)
	}
	other := g.NewBody()
	if other.Append([]byte("x")); other.Over == nil || len(other.Data) != 0 {
		t.Errorf("got %q beyond what may be held", other.Data)
	}
	b.Release()
	if other = g.NewBody(); g.held.Load() != 0 {
		t.Errorf("%d bytes are held after all was released", g.held.Load())
	}
	if other.Append([]byte("x")); other.Over != nil {
		t.Errorf("got %v after memory came back", other.Over)
	}
}

// TestAsk wants bytes to reach the run, and the limit to be told to both sides.
func TestAsk(t *testing.T) {
	r := &sourcetest.Recorder{On: func(t besra.Target) error {
		c, err := t.Open(context.Background())
		if err != nil || !bytes.Equal(c.Bytes(), bytes.Repeat([]byte("x"), 11)) || t.Size != 11 {
			return errors.New("the content is not what was read")
		}
		t.Done(besra.Answer{Matches: 7})
		return nil
	}}
	g := NewGate(t.Context(), r, Limits{Object: 10})
	b, _ := g.Read(strings.NewReader(strings.Repeat("x", 50)))
	a := g.Ask(besra.Target{Name: "t"}, b)
	if a.Matches != 7 || a.Missed != 1 || len(r.Gaps()) != 1 {
		t.Errorf("got %+v and gaps %+v", a, r.Gaps())
	}
	if err := g.End(nil); err != nil || g.held.Load() != 0 {
		t.Errorf("got %v with %d bytes held", err, g.held.Load())
	}
}

func TestAddress(t *testing.T) {
	network := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, tt := range []struct {
		listen string
		allow  []netip.Prefix
		ok     bool
	}{
		{"127.0.0.1:0", nil, true}, {"[::1]:0", nil, true}, {"localhost:1", nil, true}, {"/run/x.sock", nil, true},
		{"0.0.0.0:1", nil, false}, {":1344", nil, false}, {"192.0.2.1:1", nil, false}, {"host.example:1", nil, false}, {"nonsense", network, false},
		{"0.0.0.0:1", network, true},
	} {
		if err := (Address{Listen: tt.listen, Allow: tt.allow}).Check(); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.listen, err)
		}
	}
	a := Address{Allow: network}
	for ip, want := range map[string]bool{"127.0.0.1": true, "::1": true, "192.0.2.9": true, "::ffff:192.0.2.9": true, "198.51.100.1": false} {
		if got := a.Admits(&net.TCPAddr{IP: net.ParseIP(ip)}); got != want {
			t.Errorf("%s: got %v", ip, got)
		}
	}
}
