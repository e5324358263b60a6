package cef

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check(keys(t))})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.cef", *update) }

// header has six fields that end with a bar; in a field, a bar and a backslash
// are escaped and line ends are not allowed.
var headerForm = regexp.MustCompile(`^CEF:0\|((?:[^|\\\r\n]|\\[|\\])*)\|((?:[^|\\\r\n]|\\[|\\])*)\|((?:[^|\\\r\n]|\\[|\\])*)\|((?:[^|\\\r\n]|\\[|\\])*)\|((?:[^|\\\r\n]|\\[|\\])*)\|([0-9]|10)\|`)

// pairForm is a key, and a value in which an equals sign and a backslash are
// escaped, up to the next key or the end.
var pairForm = regexp.MustCompile(`^([A-Za-z0-9]+)=((?:[^=\\\r\n]|\\[=\\nr])*?)(?: ([A-Za-z0-9]+=)|$)`)

// headerMost are the characters that fields of the header take at most: vendor,
// product, version, class of event, name.
var headerMost = []int{63, 63, 31, 1023, 512}

var keyForms = map[string]*regexp.Regexp{"time": regexp.MustCompile(`^\d{1,15}$`), "integer": regexp.MustCompile(`^\d+$`), "string": regexp.MustCompile(`.`)}

// key is what the dictionary says of a key.
type key struct {
	form *regexp.Regexp
	most int // characters; 0 for numbers
}

func keys(t *testing.T) map[string]key {
	text, err := os.ReadFile("testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]key{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "# ")
		if fields := strings.Fields(line); len(fields) > 1 {
			k := key{form: keyForms[fields[1]]}
			if len(fields) > 2 {
				k.most, _ = strconv.Atoi(fields[2])
			}
			out[fields[0]] = k
		}
	}
	return out
}

// check reads every line as a strict collector does.
func check(keys map[string]key) func([]byte) (int, error) {
	return func(out []byte) (findings int, err error) {
		for line := range bytes.Lines(out) {
			if err := event(keys, string(bytes.TrimSuffix(line, []byte("\n")))); err != nil {
				return 0, fmt.Errorf("%w: %.300q", err, line)
			}
			findings++
		}
		return findings, nil
	}
}

func event(keys map[string]key, text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("not UTF-8, or a control character")
	}
	m := headerForm.FindStringSubmatch(text)
	if m == nil {
		return errors.New("no header of seven fields")
	}
	for i, most := range headerMost {
		if n := len([]rune(unescaped.Replace(m[i+1]))); n == 0 || n > most {
			return fmt.Errorf("field %d of the header has %d characters", i+1, n)
		}
	}
	seen := map[string]bool{}
	for rest := text[len(m[0]):]; rest != ""; {
		pair := pairForm.FindStringSubmatch(rest)
		if pair == nil {
			return fmt.Errorf("no key and value at %.100q", rest)
		}
		k, known := keys[pair[1]]
		value := unescaped.Replace(pair[2])
		switch {
		case !known || seen[pair[1]]:
			return fmt.Errorf("%q is no key, or is there twice", pair[1])
		case !k.form.MatchString(value) || k.most > 0 && len([]rune(value)) > k.most:
			return fmt.Errorf("%s is %.100q of %d characters", pair[1], value, len([]rune(value)))
		}
		seen[pair[1]] = true
		rest = rest[len(pair[0])-len(pair[3]):]
	}
	for k := range seen {
		if strings.HasPrefix(k, "cs") && len(k) == 3 && !seen[k+"Label"] {
			return fmt.Errorf("%s has no label", k)
		}
	}
	return nil
}

var unescaped = strings.NewReplacer(`\\`, `\`, `\|`, `|`, `\=`, `=`)
