package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func open(t *testing.T, name, rules string) *Cache {
	t.Helper()
	c, err := Open(name, rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keyOf(n int) (k Key) {
	binary.BigEndian.PutUint64(k[:], uint64(n))
	return k
}

// TestKept holds that answers are there in the next run, and to the same rules only.
func TestKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cache")
	c := open(t, name, "a")
	const n = maxPending + 10
	for i := range n {
		c.Put(keyOf(i), []byte{byte(i)})
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	c = open(t, name, "a")
	for i := range n {
		if got, ok := c.Get(keyOf(i)); !ok || len(got) != 1 || got[0] != byte(i) {
			t.Fatalf("answer %d: got %v, %v", i, got, ok)
		}
	}
	if _, ok := c.Get(keyOf(n)); ok {
		t.Error("an answer that nobody put is there")
	}
	if hits, put := c.Counts(); hits != n || put != 0 {
		t.Errorf("%d hits, %d put", hits, put)
	}
	if _, err := Open(name, "a"); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	c.Close()
	c = open(t, name, "b")
	defer c.Close()
	if _, ok := c.Get(keyOf(1)); ok {
		t.Error("other rules get the answer")
	}
}

// TestDropped holds that answers to rules of long ago are dropped.
func TestDropped(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cache")
	c := open(t, name, "old")
	c.Put(keyOf(1), []byte("x"))
	c.Close()
	c = open(t, name, "new")
	err := c.db.Update(func(tx *bbolt.Tx) error {
		return c.begin(tx, time.Now().Add(unused+time.Hour))
	})
	c.Close()
	if err != nil {
		t.Fatal(err)
	}
	c = open(t, name, "old")
	defer c.Close()
	if _, ok := c.Get(keyOf(1)); ok {
		t.Error("the answer is still there")
	}
}

// TestRefused holds what is no cache, or not ours alone, away.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "text")
	if err := os.WriteFile(name, []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name, "a"); err == nil {
		t.Error("a text file is no error")
	}
	if runtime.GOOS == "windows" {
		return
	}
	name = filepath.Join(dir, "shared")
	open(t, name, "a").Close()
	os.Chmod(name, 0o620)
	if _, err := Open(name, "a"); err == nil {
		t.Error("a file that others may write is no error")
	}
}

// TestDamaged overwrites pages, single bytes and the end of a cache: it gives an
// error, and neither a panic nor another answer than was put.
func TestDamaged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cache")
	c := open(t, name, "a")
	const answer = "some answer"
	for i := range 3000 {
		c.Put(keyOf(i), []byte(answer))
	}
	c.Close()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(b []byte) error {
		t.Helper()
		name := filepath.Join(t.TempDir(), "cache") // bbolt may go on holding one that made it panic
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Open(name, "a")
		if err != nil {
			return err
		}
		for i := range 3000 {
			if got, ok := c.Get(keyOf(i)); ok && string(got) != answer {
				t.Fatalf("got %q, want %q or nothing", got, answer)
			}
		}
		for i := range 3000 {
			c.Put(keyOf(i+10000), []byte("x"))
		}
		return c.Close()
	}
	for _, size := range []int{10, 5000, 3 * 4096, 4 * 4096, 6 * 4096, 7*4096 + 100, len(whole)/2 + 4096, len(whole) * 3 / 4} {
		if err := try(whole[:size:size]); err == nil {
			t.Errorf("cut off after %d bytes of %d: no error", size, len(whole))
		}
	}
	for at := 2 * 4096; at < len(whole); at += 7 * 4096 {
		b := bytes.Clone(whole)
		copy(b[at:min(at+4096, len(b))], bytes.Repeat([]byte{0xee}, 4096))
		try(b)
	}
	b := bytes.Clone(whole)
	b[bytes.LastIndex(b, []byte(answer))] ^= 1
	if err := try(b); !errors.Is(err, errDamaged) {
		t.Errorf("an answer with another bit: got %v, want %v", err, errDamaged)
	}
}
