package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// ruleSchema says what rules must be named, tagged and described with. Its
// keys are those of the configuration of `yr check`. Each part gives warnings
// unless it has `error: true`.
type ruleSchema struct {
	RuleName *nameSchema            `yaml:"rule_name"`
	Metadata map[string]*metaSchema `yaml:"metadata"`
	Tags     *tagSchema             `yaml:"tags"`
}

type nameSchema struct {
	Regexp pattern `yaml:"regexp"`
	Error  bool    `yaml:"error"`
}

type metaSchema struct {
	Type     metaType `yaml:"type"`
	Regexp   pattern  `yaml:"regexp"`  // of a string
	Allowed  []string `yaml:"allowed"` // of a string; empty for any
	Required bool     `yaml:"required"`
	Error    bool     `yaml:"error"`
}

type tagSchema struct {
	Allowed  []string `yaml:"allowed"` // decides where regexp is given, too
	Regexp   pattern  `yaml:"regexp"`
	Required bool     `yaml:"required"` // at least one
	Error    bool     `yaml:"error"`
}

// pattern is a regexp in YAML.
type pattern struct{ *regexp.Regexp }

// UnmarshalYAML implements [yaml.InterfaceUnmarshaler].
func (p *pattern) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	err := unmarshal(&text)
	if err == nil && text != "" {
		p.Regexp, err = regexp.Compile(text)
	}
	return err
}

// metaType is the type of a metadata value; empty for any.
type metaType string

// metaTypes are the types with what a diagnostic says of each.
var metaTypes = map[metaType]string{"": "", "string": "a string", "integer": "an integer", "float": "a float", "bool": "a bool",
	"md5": "an MD5", "sha1": "a SHA-1", "sha256": "a SHA-256", "hash": "an MD5, SHA-1 or SHA-256"}

// UnmarshalYAML implements [yaml.InterfaceUnmarshaler].
func (t *metaType) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	*t = metaType(text)
	if _, ok := metaTypes[*t]; !ok {
		return fmt.Errorf("type %q: want string, integer, float, bool, md5, sha1, sha256 or hash", text)
	}
	return nil
}

// readSchema reads a schema.
func readSchema(name string) (*ruleSchema, error) {
	var s ruleSchema
	if err := readYAML(name, &s); err != nil {
		return nil, err
	}
	s.setDefaults()
	return &s, nil
}

// setDefaults fills in what a key without a value stands for.
func (s *ruleSchema) setDefaults() {
	for key, m := range s.Metadata {
		if m == nil {
			s.Metadata[key] = &metaSchema{}
		}
	}
}

// check holds the rules of a file to the schema.
func (s *ruleSchema) check(f *syntax.File) diag.List {
	var list diag.List
	for i, item := range f.Items {
		rule, ok := item.(*syntax.Rule)
		if !ok {
			continue
		}
		found := append(s.checkName(rule), s.checkTags(rule)...)
		found = append(found, s.checkMeta(rule)...)
		quiet := suppressions(f, i, rule)
		list = append(list, slices.DeleteFunc(found, quiet.covers)...)
	}
	return list
}

func schemaFault(code string, isError bool, at diag.Span, title, primary string) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: code, Severity: diag.Warning, Title: title, Span: at, Primary: primary}
	if isError {
		d.Severity = diag.Error
	}
	return d
}

func (s *ruleSchema) checkName(rule *syntax.Rule) diag.List {
	n := s.RuleName
	if n == nil || n.Regexp.Regexp == nil || n.Regexp.MatchString(rule.Name.Name) {
		return nil
	}
	return diag.List{schemaFault("invalid_rule_name", n.Error, rule.Name.Span, "rule name does not fit the schema",
		"this name does not match `"+n.Regexp.String()+"`")}
}

func (s *ruleSchema) checkTags(rule *syntax.Rule) (list diag.List) {
	t := s.Tags
	if t == nil {
		return nil
	}
	if t.Required && len(rule.Tags) == 0 {
		list = append(list, schemaFault("missing_tag", t.Error, rule.Name.Span, "rule has no tag", "a tag is required"))
	}
	for _, tag := range rule.Tags {
		switch {
		case len(t.Allowed) > 0 && !slices.Contains(t.Allowed, tag.Name):
			list = append(list, schemaFault("unknown_tag", t.Error, tag.Span, "tag is not in the list of allowed tags",
				"allowed tags: "+strings.Join(t.Allowed, ", ")))
		case len(t.Allowed) == 0 && t.Regexp.Regexp != nil && !t.Regexp.MatchString(tag.Name):
			list = append(list, schemaFault("invalid_tag", t.Error, tag.Span, "tag does not fit the schema",
				"this tag does not match `"+t.Regexp.String()+"`"))
		}
	}
	return list
}

func (s *ruleSchema) checkMeta(rule *syntax.Rule) (list diag.List) {
	for _, key := range slices.Sorted(maps.Keys(s.Metadata)) {
		m, found := s.Metadata[key], false
		for _, entry := range rule.Meta {
			if entry.Key.Name != key {
				continue
			}
			found = true
			if fault := m.fault(entry.Value); fault != "" {
				list = append(list, schemaFault("invalid_metadata", m.Error, entry.Value.Pos(), "metadata does not fit the schema",
					"`"+key+"` must be "+fault))
			}
		}
		if m.Required && !found {
			list = append(list, schemaFault("missing_metadata", m.Error, rule.Name.Span, "required metadata is missing",
				"required metadata `"+key+"` not found"))
		}
	}
	return list
}

// fault says what a value must be, empty where it is that.
func (m *metaSchema) fault(value syntax.Expr) string {
	if !m.Type.accepts(value) {
		return metaTypes[m.Type]
	}
	text, ok := value.(*syntax.TextLit)
	switch {
	case !ok:
		return ""
	case m.Regexp.Regexp != nil && !m.Regexp.MatchString(text.Lit.Value):
		return "a string that matches `" + m.Regexp.String() + "`"
	case len(m.Allowed) > 0 && !slices.Contains(m.Allowed, text.Lit.Value):
		return "one of " + strings.Join(m.Allowed, ", ")
	}
	return ""
}

// hexDigests are the lengths of digests by type.
var hexDigests = map[metaType][]int{"md5": {32}, "sha1": {40}, "sha256": {64}, "hash": {32, 40, 64}}

func (t metaType) accepts(value syntax.Expr) bool {
	var is metaType
	text := ""
	switch v := value.(type) {
	case *syntax.TextLit:
		is, text = "string", v.Lit.Value
	case *syntax.IntLit:
		is = "integer"
	case *syntax.FloatLit:
		is = "float"
	case *syntax.BoolLit:
		is = "bool"
	}
	if lengths := hexDigests[t]; lengths != nil {
		return slices.Contains(lengths, len(text)) && strings.Trim(text, "0123456789abcdefABCDEF") == ""
	}
	return t == "" || t == is
}

// suppression is the reach of the `// suppress: CODE` comments of one rule, as
// the compiler reads them for its own warnings.
type suppression struct {
	code       string
	start, end int32
}

type suppressionList []suppression

func (l suppressionList) covers(d *diag.Diagnostic) bool {
	return d.Severity == diag.Warning && slices.ContainsFunc(l, func(s suppression) bool {
		return s.code == d.Code && s.start <= d.Span.Start && d.Span.Start < s.end
	})
}

// suppressions reads the comments before and within a rule, which is item i.
// One before the rule speaks of all of it, one within of its line and the next.
func suppressions(f *syntax.File, i int, rule *syntax.Rule) (list suppressionList) {
	previous := int32(0)
	if i > 0 {
		previous = itemEnd(f.Items[i-1])
	}
	for _, c := range f.Comments {
		codes, ok := strings.CutPrefix(strings.TrimLeft(c.Text, "/* \t"), "suppress:")
		if !ok || c.Start < previous || c.Start >= rule.End {
			continue
		}
		start, end := rule.Start, rule.End
		if c.Start > rule.Start {
			start, end = twoLines(f.Source.Text, c.Start)
		}
		for code := range strings.SplitSeq(strings.TrimRight(codes, "*/ \t\r"), ",") {
			list = append(list, suppression{strings.TrimSpace(code), start, end})
		}
	}
	return list
}

// twoLines returns the bounds of the line that holds a place and the next one.
func twoLines(text []byte, at int32) (start, end int32) {
	start = int32(bytes.LastIndexByte(text[:at], '\n') + 1)
	end = int32(len(text))
	first := bytes.IndexByte(text[at:], '\n')
	if first < 0 {
		return start, end
	}
	if second := bytes.IndexByte(text[at+int32(first)+1:], '\n'); second >= 0 {
		end = at + int32(first) + 1 + int32(second)
	}
	return start, end
}

func itemEnd(item syntax.Item) int32 {
	switch item := item.(type) {
	case *syntax.Rule:
		return item.End
	case *syntax.Import:
		return item.End
	case *syntax.Include:
		return item.End
	}
	return 0
}
