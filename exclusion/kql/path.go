package kql

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
)

// pathTest compiles under and glob. Both compare a path that is cleaned first,
// and follow the host's system on upper and lower case where that matters.
func (c *compiler) pathTest(e *exclusion.Expr, want bool) cond {
	v, ok := c.value(e.Args[0])
	dirs, written := c.texts(e.Args[1])
	if !ok || !written {
		return no
	}
	if len(dirs) == 0 {
		return all(v.known, truth(!want)) // the path is not looked at
	}
	clean, known, ok := c.cleaned(e.Args[0], v)
	if !ok {
		return no
	}
	exact, folded, sound := c.pathForms(e, clean, dirs)
	switch {
	case !sound && !want:
		return no // one of them is an error, so that false is not sure
	case !sound:
		return all(known, either(exact[0]...), either(folded[0]...))
	case want:
		return all(known, c.byCase(e, either(exact[0]...), either(folded[0]...), want))
	}
	return all(known, c.byCase(e, all(exact[1]...), all(folded[1]...), want))
}

// byCase is the answer where both cases agree, and that of the host's system
// where they do not. What is under a directory is so with the case of letters
// left aside, too; a pattern can leave out one case of a letter and not the other.
func (c *compiler) byCase(e *exclusion.Expr, exact, folded cond, want bool) cond {
	if exact.equal(folded) {
		return exact
	}
	system, ok := c.fact("host.os")
	folds, keeps := no, no
	if ok {
		folds = atom(system.text + ` in ("windows", "darwin")`)
		keeps = all(system.known, atom(system.text+` !in ("windows", "darwin")`))
	}
	switch {
	case e.Name == "under" && want:
		return either(exact, all(folds, folded))
	case e.Name == "under":
		return either(folded, all(keeps, exact))
	}
	return either(all(exact, folded), all(folds, folded), all(keeps, exact))
}

// texts are the texts of an argument that is one or a list of them, written out.
func (c *compiler) texts(e *exclusion.Expr) ([]string, bool) {
	if len(e.Facts()) > 0 {
		c.refuse(e, e.String()+" must be written out or a parameter", "")
		return nil, false
	}
	v, ok := c.value(e)
	switch s, text := v.lit.(string); {
	case !ok:
		return nil, false
	case text:
		return []string{s}, true
	case v.alias != "":
		c.refuse(e, "the members of a watchlist as more than text", "write the list out")
		return nil, false
	}
	out, ok := v.strings()
	if !ok {
		c.refuse(e, "a list that is not text written out", "")
	}
	return out, ok
}

// cleaned is the path in the form in which paths are compared, in a column of its
// own, and the condition that it has one: it is empty where the path has a ".."
// element.
func (c *compiler) cleaned(e *exclusion.Expr, v value) (string, cond, bool) {
	if s, ok := v.lit.(string); ok {
		p, err := exclusion.CleanPath(s)
		return quote(p), yes, err == nil
	}
	if v.step == "" {
		c.refuse(e, e.String()+" as a path", "give a fact")
		return "", no, false
	}
	slashes := v.step + "Slashes"
	c.step(slashes, slashed(v.text))
	name := c.step(v.step+"Clean", fmt.Sprintf(`iff(%[1]s matches regex "(?:\\A|/)\\.\\.(?:/|\\z)", "", %[2]s)`, slashes, tidy(slashes)))
	return name, all(v.given(true), atom("isnotempty("+name+")")), true
}

// tidy is a path without empty and "." elements.
func tidy(path string) string {
	for _, r := range [][2]string{{`/(?:\.?/)+`, `/`}, {`(\A/)\.\z|([^/])/\.?\z`, `\1\2`}, {`\A\./`, ``}} {
		path = fmt.Sprintf("replace_regex(%s, %s, %s)", path, quote(r[0]), quote(r[1]))
	}
	return path
}

// pathForms are the tests for each directory or pattern: exact and folded, each
// for true and for false. sound is false where one of them is an error.
func (c *compiler) pathForms(e *exclusion.Expr, clean string, args []string) (exact, folded [2][]cond, sound bool) {
	form := underTest
	if e.Name == "glob" {
		form = globTest
	}
	sound = true
	for _, arg := range args {
		for i, forms := range []*[2][]cond{&exact, &folded} {
			test, err := form(clean, arg, i == 1)
			if err != nil {
				sound = false
				continue
			}
			forms[0], forms[1] = append(forms[0], test(true)), append(forms[1], test(false))
		}
	}
	return exact, folded, sound
}

// underTest is the test that a clean path lies under a directory.
func underTest(clean, dir string, fold bool) (func(bool) cond, error) {
	d, err := exclusion.CleanPath(dir)
	switch {
	case err != nil:
		return nil, err
	case d == "/":
		return func(want bool) cond { return regexpTest(clean, `\A/(?s:.)`, want) }, nil
	case d == ".":
		return func(want bool) cond { return regexpTest(clean, `\A(?:[^/.]|\.[^/])`, want) }, nil
	case fold && strings.ToUpper(d) != strings.ToLower(d):
		return func(want bool) cond {
			re, _ := kustoRegexp(`(?i)\A` + regexp.QuoteMeta(d+"/"))
			return regexpTest(clean, re, want)
		}, nil
	}
	return func(want bool) cond {
		if want {
			return atom(clean + " startswith_cs " + quote(d+"/"))
		}
		return atom(clean + " !startswith_cs " + quote(d+"/"))
	}, nil
}

// globTest is the test that a clean path fits a pattern.
func globTest(clean, pattern string, fold bool) (func(bool) cond, error) {
	re, err := exclusion.GlobRegexp(pattern, fold)
	if err != nil {
		return nil, err
	}
	text, err := kustoRegexp(re.String())
	return func(want bool) cond { return regexpTest(clean, text, want) }, err
}
