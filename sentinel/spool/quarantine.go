package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// quarantined is a line of the quarantine.
type quarantined struct {
	Time time.Time       `json:"time"`
	Why  string          `json:"why"`
	Row  json.RawMessage `json:"row"`
}

// Quarantine keeps a row that the other side refuses for good, with the reason.
func (s *Spool) Quarantine(row []byte, why string) error {
	line, err := json.Marshal(quarantined{time.Now().UTC(), why, bytes.TrimSpace(row)})
	if err != nil {
		return err
	}
	if err := s.appendQuarantine(append(line, '\n')); err != nil {
		return err
	}
	return s.update(func(st *state) { st.Quarantined++ })
}

func (s *Spool) appendQuarantine(lines []byte) error {
	f, err := os.OpenFile(s.QuarantineFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(lines)
	return errors.Join(err, f.Close())
}

// QuarantineFile is the file that [Spool.Quarantine] writes to.
func (s *Spool) QuarantineFile() string { return filepath.Join(s.dir, quarantineFile) }

// Release puts the rows of the quarantine back among those that wait, for when
// the cause is gone, and returns how many. What cannot be read of it, and what
// the spool has no room for, stays. Others may quarantine rows meanwhile.
func (s *Spool) Release() (int, error) {
	aside := s.QuarantineFile() + ".releasing"
	text, err := os.ReadFile(aside) // of a release that was killed
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Rename(s.QuarantineFile(), aside); err == nil {
			text, err = os.ReadFile(aside)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, stay, err := s.release(text)
	if len(stay) > 0 {
		err = errors.Join(err, s.appendQuarantine(stay))
	}
	if err == nil {
		err = os.Remove(aside)
	}
	return n, errors.Join(err, s.update(func(st *state) { st.Quarantined -= int64(n) }))
}

// release puts rows back, and returns the lines that it could not.
func (s *Spool) release(text []byte) (n int, stay []byte, err error) {
	w, err := s.Writer()
	if err != nil {
		return 0, nil, err
	}
	for line := range bytes.Lines(text) {
		var q quarantined
		kept := false
		if err == nil && json.Unmarshal(line, &q) == nil && len(q.Row) > 0 {
			kept, err = w.Offer(q.Row)
		}
		if kept {
			n++
		} else {
			stay = append(stay, line...)
		}
	}
	return n, stay, errors.Join(err, w.Close())
}
