package main

import (
	"testing"

	"github.com/besra-hunt/besra"
)

// TestProcessLeftOut: a process without memory was not scanned, which its exit
// code and a line tell.
func TestProcessLeftOut(t *testing.T) {
	job := &yaraJob{path: "2"}
	(&memoryReceiver{job: job}).Gap(besra.Gap{Kind: besra.GapSkip, Reason: "kernel-thread", Count: 1})
	if got, want := job.err.String(), "error scanning 2: kernel-thread\n"; got != want || !job.failed {
		t.Errorf("got %q and failed %v, want %q", got, job.failed, want)
	}
}
