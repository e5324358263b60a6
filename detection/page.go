package detection

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra"
)

// Page is a catalogue page as it was read: prose and a rule, nothing decided.
//
// It is a sequence of parts, each opened by a fixed line:
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
//
// In Markdown and HTML the same lines are headings, paragraphs and list items,
// and the rule is a code block.
type Page struct {
	Hypothesis     string
	Rule           string // verbatim, from `rule` (or its imports) to the last brace
	RuleLine       int    // 1-based line of the rule's first line
	Contexts       []string
	StatedPatterns int            // -1 where the page states none
	Severity       besra.Severity // empty where the page states none
	Scenarios      []PageScenario
	// Unread names the parts of the page that no field above holds.
	Unread []string
}

// PageScenario is one false-positive scenario of a page.
type PageScenario struct {
	Title, Description, Filter string
	Line                       int // 1-based, of the title
	FilterLine                 int // 1-based, of the filter's first words; 0 where there is none
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
	hypothesisHeading = "Hunt Hypothesis"
	ruleHeading       = "YARA Rule"
	contextsHeading   = "This YARA rule can be deployed in the following contexts:"
	scenarioLabel     = "Scenario:"
	descriptionLabel  = "Description:"
	filterLabel       = "Filter/Exclusion:"
	severityLabel     = "Severity:"
)

// structural headings say what the fixed lines below them say again.
var structural = []string{"Deployment Notes", "False Positive Guidance"}

// aside are headings of parts that a detection has no use for.
var aside = []string{"References", "MITRE Context", "MITRE ATT&CK Context", "Original Source"}

// ParsePage reads a page: HTML or Markdown where its name ends so or its text
// starts so, plain text otherwise. name is used in errors, which are of type
// *PageError.
func ParsePage(name string, text []byte) (*Page, error) {
	if err := checkPageText(name, text); err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	form := pageForm(name, text)
	lines, err := form.lines(name, string(text))
	if err != nil {
		return nil, err
	}
	p := &pageParser{name: name, form: form, page: &Page{StatedPatterns: -1}}
	for _, l := range lines {
		p.line = l.n
		if err := p.take(l); err != nil {
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
			return &PageError{Name: name, Line: i + 1, Msg: "not text in UTF-8", Hint: "save the page as text in UTF-8"}
		}
	}
	return nil
}

// pageParser is a machine of one state a part; part is the field that plain
// lines go to.
type pageParser struct {
	name  string
	form  form
	line  int
	page  *Page
	part  part
	rule  []string
	coded bool    // the rule stands in a code block, and nothing else is of it
	last  *string // the text that continuation lines belong to
}

type part uint8

const (
	inHypothesis part = iota
	inRule
	inContexts
	inScenarios
	inAside // a part that nothing is read of, until the next fixed line
)

func (p *pageParser) take(l pageLine) error {
	if l.code {
		return p.takeCode(l)
	}
	heading := strings.TrimRight(l.text, ":")
	prose := p.part != inRule || p.coded || l.heading // and not a line of the rule
	switch {
	case strings.EqualFold(heading, ruleHeading):
		return p.open(inRule, l.text)
	case strings.EqualFold(l.text, contextsHeading):
		return p.open(inContexts, l.text)
	case strings.EqualFold(heading, hypothesisHeading):
		return p.restart(l.text)
	case p.listed(structural, heading):
		return nil
	case prose && strings.HasPrefix(l.text, "This rule contains "):
		return p.takeCount(l.text)
	case prose && strings.HasPrefix(l.text, scenarioLabel):
		return p.takeScenario(l.text)
	case p.listed(aside, heading) || l.heading && p.part != inHypothesis:
		p.skip(fmt.Sprintf("the part %q of line %d", heading, l.n))
		return nil
	}
	return p.takeText(l)
}

func (p *pageParser) takeText(l pageLine) error {
	switch p.part {
	case inHypothesis:
		p.takeHypothesis(l)
	case inRule:
		p.takeRule(l)
	case inContexts:
		if l.text != "" {
			p.page.Contexts = append(p.page.Contexts, l.text)
		}
	case inScenarios:
		return p.takeProse(l.text)
	}
	return nil
}

// takeCode takes a line of a code block, which opens no part.
func (p *pageParser) takeCode(l pageLine) error {
	switch {
	case p.part == inHypothesis:
		return p.errorf("a page has the line \""+ruleHeading+"\" above its rule", "code before the rule")
	case p.part == inScenarios:
		return p.takeProse(l.text)
	case p.part == inContexts && l.text != "":
		p.skip(fmt.Sprintf("the code of line %d", l.n))
		return nil
	case p.part != inRule:
		return nil
	case !p.coded:
		p.dropProse()
		p.coded = true
	}
	p.addRule(l)
	return nil
}

// dropProse tells of the words between the rule's heading and its code block.
func (p *pageParser) dropProse() {
	if len(p.rule) > 0 {
		p.page.Unread = append(p.page.Unread, fmt.Sprintf("the text of line %d, above the rule", p.page.RuleLine))
	}
	p.rule = nil
}

// listed reports whether a heading is one of list and the parser is where it
// can be one: text above the rule may well be a word of it.
func (p *pageParser) listed(list []string, heading string) bool {
	return p.part != inHypothesis && slices.ContainsFunc(list, func(h string) bool { return strings.EqualFold(h, heading) })
}

// skip reads nothing until the next fixed line.
func (p *pageParser) skip(what string) {
	p.page.Unread = append(p.page.Unread, what)
	p.part = inAside
}

// open enters a part, which must follow the parts before it and come once.
func (p *pageParser) open(to part, line string) error {
	before := p.part
	if before == inAside && len(p.rule) > 0 && len(p.page.Contexts) == 0 && len(p.page.Scenarios) == 0 {
		before = inRule
	}
	if before != to-1 {
		return p.errorf("", "%q does not belong here", line)
	}
	p.part = to
	return nil
}

// restart forgets what stands above the hypothesis: a title, a date.
func (p *pageParser) restart(line string) error {
	if p.part != inHypothesis {
		return p.errorf("", "%q does not belong here", line)
	}
	if p.page.Hypothesis != "" {
		p.page.Unread = append(p.page.Unread, "the text above the hypothesis")
	}
	p.page.Hypothesis = ""
	return nil
}

func (p *pageParser) takeHypothesis(l pageLine) {
	word, ok := strings.CutPrefix(l.text, severityLabel)
	severity := besra.Severity(strings.ToLower(strings.TrimSpace(word)))
	switch {
	case l.heading: // the title, which the rule has as well
	case ok && severity.Rank() >= 0:
		p.page.Severity = severity
	default:
		p.page.Hypothesis = joinProse(p.page.Hypothesis, l.text)
	}
}

func (p *pageParser) takeRule(l pageLine) {
	switch {
	case !p.coded:
		p.addRule(l)
	case l.text != "":
		p.skip(fmt.Sprintf("the text of line %d, below the rule", l.n))
	}
}

// addRule adds a line to the rule, so that the rule's lines stay as far apart
// as they are in the page.
func (p *pageParser) addRule(l pageLine) {
	if len(p.rule) == 0 {
		if strings.TrimSpace(l.raw) == "" {
			return
		}
		p.page.RuleLine = l.n
	}
	for len(p.rule) < l.n-p.page.RuleLine {
		p.rule = append(p.rule, "")
	}
	p.rule = append(p.rule, l.raw)
}

func (p *pageParser) takeCount(line string) error {
	n, ok := strings.CutPrefix(line, "This rule contains ")
	n, _, ok2 := strings.Cut(n, " string pattern")
	count, err := strconv.Atoi(n)
	if !ok || !ok2 || err != nil || count < 0 {
		return p.errorf("", "cannot read the pattern count in %q", line)
	}
	if len(p.rule) == 0 || len(p.page.Scenarios) > 0 || p.page.StatedPatterns >= 0 {
		return p.errorf("", "the pattern count does not belong here")
	}
	p.page.StatedPatterns = count
	return nil
}

func (p *pageParser) takeScenario(line string) error {
	if len(p.rule) == 0 {
		return p.errorf("a page has its rule first, under the line \""+ruleHeading+"\"", "a scenario before the rule")
	}
	if err := p.checkScenario(false); err != nil {
		return err
	}
	p.part = inScenarios
	title := strings.TrimSpace(strings.TrimPrefix(line, scenarioLabel))
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
		if label == filterLabel {
			s.FilterLine = p.line
		}
		return nil
	}
	*p.last = joinProse(*p.last, line)
	return nil
}

func (p *pageParser) current() *PageScenario { return &p.page.Scenarios[len(p.page.Scenarios)-1] }

// checkScenario looks at the scenario that is complete now: all must have a
// title, and all but the last of a page their filter.
func (p *pageParser) checkScenario(last bool) error {
	if len(p.page.Scenarios) == 0 {
		return nil
	}
	s := p.current()
	switch {
	case s.Title == "":
		return &PageError{p.name, s.Line, "a scenario without a title", ""}
	case s.Filter == "" && !last:
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
	case p.form == formHTML && !p.coded:
		return nil, &PageError{p.name, p.page.RuleLine, "the rule does not stand in a <pre>", "outside of one, HTML loses the white space of its patterns"}
	}
	if err := p.checkScenario(true); err != nil {
		return nil, err
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
