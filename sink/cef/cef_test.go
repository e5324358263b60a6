package cef

import (
	"bytes"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.cef", *update) }

var (
	headerForm = regexp.MustCompile(`^CEF:0((?:\|(?:[^|\\]|\\[|\\])*){6})\|`)
	pairForm   = regexp.MustCompile(`^([A-Za-z0-9]+)=((?:[^=\\]|\\[=\\])*?)(?: ([A-Za-z0-9]+=)|$)`)
	keys       = strings.Fields("rt dvchost externalId cat act fname fileHash fsize cnt msg cs1 cs2 cs3 cs4 cs5 cs6 cs1Label cs2Label cs3Label cs4Label cs5Label cs6Label")
)

// check reads every line as a collector does.
func check(out []byte) (findings int, err error) {
	for line := range bytes.Lines(out) {
		text := string(bytes.TrimSuffix(line, []byte("\n")))
		m := headerForm.FindString(text)
		if m == "" || strings.ContainsAny(text, "\r\n\x00\x1b") {
			return 0, fmt.Errorf("no header of seven fields: %.200q", text)
		}
		if n := m[len(m)-2]; n < '0' || n > '9' {
			return 0, fmt.Errorf("severity ends in %q", n)
		}
		for rest := text[len(m):]; rest != ""; {
			pair := pairForm.FindStringSubmatch(rest)
			if pair == nil {
				return 0, fmt.Errorf("no key and value: %.200q", rest)
			}
			if !strings.Contains(" "+strings.Join(keys, " ")+" ", " "+pair[1]+" ") {
				return 0, fmt.Errorf("unknown key %q in %.200q", pair[1], rest)
			}
			if len([]rune(pair[2])) > 2100 {
				return 0, fmt.Errorf("%s has %d characters", pair[1], len(pair[2]))
			}
			rest = rest[len(pair[0])-len(pair[3]):]
		}
		findings++
	}
	return findings, nil
}
