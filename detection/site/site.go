// Package site renders the detections of packs as a static catalogue: an index
// with search and facets, a page a detection, the coverage of MITRE ATT&CK and
// its Navigator layer. The pages ask for nothing outside of their folder, and
// work from a file system without a server.
package site

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/detection/attack"
	"github.com/besra-hunt/besra/yara"
)

//go:embed assets
var assets embed.FS

// Page is one detection as its page shows it.
type Page struct {
	*detection.Detection
	Pack     string
	RuleText string
	// Explanation is nil where the rule does not compile.
	Explanation *detection.Explanation
}

// Site is a catalogue.
type Site struct {
	Title string
	Pages []Page
}

// New makes a catalogue of packs. A bare rule file gives a page for each of its
// rules, with what the rule says of itself.
func New(title string, packs ...*detection.Pack) (*Site, []detection.Fault) {
	s := &Site{Title: title}
	set, faults := detection.Compile(packs...)
	if set == nil {
		return s, faults
	}
	texts := ruleTexts(packs)
	used := map[string]bool{}
	for rule := range set.Rules.All() {
		if e := set.Entry(rule); e != nil && !rule.Private() {
			s.add(e, rule, texts[[2]string{e.Pack, e.Detection.RulePath()}][rule.Name()], used)
		}
	}
	slices.SortFunc(s.Pages, func(a, b Page) int { return strings.Compare(a.ID, b.ID) })
	return s, faults
}

// ruleTexts returns the text of each rule by pack and file, and by name.
func ruleTexts(packs []*detection.Pack) map[[2]string]map[string]string {
	texts := map[[2]string]map[string]string{}
	for _, p := range packs {
		for file, text := range p.Rules {
			texts[[2]string{p.Name, file}] = detection.RuleTexts(text)
		}
	}
	return texts
}

func (s *Site) add(e *detection.Entry, rule yara.Rule, text string, used map[string]bool) {
	d := *e.Described(rule)
	base := d.ID
	for i := 2; used[d.ID]; i++ {
		d.ID = fmt.Sprintf("%s-%d", base, i)
	}
	used[d.ID] = true
	s.Pages = append(s.Pages, Page{&d, e.Pack, text, detection.Explain(rule)})
}

// entry is a detection in the index, with short names: there are thousands.
type entry struct {
	ID         string   `json:"i"`
	Title      string   `json:"t"`
	Severity   string   `json:"s"`
	Status     string   `json:"u"`
	Author     string   `json:"a,omitempty"`
	Confidence int      `json:"c,omitempty"`
	Contexts   []string `json:"x,omitempty"`
	Techniques []string `json:"m,omitempty"`
	Rule       string   `json:"r"`
	Risk       string   `json:"f"`
}

// Write renders the catalogue into dir. Files of the same names are replaced.
func (s *Site) Write(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "d"), 0o777); err != nil {
		return err
	}
	t, err := template.New("").Funcs(template.FuncMap{"attackName": attack.Name, "attackURL": attack.URL, "join": strings.Join, "address": isAddress}).
		ParseFS(assets, "assets/*.html")
	if err != nil {
		return err
	}
	w := writer{dir: dir, t: t}
	for _, name := range []string{"style.css", "index.js"} {
		text, err := assets.ReadFile("assets/" + name)
		w.file(name, text, err)
	}
	w.page("index.html", "index.html", s)
	w.data(s)
	matrix := Matrix(s.Pages)
	w.page("attack.html", "attack.html", map[string]any{"Title": s.Title, "Columns": matrix, "Version": attack.Version})
	layer, err := json.MarshalIndent(Layer(s.Title, s.Pages), "", " ")
	w.file("navigator-layer.json", layer, err)
	for i := range s.Pages {
		w.page(filepath.Join("d", s.Pages[i].ID+".html"), "detection.html", map[string]any{"Site": s.Title, "P": s.Pages[i]})
	}
	return w.err
}

// isAddress reports whether a reference can be a link.
func isAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// writer writes files until the first error.
type writer struct {
	dir string
	t   *template.Template
	err error
}

func (w *writer) file(name string, text []byte, err error) {
	if w.err == nil {
		w.err = err
	}
	if w.err == nil {
		w.err = os.WriteFile(filepath.Join(w.dir, name), text, 0o644)
	}
}

func (w *writer) page(name, tmpl string, data any) {
	var b strings.Builder
	err := w.t.ExecuteTemplate(&b, tmpl, data)
	w.file(name, []byte(b.String()), err)
}

// data writes the index as a script: pages opened from a file system may not
// fetch.
func (w *writer) data(s *Site) {
	var list []entry
	for _, p := range s.Pages {
		e := entry{p.ID, p.Title, string(p.Severity), string(p.Status), p.Provenance.Author, p.Confidence, nil, p.Attack.Techniques, p.Rule.Name, p.Explanation.FalsePositives}
		if e.Rule == "" {
			e.Rule = p.Explanation.Rule
		}
		for _, c := range p.Places() {
			e.Contexts = append(e.Contexts, string(c))
		}
		list = append(list, e)
	}
	text, err := json.Marshal(list)
	w.file("data.js", []byte("const detections="+string(text)+";\n"), err)
}

// Places are the contexts of the detection, or those that its rule suits.
func (p Page) Places() []besra.Context {
	if len(p.Contexts) > 0 {
		return p.Contexts
	}
	return p.Explanation.Contexts()
}
