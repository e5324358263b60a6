package besra

import (
	"os"
	"strings"
	"testing"
)

// TestThirdPartyVersions holds the list of licences to go.mod: a module that
// was updated or dropped must be looked at again.
func TestThirdPartyVersions(t *testing.T) {
	list, err := os.ReadFile("THIRD_PARTY.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(list)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.Contains(cells[0], "/") {
			continue
		}
		rows++
		if want := strings.TrimPrefix(cells[0], "| ") + " " + cells[1]; !strings.Contains(string(mod), want) {
			t.Errorf("THIRD_PARTY.md lists %q, which go.mod does not require", want)
		}
		if licence := strings.Trim(cells[2], " |\n"); licence == "" || licence == "?" {
			t.Errorf("%s has no licence", cells[0])
		}
	}
	if rows < 10 {
		t.Errorf("read %d rows, want the whole list", rows)
	}
}
