package ocsf

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.ndjson", *update) }

// check holds each event against the class Detection Finding: its required
// attributes, its enumerations, and that names and numbers say the same.
func check(out []byte) (findings int, err error) {
	for line := range bytes.Lines(out) {
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		var e event
		if err := dec.Decode(&e); err != nil {
			return 0, err
		}
		severity := map[int]string{0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal", 99: "Other"}[e.Severity]
		status := map[int]string{0: "Unknown", 1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"}[e.Status]
		switch {
		case e.Class != 2004 || e.Category != 2 || e.Activity != 1 || e.Type != e.Class*100+e.Activity:
			err = fmt.Errorf("class %d, category %d, activity %d, type %d", e.Class, e.Category, e.Activity, e.Type)
		case severity == "" || severity != e.SeverityName:
			err = fmt.Errorf("severity %d is %q", e.Severity, e.SeverityName)
		case status == "" || status != e.StatusName:
			err = fmt.Errorf("status %d is %q", e.Status, e.StatusName)
		case e.Metadata.Version == "" || e.Metadata.Product.Vendor == "":
			err = fmt.Errorf("metadata %+v", e.Metadata)
		case e.IsAlert == (e.Unmapped.Verdict == "suppressed"):
			err = fmt.Errorf("is_alert is %v of a finding that is %s", e.IsAlert, e.Unmapped.Verdict)
		}
		if err != nil {
			return 0, err
		}
		findings++
	}
	return findings, nil
}
