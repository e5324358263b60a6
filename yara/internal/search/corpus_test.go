package search

import (
	"archive/tar"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"go/build"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// sharedDir is the folder of shared material beside the checkout.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no shared folder beside the checkout")
	}
	return dir
}

// ruleLiterals returns a pattern for each text and hex pattern of a public
// rule set, read by a crude look at the source: enough for the real mix of
// lengths and bytes, not for meaning. A hex pattern is its longest run of bytes.
func ruleLiterals(t testing.TB, name string) []program.Pattern {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedDir(t), "corpora", "rules", name+".tar.gz"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	var list []program.Pattern
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if ext := path.Ext(h.Name); ext != ".yar" && ext != ".yara" {
			continue
		}
		src, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range literalsOf(string(src)) {
			key := show(&p)
			if !seen[key] {
				seen[key] = true
				list = append(list, p)
			}
		}
	}
}

var (
	metaSection = regexp.MustCompile(`(?s)meta\s*:.*?(strings|condition)\s*:`)
	textPattern = regexp.MustCompile(`\$\w*\s*=\s*"((?:[^"\\\n]|\\.)*)"([^\n/]*)`)
	hexPattern  = regexp.MustCompile(`\$\w*\s*=\s*\{([^}]*)\}`)
	notBytes    = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*|\s`)
	hexRun      = regexp.MustCompile(`(?:[0-9A-Fa-f]{2})+`)
)

func literalsOf(src string) (list []program.Pattern) {
	src = metaSection.ReplaceAllString(src, "$1:")
	for _, m := range textPattern.FindAllStringSubmatch(src, -1) {
		text, err := strconv.Unquote(`"` + m[1] + `"`)
		if err != nil || text == "" || strings.Contains(m[2], "base64") || strings.Contains(m[2], "xor") {
			continue
		}
		n := program.Needle{Bytes: []byte(text), Fold: strings.Contains(m[2], "nocase")}
		p := program.Pattern{At: -1}
		if wide := strings.Contains(m[2], "wide"); !wide || strings.Contains(m[2], "ascii") {
			p.Needles = append(p.Needles, n)
		} else if wide {
			n.Bytes = widened(n.Bytes)
			p.Needles = append(p.Needles, n)
		}
		list = append(list, p)
	}
	for _, m := range hexPattern.FindAllStringSubmatch(src, -1) {
		var longest string
		for _, run := range hexRun.FindAllString(notBytes.ReplaceAllString(m[1], ""), -1) {
			if len(run) > len(longest) {
				longest = run
			}
		}
		if b, err := hex.DecodeString(longest); err == nil && len(b) > 0 {
			list = append(list, program.Pattern{At: -1, Needles: []program.Needle{{Bytes: b}}})
		}
	}
	return list
}

// madeLiterals are n literals of the lengths that rule sets have: words and
// code, half of them long.
func madeLiterals(n int) []program.Pattern {
	g := rand.New(rand.NewPCG(1, uint64(n)))
	list := make([]program.Pattern, n)
	for i := range list {
		length := []int{5, 8, 12, 16, 20, 24, 32, 48}[g.IntN(8)] + g.IntN(4)
		b := make([]byte, 0, length+12)
		for len(b) < length {
			if i%3 == 0 {
				b = append(b, byte(g.IntN(256)))
			} else {
				b = append(b, madeWord(g)...)
			}
		}
		list[i] = program.Pattern{At: -1, Needles: []program.Needle{{Bytes: b[:length], Fold: i%25 == 0}}}
	}
	return list
}

// madeWord is a word that looks like an identifier, and what may follow one.
func madeWord(g *rand.Rand) string {
	const vowels, consonants = "aeiouaeiey", "bcdfghklmnprstvwlnrstxz"
	word := make([]byte, 0, 16)
	for range 1 + g.IntN(4) {
		word = append(word, consonants[g.IntN(len(consonants))], vowels[g.IntN(len(vowels))])
		if g.IntN(3) == 0 {
			word = append(word, consonants[g.IntN(len(consonants))])
		}
	}
	return string(append(word, " ._/\\%:=0"[g.IntN(9)]))
}

// Data to search: made of nothing, and a file of the Go installation.

func randomData(n int) []byte {
	g := rand.New(rand.NewPCG(7, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func textData(n int) []byte {
	g := rand.New(rand.NewPCG(9, 9))
	b := make([]byte, 0, n+32)
	for len(b) < n {
		b = append(b, madeWord(g)...)
		b = append(b, " the a of to is\n"[g.IntN(12):]...)
	}
	return b[:n]
}

func goFile(t testing.TB, name string, limit int) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(build.Default.GOROOT, filepath.FromSlash(name)))
	if err != nil {
		return nil
	}
	return b[:min(len(b), limit)]
}
