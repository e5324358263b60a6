package builtin

import (
	"testing"
	"time"

	"github.com/besra-hunt/besra/detection"
)

// TestPack runs every sample, fixture, twin, probe and mutant of the embedded
// pack, on the day before its first exclusion expires.
func TestPack(t *testing.T) {
	pack, errs := Pack()
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	checks, err := detection.Test(t.Context(), pack, detection.TestOptions{At: time.Date(2027, 5, 30, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	exclusions := map[string]int{}
	for _, c := range checks {
		exclusions[c.Exclusion]++
		if c.Failure != "" {
			t.Errorf("%s, exclusion %q, %s %q: %s; %s", c.Detection, c.Exclusion, c.Kind, c.Name, c.Failure, c.Hint)
		}
	}
	for _, d := range pack.Detections {
		for _, x := range d.Exclusions() {
			if exclusions[x.ID] < 2 {
				t.Errorf("exclusion %s was tested %d times, want a benign fixture and a malicious twin", x.ID, exclusions[x.ID])
			}
			if x.Owner == "" || x.Reason == "" || x.Expires == "" {
				t.Errorf("exclusion %s: owner %q, reason %q, expires %q: all three are wanted", x.ID, x.Owner, x.Reason, x.Expires)
			}
		}
	}
}
