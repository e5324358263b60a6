package archive

import (
	"runtime"
	"testing"
)

// TestSolid reads 200 members of one block, and unpacks the block once, not once
// for each: what is allocated tells.
func TestSolid(t *testing.T) {
	const members, most = 200, 3 << 20
	content := read(t, "solid.7z")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in := expand(t, "solid.7z", content)
	runtime.ReadMemStats(&after)
	if len(in.Content) != members || string(in.Content["solid.7z!200.txt"]) != "member 200\n" {
		t.Errorf("found %d members, the last %q", len(in.Content), in.Content["solid.7z!200.txt"])
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("allocated %d bytes, want at most %d", got, most)
	}
}
