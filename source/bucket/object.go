package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// target makes the target of an object.
func (s *Source) target(o object) besra.Target {
	g := facts.NewGiven(besra.ContextObject, s.config.Host)
	source := "list of the bucket"
	g.Path(o.key, "key of the object")
	g.State("file.size", o.size, besra.GradeVerified, source)
	g.State("object.bucket", besra.Text(s.place.bucket), besra.GradeVerified, source)
	if o.etag != "" {
		g.State("object.etag", o.etag, besra.GradeVerified, source)
	}
	if !o.mtime.IsZero() {
		g.State("file.mtime", o.mtime.UTC(), besra.GradeVerified, source)
	}
	media := &o.media
	var mu sync.Mutex
	g.Ask("object.content_type", func(context.Context) besra.Fact {
		mu.Lock()
		defer mu.Unlock()
		if *media == "" {
			return besra.Fact{Source: "the store does not say"}
		}
		return besra.Fact{Value: besra.Text(*media), Grade: besra.GradeWeak, Source: "metadata of the object"}
	})
	g.Ask("object.tags", func(ctx context.Context) besra.Fact { return s.tagsOf(ctx, o) })
	return besra.Target{Name: s.place.name(o.key), Context: besra.ContextObject, Size: o.size, Facts: g,
		Open: func(ctx context.Context) (besra.Content, error) {
			data, stated, err := s.read(ctx, o)
			if stated != "" {
				mu.Lock()
				*media = stated
				mu.Unlock()
			}
			if err != nil {
				return nil, err
			}
			return content(data), nil
		}}
}

func (s *Source) tagsOf(ctx context.Context, o object) besra.Fact {
	tags, err := s.store.tags(ctx, o)
	if err != nil {
		return besra.Fact{Source: "tags of the object: " + err.Error()}
	}
	return besra.Fact{Value: append([]string{}, tags...), Grade: besra.GradeWeak, Source: "tags of the object"}
}

// content is an object in memory.
type content []byte

func (c content) Bytes() []byte { return c }
func (content) Close() error    { return nil }

// maxBreaks is how often a read may break off without a byte between.
const maxBreaks = 3

var (
	// errChanged says that an object is not the one that was listed.
	errChanged = &Error{ReasonChanged, errors.New("the object changed since it was listed")}
	// errOffline says that an object has to be restored first, which the list did not say.
	errOffline = &Error{ReasonOffline, errors.New("the object has to be restored first")}
)

// Error is an error of one object that has a word of its own in a gap.
type Error struct {
	reason string
	err    error
}

// Error implements error.
func (e *Error) Error() string { return e.err.Error() }

// Reason is the stable word of a gap.
func (e *Error) Reason() string { return e.reason }

// read reads a whole object. A stream that breaks off is taken up where it
// ended.
func (s *Source) read(ctx context.Context, o object) (data []byte, media string, err error) {
	if o.size < 0 {
		return nil, "", fmt.Errorf("the list states a size of %d", o.size)
	}
	for breaks := 0; ; {
		if err := ctx.Err(); err != nil {
			return nil, media, err
		}
		body, stated, err := s.store.open(ctx, o, int64(len(data)))
		if err != nil {
			return nil, media, err
		}
		media = stated
		if data == nil {
			data = make([]byte, 0, o.size)
		}
		had := len(data)
		data, err = fill(data, body)
		body.Close()
		switch {
		case err == nil && int64(len(data)) == o.size:
			return data, media, nil
		case int64(len(data)) > o.size:
			return nil, media, errChanged
		case err == nil:
			err = io.ErrUnexpectedEOF
		}
		if len(data) > had {
			breaks = 0
		}
		if breaks++; breaks > maxBreaks {
			return nil, media, err
		}
	}
}

// fill reads until data is full, and a byte more: there must be none.
func fill(data []byte, r io.Reader) ([]byte, error) {
	for len(data) < cap(data) {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
	var more [1]byte
	n, err := io.ReadFull(r, more[:])
	if n > 0 {
		return append(data, more[0]), nil
	}
	if err == io.EOF {
		err = nil
	}
	return data, err
}

// asStored is how stores are spoken to: an object is read as it is stored, not
// unpacked on the way, and a connection is kept for each worker.
func asStored() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = t.MaxIdleConns
	return t
}

// told makes the error of an answer, by its HTTP status.
func told(status int, err error) error {
	switch status {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return errChanged
	}
	return err
}
