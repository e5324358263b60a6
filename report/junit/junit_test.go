package junit

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="besra" tests="3" failures="1" errors="0">
  <testsuite name="d" tests="3" failures="1" errors="0" skipped="1" time="0.002" timestamp="2026-03-14T09:26:53" file="d.yaml">
    <testcase classname="d.x" name="a &lt;b&gt; \x00" time="0.002"></testcase>
    <testcase classname="d.x" name="bad" time="0.000">
      <failure message="it &#34;does not&#34; hold" type="mutant">mend it</failure>
    </testcase>
    <testcase classname="d" name="later" time="0.000">
      <skipped message="no time"></skipped>
    </testcase>
  </testsuite>
</testsuites>
`

func TestWrite(t *testing.T) {
	suite := Suite{Name: "d", File: "d.yaml", Time: time.Date(2026, 3, 14, 9, 26, 53, 5, time.UTC), Cases: []Case{
		{Class: "d.x", Name: "a <b> \x00", Duration: 1500 * time.Microsecond},
		{Class: "d.x", Name: "bad", Failure: `it "does not" hold`, Kind: "mutant", Detail: "mend it"},
		{Class: "d", Name: "later", Skipped: "no time"},
	}}
	var out bytes.Buffer
	if err := Write(&out, "besra", []Suite{suite}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHostile wants XML that can be read back, whatever a name holds.
func TestHostile(t *testing.T) {
	for _, s := range []string{"\x00\x01\x1b", "\xff", "]]>", "\ufffe\uffff", strings.Repeat("&", 100)} {
		var out bytes.Buffer
		if err := Write(&out, s, []Suite{{Name: s, Host: s, File: s, Cases: []Case{{Class: s, Name: s, Error: s, Kind: s, Detail: s}}}}); err != nil {
			t.Fatal(err)
		}
		var doc xmlSuites
		if err := xml.Unmarshal(out.Bytes(), &doc); err != nil || doc.Errors != 1 {
			t.Errorf("%q: %v, %+v", s, err, doc)
		}
	}
}
