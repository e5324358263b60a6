package detection

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Page is a catalogue page as it was read: prose and a rule, nothing decided.
//
// The plain-text form is a sequence of parts, each opened by a fixed line:
//
//	<hypothesis, one or more lines>
//	YARA Rule
//	<the rule>
//	This YARA rule can be deployed in the following contexts:
//	<one context a line; often lost on the way>
//	This rule contains <n> string patterns in its detection logic.
//	Scenario: <title>
//	Description: <text>
//	Filter/Exclusion: <text>
//	… further scenarios
type Page struct {
	Hypothesis     string
	Rule           string // verbatim, from `rule` (or its imports) to the last brace
	RuleLine       int    // 1-based line of the rule's first line
	Contexts       []string
	StatedPatterns int // -1 where the page states none
	Scenarios      []PageScenario
}

// PageScenario is one false-positive scenario of a page.
type PageScenario struct {
	Title, Description, Filter string
	Line                       int // 1-based, of the title
	// Truncated is set where the text stops in the middle of a sentence.
	Truncated bool
}

// PageError says where a page is not what it should be, and why.
type PageError struct {
	Name string
	Line int // 1-based; 0 for the page as a whole
	Msg  string
	Hint string
}

// Error implements error.
func (e *PageError) Error() string {
	s := e.Name + ": " + e.Msg
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Msg)
	}
	if e.Hint != "" {
		s += "\n  hint: " + e.Hint
	}
	return s
}

// MaxPageSize is the largest page that is read, in bytes.
const MaxPageSize = 1 << 20

const (
	ruleHeading      = "YARA Rule"
	contextsHeading  = "This YARA rule can be deployed in the following contexts:"
	scenarioLabel    = "Scenario:"
	descriptionLabel = "Description:"
	filterLabel      = "Filter/Exclusion:"
)

// ParsePage reads a page in plain text. name is used in errors, which are of
// type *PageError.
func ParsePage(name string, text []byte) (*Page, error) {
	if err := checkPageText(name, text); err != nil {
		return nil, err
	}
	p := &pageParser{name: name, page: &Page{StatedPatterns: -1}}
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		p.line = i + 1
		if err := p.take(strings.TrimSuffix(line, "\r")); err != nil {
			return nil, err
		}
	}
	return p.finish()
}

func checkPageText(name string, text []byte) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return &PageError{Name: name, Msg: "the page is empty"}
	case len(text) > MaxPageSize:
		return &PageError{Name: name, Msg: fmt.Sprintf("the page has %d bytes, more than the %d a page may have", len(text), MaxPageSize),
			Hint: "give one page a file"}
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return &PageError{Name: name, Line: i + 1, Msg: "not text in UTF-8", Hint: "save the page as plain text"}
		}
	}
	return nil
}

// pageParser is a machine of one state a part; part is the field that plain
// lines go to.
type pageParser struct {
	name string
	line int
	page *Page
	part part
	rule []string
	last *string // the text that continuation lines belong to
}

type part uint8

const (
	inHypothesis part = iota
	inRule
	inContexts
	inScenarios
)

func (p *pageParser) take(line string) error {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == ruleHeading:
		return p.open(inRule, inHypothesis, line)
	case trimmed == contextsHeading:
		return p.open(inContexts, inRule, line)
	case p.part != inRule && strings.HasPrefix(trimmed, "This rule contains "):
		return p.takeCount(trimmed)
	case p.part != inRule && strings.HasPrefix(trimmed, scenarioLabel):
		return p.takeScenario(trimmed)
	}
	switch p.part {
	case inHypothesis:
		p.page.Hypothesis = joinProse(p.page.Hypothesis, trimmed)
	case inRule:
		p.takeRule(line)
	case inContexts:
		if c := strings.TrimSpace(strings.TrimLeft(trimmed, "-*• ")); c != "" {
			p.page.Contexts = append(p.page.Contexts, c)
		}
	case inScenarios:
		return p.takeProse(trimmed)
	}
	return nil
}

// open enters a part, which must follow the part before it and come once.
func (p *pageParser) open(to, from part, line string) error {
	if p.part != from {
		return p.errorf("", "%q does not belong here", strings.TrimSpace(line))
	}
	p.part = to
	return nil
}

func (p *pageParser) takeRule(line string) {
	if len(p.rule) == 0 {
		if strings.TrimSpace(line) == "" {
			return
		}
		p.page.RuleLine = p.line
	}
	p.rule = append(p.rule, line)
}

func (p *pageParser) takeCount(line string) error {
	n, ok := strings.CutPrefix(line, "This rule contains ")
	n, _, ok2 := strings.Cut(n, " string pattern")
	count, err := strconv.Atoi(n)
	if !ok || !ok2 || err != nil || count < 0 {
		return p.errorf("", "cannot read the pattern count in %q", line)
	}
	if p.part != inContexts || p.page.StatedPatterns >= 0 {
		return p.errorf("", "the pattern count does not belong here")
	}
	p.page.StatedPatterns = count
	return nil
}

func (p *pageParser) takeScenario(line string) error {
	if p.part != inContexts && p.part != inScenarios {
		return p.errorf("a page has its rule first, under the line \""+ruleHeading+"\"", "a scenario before the rule")
	}
	if err := p.checkScenario(); err != nil {
		return err
	}
	p.part = inScenarios
	title := strings.TrimSpace(strings.TrimPrefix(line, scenarioLabel))
	if title == "" {
		return p.errorf("", "a scenario without a title")
	}
	p.page.Scenarios = append(p.page.Scenarios, PageScenario{Title: title, Line: p.line})
	p.last = &p.current().Title
	return nil
}

func (p *pageParser) takeProse(line string) error {
	s := p.current()
	for label, field := range map[string]*string{descriptionLabel: &s.Description, filterLabel: &s.Filter} {
		text, ok := strings.CutPrefix(line, label)
		if !ok {
			continue
		}
		if *field != "" {
			return p.errorf("", "a second %q in one scenario", label)
		}
		*field, p.last = strings.TrimSpace(text), field
		return nil
	}
	*p.last = joinProse(*p.last, line)
	return nil
}

func (p *pageParser) current() *PageScenario { return &p.page.Scenarios[len(p.page.Scenarios)-1] }

// checkScenario looks at the scenario that is complete now: all but the last
// of a page must have their filter.
func (p *pageParser) checkScenario() error {
	if len(p.page.Scenarios) == 0 {
		return nil
	}
	if s := p.current(); s.Filter == "" {
		return &PageError{p.name, s.Line, fmt.Sprintf("scenario %q has no %q line", s.Title, filterLabel), ""}
	}
	return nil
}

func (p *pageParser) finish() (*Page, error) {
	p.line = 0
	p.page.Rule = strings.TrimRight(strings.Join(p.rule, "\n"), "\n\t ")
	switch {
	case p.part == inHypothesis:
		return nil, p.errorf("a page has the line \""+ruleHeading+"\" above its rule", "no rule found")
	case p.page.Rule == "":
		return nil, p.errorf("", "nothing stands under %q", ruleHeading)
	case p.page.Hypothesis == "":
		return nil, p.errorf("a page starts with its hunt hypothesis", "no hypothesis found")
	}
	for i := range p.page.Scenarios {
		s := &p.page.Scenarios[i]
		s.Truncated = cutOff(s.Filter) || s.Filter == "" || s.Description == ""
	}
	return p.page, nil
}

func (p *pageParser) errorf(hint, format string, args ...any) error {
	return &PageError{p.name, p.line, fmt.Sprintf(format, args...), hint}
}

// cutOff reports whether prose stops before its sentence does.
func cutOff(text string) bool {
	return text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?)\"'`")
}

func joinProse(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + " " + b
}

// IsPageError reports whether err says that a page is malformed.
func IsPageError(err error) bool {
	var e *PageError
	return errors.As(err, &e)
}
