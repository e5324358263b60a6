package sarif

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// TestSchema holds every log of the contract to the published JSON schema, its
// formats too (npm: @microsoft/jest-sarif).
func TestSchema(t *testing.T) {
	f, err := os.Open(sinktest.Schema(t, "node_modules", "@microsoft", "jest-sarif", "lib", "schemas", "sarif-2.1.0-rtm.5.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://sarif.example/schema", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("https://sarif.example/schema")
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Run(t, sinktest.Contract{New: New, Check: func(out []byte) (findings int, err error) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			return 0, err
		}
		var l log
		if err := json.Unmarshal(out, &l); err != nil {
			return 0, err
		}
		for _, r := range l.Runs {
			findings += len(r.Results)
		}
		return findings, schema.Validate(doc)
	}})
}
