package detection

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of a detection file. It is
// made of the Go types and their comments by a test, which also holds it to
// them.
func Schema() []byte { return slices.Clone(schema) }
