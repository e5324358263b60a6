// Package ledger keeps what hunts found and what was kept out of sight, with
// the facts that decided, in an append-only file whose entries are chained by
// hashes. docs/ledger.md describes the file.
//
// [Open] opens a ledger to append: [Ledger.Sink] takes the records of a hunt,
// [Ledger.Mark] notes what somebody found out about a finding. Several
// processes may append to one file: each append holds a lock. An entry is
// committed when its append has returned: it is then in the file whatever ends
// the process. What a killed process leaves half-written is cut off by the next
// append, and an entry says so.
//
// [Verify] finds what was changed, taken out, put in or reordered, and says
// where; a ledger that was cut at its end is told from a whole one by anchors:
// the head that is kept beside it, or one that was noted elsewhere. [Load]
// reads a ledger that is whole, for [History.Group], [Backtest] and [Audit].
package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Version is the version of the file's format, in its first entry.
const Version = "besra-ledger/v1"

// MaxLine is the length of the longest entry, in bytes. A finding with its
// excerpts has some kilobytes.
const MaxLine = 64 << 20

// Kind tells entries apart.
type Kind string

// The kinds of entry. Each has one member of [Entry].
const (
	KindOpen     Kind = "open"     // the first entry, and no other
	KindRecord   Kind = "record"   // a run, finding or summary of a hunt
	KindMark     Kind = "mark"     // what somebody found out about a finding
	KindRecovery Kind = "recovery" // a half-written entry was cut off here
)

// Entry is one line of a ledger.
type Entry struct {
	// Hash is the SHA-256 of the line without it, in lower-case hex.
	Hash string `json:"-"`
	// Seq counts entries from 1.
	Seq int64 `json:"seq"`
	// Prev is the hash of the entry before; zeros in the first.
	Prev string    `json:"prev"`
	Time time.Time `json:"time"` // when it was appended
	Kind Kind      `json:"kind"`
	// Run is the id of the run that a record belongs to: runs may interleave.
	Run      string        `json:"run,omitempty"`
	Opening  *Opening      `json:"open,omitempty"`
	Record   *besra.Record `json:"record,omitempty"`
	Mark     *Mark         `json:"mark,omitempty"`
	Recovery *Recovery     `json:"recovery,omitempty"`
}

// Opening begins a ledger.
type Opening struct {
	Version string `json:"version"`
	ID      string `json:"id"` // random: two ledgers never have the same
}

// Recovery says what was cut off in front of it.
type Recovery struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of those bytes
}

// Disposition is what somebody found out about a finding.
type Disposition string

// The dispositions.
const (
	TruePositive Disposition = "true-positive" // it was what the detection looks for
	Benign       Disposition = "benign"        // it was not
)

// Mark is a disposition of a finding. The last one of a finding counts.
type Mark struct {
	Finding     string      `json:"finding"` // id
	Disposition Disposition `json:"disposition"`
	By          string      `json:"by,omitempty"`     // who says so
	Source      string      `json:"source,omitempty"` // where: "besra ledger mark", an incident
	Note        string      `json:"note,omitempty"`
}

// check says what is wrong with a mark.
func (m Mark) check() error {
	if m.Disposition != TruePositive && m.Disposition != Benign {
		return fmt.Errorf("%q is not a disposition: want %s or %s", m.Disposition, TruePositive, Benign)
	}
	if m.Finding == "" {
		return errors.New("a mark names a finding")
	}
	return nil
}

const (
	hashLen = 2 * sha256.Size
	before  = `{"hash":"`
	after   = `",`
)

// firstPrev is the Prev of the first entry.
var firstPrev = strings.Repeat("0", hashLen)

// encode returns the line of e, with its end, and sets e.Hash.
func (e *Entry) encode() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	e.Hash = hashOf(body)
	line := make([]byte, 0, len(before)+hashLen+len(after)+len(body)+1)
	line = append(append(append(line, before...), e.Hash...), after...)
	line = append(append(line, body[1:]...), '\n')
	if len(line) > MaxLine {
		return nil, fmt.Errorf("an entry of %d bytes, more than the %d that one may have", len(line), MaxLine)
	}
	return line, nil
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Errors of single lines.
var (
	errNoLedger = errors.New("the file is not a ledger")
	errNoEntry  = errors.New("the line is not an entry of a ledger")
	errChanged  = errors.New("the entry was changed after it was written: its hash does not fit")
)

// decode reads a line without its end. Where only the hash is wrong, the entry
// comes with errChanged.
func decode(line []byte) (Entry, error) {
	var e Entry
	if len(line) < len(before)+hashLen+len(after) || string(line[:len(before)]) != before {
		return e, errNoEntry
	}
	rest := line[len(before):]
	e.Hash = string(rest[:hashLen])
	if string(rest[hashLen:hashLen+len(after)]) != after {
		return e, errNoEntry
	}
	body := append([]byte{'{'}, rest[hashLen+len(after):]...)
	fits := hashOf(body) == e.Hash
	if err := json.Unmarshal(body, &e); err != nil {
		if !fits {
			return e, errChanged
		}
		return e, fmt.Errorf("the entry cannot be read: %w", err)
	}
	if !fits {
		return e, errChanged
	}
	return e, e.check()
}

// check says what is wrong with an entry whose hash fits. A kind that is not
// known is left to newer versions.
func (e *Entry) check() error {
	missing := false
	switch e.Kind {
	case KindOpen:
		missing = e.Opening == nil
	case KindRecord:
		missing = e.Record == nil
	case KindMark:
		missing = e.Mark == nil
	case KindRecovery:
		missing = e.Recovery == nil
	}
	if missing {
		return fmt.Errorf("an entry of kind %q without its content", e.Kind)
	}
	if e.Kind == KindOpen && e.Opening.Version != Version {
		return fmt.Errorf("a ledger of version %q, not %s: a besra of that version reads it", e.Opening.Version, Version)
	}
	return nil
}

// Head names the last entry of a ledger. Noted elsewhere it is an anchor: a
// ledger that no longer has that entry was cut or replaced.
type Head struct {
	Ledger string // id of the ledger; may be empty in an anchor
	Seq    int64
	Hash   string
}

// String returns the head as [ParseHead] reads it: SEQ:HASH.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, h.Hash) }

// ParseHead reads SEQ:HASH; the hash may be cut to its first 16 digits or more.
func ParseHead(text string) (Head, error) {
	var h Head
	_, err := fmt.Sscanf(text, "%d:%s", &h.Seq, &h.Hash)
	if err != nil || h.Seq < 1 || len(h.Hash) < 16 || len(h.Hash) > hashLen || strings.Trim(h.Hash, "0123456789abcdef") != "" {
		return Head{}, fmt.Errorf("%q is not the head of a ledger, such as 12:9f86d081884c7d65…", text)
	}
	return h, nil
}
