package archive

import (
	"runtime"
	"slices"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// TestSolid reads 200 members of one block, and unpacks the block once, not once
// for each: what is allocated tells.
func TestSolid(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, under which the short tests are run, makes pools forget")
	}
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

// TestPassedOver: to read what lies behind a member that is too large for the memory
// costs the budget what the member would, and is left where that is too much.
func TestPassedOver(t *testing.T) {
	const large = 77786 // lines.txt, between two small members
	for _, tt := range []struct {
		bytes, left int64
		want        []string
		gaps        []string
	}{
		{100_000, 100_000 - large - 33 - 13, []string{"z!inner/b.txt", "z!other.txt"}, []string{"limit"}},
		{50_000, 50_000 - 33, []string{"z!inner/b.txt"}, []string{"limit", "limit"}},
	} {
		b := &besra.Budget{Members: 10, Bytes: tt.bytes, Member: 1000}
		in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "z", Content: read(t, "deflate64.7z")}, b)
		if got := keys(in.Content); !slices.Equal(got, tt.want) || !slices.Equal(in.Gaps, tt.gaps) || b.Bytes != tt.left {
			t.Errorf("%d bytes: got %q, gaps %q, %d bytes left, want %q, %q, %d", tt.bytes, got, in.Gaps, b.Bytes, tt.want, tt.gaps, tt.left)
		}
	}
}
