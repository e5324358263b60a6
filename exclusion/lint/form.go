package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// forms are ways to write a path that the facts never use.
var forms = []struct {
	is  func() *regexp.Regexp
	why string
}{
	{lazyregexp.New(`^~|[$%][A-Za-z{]`), "no shell expands it"},
	{lazyregexp.New(`(^|[/\\])\.\.?([/\\]|$)`), "paths have no . and .. elements"},
	{lazyregexp.New(`[^/:]//|^//[^?./]`), "paths have no empty elements"},
	{lazyregexp.New(`^[/\\]{2}[?.][/\\]|^\\Device\\`), "paths are those that users see, without the prefixes of Windows' kernel"},
	{lazyregexp.New(`~[0-9]+(\.|[/\\]|$)`), "paths have their long names, not those of DOS"},
	{lazyregexp.New(`^file:`), "it is a URL"},
	{lazyregexp.New(`^\s|\s$`), "it begins or ends with a blank"},
}

// merged are the directories that current systems keep below /usr.
var merged = []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64"}

// forms checks how paths are written that a path fact is compared with.
func (s *subject) forms() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind != exclusion.KindCall || len(e.Args) < 2 || e.Name == "matches" {
			return true
		}
		fact, other := e.Args[0], e.Args[1]
		if fact.Kind != exclusion.KindFact {
			fact, other = other, fact
		}
		if fact.Kind == exclusion.KindFact && slices.Contains(pathFacts, fact.Name) {
			s.form(e, other)
		}
		return true
	})
}

func (s *subject) form(call, other *exclusion.Expr) {
	for _, path := range texts(s.x, other) {
		for _, f := range forms {
			if f.is().MatchString(path) {
				s.at(call, CodePathForm, fmt.Sprintf("%q is never so in a path: %s", path, f.why))
				return
			}
		}
		if i := slices.IndexFunc(merged, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }); i >= 0 {
			s.at(call, CodeMergedUsr, fmt.Sprintf("most Linux hosts keep %s in /usr%s", path, path))
			return
		}
	}
}

// windowsName is a name or path that only Windows uses.
var windowsName = lazyregexp.New(`(?i)^[a-z]:[/\\]|\.(exe|dll|sys|bat|cmd|ps1|psm1|vbs|msi|scr|lnk|hta)$`)

// caseOf reports comparisons of names as text where upper and lower case are
// the same name: on Windows.
func (s *subject) caseOf() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind != exclusion.KindCall || len(e.Args) != 2 || !slices.Contains([]string{"==", "!=", "in", "startsWith", "endsWith", "contains"}, e.Name) {
			return true
		}
		facts := e.Facts()
		if len(facts) == 0 || !slices.ContainsFunc(facts, isName) {
			return true
		}
		if text, ok := firstOf(texts(s.x, e), windowsName().MatchString); ok {
			s.at(e, CodeCaseCompare, fmt.Sprintf("%q is one name in upper and lower case on Windows, and compared letter by letter", text))
		}
		return true
	})
}

// isName reports whether a fact is a path, or a name that a path ends with.
func isName(fact string) bool {
	return slices.Contains(pathFacts, fact) || slices.Contains([]string{"file.name", "process.name", "opener.names", "process.ancestors"}, fact)
}
