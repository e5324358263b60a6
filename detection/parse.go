package detection

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/lazyregexp"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Parse reads a detection file that holds one detection. Errors are joined
// *FieldError values, which carry line and column.
func Parse(text []byte) (*Detection, error) {
	ds, err := ParseAll(text)
	switch {
	case err != nil:
		return nil, err
	case len(ds) != 1:
		return nil, fmt.Errorf("the file holds %d detections, want one", len(ds))
	}
	return ds[0], nil
}

// ParseAll reads a detection file: one detection a YAML document, as many as
// there are. Errors are joined *FieldError values; the detections without fault
// are returned beside them.
func ParseAll(text []byte) ([]*Detection, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fieldError(err)
	}
	var ds []*Detection
	var errs []error
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		d, err := parseDocument(doc.Body)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ds = append(ds, d)
	}
	if len(ds) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("the file holds no detection"))
	}
	return ds, errors.Join(errs...)
}

func parseDocument(body ast.Node) (*Detection, error) {
	d := &Detection{place: places{body}}
	var decoded bytes.Buffer // the decoder wants a reader; the node is decoded instead
	if err := yaml.NewDecoder(&decoded, yaml.Strict()).DecodeFromNode(body, d); err != nil {
		return nil, fieldError(err)
	}
	return d, d.check()
}

// FieldError is a fault of a field of a detection file. Its text starts with
// the place, as [line:column], where there is one.
type FieldError struct {
	Field        string // as the file spells it, such as "scenarios[1].id"; may be empty
	Line, Column int    // 1-based; 0 where the field has no place
	Msg          string
	Hint         string // how to mend it; may be empty
}

// Error implements error.
func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "[%d:%d] ", e.Line, e.Column)
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// fieldError keeps the position and the cause of a YAML error, and leaves out
// the excerpt.
func fieldError(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return err
	}
	e := &FieldError{Msg: y.GetMessage()}
	if t := y.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	if name, ok := strings.CutPrefix(e.Msg, "unknown field "); ok {
		e.Field = strings.Trim(name, `"`)
		e.Hint = "besra detection schema lists the fields"
	}
	return e
}

// places finds where a field stands in its file.
type places struct{ body ast.Node }

// fault returns an error at a field, or at the nearest field above it that the
// file has.
func (p places) fault(field, hint, format string, args ...any) *FieldError {
	e := &FieldError{Field: field, Msg: fmt.Sprintf(format, args...), Hint: hint}
	for p.body != nil && e.Line == 0 {
		e.Line, e.Column = p.find(field)
		cut := strings.LastIndexAny(field, ".[")
		if cut < 0 {
			break
		}
		field = field[:cut]
	}
	if e.Line == 0 && p.body != nil {
		at := p.body.GetToken().Position
		e.Line = at.Line
		e.Column = 1
	}
	return e
}

func (p places) find(field string) (line, column int) {
	yamlPath, err := yaml.PathString("$." + field)
	if err != nil {
		return 0, 0
	}
	node, err := yamlPath.FilterNode(p.body)
	if err != nil || node == nil || node.GetToken() == nil {
		return 0, 0
	}
	at := node.GetToken().Position
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		at = m.Values[0].Key.GetToken().Position
	}
	return at.Line, at.Column
}

var (
	validID        = lazyregexp.New(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	validDigest    = lazyregexp.New(`^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$`)
	validDate      = lazyregexp.New(`^\d{4}-\d{2}-\d{2}`)
	validTactic    = lazyregexp.New(`^TA\d{4}$`)
	validTechnique = lazyregexp.New(`^T\d{4}(\.\d{3})?$`)
	validGroup     = lazyregexp.New(`^G\d{4}$`)
	validSoftware  = lazyregexp.New(`^S\d{4}$`)
)

// checker collects what is wrong with one detection.
type checker struct {
	*Detection
	errs []error
}

func (c *checker) want(ok bool, field, hint, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, c.place.fault(field, hint, format, args...))
	}
}

// check reports everything that is missing or impossible in one error.
func (d *Detection) check() error {
	c := &checker{Detection: d}
	c.want(d.APIVersion == APIVersion, "apiVersion", "", "apiVersion is %q, want %q", d.APIVersion, APIVersion)
	c.want(validID().MatchString(d.ID), "id", "", "id %q: want lower-case letters, digits and single dashes", d.ID)
	c.want(d.Title != "", "title", "say in one line what the detection finds", "title is missing")
	c.want(slices.Contains(statuses(), d.Status), "status", "", "status %q: want one of %v", d.Status, statuses())
	c.want(slices.Contains(states(), d.Hypothesis.State), "hypothesis.state", "",
		"hypothesis.state %q: want one of %v", d.Hypothesis.State, states())
	c.want(d.Severity.Rank() >= 0, "severity", "", "severity %q: want informational, low, medium or high", d.Severity)
	c.want(d.Confidence >= 0 && d.Confidence <= 100, "confidence", "", "confidence %d: want 1 to 100", d.Confidence)
	for i, ctx := range d.Contexts {
		c.want(slices.Contains(besra.Contexts(), ctx), fmt.Sprintf("contexts[%d]", i), "", "context %q is not one of %v", ctx, besra.Contexts())
	}
	c.rule()
	c.attack()
	c.provenance()
	c.scenarios()
	return errors.Join(c.errs...)
}

func (c *checker) rule() {
	r := c.Rule
	c.want(r.File == "" || fs.ValidPath(path.Clean(r.File)), "rule.file", "", "rule.file %q: want a path below the detection's folder", r.File)
	c.want((r.File == "") != (r.Inline == ""), "rule", "give one of the two", "a rule stands in rule.file or in rule.inline")
	c.want(r.Name != "", "rule.name", "name the rule of the file that is the detection", "rule.name is missing")
	c.want(r.Patterns >= 0, "rule.patterns", "", "rule.patterns is negative")
	for i, h := range r.KnownBad {
		c.want(validDigest().MatchString(h), fmt.Sprintf("rule.knownBad[%d]", i), "",
			"rule.knownBad %q: want an MD5, SHA-1 or SHA-256 in lower-case hex", h)
	}
}

func (c *checker) attack() {
	for _, list := range []struct {
		name  string
		ids   []string
		valid func() *regexp.Regexp
		like  string
	}{
		{"tactics", c.Attack.Tactics, validTactic, "TA0005"},
		{"techniques", c.Attack.Techniques, validTechnique, "T1027 or T1027.002"},
		{"groups", c.Attack.Groups, validGroup, "G0020"},
		{"software", c.Attack.Software, validSoftware, "S0154"},
	} {
		for i, id := range list.ids {
			c.want(list.valid().MatchString(id), fmt.Sprintf("attack.%s[%d]", list.name, i), "",
				"attack.%s %q: want an id such as %s", list.name, id, list.like)
		}
	}
	some := len(c.Attack.Tactics)+len(c.Attack.Techniques)+len(c.Attack.Groups)+len(c.Attack.Software) > 0
	c.want(!some || c.Attack.Version != "", "attack", "say which release of ATT&CK the ids are of, such as version: \"17.0\"",
		"attack.version is missing")
}

func (c *checker) provenance() {
	p := c.Provenance
	c.want(p.TLP == "" || slices.Contains(tlps(), p.TLP), "provenance.tlp", "", "provenance.tlp %q: want one of %v", p.TLP, tlps())
	c.want(p.Retrieved == "" || validDate().MatchString(p.Retrieved), "provenance.retrieved", "",
		"provenance.retrieved %q: want a date such as 2026-11-23", p.Retrieved)
}

func (c *checker) scenarios() {
	scenarios, exclusions := map[string]bool{}, map[string]bool{}
	for i := range c.Scenarios {
		s, field := &c.Scenarios[i], fmt.Sprintf("scenarios[%d]", i)
		c.want(validID().MatchString(s.ID) && !scenarios[s.ID], field+".id", "",
			"%s.id %q: want a unique id of lower-case letters, digits and dashes", field, s.ID)
		scenarios[s.ID] = true
		for j := range s.Exclusions {
			x := &s.Exclusions[j]
			x.Scenario = s.ID
			c.want(!exclusions[x.ID], fmt.Sprintf("%s.exclusions[%d].id", field, j), "", "%s.exclusions[%d].id %q is used twice", field, j, x.ID)
			exclusions[x.ID] = true
		}
	}
}
