//go:build unix

package ledger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// crashEnv names the ledger to a child of TestKilled.
const crashEnv = "BESRA_TEST_LEDGER"

func TestMain(m *testing.M) {
	if name := os.Getenv(crashEnv); name != "" {
		appendForever(name)
	}
	os.Exit(m.Run())
}

// appendForever appends findings and says which are committed, until it is killed.
func appendForever(name string) {
	l, err := Open(name)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	s := l.Sink()
	for n := 0; ; n++ {
		f := finding(fmt.Sprintf("p%d-%d", os.Getpid(), n))
		f.Suppression.Reason = strings.Repeat("x", rand.IntN(60_000)) // so that a write takes its time
		if err := s.Write(context.Background(), findingRecord(f)); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(f.ID)
	}
}

// TestKilled kills pairs of writers of one ledger at random points, and wants
// every entry that one of them was told is committed.
func TestKilled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.ledger")
	committed := map[string]bool{}
	for range 8 {
		var children []*exec.Cmd
		var outs []*bufio.Scanner
		for range 2 {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), crashEnv+"="+name)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			children, outs = append(children, c), append(outs, bufio.NewScanner(out))
		}
		for n := rand.IntN(20); n >= 0 && outs[0].Scan(); n-- {
			committed[outs[0].Text()] = true
		}
		for i, c := range children {
			c.Process.Kill()
			for outs[i].Scan() {
				committed[outs[i].Text()] = true
			}
			c.Wait()
		}
	}
	open(t, name).Close() // cuts off what is half-written
	v, err := Verify(name)
	if err != nil || len(v.Problems) > 0 {
		t.Fatalf("got %+v, %v", v, err)
	}
	h, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for id := range committed {
		if _, ok := h.byID[id]; !ok {
			t.Errorf("%s was committed and is lost", id)
		}
	}
	t.Logf("%d committed, %d in the ledger", len(committed), len(h.byID))
}
