package detection

import (
	"html"
	"strings"

	"github.com/besra-hunt/besra/lazyregexp"
)

// markdown makes lines of a page in Markdown: headings, lists, quotes, emphasis,
// links and fenced code. A rule without a fence is taken as it stands.
type markdown struct {
	name  string
	out   []pageLine
	fence string // the open one; empty outside of code
	opens int    // its line
	in    int    // its indentation
}

var (
	fenceStart   = lazyregexp.New("^[ \t]*(`{3,}|~{3,})[^`]*$")
	atxHeading   = lazyregexp.New(`^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$`)
	underline    = lazyregexp.New(`^ {0,3}(=+|-{2,})[ \t]*$`)
	ordered      = lazyregexp.New(`^\d{1,9}[.)][ \t]+`)
	codeSpan     = lazyregexp.New("`+")
	strong       = lazyregexp.New(`\*\*|__`)
	emphasis     = lazyregexp.New(`(^|[\s(])[*_]([^\s*_](?:[^*_]*[^\s*_])?)[*_]([\s).,:;!?]|$)`)
	markdownLink = lazyregexp.New(`!?\[([^\]\[]*)\]\([^)\s]*(?: "[^"]*")?\)`)
	escaped      = lazyregexp.New("\\\\([!-/:-@\\[-`{-~])")
	comment      = lazyregexp.New(`<!--.*?-->`)
)

func (m *markdown) read(text string) ([]pageLine, error) {
	lines := textLines(text)
	for i := frontMatter(lines); i < len(lines); i++ {
		m.take(i+1, lines[i])
	}
	if m.fence != "" {
		return nil, unclosed(m.name, m.opens, "the code block")
	}
	return m.out, nil
}

// frontMatter returns the number of lines of the YAML above the page.
func frontMatter(lines []string) int {
	if lines[0] != "---" {
		return 0
	}
	for i, l := range lines[1:] {
		if l == "---" {
			return i + 2
		}
	}
	return 0
}

func (m *markdown) take(n int, line string) {
	if m.fence != "" {
		m.takeCode(n, line)
		return
	}
	if f := fenceStart().FindStringSubmatch(line); f != nil {
		m.fence, m.opens, m.in = f[1], n, indentation(line)
		return
	}
	if underline().MatchString(line) {
		m.underlined()
		return
	}
	l := pageLine{n: n, raw: line, text: line}
	if h := atxHeading().FindStringSubmatch(line); h != nil {
		l.text, l.heading = h[1], true
	}
	l.text = strings.TrimLeft(strings.TrimSpace(l.text), "> ")
	l.text = ordered().ReplaceAllString(unbulleted(l.text), "")
	l.text = strings.TrimSpace(inline(l.text))
	m.out = append(m.out, l)
}

func (m *markdown) takeCode(n int, line string) {
	mark := strings.TrimSpace(line)
	if len(mark) >= len(m.fence) && strings.Trim(mark, m.fence[:1]) == "" {
		m.fence = ""
		return
	}
	raw := line[min(indentation(line), m.in):]
	m.out = append(m.out, pageLine{n: n, raw: raw, text: strings.TrimSpace(raw), code: true})
}

// underlined makes a heading of the line above, if it is text.
func (m *markdown) underlined() {
	if i := len(m.out) - 1; i >= 0 && m.out[i].text != "" && !m.out[i].code {
		m.out[i].heading = true
	}
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// inline takes the marks off the text of a line. What stands between back
// quotes stays as it is.
func inline(text string) string {
	var b strings.Builder
	for text != "" {
		at := codeSpan().FindStringIndex(text)
		if at == nil {
			break
		}
		mark, rest := text[at[0]:at[1]], text[at[1]:]
		code, after, ok := strings.Cut(rest, mark)
		if !ok {
			break
		}
		b.WriteString(plainProse(text[:at[0]]))
		b.WriteString(code)
		text = after
	}
	return b.String() + plainProse(text)
}

func plainProse(text string) string {
	text = comment().ReplaceAllString(text, "")
	text = markdownLink().ReplaceAllString(text, "$1")
	text = strong().ReplaceAllString(text, "")
	text = emphasis().ReplaceAllString(text, "$1$2$3")
	return html.UnescapeString(escaped().ReplaceAllString(text, "$1"))
}
