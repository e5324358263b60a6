package detection

import (
	"fmt"
	"path"
	"strings"
)

// form is how a page is written. Each form is made into the same list of lines,
// over which there is one parser: what a page says cannot depend on its form.
type form uint8

const (
	formPlain form = iota
	formMarkdown
	formHTML
)

// pageForms are the endings of the names of pages.
var pageForms = map[string]form{".txt": formPlain, ".text": formPlain, ".md": formMarkdown, ".markdown": formMarkdown, ".html": formHTML, ".htm": formHTML}

// IsPageName reports whether a file of this name is a page, to be taken when a
// folder is imported.
func IsPageName(name string) bool {
	_, ok := pageForms[strings.ToLower(path.Ext(name))]
	return ok
}

// pageForm tells the form by the name, or by how the text starts where the name
// says nothing.
func pageForm(name string, text []byte) form {
	if f, ok := pageForms[strings.ToLower(path.Ext(name))]; ok {
		return f
	}
	head := strings.ToLower(strings.TrimSpace(string(text[:min(len(text), 512)])))
	switch {
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"):
		return formHTML
	case strings.HasPrefix(head, "# "), strings.HasPrefix(head, "## "):
		return formMarkdown
	}
	return formPlain
}

// pageLine is a line of a page without the marks of its form.
type pageLine struct {
	n       int    // 1-based line in the page
	raw     string // with its white space
	text    string // trimmed, without bullet and emphasis
	heading bool
	code    bool // of a code block: verbatim
}

func (f form) lines(name, text string) ([]pageLine, error) {
	switch f {
	case formMarkdown:
		m := &markdown{name: name}
		return m.read(text)
	case formHTML:
		return readHTML(name, text)
	}
	return plainLines(text), nil
}

func plainLines(text string) []pageLine {
	var lines []pageLine
	for i, raw := range textLines(text) {
		lines = append(lines, pageLine{n: i + 1, raw: raw, text: unbulleted(raw)})
	}
	return lines
}

// textLines splits a text into its lines, without their ends.
func textLines(text string) []string {
	return strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// unbulleted trims a line and the mark of a list item.
func unbulleted(line string) string {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"- ", "* ", "+ ", "• "} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimSpace(rest)
		}
	}
	return line
}

// unclosed is the error of a part of a page that has a start and no end.
func unclosed(name string, line int, what string) error {
	return &PageError{name, line, fmt.Sprintf("%s opens here and is never closed", what), "the page may have been cut off on its way"}
}
