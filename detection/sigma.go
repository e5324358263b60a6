package detection

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/goccy/go-yaml"
)

// Sigma Filters (specification 2) take matches away from Sigma rules: a rule's
// condition holds only where the filter's does, too. So an exclusion is the
// contrary of the condition. Sigma compares text without regard to case, and
// with * and ?; that is said with an anchored regular expression.

// SigmaFilters drafts a scenario of each filter in a YAML text. What cannot be
// said exactly becomes a question to the analyst, and a note with its line. The
// error is a *PageError.
func SigmaFilters(name string, text []byte) (*Draft, error) {
	if err := checkPageText(name, text); err != nil {
		return nil, err
	}
	d := filterDraft()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for line := 1; ; line++ {
		var f sigmaFilter
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &PageError{Name: name, Msg: "not YAML of a Sigma filter: " + fieldError(err).Error()}
		}
		if f.Filter == nil {
			d.note(0, "document %d is no filter: left out", line)
			continue
		}
		d.sigma(&f, string(text))
	}
	if len(d.Detection.Scenarios) == 0 {
		return nil, &PageError{Name: name, Msg: "there is no Sigma filter in it", Hint: "a filter has the key \"filter\" with rules, selections and a condition"}
	}
	return d, nil
}

// filterDraft is a draft with no page: exclusions for some detection.
func filterDraft() *Draft {
	return &Draft{Detection: &Detection{}, Lines: map[string]int{}, contexts: besra.Contexts()}
}

type sigmaFilter struct {
	Title       string        `yaml:"title"`
	ID          string        `yaml:"id"`
	Description string        `yaml:"description"`
	Filter      yaml.MapSlice `yaml:"filter"`
}

func (d *Draft) sigma(f *sigmaFilter, text string) {
	s := PageScenario{Title: firstOf(f.Title, f.ID, "filter"), Description: f.Description, Line: lineOf(text, "filter")}
	p := &sigmaParser{selections: map[string]any{}}
	condition := ""
	for _, m := range f.Filter {
		switch key := fmt.Sprint(m.Key); key {
		case "rules":
			d.note(s.Line, "scenario %q: the filter is for the Sigma rules %v: put it under the detections it fits", s.Title, m.Value)
		case "condition":
			condition = fmt.Sprint(m.Value)
			s.FilterLine = lineOf(text, key)
		default:
			p.selections[key] = m.Value
			p.names = append(p.names, key)
		}
	}
	rest, _ := yaml.Marshal(f.Filter)
	s.Filter = string(rest)
	d.filtered(s, func(id string) (*logic, []string, error) { return p.parse(condition) })
}

// lineOf returns the first line of a text that holds a key, or 0.
func lineOf(text, key string) int {
	for i, l := range textLines(text) {
		if strings.HasPrefix(strings.TrimSpace(l), key+":") {
			return i + 1
		}
	}
	return 0
}

// filtered adds the scenario of a filter, whose matches are kept, with its exclusion.
func (d *Draft) filtered(s PageScenario, parse func(id string) (*logic, []string, error)) {
	id := d.newID(s.Title)
	out := Scenario{ID: id, Title: s.Title, Description: s.Description, Filter: s.Filter}
	tree, facts, err := parse(id)
	if err != nil {
		d.lint(s.FilterLine, CodeQuestion, "scenario %q: %s; kept as a question to the analyst", s.Title, err)
	} else if x := d.judge(id, s, tree, facts); x != nil {
		out.Exclusions = append(out.Exclusions, *x)
		d.Lines[id] = s.FilterLine
	}
	if len(out.Exclusions) == 0 {
		out.Questions = []string{s.Filter}
	}
	d.Detection.Scenarios = append(d.Detection.Scenarios, out)
}

// sigmaParser reads a condition over selections.
type sigmaParser struct {
	filterParser
	selections map[string]any
	names      []string
}

// parse returns what is excluded: the contrary of the condition.
func (p *sigmaParser) parse(condition string) (*logic, []string, error) {
	p.tokens = strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(condition))
	p.atom = p.selection
	l, err := p.joined("||")
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%q does not belong in a condition", p.tokens[0])
	}
	if err != nil {
		return nil, nil, err
	}
	for l.op == "(" {
		l = l.args[0]
	}
	if l.op == "!" {
		l = l.args[0]
		for l.op == "(" {
			l = l.args[0]
		}
		return l, p.facts, nil
	}
	return &logic{op: "!", args: []*logic{l}}, p.facts, nil
}

// selection reads NAME, or 1 of PATTERN, or all of PATTERN.
func (p *sigmaParser) selection() (*logic, error) {
	word, err := p.take("a selection")
	if err != nil {
		return nil, err
	}
	if !p.next("of") {
		v, ok := p.selections[word]
		if !ok {
			return nil, fmt.Errorf("there is no selection %q", word)
		}
		return p.either(v)
	}
	pattern, err := p.take("a pattern")
	if err != nil {
		return nil, err
	}
	op := map[string]string{"1": "||", "any": "||", "all": "&&"}[strings.ToLower(word)]
	if op == "" {
		return nil, fmt.Errorf("%q of cannot be said", word)
	}
	var args []*logic
	for _, name := range p.names {
		if ok, _ := path.Match(pattern, name); ok || pattern == "them" {
			a, err := p.either(p.selections[name])
			if err != nil {
				return nil, err
			}
			args = append(args, a)
		}
	}
	return group(op, args)
}

// group joins args, in parentheses.
func group(op string, args []*logic) (*logic, error) {
	switch len(args) {
	case 0:
		return nil, errors.New("it names nothing")
	case 1:
		return args[0], nil
	}
	return &logic{op: "(", args: []*logic{{op: op, args: args}}}, nil
}

// either reads a selection: a map, or a list of maps of which one must hold.
func (p *sigmaParser) either(v any) (*logic, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var args []*logic
	for _, item := range list {
		m, ok := sigmaMap(item)
		if !ok {
			return nil, fmt.Errorf("%v is a keyword of no field", item)
		}
		a, err := p.fields(m)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return group("||", args)
}

// sigmaMap is a map of a selection in the order of the file, or of its keys.
func sigmaMap(v any) (yaml.MapSlice, bool) {
	switch m := v.(type) {
	case yaml.MapSlice:
		return m, true
	case map[string]any:
		var out yaml.MapSlice
		for _, k := range sortedKeys(m) {
			out = append(out, yaml.MapItem{Key: k, Value: m[k]})
		}
		return out, true
	}
	return nil, false
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (p *sigmaParser) fields(m yaml.MapSlice) (*logic, error) {
	var args []*logic
	for _, item := range m {
		a, err := p.field(fmt.Sprint(item.Key), item.Value)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return group("&&", args)
}

// field reads FIELD|modifiers: value, or a list of values.
func (p *sigmaParser) field(key string, v any) (*logic, error) {
	parts := strings.Split(key, "|")
	def, ok := factCalled(parts[0])
	if !ok {
		return nil, fmt.Errorf("%s is no fact that Besra knows of a match", parts[0])
	}
	p.facts = append(p.facts, def.Name)
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	op, mods := "||", parts[1:]
	if i := slices.Index(mods, "all"); i >= 0 {
		op, mods = "&&", slices.Delete(slices.Clone(mods), i, i+1)
	}
	var args []*logic
	for _, value := range values {
		a, err := sigmaAtom(def, mods, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		args = append(args, a)
	}
	return group(op, args)
}

func sigmaAtom(def besra.FactDef, mods []string, value any) (*logic, error) {
	text, isText := value.(string)
	switch {
	case value == nil:
		return nil, errInexact
	case def.Type == besra.TypeInt && !isText:
		return sigmaNumber(def.Name, mods, value)
	case def.Type != besra.TypeString:
		return nil, errInexact
	case !isText:
		text = fmt.Sprint(value)
	}
	switch {
	case len(mods) == 1 && mods[0] == "cidr":
		return called(def.Name + ".cidr(" + celString(text) + ")"), nil
	case len(mods) > 0 && mods[0] == "re":
		return sigmaRegexp(def.Name, mods[1:], text)
	}
	return sigmaText(def.Name, mods, text)
}

var errInexact = errors.New("this comparison cannot be said exactly")

// sigmaOrders are the modifiers that compare numbers, each with its contrary.
var sigmaOrders = map[string][2]string{"": {"==", "!="}, "lt": {"<", ">="}, "lte": {"<=", ">"}, "gt": {">", "<="}, "gte": {">=", "<"}}

func sigmaNumber(fact string, mods []string, value any) (*logic, error) {
	ops, ok := sigmaOrders[strings.Join(mods, "|")]
	if !ok {
		return nil, errInexact
	}
	return &logic{text: fmt.Sprintf("%s %s %v", fact, ops[0], value), not: fmt.Sprintf("%s %s %v", fact, ops[1], value)}, nil
}

// sigmaRegexp takes over a regular expression, which Sigma reads with regard to
// case and anywhere in the field. Its flags are modifiers behind re.
func sigmaRegexp(fact string, flags []string, re string) (*logic, error) {
	for _, f := range flags {
		if f != "i" && f != "m" && f != "s" {
			return nil, fmt.Errorf("the modifier %s of re cannot be said exactly", f)
		}
	}
	if len(flags) > 0 {
		re = "(?" + strings.Join(flags, "") + ")" + re
	}
	if _, err := regexp.Compile(re); err != nil {
		return nil, fmt.Errorf("its regular expression is of another kind than RE2: %w", err)
	}
	if isPath(fact) && strings.Contains(re, `\\`) {
		return nil, errors.New("its regular expression asks for backslashes, and facts spell paths with /")
	}
	return called(fact + ".matches(" + celString(re) + ")"), nil
}

// sigmaDashes are what windash lets stand for a dash.
const sigmaDashes = "[-/\u2013\u2014\u2015]"

// sigmaText reads a value with wildcards under the modifiers of text.
func sigmaText(fact string, mods []string, text string) (*logic, error) {
	re, flags := sigmaPattern(text, isPath(fact)), "(?is)"
	for _, mod := range mods {
		switch mod {
		case "contains":
			re = ".*" + re + ".*"
		case "startswith":
			re += ".*"
		case "endswith":
			re = ".*" + re
		case "cased":
			flags = "(?s)"
		case "windash":
			re = strings.ReplaceAll(re, "-", sigmaDashes)
		default:
			return nil, fmt.Errorf("the modifier %s cannot be said exactly", mod)
		}
	}
	return called(fact + ".matches(" + celString(flags+"^"+re+"$") + ")"), nil
}

func called(text string) *logic { return &logic{text: text, not: "!" + text} }

func isPath(fact string) bool {
	return slices.Contains([]string{"file.path", "file.dir", "process.exe", "process.cwd"}, fact)
}

// sigmaPattern makes a regular expression of a value with wildcards: * and ?,
// unless a backslash is before them. In paths either slash stands for both.
func sigmaPattern(text string, path bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		next := text[i+1 : min(i+2, len(text))]
		switch c := text[i]; {
		case c == '\\' && next != "" && strings.Contains(`*?`, next):
			b.WriteString(regexp.QuoteMeta(next))
			i++
		case path && (c == '\\' || c == '/'):
			b.WriteString(`[\\/]`)
			if c == '\\' && next == `\` {
				i++
			}
		case c == '\\' && next == `\`:
			b.WriteString(`\\`)
			i++
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		}
	}
	return b.String()
}

// Scenarios prints the draft's scenarios as a detection file holds them.
func (d *Draft) Scenarios() ([]byte, error) {
	return marshal(map[string]any{"scenarios": d.Detection.Scenarios})
}
