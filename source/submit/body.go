package submit

import (
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/httpbody"
)

// maxParts is how many files one form may hold.
const maxParts = 1000

// form scans each part of a form as it comes in.
func (s *submission) form(boundary string) error {
	in := multipart.NewReader(s.body, boundary)
	for i := 1; ; i++ {
		part, err := in.NextRawPart()
		switch {
		case err == io.EOF && len(s.answer.Files) > 0:
			return nil
		case err != nil:
			return &refusal{http.StatusBadRequest, "the form cannot be read: " + err.Error(), gateway.ReasonMalformed}
		case i > maxParts:
			return &refusal{http.StatusRequestEntityTooLarge, "the form has too many parts", gateway.ReasonLimit}
		}
		if err := s.file(httpbody.PartName(part, i), part); err != nil {
			return err
		}
	}
}

// patient reads a body that may pause, but neither too long nor forever.
type patient struct {
	r     io.Reader
	c     *http.ResponseController
	end   time.Time
	pause time.Duration
}

// Read implements [io.Reader].
func (p *patient) Read(b []byte) (int, error) {
	deadline := time.Now().Add(p.pause)
	if deadline.After(p.end) {
		deadline = p.end
	}
	p.c.SetReadDeadline(deadline)
	return p.r.Read(b)
}

// free takes the deadline away: the wait for an answer is not the client's.
func (p *patient) free() { p.c.SetReadDeadline(time.Time{}) }
