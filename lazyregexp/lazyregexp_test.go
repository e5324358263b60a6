package lazyregexp

import "testing"

func TestNew(t *testing.T) {
	word := New(`^[a-z]+$`)
	first := word()
	if first != word() || !word().MatchString("abc") || word().MatchString("a1") {
		t.Error("got another expression, or a wrong one")
	}
	defer func() {
		if recover() == nil {
			t.Error("an expression that is none did not panic")
		}
	}()
	New(`(`)()
}
