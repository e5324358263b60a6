package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// hashDigits gives the length of each hash in hex digits.
var hashDigits = map[string]int{"file.md5": 32, "file.sha1": 40, "file.sha256": 64, "file.sha512": 128, "process.sha256": 64, "archive.sha256": 64}

// paths checks calls that judge a path.
func (s *subject) paths() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind != exclusion.KindCall || len(e.Args) < 2 || !intersects(e.Args[0].Facts(), pathFacts) {
			return true
		}
		for _, arg := range texts(s.x, e.Args[1]) {
			s.path(e, arg)
		}
		return true
	})
}

// path checks one call on a path fact with one argument.
func (s *subject) path(call *exclusion.Expr, arg string) {
	switch call.Name {
	case "startsWith", "contains":
		if call.Name == "contains" || !strings.HasSuffix(arg, "/") && !strings.HasSuffix(arg, `\`) {
			s.at(call, CodePathText, fmt.Sprintf("%s compares a path as text", call))
		}
	case "matches":
		if !anchored(arg) {
			s.at(call, CodeLooseRegexp, fmt.Sprintf("%s fits anywhere in the path", call))
		}
	case "under", "glob":
		s.relative(call, arg)
	}
}

// relative reports a path that no file of a host has.
func (s *subject) relative(call *exclusion.Expr, arg string) {
	onHost := slices.ContainsFunc(s.spec.Contexts, func(c besra.Context) bool {
		return c == besra.ContextFile || c == besra.ContextImage || c == besra.ContextProcess
	})
	if onHost && !strings.HasPrefix(arg, "/") && !strings.HasPrefix(arg, "**") && !absoluteWindows().MatchString(arg) {
		s.at(call, CodeRelativePath, fmt.Sprintf("%q is not an absolute path", arg))
	}
}

var absoluteWindows = lazyregexp.New(`^([A-Za-z]:[/\\]|\\\\)`)

// anchored reports whether a regular expression fits whole texts only.
func anchored(re string) bool {
	start := strings.HasPrefix(re, "^") || strings.HasPrefix(re, `\A`)
	end := strings.HasSuffix(re, "$") && !strings.HasSuffix(re, `\$`) || strings.HasSuffix(re, `\z`)
	return start && end && !strings.Contains(re, "|")
}

// comparisons checks what facts are compared with.
func (s *subject) comparisons() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind == exclusion.KindFact && e.Name == "scan.time" {
			s.at(e, CodeScanTime, "scan.time is when the scan ran")
		}
		if e.Kind == exclusion.KindCall && e.Name == "matches" && intersects(e.Args[0].Facts(), nameFacts) {
			if re, ok := value(s.x, e.Args[1]).(string); ok && !anchored(re) && !slices.Contains(e.Args[0].Facts(), "process.cmdline") {
				s.at(e, CodeLooseRegexp, fmt.Sprintf("%s fits any name that has it inside", e))
			}
		}
		s.equality(e)
		return true
	})
}

// equality checks fact == text, fact != text and fact in list.
func (s *subject) equality(e *exclusion.Expr) {
	if e.Kind != exclusion.KindCall || !slices.Contains([]string{"==", "!=", "in"}, e.Name) {
		return
	}
	fact, other := e.Args[0], e.Args[1]
	if fact.Kind != exclusion.KindFact && e.Name != "in" {
		fact, other = other, fact
	}
	if fact.Kind != exclusion.KindFact {
		return
	}
	for _, text := range texts(s.x, other) {
		if why := impossible(fact.Name, text); why != "" {
			s.at(other, CodeDeadComparison, fmt.Sprintf("%s is never %q: %s", fact.Name, text, why))
			return
		}
	}
}

// systems are the values of host.os that Besra meets.
var systems = []string{"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "linux", "netbsd", "openbsd", "plan9", "solaris", "windows"}

var lowerHex = lazyregexp.New(`^[0-9a-f]*$`)

// impossible says why a fact never has a value, or "".
func impossible(fact, text string) string {
	switch digits := hashDigits[fact]; {
	case digits > 0 && len(text) != digits:
		return fmt.Sprintf("it has %d hex digits, not %d", digits, len(text))
	case digits > 0 && !lowerHex().MatchString(text):
		return "it is lower-case hex"
	case fact == "host.os" && !slices.Contains(systems, text):
		return "systems are spelled as in linux, windows, darwin"
	case fact == "file.ext" && text != "" && !strings.HasPrefix(text, "."):
		return "it starts with its dot"
	case fact == "file.ext" && text != strings.ToLower(text):
		return "it is in lower case"
	case slices.Contains([]string{"file.name", "process.name"}, fact) && strings.Contains(text, "/"):
		return "a name has no slash"
	case slices.Contains([]string{"file.path", "file.dir"}, fact) && len(text) > 1 && strings.HasSuffix(text, "/"):
		return "it has no slash at its end"
	case slices.Contains([]string{"file.path", "file.dir"}, fact) && strings.Contains(text, `:\`):
		return "paths are written with slashes"
	}
	return ""
}

// knownBad looks for the detection's malware among what is trusted.
func (s *subject) knownBad() {
	if s.x == nil {
		return
	}
	bad := map[string]bool{}
	for _, h := range s.o.KnownBad {
		bad[strings.ToLower(strings.TrimSpace(h))] = true
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		for _, hash := range trusted(s.x, e) {
			if bad[strings.ToLower(hash)] {
				s.at(e, CodeKnownBadListed, fmt.Sprintf("%s is malware of this detection", hash))
				return false
			}
		}
		return true
	})
}

// trusted returns all text that a literal or parameter stands for.
func trusted(x *exclusion.Exclusion, e *exclusion.Expr) []string {
	switch v := value(x, e).(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}
