package diff

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara"
)

// example is rules in docs/differences.md and the answers to them.
var example = regexp.MustCompile("(?s)```yara\n(.*?)```\n```console\n(.*?)```")

// TestPage runs the examples of docs/differences.md: the lines of besra and
// besra-yara are what it answers. -update rewrites them.
func TestPage(t *testing.T) {
	name := filepath.Join("..", "..", "..", "docs", "differences.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	text := example.ReplaceAllStringFunc(string(page), func(found string) string {
		m := example.FindStringSubmatch(found)
		n++
		return "```yara\n" + m[1] + "```\n```console\n" + answered(t, m[1], m[2]) + "```"
	})
	if n < 10 {
		t.Errorf("got %d examples: the page or its form is another", n)
	}
	if text == string(page) {
		return
	}
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what Besra answers: run with -update and look at what changes", name)
}

// answered returns the lines of an example with Besra's answers.
func answered(t *testing.T, rules, lines string) string {
	t.Helper()
	var data string
	var b strings.Builder
	for line := range strings.Lines(lines) {
		who, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch who {
		case "data":
			var err error
			if data, err = strconv.Unquote(strings.TrimSpace(rest)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		case "besra", "besra-yara":
			d := map[string]yara.Dialect{"besra": yara.YARAX, "besra-yara": yara.LibYARA}[who]
			a := Besra{Dialect: d}.answer(rules, [][]byte{[]byte(data)})
			line = fmt.Sprintf("%-10s %s\n", who, a.short())
		}
		b.WriteString(line)
	}
	return b.String()
}

// short is an answer on one target in one line.
func (a Answer) short() string {
	if a.Refused != "" {
		return "refused"
	}
	var rules []string
	for _, r := range a.Scans[0].Rules {
		for _, m := range a.Scans[0].Matches {
			if m.Rule == strings.Fields(r)[0] {
				r += fmt.Sprintf(" %s %d+%d", m.Pattern, m.Offset, m.Length)
			}
		}
		rules = append(rules, r)
	}
	if len(rules) == 0 {
		return "-"
	}
	return strings.Join(rules, "; ")
}
