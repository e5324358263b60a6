// Package besra is the vocabulary of the product: the plain types that every
// stage hands to the next, and nothing else.
//
// Bytes and what is known about them travel one way:
//
//	Source ──Target──▶ scan ──bytes──▶ yara ──matching rules──▶ exclusion ──Decision──▶ Finding ──▶ Sink
//	                     └── Facts (read-only, gathered on demand)
//
// A [Source] yields a [Target] for each thing that can be read. The scan room
// opens it, asks the engine which rules match, gathers the [Facts] that the
// exclusions of those rules ask for, and writes one [Finding] a matching rule
// to every [Sink], suppressed or not. What could not be read, compiled or
// decided becomes a [Gap], so that silence always means "looked and found
// nothing". The types here are data: they import the standard library only and
// know neither the engine nor any adapter.
package besra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// Context is the kind of place a target's bytes came from. It decides which
// facts can be known there (see [Vocabulary]) and so which exclusions are
// decidable. The string is what detection files and records say.
type Context string

// The contexts a detection can be deployed in.
const (
	ContextFile    Context = "file"    // a file on a live host
	ContextImage   Context = "image"   // a file of a mounted or unpacked foreign root, or of a container image
	ContextArchive Context = "archive" // a member of an archive, or a blob of a git repository
	ContextProcess Context = "process" // the memory of a running process
	ContextNetwork Context = "network" // a reassembled stream, or an object carved from one
	ContextMail    Context = "mail"    // a message or an attachment
	ContextObject  Context = "object"  // an object in a bucket
)

// Contexts lists every context, in the order documentation shows them.
func Contexts() []Context {
	return []Context{ContextFile, ContextImage, ContextArchive, ContextProcess,
		ContextNetwork, ContextMail, ContextObject}
}

// Target is one thing to scan: a name, the context it lives in, what is known
// about it, and a way to its bytes. A Target is a value and may be passed
// between goroutines; Open may be called once, by whoever scans it.
type Target struct {
	// Name identifies the target as its owner knows it: a path as on its own
	// host, "a.zip!inner/b.txt" for an archive member. It may hold any bytes.
	Name string
	// Context is the kind of place.
	Context Context
	// Size is the number of bytes, or -1 where it is not known before reading.
	Size int64
	// Stamp changes when the bytes do, as far as the place can tell without
	// reading them: identity, size and times of a file, the digest of a blob.
	// Empty where it cannot. Shared says that other targets of the run may have
	// the same stamp, and then the same bytes: the other names of a file.
	Stamp  string
	Shared bool
	// Facts answers what is known besides the bytes. Never nil.
	Facts Facts
	// Open gives the bytes. The error says why they cannot be had.
	Open func(ctx context.Context) (Content, error)
	// Done, where set, is called once, from any goroutine, when a receiver that
	// took the target is done with it and with all that lies in it. It must not
	// block.
	Done func(Answer)
}

// Content is the opened bytes of a target. It belongs to one goroutine.
type Content interface {
	// Bytes returns the whole content. The slice is read-only and valid until
	// Close. It may be a memory mapping of a file that another process
	// truncates; reading past the new end then faults, and the scan room turns
	// the fault into a Gap (see runtime/debug.SetPanicOnFault).
	Bytes() []byte
	// Close releases the bytes.
	Close() error
}

// Releaser is implemented by contents that can give memory back while they are
// read: a mapped file whose pages count as the program's until they are let go.
type Releaser interface {
	// Release tells that the bytes before upTo will hardly be looked at again.
	// They stay readable.
	Release(upTo int64)
}

// ContentFacts is implemented by facts that answer from the scanned bytes
// (digests, class) while these are lent to them.
type ContentFacts interface {
	// SetContent lends the whole content until SetContent(nil).
	SetContent(content []byte)
}

// Source yields the targets of one place. Implementations pass the contract
// suite in source/sourcetest.
type Source interface {
	// Run hands every target, and every gap met on the way, to the receiver.
	// It returns when all have been handed over, or early with ctx's error.
	// What concerns a single target is a gap, not an error: an error means
	// that the source as a whole could not go on.
	Run(ctx context.Context, to Receiver) error
}

// Receiver takes what a source yields. It is safe for concurrent use.
type Receiver interface {
	// Target hands over one target and blocks while the pipe is full. It
	// returns an error when the run is over; the source then stops.
	Target(Target) error
	// Gap reports something that was not read.
	Gap(Gap)
}

// Sink takes the records of a run. Implementations pass the contract suite in
// sink/sinktest. A sink is called from one goroutine at a time.
type Sink interface {
	// Write takes one record. The record is read-only and may be kept.
	Write(ctx context.Context, r Record) error
	// Close completes the output: nothing is visible half-written after it.
	Close() error
}

// Text is a string that may hold any bytes, such as a file name. In JSON it is
// a plain string where it is valid UTF-8 and {"base64": "…"} where it is not,
// so that a record is always exact.
type Text string

// MarshalJSON implements [json.Marshaler].
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(t))})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = Text(s)
		return nil
	}
	var raw struct{ Base64 []byte }
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*t = Text(raw.Base64)
	return nil
}
