package filelock

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	a, b := open(), open()
	if err := Lock(a); err != nil {
		t.Fatal(err)
	}
	if got, err := Try(b); got || err != nil {
		t.Errorf("a held lock was taken: %v, %v", got, err)
	}
	if _, err := a.WriteString("x"); err != nil {
		t.Error(err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("reading what is locked: %d, %v", n, err)
	}
	Unlock(a)
	if got, err := Try(b); !got || err != nil {
		t.Errorf("a free lock was not taken: %v, %v", got, err)
	}
	b.Close()
	if got, err := Try(a); !got || err != nil {
		t.Errorf("the lock of a closed file is still held: %v, %v", got, err)
	}
}
