package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/besra-hunt/besra"
)

// processPlaces has the marker in the memory of a process: among its arguments.
func processPlaces() []spot {
	run := func(t *testing.T, dir string) string {
		cmd := exec.Command("sh", "-c", "echo up; read x", "sh", marker)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { stdin.Close(); cmd.Wait() })
		if _, err := out.Read(make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("process:%d", cmd.Process.Pid)
	}
	uid := strconv.Itoa(os.Geteuid())
	return []spot{
		{"memory of a process", run, "", -1, besra.ContextProcess,
			`process.uid == ` + uid + ` && process.name != ''`,
			`process.uid == ` + uid + `1 && process.name != ''`, besra.VerdictSuppressed, ""},
	}
}
