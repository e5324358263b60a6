package syslog

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
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

// check reads each line by the grammar of RFC 5424, section 6.
func check(out []byte) (findings int, err error) {
	for line := range bytes.Lines(out) {
		if err := rfc5424(string(bytes.TrimSuffix(line, []byte("\n")))); err != nil {
			return 0, fmt.Errorf("%w: %.300q", err, line)
		}
		findings++
	}
	return findings, nil
}

var (
	pri       = regexp.MustCompile(`^<(0|[1-9]\d{0,2})>1$`)
	timestamp = regexp.MustCompile(`^(-|\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-][0-2]\d:[0-5]\d))$`)
	sdName    = `[!#-<>-\\^-~]{1,32}` // printable ASCII but =, ], " and the space
	sdID      = regexp.MustCompile(`^\[(` + sdName + `)`)
	sdParam   = regexp.MustCompile(`^ (` + sdName + `)="((?:[^"\\\]]|\\["\\\]])*)"`)
	private   = regexp.MustCompile(`^[^@]+@\d+(\.\d+)*$`)
)

// rfc5424 says what is wrong with a message that has one element of structured
// data, in a name space of its own.
func rfc5424(text string) error {
	fields := strings.SplitN(text, " ", 7)
	if len(fields) != 7 || !utf8.ValidString(text) {
		return errors.New("no seven fields of UTF-8")
	}
	m := pri.FindStringSubmatch(fields[0])
	if m == nil {
		return fmt.Errorf("priority and version are %q", fields[0])
	}
	if n, _ := strconv.Atoi(m[1]); n > 191 {
		return fmt.Errorf("priority %d is none", n)
	}
	if at := fields[1]; !timestamp.MatchString(at) {
		return fmt.Errorf("timestamp is %q", at)
	} else if _, err := time.Parse(time.RFC3339Nano, at); at != "-" && err != nil {
		return err
	}
	for i, most := range []int{255, 48, 128, 32} { // host, application, process, message
		if f := fields[2+i]; f == "" || len(f) > most || strings.ContainsFunc(f, func(r rune) bool { return r < '!' || r > '~' }) {
			return fmt.Errorf("field %d of the header is %q", 3+i, f)
		}
	}
	rest := fields[6]
	id := sdID.FindStringSubmatch(rest)
	if id == nil || !private.MatchString(id[1]) {
		return errors.New("no element of structured data in a private name space")
	}
	rest = rest[len(id[0]):]
	for m := sdParam.FindString(rest); m != ""; m = sdParam.FindString(rest) {
		rest = rest[len(m):]
	}
	if rest != "]" && !strings.HasPrefix(rest, "] ") {
		return fmt.Errorf("the element does not end before %.40q", rest)
	}
	return nil
}

// TestGrammar holds the checker itself to what the RFC shows.
func TestGrammar(t *testing.T) {
	const head = "<165>1 2003-10-11T22:14:15.003Z host besra - ID47 "
	for text, good := range map[string]bool{
		head + `[a@32473 iut="3" b="x\]\"\\"] BOM`: true, head + `[a@32473] x`: true, head + `[a@32473]`: true, `<0>1 - - - - - [a@1]`: true,
		head + `[a x="y"] m`: false, head + `[a@1 x="]"] m`: false, head + `[a@1 x="\n"] m`: false, head + `[a@1 x="y"]m`: false, head + `-`: false,
		`<192>1 - - - - - [a@1]`: false, `<01>1 - - - - - [a@1]`: false, `<1>2 - - - - - [a@1]`: false, `<1>1 2003-10-11T22:14:60Z - - - - [a@1]`: false,
		`<1>1 2003-10-11t22:14:15Z - - - - [a@1]`: false, `<1>1 2003-10-11T22:14:15.0000001Z - - - - [a@1]`: false, `<1>1 - é - - - [a@1]`: false,
		`<1>1 - - ` + strings.Repeat("a", 49) + ` - - [a@1]`: false,
	} {
		if err := rfc5424(text); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
