package standin

import (
	"net/http"
	"time"
)

// Cut is where a connection breaks.
type Cut int

// The places where it can.
const (
	CutNone   Cut = iota
	CutBefore     // before the request was read: nothing has happened
	CutAfter      // after the request was carried out, before the answer
)

// Fault is what a request suffers. The zero Fault is none.
type Fault struct {
	Delay time.Duration // before everything else
	Cut   Cut
	// Status answers with this status without carrying the request out, and
	// RetryAfter is that header of it.
	Status     int
	RetryAfter string
}

// Fail has f choose the fault of each request from now on; nil ends that.
func (s *Server) Fail(f func(*http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *Server) faultFor(r *http.Request) Fault {
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	if f == nil {
		return Fault{}
	}
	return f(r)
}
