package files

import (
	"errors"
	"io/fs"
	"path"
	"strconv"

	"github.com/besra-hunt/besra"
)

// OpenError says why a target could not be opened, with the stable reason that
// a gap carries.
type OpenError struct {
	Path   string
	reason string
	Err    error
}

// Error implements error.
func (e *OpenError) Error() string {
	return "open " + besra.Text(e.Path).Printable() + ": " + cause(e.Err)
}

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

// Reason returns one of the Reason constants.
func (e *OpenError) Reason() string { return e.reason }

var (
	// errChanged says that another kind of file is there now.
	errChanged = errors.New("no regular file any more")
	// errTooLarge says that a file cannot be mapped, however much memory there is.
	errTooLarge = errors.New("larger than the address space")
)

func openError(p string, err error) error {
	return &OpenError{Path: p, reason: errorReason(err), Err: err}
}

// errorReason returns the stable reason for an error of the system.
func errorReason(err error) string {
	switch {
	case errors.Is(err, errTooLarge):
		return ReasonTooLarge
	case errors.Is(err, fs.ErrPermission):
		return ReasonPermission
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errChanged), isReplaced(err):
		return ReasonVanished
	}
	return ReasonIO
}

// cause returns the text of an error without the path, which a gap has anyway.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func errorGap(p string, err error) besra.Gap {
	return besra.Gap{Kind: besra.GapError, Target: besra.Text(p), Reason: errorReason(err), Detail: cause(err), Count: 1}
}

func skipGap(p, reason, detail string) besra.Gap {
	return besra.Gap{Kind: besra.GapSkip, Target: besra.Text(p), Reason: reason, Detail: detail, Count: 1}
}

// tally counts the gaps of one directory, those of one kind together.
type tally struct {
	dir    string
	counts map[tallyKey]*tallied
}

type tallyKey struct {
	kind           besra.GapKind
	reason, detail string
}

type tallied struct {
	first string
	count int64
}

func (t *tally) add(g besra.Gap) {
	key := tallyKey{g.Kind, g.Reason, g.Detail}
	if t.counts == nil {
		t.counts = map[tallyKey]*tallied{}
	}
	if n := t.counts[key]; n != nil {
		n.count++
		return
	}
	t.counts[key] = &tallied{first: string(g.Target), count: 1}
}

// flush reports what was counted: one file by its own name, several under the
// directory's.
func (t *tally) flush(to besra.Receiver) {
	for key, n := range t.counts {
		g := besra.Gap{Kind: key.kind, Target: besra.Text(n.first), Reason: key.reason, Detail: key.detail, Count: n.count}
		if n.count > 1 {
			g.Target = besra.Text(t.dir)
			g.Detail = several(key.detail, n)
		}
		to.Gap(g)
	}
	t.counts = nil
}

// several says what a gap of a directory stands for.
func several(detail string, n *tallied) string {
	s := strconv.FormatInt(n.count, 10) + " in this directory, the first " + besra.Text(path.Base(n.first)).Printable()
	if detail == "" {
		return s
	}
	return detail + "; " + s
}
