package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
)

// pagesOf makes the pagemap of a mapping at the first page of memory, from a
// letter a page: m in memory, s in swap, and others for what is neither.
func pagesOf(letters string) pagemap {
	const softDirty = 1 << 55
	b := make([]byte, pageEntry, pageEntry+pageEntry*len(letters))
	for _, l := range letters {
		entry := map[rune]uint64{'m': pageInMemory, 's': pageInSwap | 7, 'd': softDirty}[l]
		b = binary.NativeEndian.AppendUint64(b, entry)
	}
	return pagemap{bytes.NewReader(b), 4096, make([]byte, pagemapPiece)}
}

func TestTouched(t *testing.T) {
	less, as := strings.Repeat(".", hole/4096-1), strings.Repeat(".", hole/4096)
	const pieces = 3 * pagemapPiece / pageEntry
	far := strings.Repeat(".", pieces)
	tests := []struct {
		name, pages string
		size        int        // pages of the mapping, where the pagemap tells of less
		want        [][2]int64 // first page and number of pages
	}{
		{"touched", "mmmm", 0, [][2]int64{{0, 4}}},
		{"a small hole", "m" + less + "m", 0, [][2]int64{{0, 17}}},
		{"a hole", "m" + as + "mm", 0, [][2]int64{{0, 1}, {17, 2}}},
		{"small holes at the ends", less + "m" + less, 0, [][2]int64{{0, 31}}},
		{"holes at the ends", as + "m" + as, 0, [][2]int64{{16, 1}}},
		{"in swap", as + "s" + as, 0, [][2]int64{{16, 1}}},
		{"other marks are no touch", as + "d" + as, 0, nil},
		{"small and untouched", less, 0, [][2]int64{{0, 15}}},
		{"large and untouched", far, 0, nil},
		{"far in", far + "m" + far, 0, [][2]int64{{pieces, 1}}},
		{"not told of", "", 40, [][2]int64{{0, 40}}},
		{"told of in part", "m" + as, 20, [][2]int64{{0, 1}, {17, 3}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mapping{start: 4096, end: 4096 * int64(1+max(tt.size, len(tt.pages)))}
			parts, err := pagesOf(tt.pages).touched(t.Context(), m)
			var got [][2]int64
			for _, r := range parts {
				got = append(got, [2]int64{r.Base/4096 - 1, r.Size / 4096})
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v and error %v, want %v", got, err, tt.want)
			}
		})
	}
}

// TestTouchedEnds: a pagemap of terabytes is not read to its end when the hunt
// is broken off.
func TestTouchedEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	p := pagemap{readerAt(func(b []byte) (int, error) { reads++; cancel(); return len(b), nil }), 4096, make([]byte, pagemapPiece)}
	if _, err := p.touched(ctx, mapping{end: 1 << 44}); !errors.Is(err, context.Canceled) || reads != 1 {
		t.Errorf("got error %v after %d reads, want that it was broken off after one", err, reads)
	}
}

type readerAt func([]byte) (int, error)

func (r readerAt) ReadAt(b []byte, _ int64) (int, error) { return r(b) }

// TestHolesOfProcess: only what nobody else can fill has holes.
func TestHolesOfProcess(t *testing.T) {
	f := newFake(t)
	f.process(101, 1, "/bin/x", "")
	f.write("101/maps", "100000-200000 rw-p 00000000 00:00 0 \n"+
		"200000-300000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n"+
		"300000-400000 rw-p 00000000 08:01 7 /lib/a.so\n")
	want := []besra.Region{{Base: 0x100000, Size: 0x100000}, {Base: 0x200000, Size: 0x100000}, {Base: 0x300000, Size: 0x100000}}
	check := func(name string, want []besra.Region) {
		t.Helper()
		h, err := proc(f.dir).open(101)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		maps, err := h.mappings()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.touched(t.Context(), maps); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %x and error %v, want %x", name, got, err, want)
		}
	}
	check("without a pagemap", want)
	f.write("101/pagemap", strings.Repeat("\x00", 0x400000/4096*pageEntry))
	check("with nothing touched", want[1:])
}
