package archive

import (
	"context"
	"errors"
	"io"

	"github.com/besra-hunt/besra"
)

// The reasons of gaps, stable words.
const (
	ReasonDamaged     = "damaged"     // the archive or member breaks its format
	ReasonEncrypted   = "encrypted"   // no password fits
	ReasonUnsupported = "unsupported" // a method or version that is not read
)

// Error says why an archive or a member was not read to its end.
type Error struct {
	Format string // the kind of archive; empty for a member
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Format == "" {
		return e.Err.Error()
	}
	return e.Format + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reason returns one of the Reason constants.
func (e *Error) Reason() string { return reasonOf(e.Err) }

var (
	errEncrypted = errors.New("encrypted, and no password fits")
	errTruncated = errors.New("ends too early")
)

// unsupportedError names what is not read.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) + " is not supported" }

// reasonOf returns the stable reason of a cause.
func reasonOf(err error) string {
	var unsupported unsupportedError
	var limit *besra.LimitError
	switch {
	case errors.As(err, &limit):
		return limit.Reason()
	case errors.Is(err, errEncrypted):
		return ReasonEncrypted
	case errors.As(err, &unsupported):
		return ReasonUnsupported
	}
	return ReasonDamaged
}

// memberError gives the cause of a member that was not unpacked its reason. A
// context's error and a limit stay as they are.
func memberError(err error) error {
	var limit *besra.LimitError
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &limit) {
		return err
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errTruncated
	}
	return &Error{Err: err}
}
