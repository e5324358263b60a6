package detection

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/goccy/go-yaml"
)

// Draft is a detection made of a catalogue page, for a person to harden.
type Draft struct {
	Detection *Detection
	RuleText  string
	// Notes say what could not be translated, or only with a doubt.
	Notes []Note
	// Lines are the lines of the page that the exclusions came from, by id.
	Lines map[string]int

	contexts []besra.Context // those the page names, or the rule is good for
}

// DraftPage makes a detection of a page. origin says where the page came from.
// The error is a *PageError where the page's rule does not compile or is not
// what the page says it is.
func DraftPage(name, origin string, page *Page) (*Draft, error) {
	rules, rule, err := pageRule(name, page)
	if err != nil {
		return nil, err
	}
	d := &Draft{RuleText: page.Rule + "\n", Lines: map[string]int{}}
	d.Detection = pageDetection(rule, origin, page)
	d.noteRule(rule, page)
	if d.contexts = d.Detection.Contexts; len(d.contexts) == 0 {
		d.contexts = Explain(rule).Contexts()
	}
	scanner := rules.NewScanner()
	for _, s := range page.Scenarios {
		d.canFire(scanner, s)
		d.scenario(s)
	}
	return d, nil
}

// pageRule compiles the page's rules and returns with them the one that is the
// detection: the last that is not private.
func pageRule(name string, page *Page) (*yara.Rules, yara.Rule, error) {
	c := yara.NewCompiler(yara.WithModules(standard.Modules()...))
	list := c.AddSource(yara.Source{Origin: name, Text: []byte(page.Rule)})
	var none yara.Rule
	for _, d := range list {
		if d.Severity == 0 {
			return nil, none, &PageError{name, page.RuleLine + d.Line - 1, "the rule does not compile: " + d.Title + " [" + d.Code + "]", strings.Join(d.Notes, "; ")}
		}
	}
	rules, list := c.Build()
	if list.HasErrors() {
		return nil, none, &PageError{name, page.RuleLine, "the rule does not compile: " + list.Error(), ""}
	}
	found := none
	ok := false
	for r := range rules.All() {
		if !r.Private() {
			found, ok = r, true
		}
	}
	if !ok {
		return nil, none, &PageError{name, page.RuleLine, "no rule stands under \"" + ruleHeading + "\"", ""}
	}
	if n := countPatterns(found); page.StatedPatterns >= 0 && n != page.StatedPatterns {
		return nil, none, &PageError{name, page.RuleLine, fmt.Sprintf("the rule has %d patterns, the page says %d", n, page.StatedPatterns),
			"the rule may have been damaged on its way: compare it with its source"}
	}
	return rules, found, nil
}

func countPatterns(r yara.Rule) (n int) {
	for range r.Patterns() {
		n++
	}
	return n
}

func pageDetection(rule yara.Rule, origin string, page *Page) *Detection {
	id := firstOf(identifier(rule.Name(), '-'), "rule")
	d := &Detection{
		APIVersion: APIVersion, ID: id, Version: "0.1.0", Status: StatusDraft,
		Hypothesis: Hypothesis{Statement: page.Hypothesis, State: StateUnknown},
		Rule:       RuleFile{File: id + ".yar", Name: rule.Name(), Patterns: countPatterns(rule)},
		Parameters: exclusion.Parameters{},
		Provenance: Provenance{Catalogue: origin},
	}
	d.Rule.Fingerprint = fingerprints(id, []byte(page.Rule))[rule.Name()]
	readMeta(rule.Name(), rule.Meta(), rule.Tags()).apply(d)
	if page.Severity != "" {
		d.Severity = page.Severity // the page speaks of this detection, a rule's score is its author's habit
	}
	return d
}

// knownLicense is the licence under which an author publishes rules, where the
// rule itself does not say.
func knownLicense(author, source string) (license, from string) {
	if strings.HasPrefix(author, "Florian Roth") {
		return "Detection Rule License 1.1 (DRL-1.1)", firstOf(source, "https://github.com/Neo23x0/signature-base")
	}
	return "", source
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (d *Draft) noteRule(rule yara.Rule, page *Page) {
	det := d.Detection
	for _, u := range page.Unread {
		d.note(0, "not read: %s", u)
	}
	if page.Severity == "" && readMeta(rule.Name(), rule.Meta(), nil).severity == "" {
		d.note(page.RuleLine, "severity %s is a guess: the page states none", det.Severity)
	}
	for _, c := range page.Contexts {
		if ctx, ok := contextNamed(c); ok {
			det.Contexts = append(det.Contexts, ctx)
		} else {
			d.note(page.RuleLine, "context %q is not one that Besra knows: left out", c)
		}
	}
	if len(page.Contexts) == 0 {
		d.note(page.RuleLine, "the page's list of contexts is empty: the detection is not limited to any")
	}
	if page.StatedPatterns < 0 {
		d.note(page.RuleLine, "the page states no pattern count: the rule has %d", det.Rule.Patterns)
	}
	if readMeta(rule.Name(), rule.Meta(), rule.Tags()).license == "" {
		if det.Provenance.License == "" {
			d.note(page.RuleLine, "the rule states no licence: ask its author")
		} else {
			d.note(page.RuleLine, "the rule states no licence: %s is what its author publishes under, check it", det.Provenance.License)
		}
	}
}

func contextNamed(s string) (besra.Context, bool) {
	words := map[string]besra.Context{"file": besra.ContextFile, "endpoint": besra.ContextFile, "disk": besra.ContextFile,
		"image": besra.ContextImage, "container": besra.ContextImage, "archive": besra.ContextArchive,
		"process": besra.ContextProcess, "memory": besra.ContextProcess, "network": besra.ContextNetwork, "traffic": besra.ContextNetwork,
		"mail": besra.ContextMail, "bucket": besra.ContextObject, "object": besra.ContextObject, "cloud storage": besra.ContextObject}
	for _, c := range besra.Contexts() {
		for word, ctx := range words {
			if ctx == c && strings.Contains(strings.ToLower(s), word) {
				return c, true
			}
		}
	}
	return "", false
}

func (d *Draft) scenario(s PageScenario) {
	id := d.newID(s.Title)
	out := Scenario{ID: id, Title: s.Title, Description: s.Description, Filter: s.Filter, Truncated: s.Truncated}
	if s.Truncated {
		d.note(s.Line, "scenario %q is cut off in the page: what its filter lacks must be added", s.Title)
	}
	x := d.exclusion(id, s)
	if x == nil {
		out.Questions = []string{firstOf(s.Filter, s.Description)}
	} else {
		out.Exclusions = []exclusion.Spec{*x}
		d.Lines[x.ID] = s.FilterLine
	}
	d.Detection.Scenarios = append(d.Detection.Scenarios, out)
}

// newID makes an id of a title that no scenario has.
func (d *Draft) newID(title string) string {
	base := firstOf(identifier(title, '-'), "scenario")
	id := base
	for i := 2; d.has(id); i++ {
		id = fmt.Sprintf("%s-%d", base, i)
	}
	return id
}

// exclusion drafts the exclusion of a scenario, or returns nil.
func (d *Draft) exclusion(id string, s PageScenario) *exclusion.Spec {
	if text, ok := filterText(s.Filter); ok {
		return d.expression(id, s, text)
	}
	x, params, notes := draftExclusion(id, s)
	for _, n := range notes {
		n.Line = s.FilterLine
		n.Text = fmt.Sprintf("scenario %q: %s", s.Title, n.Text)
		d.Notes = append(d.Notes, n)
	}
	for name, p := range params {
		d.Detection.Parameters[name] = p
	}
	return x
}

func (d *Draft) has(id string) bool {
	for _, s := range d.Detection.Scenarios {
		if s.ID == id {
			return true
		}
	}
	return false
}

// Write puts the draft's two files into dir, which is made where it is absent,
// and returns their paths. Both files are complete or neither is there. A file
// that exists is only replaced with force.
func (d *Draft) Write(dir string, force bool) ([]string, error) {
	text, err := yaml.MarshalWithOptions(d.Detection, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return nil, err
	}
	header := "# Draft imported from a catalogue page. Every exclusion needs an owner, a reason, an\n" +
		"# expiry, a second independent fact, a benign fixture and a malicious twin.\n"
	files := []pending{
		{path: filepath.Join(dir, d.Detection.Rule.File), text: []byte(d.RuleText)},
		{path: filepath.Join(dir, d.Detection.ID+".yaml"), text: append([]byte(header), text...)},
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return writeAll(files, force)
}

// pending is a file that is written under a temporary name first.
type pending struct {
	path, temp string
	text       []byte
}

// writeAll writes all files or none.
func writeAll(files []pending, force bool) (paths []string, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, f := range files {
			if f.temp != "" {
				os.Remove(f.temp)
			}
		}
	}()
	for i := range files {
		if err := files[i].stage(force); err != nil {
			return nil, err
		}
	}
	for i, f := range files {
		if err := os.Rename(f.temp, f.path); err != nil {
			for _, done := range files[:i] {
				os.Remove(done.path)
			}
			return nil, err
		}
		paths = append(paths, f.path)
	}
	return paths, nil
}

func (f *pending) stage(force bool) error {
	if _, err := os.Lstat(f.path); err == nil && !force {
		return fmt.Errorf("%s exists already: remove it, or replace it with --force", f.path)
	}
	t, err := os.CreateTemp(filepath.Dir(f.path), ".besra-*")
	if err != nil {
		return err
	}
	f.temp = t.Name()
	_, err = t.Write(f.text)
	if err == nil {
		err = t.Chmod(0o644)
	}
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	return err
}
