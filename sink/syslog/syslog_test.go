package syslog

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"regexp"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// record is a stand-in for a line format.
func record(w io.Writer) besra.Sink { return New(w, "ndjson", besra.Record.MarshalJSON) }

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: record, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, record, "rich.syslog", *update) }

// form is the grammar of RFC 5424, section 6, for one element of structured data.
var form = regexp.MustCompile(`^<(\d{1,3})>1 (-|\S+) ([!-~]{1,255}) besra - ([!-~]{1,32}) \[besra@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)$`)

func check(out []byte) (findings int, err error) {
	for line := range bytes.Lines(out) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		m := form.FindSubmatch(line)
		if m == nil || !utf8.Valid(line) {
			return 0, fmt.Errorf("not a message: %.300q", line)
		}
		if _, err := time.Parse(time.RFC3339Nano, string(m[2])); err != nil && string(m[2]) != "-" {
			return 0, err
		}
		findings++
	}
	return findings, nil
}
