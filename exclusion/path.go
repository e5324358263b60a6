package exclusion

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// folds reports whether file names of an operating system (as GOOS spells it)
// are the same in upper and lower case, as they are by default on it.
func folds(goos string) bool { return goos == "windows" || goos == "darwin" }

// CleanPath brings a path to the form in which paths are compared: slashes, no
// empty or "." element, no trailing slash. A ".." element is an error, because
// what it leads to depends on links that only the host knows.
func CleanPath(p string) (string, error) {
	if windowsPath(p) {
		p = strings.ReplaceAll(p, `\`, "/")
		p = strings.TrimPrefix(strings.TrimPrefix(p, "//?/"), "//./")
	}
	switch {
	case p == "":
		return "", errors.New("the path is empty")
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("the path %q has a .. element", p)
	}
	return path.Clean(p), nil
}

// windowsPath reports whether p starts with a drive or a double backslash, so
// that its backslashes separate. Elsewhere a backslash is a letter of a name.
func windowsPath(p string) bool {
	if strings.HasPrefix(p, `\\`) {
		return true
	}
	return len(p) >= 3 && p[1] == ':' && strings.Contains(`/\`, p[2:3]) && ('a' <= p[0]|0x20 && p[0]|0x20 <= 'z')
}

// Under reports whether path lies in the directory dir or in one below it,
// element by element: /var/update-evil is not under /var/update, and neither is
// /var/update itself. With fold the case of letters does not matter. An empty
// path or one with a .. element is an error. Nothing is read from disk: the
// caller gives a path that is already canonical on its host.
func Under(path, dir string, fold bool) (bool, error) {
	p, err := CleanPath(path)
	if err != nil {
		return false, err
	}
	d, err := CleanPath(dir)
	if err != nil {
		return false, err
	}
	if d == "/" {
		return strings.HasPrefix(p, "/") && p != "/", nil
	}
	inner, outer := strings.Split(p, "/"), strings.Split(d, "/")
	if d == "." {
		outer = nil
		if strings.HasPrefix(p, "/") || p == "." {
			return false, nil
		}
	}
	return len(inner) > len(outer) && slices.EqualFunc(inner[:len(outer)], outer, equalElement(fold)), nil
}

func equalElement(fold bool) func(a, b string) bool {
	if fold {
		return strings.EqualFold
	}
	return func(a, b string) bool { return a == b }
}

// GlobRegexp translates a path pattern to an anchored RE2 expression. In a
// pattern "*" stands for any characters of one element, "?" for one, "[a-z]"
// and "[!a-z]" for one of a class, and an element "**" for any number of
// elements, none included (at the end: for at least one). A backslash takes the
// next character as it is, except in a Windows path, where it separates.
func GlobRegexp(pattern string, fold bool) (*regexp.Regexp, error) {
	p, err := cleanGlob(pattern)
	if err != nil {
		return nil, err
	}
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + `\A` + p + `\z`)
	if err != nil {
		return nil, fmt.Errorf("the pattern %q is not valid: %v", pattern, err)
	}
	return re, nil
}

// cleanGlob returns the body of the regular expression for pattern.
func cleanGlob(pattern string) (string, error) {
	if windowsPath(pattern) {
		pattern = strings.ReplaceAll(pattern, `\`, "/")
	}
	elements := strings.Split(pattern, "/")
	var b strings.Builder
	for i, e := range elements {
		last := i == len(elements)-1
		switch {
		case e == "..":
			return "", fmt.Errorf("the pattern %q has a .. element", pattern)
		case e == "**" && last:
			b.WriteString(".+")
			continue
		case e == "**" && i == 0:
			b.WriteString("(?:.*/)?") // from the root too
			continue
		case e == "**":
			b.WriteString("(?:[^/]+/)*")
			continue
		}
		if err := globElement(&b, e, pattern); err != nil {
			return "", err
		}
		if !last {
			b.WriteByte('/')
		}
	}
	if pattern == "" {
		return "", errors.New("the pattern is empty")
	}
	return b.String(), nil
}

// globElement writes the expression for one element of a pattern.
func globElement(b *strings.Builder, e, pattern string) error {
	runes := []rune(e)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; r {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		case '{', '}':
			return fmt.Errorf("the pattern %q has braces: write one pattern for each alternative, or \\{ for the character", pattern)
		case '[':
			n, err := globClass(b, runes[i:], pattern)
			if err != nil {
				return err
			}
			i += n
		case '\\':
			i++
			if i == len(runes) {
				return fmt.Errorf("the pattern %q ends in a backslash", pattern)
			}
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return nil
}

// globClass writes the class that starts at runes[0] and returns the index of
// its closing bracket.
func globClass(b *strings.Builder, runes []rune, pattern string) (int, error) {
	i, negated := 1, false
	if i < len(runes) && (runes[i] == '!' || runes[i] == '^') {
		i, negated = i+1, true
	}
	end := i + 1 // a bracket in first place is a member
	for end < len(runes) && runes[end] != ']' {
		end++
	}
	if end >= len(runes) {
		return 0, fmt.Errorf("the pattern %q has a class without its closing bracket", pattern)
	}
	b.WriteByte('[')
	if negated {
		b.WriteString("^/")
	}
	for _, r := range runes[i:end] {
		if r != '-' {
			b.WriteString(regexp.QuoteMeta(string(r)))
			continue
		}
		b.WriteByte('-')
	}
	b.WriteByte(']')
	return end, nil
}

// Glob reports whether the whole path fits pattern; see [GlobRegexp]. The path
// is cleaned as in [Under], and one with a .. element is an error.
func Glob(path, pattern string, fold bool) (bool, error) {
	re, err := GlobRegexp(pattern, fold)
	if err != nil {
		return false, err
	}
	p, err := CleanPath(path)
	if err != nil {
		return false, err
	}
	return re.MatchString(p), nil
}
