package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SPOOL_WRITE"); dir != "" {
		appendForever(dir)
	}
	os.Exit(m.Run())
}

// appendForever says each row on standard output once it is in the spool.
func appendForever(dir string) {
	s, err := Open(dir, "there", 0)
	if err != nil {
		panic(err)
	}
	w, err := s.Writer()
	for n := 0; err == nil; n++ {
		row := fmt.Sprintf("%d-%d %s", os.Getpid(), n, strings.Repeat("x", n%2000))
		if _, err = w.Append([]byte(row)); err == nil {
			fmt.Println(row)
		}
	}
	panic(err)
}

func open(t *testing.T, max int64) *Spool {
	t.Helper()
	s, err := Open(t.TempDir(), "there", max)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s *Spool, rows ...string) {
	t.Helper()
	w, err := s.Writer()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if ok, err := w.Append([]byte(row)); !ok || err != nil {
			t.Fatalf("append: %v, %v", ok, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// drain delivers everything that waits, in batches of most bytes.
func drain(t *testing.T, s *Spool, most int) []string {
	t.Helper()
	r, err := s.Reader()
	if err != nil || r == nil {
		t.Fatalf("reader: %v, %v", r, err)
	}
	defer r.Close()
	var got []string
	for {
		b, err := r.Next(most)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range b.Rows {
			got = append(got, string(row))
		}
		if err := r.Done(b, len(b.Rows)); err != nil {
			t.Fatal(err)
		}
		if len(b.Rows) == 0 {
			return got
		}
		if b.Bytes > most && len(b.Rows) > 1 {
			t.Errorf("a batch of %d rows has %d bytes, more than %d", len(b.Rows), b.Bytes, most)
		}
	}
}

func status(t *testing.T, s *Spool) Status {
	t.Helper()
	st, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestRoundTrip(t *testing.T) {
	s := open(t, 0)
	var want []string
	for n := range 500 {
		want = append(want, fmt.Sprintf("%d %s", n, strings.Repeat("y", n)))
	}
	write(t, s, want...)
	if st := status(t, s); st.Waiting != 500 || st.Oldest.IsZero() || st.Destination != "there" {
		t.Errorf("status %+v: want 500 rows waiting", st)
	}
	for _, most := range []int{1000, 1} {
		if got := drain(t, s, most); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("in batches of %d: %d rows came out, want %d in order", most, len(got), len(want))
		}
		write(t, s, want...)
	}
	drain(t, s, 1<<20)
	if st := status(t, s); st.Waiting != 0 || st.Segments != 0 || st.Delivered != 1500 {
		t.Errorf("status %+v: want nothing left", st)
	}
}

// TestNotDone wants what was read and not noted to be read again.
func TestNotDone(t *testing.T) {
	s := open(t, 0)
	write(t, s, "a", "b", "c", "d")
	r, _ := s.Reader()
	first, _ := r.Next(2)
	r.Next(2)
	r.Done(first, 2)
	if other, err := s.Reader(); other != nil || err != nil {
		t.Errorf("two processes deliver at once: %v, %v", other, err)
	}
	if !status(t, s).Delivering {
		t.Error("the status does not say that somebody delivers")
	}
	r.Close()
	if got := strings.Join(drain(t, s, 100), ""); got != "cd" {
		t.Errorf("read %q again, want cd", got)
	}
}

// TestGrows reads a segment that is still being written.
func TestGrows(t *testing.T) {
	s := open(t, 0)
	w, _ := s.Writer()
	r, _ := s.Reader()
	for n := range 10 {
		row := fmt.Sprint("row ", n)
		w.Append([]byte(row))
		b, err := r.Next(100)
		if err != nil || len(b.Rows) != 1 || string(b.Rows[0]) != row {
			t.Fatalf("read %q, %v: want %s", b.Rows, err, row)
		}
		r.Done(b, 1)
	}
	if st := status(t, s); st.Segments != 1 {
		t.Errorf("a segment in use went away")
	}
	w.Close()
	r.Close()
	if st := status(t, s); st.Segments != 0 || st.Damaged != 0 {
		t.Errorf("status %+v: want nothing left", st)
	}
}

func TestFull(t *testing.T) {
	s := open(t, 1000)
	w, _ := s.Writer()
	row := bytes.Repeat([]byte("z"), 100-headLength)
	for range 25 {
		if _, err := w.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if st := status(t, s); w.Dropped() != 15 || st.Waiting != 10 || st.Bytes > 1000 || st.Dropped == 0 {
		t.Errorf("%d dropped, status %+v: want 10 rows and 15 dropped", w.Dropped(), st)
	}
	w.Close()
	if st := status(t, s); st.Dropped != 15 {
		t.Errorf("%d dropped are noted, want 15", st.Dropped)
	}
	if n := len(drain(t, s, 1<<20)); n != 10 {
		t.Errorf("%d rows delivered, want 10", n)
	}
	write(t, s, string(row))
	if ok, err := w.Append(nil); ok || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v, %v", ok, err)
	}
	w, _ = s.Writer()
	if ok, err := w.Append(make([]byte, MaxRow+1)); ok || !errors.Is(err, ErrLong) {
		t.Errorf("a row too long: %v, %v", ok, err)
	}
}

func TestDestination(t *testing.T) {
	s := open(t, 0)
	var other *OtherDestinationError
	if _, err := Open(s.Dir(), "elsewhere", 0); !errors.As(err, &other) {
		t.Errorf("got %v: want another destination refused", err)
	}
	if _, err := Look(t.TempDir()); err == nil {
		t.Error("any folder is a spool")
	}
}

// TestDamage overwrites the middle of a segment and cuts its end off.
func TestDamage(t *testing.T) {
	s := open(t, 0)
	write(t, s, "first", "second", "third", "fourth")
	names, _, _ := s.segments()
	name := filepath.Join(s.Dir(), names[0])
	text, _ := os.ReadFile(name)
	text[bytes.Index(text, []byte("second"))] ^= 1
	os.WriteFile(name, text[:len(text)-2], 0o600)
	os.WriteFile(filepath.Join(s.Dir(), stateFile), []byte("{half"), 0o600)
	if got := strings.Join(drain(t, s, 100), " "); got != "first third" {
		t.Errorf("read %q, want first third", got)
	}
	if st := status(t, s); st.Damaged == 0 || st.Segments != 0 {
		t.Errorf("status %+v: want the damage counted", st)
	}
}

// TestKill kills writers in the middle and wants every row that was in.
func TestKill(t *testing.T) {
	s := open(t, 0)
	var mu sync.Mutex
	said := map[string]bool{}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "SPOOL_WRITE="+s.Dir())
			out, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			buf, seen := make([]byte, 1<<16), []byte{}
			for len(seen) < 300_000 {
				n, err := out.Read(buf)
				if err != nil {
					break
				}
				seen = append(seen, buf[:n]...)
			}
			cmd.Process.Kill()
			cmd.Wait()
			mu.Lock()
			defer mu.Unlock()
			for _, row := range strings.Split(string(seen[:bytes.LastIndexByte(seen, '\n')]), "\n") {
				said[row] = true
			}
		})
	}
	all.Wait()
	got := map[string]bool{}
	for _, row := range drain(t, s, 1<<20) {
		got[row] = true
	}
	for row := range said {
		if !got[row] {
			t.Fatalf("the row %.20q was in the spool and is lost", row)
		}
	}
	if len(said) < 300 || status(t, s).Segments != 0 {
		t.Errorf("%d rows, status %+v", len(said), status(t, s))
	}
}

func TestQuarantine(t *testing.T) {
	s := open(t, 0)
	if err := s.Quarantine([]byte(`{"a":1}`), "400"); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(s.QuarantineFile())
	if !strings.Contains(string(text), `"why":"400","row":{"a":1}`) || status(t, s).Quarantined != 1 {
		t.Errorf("got %s", text)
	}
	if n, err := s.Release(); n != 1 || err != nil || status(t, s).Quarantined != 0 {
		t.Errorf("released %d, %v, status %+v", n, err, status(t, s))
	}
	if got := drain(t, s, 100); len(got) != 1 || got[0] != `{"a":1}` {
		t.Errorf("got %q back", got)
	}
	if n, err := s.Release(); n != 0 || err != nil {
		t.Errorf("released %d again, %v", n, err)
	}
}

// FuzzScan wants of any bytes that reading ends, goes over everything that is
// whole, and finds what was put in front and behind of garbage.
func FuzzScan(f *testing.F) {
	f.Add([]byte("BSR1"), 10)
	f.Add([]byte("BSR1\x05\x00\x00\x00xxxxhello"), 0)
	f.Add(appendRecord(nil, []byte("row")), 1)
	f.Add([]byte("BSBSRBSR1\xff\xff\xff\xffBSR"), 1<<20)
	f.Fuzz(func(t *testing.T, garbage []byte, most int) {
		row := []byte("a row of our own, with BSR1 in it")
		b := appendRecord(append(appendRecord(nil, row), garbage...), row)
		rows, n, damaged, _ := scan(b, len(b), true, true)
		if n != len(b) || damaged > len(garbage) && !bytes.Contains(garbage, []byte("BSR")) {
			t.Fatalf("went over %d of %d bytes, %d damaged", n, len(b), damaged)
		}
		if len(rows) == 0 || !bytes.Equal(rows[0], row) {
			t.Fatal("the row in front of the garbage is lost")
		}
		for off := 0; off < len(b); {
			_, n, _, full := scan(b[off:], most, true, false)
			if n == 0 {
				if full {
					t.Fatal("no row, though the first was asked for")
				}
				break
			}
			off += n
		}
	})
}
