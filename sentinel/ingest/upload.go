package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/klauspost/compress/gzip"
)

// Version is the api-version of the Logs Ingestion API.
const Version = "2023-01-01"

// Destination is a stream of a data collection rule.
type Destination struct {
	Endpoint, Rule, Stream string
}

// String names the destination.
func (d Destination) String() string { return d.Endpoint + " " + d.Rule + " " + d.Stream }

// Upload sends rows to a destination. It is safe for concurrent use.
type Upload struct {
	Client *azure.Client
	To     Destination
	// Quarantine keeps a row that the service refuses for good, with what it
	// says of it.
	Quarantine func(row []byte, why string) error

	// packers are kept, because making one costs more than compressing a batch.
	packers sync.Pool
}

// Sent is what became of a batch.
type Sent struct {
	Rows        int // delivered
	Quarantined int
	Calls       int
	Bytes       int // of the bodies of the calls
	Compressed  int // of what went over the network
	Took        time.Duration
}

func (s *Sent) add(o Sent) {
	s.Rows, s.Quarantined, s.Calls = s.Rows+o.Rows, s.Quarantined+o.Quarantined, s.Calls+o.Calls
	s.Bytes, s.Compressed = s.Bytes+o.Bytes, s.Compressed+o.Compressed
}

// StoppedError says that nothing can be delivered until somebody has done
// something about it.
type StoppedError struct {
	Err  error
	Hint string
}

// Error implements error.
func (e *StoppedError) Error() string { return e.Err.Error() }

// Unwrap returns what the service said.
func (e *StoppedError) Unwrap() error { return e.Err }

// Send delivers rows. A batch that is too long is sent in halves; of one that is
// refused, the rows are found that are at fault, and set aside. An error means
// that rows are left: a [*StoppedError], the end of the context, or a failure of
// the quarantine.
func (u *Upload) Send(ctx context.Context, rows [][]byte) (Sent, error) {
	begun := time.Now()
	sent, err := u.send(ctx, rows)
	sent.Took = time.Since(begun)
	if err == nil && sent.Rows == 0 && sent.Quarantined >= suspicious {
		// It cannot be: the fault lies with the stream, and not with each row.
		err = &StoppedError{fmt.Errorf("all %d rows of a batch were refused", sent.Quarantined),
			"the stream's columns differ from those of this version of besra: besra sentinel plan shows it"}
	}
	return sent, err
}

// suspicious is how many refused rows in a batch with none that is good are not
// the rows' fault.
const suspicious = 32

func (u *Upload) send(ctx context.Context, rows [][]byte) (Sent, error) {
	body := appendBody(nil, rows)
	if len(body) > MaxBody && len(rows) > 1 {
		return u.halves(ctx, rows)
	}
	packed := u.compress(body)
	sent := Sent{Calls: 1, Bytes: len(body), Compressed: len(packed)}
	_, err := u.Client.Do(ctx, azure.Request{Method: http.MethodPost, Path: u.path(), Version: Version, Body: packed,
		Header: http.Header{"Content-Encoding": {"gzip"}}})
	switch {
	case err == nil:
		sent.Rows = len(rows)
		return sent, nil
	case ctx.Err() != nil:
		return sent, ctx.Err()
	case !rowsAtFault(err):
		return sent, stopped(err)
	case len(rows) > 1:
		half, err := u.halves(ctx, rows)
		half.add(sent)
		return half, err
	}
	sent.Quarantined = 1
	return sent, u.Quarantine(rows[0], err.Error())
}

func (u *Upload) halves(ctx context.Context, rows [][]byte) (Sent, error) {
	first, err := u.send(ctx, rows[:len(rows)/2])
	if err != nil {
		return first, err
	}
	second, err := u.send(ctx, rows[len(rows)/2:])
	second.add(first)
	return second, err
}

func (u *Upload) path() string {
	return "/dataCollectionRules/" + url.PathEscape(u.To.Rule) + "/streams/" + url.PathEscape(u.To.Stream)
}

// rowsAtFault reports whether the service refuses what the rows are, and not
// where they were sent or who sent them.
func rowsAtFault(err error) bool {
	e, ok := errors.AsType[*azure.Error](err)
	if !ok {
		return false
	}
	switch e.Code {
	case "InvalidStream", "InvalidApiVersion", "InvalidDcrImmutableId":
		return false
	}
	return e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge
}

// stopped says what has to be done about an answer.
func stopped(err error) error {
	hint := ""
	switch azure.Status(err) {
	case http.StatusUnauthorized:
		hint = "the service does not accept the token: is it the right tenant and cloud?"
	case http.StatusForbidden:
		hint = "give the identity the role \"Monitoring Metrics Publisher\" on the data collection rule; it takes up to 30 minutes to work"
	case http.StatusNotFound:
		hint = "the endpoint and the rule's immutable id (dcr-…) belong together: besra sentinel apply shows both"
	case http.StatusBadRequest:
		hint = "the data collection rule has no such stream"
	case 0:
		hint = "besra signs in as --auth says, and else by the environment, as a managed identity, or as the Azure CLI does"
	}
	return &StoppedError{err, hint}
}

func appendBody(b []byte, rows [][]byte) []byte {
	b = append(b, '[')
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, row...)
	}
	return append(b, ']')
}

func (u *Upload) compress(body []byte) []byte {
	z, ok := u.packers.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	defer u.packers.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	z.Write(body) // neither fails: the buffer takes everything
	z.Close()
	return out.Bytes()
}
