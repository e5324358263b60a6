// Package docs holds the pages that commands show, too, so that there is one
// text of each.
package docs

import _ "embed"

// Diagnostics is the page of all codes of errors and warnings about rules: a
// heading of the third level for each, and examples in fences.
//
//go:embed diagnostics.md
var Diagnostics string
