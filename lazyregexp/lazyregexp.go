// Package lazyregexp compiles regular expressions when they are first used. A
// command uses few of those that all packages know, and compiling all took a
// fifth of the start of the program.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the expression. It panics when first
// called where the text is no expression, so it is for texts in the source.
func New(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
