package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The head of a ledger is kept in a file beside it, so that a ledger that was
// cut at the end of an entry is told from a whole one. It is written after the
// ledger is on the disk, so it is never ahead of it.

// HeadFile returns the name of the file in which a ledger's head is kept.
func HeadFile(name string) string { return name + ".head" }

const headWord = "besra-ledger-head/v1"

// readHead returns the head that is kept beside a ledger; the zero Head where
// there is none.
func readHead(name string) (Head, error) {
	text, err := os.ReadFile(HeadFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 3 || fields[0] != headWord {
		return Head{}, fmt.Errorf("%s is not the head of a ledger", HeadFile(name))
	}
	h, err := ParseHead(fields[2])
	h.Ledger = fields[1]
	return h, err
}

// writeHead replaces the head, unless a later one is there already: several
// processes append to one ledger. The lock of the ledger is held.
func writeHead(name string, h Head) error {
	if there, err := readHead(name); err == nil && there.Seq >= h.Seq && there.Ledger == h.Ledger {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".head-*")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s %s\n", headWord, h.Ledger, h)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), HeadFile(name))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
