// Package builtin holds the pack that is embedded in the program: what `besra
// hunt` looks for when no --pack is given. Its rules keep their author,
// licence and source; see the provenance of each detection.
package builtin

import (
	"embed"

	"github.com/besra-hunt/besra/detection"
)

//go:embed all:eqgrp-mixtext
var files embed.FS

// Pack returns the embedded pack.
func Pack() (*detection.Pack, []error) { return detection.LoadPack("builtin", files) }
