package besra

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func unpack(t *testing.T, b *Budget, content string) *Unpacked {
	t.Helper()
	u, err := b.Unpack(strings.NewReader(content))
	if err != nil || string(u.Bytes()) != content {
		t.Fatalf("got %.20q, %v, want %.20q", u.Bytes(), err, content)
	}
	return u
}

// TestUnpackWithin holds contents open within one another, as members of members
// are: none may have the memory of another that is not closed.
func TestUnpackWithin(t *testing.T) {
	b := &Budget{Bytes: 1 << 20, Member: 1 << 16}
	for range 3 {
		outer := unpack(t, b, strings.Repeat("outer", 1000))
		for _, content := range []string{"first", "second"} {
			inner := unpack(t, b, strings.Repeat(content, 1000))
			if err := errors.Join(inner.Close(), inner.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if string(outer.Bytes()) != strings.Repeat("outer", 1000) {
			t.Fatal("the outer content was overwritten")
		}
		outer.Close()
	}
}

func TestUnpackLimits(t *testing.T) {
	b := &Budget{Bytes: 25, Member: 10}
	for _, c := range []struct {
		size int
		fits bool
		left int64 // of the bytes
	}{{10, true, 15}, {11, false, 15}, {10, true, 5}, {6, false, 5}, {5, true, 0}, {1, false, 0}} {
		_, err := b.Unpack(strings.NewReader(strings.Repeat("x", c.size)))
		var limit *LimitError
		if errors.As(err, &limit) == c.fits || b.Bytes != c.left {
			t.Errorf("%d bytes: got %v, %d left, want %d", c.size, err, b.Bytes, c.left)
		}
	}
	b = &Budget{Bytes: 25, Member: 10}
	u, err := b.Unpack(io.MultiReader(strings.NewReader("before"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err != io.ErrUnexpectedEOF || string(u.Bytes()) != "before" || b.Bytes != 19 {
		t.Errorf("got %q, %v, %d left", u.Bytes(), err, b.Bytes)
	}
}
