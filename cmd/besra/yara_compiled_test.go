package main

import (
	"os"
	"strings"
	"testing"
)

// TestCompiledDamage damages compiled rules at each byte, cuts them and adds to
// them: none is taken.
func TestCompiledDamage(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte(`rule r { strings: $a = "abcd" condition: $a }`))
	if _, stderr, code := runBesra([]string{"rule", "compile", "-o", "good", "r.yar"}); code != 0 {
		t.Fatal(stderr)
	}
	good, err := os.ReadFile("good")
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"more": append(good[:len(good):len(good)], 'x'), "nothing": nil}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		damaged["byte"] = bad
		damaged["cut"] = good[:i]
		for what, b := range damaged {
			writeFile(t, "bad", b)
			_, stderr, code := runBesra([]string{"yara", "-C", "bad", "r.yar"})
			if code != 1 || !strings.HasPrefix(stderr, "besra: error: bad: ") {
				t.Fatalf("%s %d: got exit code %d, %q", what, i, code, stderr)
			}
		}
	}
}
