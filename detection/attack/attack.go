// Package attack knows the tactics, techniques and groups of one release of
// MITRE ATT&CK Enterprise: enough to check the ids that detections name, to
// call them by name, and to lay out a matrix of coverage.
package attack

import (
	_ "embed"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Version is the release of ATT&CK that the table is of.
const Version = "17.0"

// Object is a tactic, technique or group.
type Object struct {
	ID, Name string
	Tactics  []string // of a technique, in the matrix's order
}

// URL is the object's page at MITRE.
func (o Object) URL() string { return URL(o.ID) }

// URL is the page of an id at MITRE.
func URL(id string) string {
	kind := map[byte]string{'T': "techniques", 'G': "groups", 'S': "software"}
	if strings.HasPrefix(id, "TA") {
		return "https://attack.mitre.org/tactics/" + id + "/"
	}
	if id == "" || kind[id[0]] == "" {
		return ""
	}
	return "https://attack.mitre.org/" + kind[id[0]] + "/" + strings.Replace(id, ".", "/", 1) + "/"
}

//go:embed attack.tsv
var tsv string

type table struct {
	order []string
	byID  map[string]Object
}

var load = sync.OnceValue(func() table {
	t := table{byID: map[string]Object{}}
	for line := range strings.Lines(tsv) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(cells) != 3 {
			continue // a comment
		}
		t.order = append(t.order, cells[0])
		t.byID[cells[0]] = Object{cells[0], cells[1], strings.Fields(cells[2])}
	}
	return t
})

// Lookup returns what an id stands for.
func Lookup(id string) (Object, bool) {
	o, ok := load().byID[id]
	return o, ok
}

// Name returns the name of an id, or the id where it is not known.
func Name(id string) string {
	if o, ok := Lookup(id); ok {
		return o.Name
	}
	return id
}

// All yields every object: tactics in the matrix's order, then techniques and
// groups by id.
func All() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		t := load()
		for _, id := range t.order {
			if !yield(t.byID[id]) {
				return
			}
		}
	}
}

// Tactics lists the tactics in the matrix's order.
func Tactics() []Object {
	var out []Object
	for o := range All() {
		if strings.HasPrefix(o.ID, "TA") {
			out = append(out, o)
		}
	}
	return out
}

// Parent returns the technique of a sub-technique, and any other id as it is.
func Parent(id string) string {
	parent, _, _ := strings.Cut(id, ".")
	return parent
}

var idText = regexp.MustCompile(`(?i)\b(ta\d{4}|t\d{4}(?:[./]\d{3})?|g\d{4}|s\d{4})\b`)

// IDs are the ids that texts mention, by kind, each once and in order.
type IDs struct{ Tactics, Techniques, Groups, Software []string }

// Find adds the ids in text. Sub-techniques may be written with a dot, or with
// a slash as in addresses.
func (ids *IDs) Find(text string) {
	for _, id := range idText.FindAllString(text, -1) {
		id = strings.ToUpper(strings.Replace(id, "/", ".", 1))
		list := map[byte]*[]string{'T': &ids.Techniques, 'G': &ids.Groups, 'S': &ids.Software}[id[0]]
		if strings.HasPrefix(id, "TA") {
			list = &ids.Tactics
		}
		if !slices.Contains(*list, id) {
			*list = append(*list, id)
		}
	}
}

// Empty reports whether there is none.
func (ids *IDs) Empty() bool {
	return len(ids.Tactics)+len(ids.Techniques)+len(ids.Groups)+len(ids.Software) == 0
}

// SentinelTactics returns the tactics of ids, TA0005 and the like, in Microsoft
// Sentinel's words, DefenseEvasion and the like, each once. Its list of tactics
// is that of ATT&CK up to 17; an id that this package does not know is left out.
func SentinelTactics(ids []string) []string {
	out := []string{}
	for _, id := range ids {
		o, ok := Lookup(id)
		if !ok || !strings.HasPrefix(id, "TA") {
			continue
		}
		var word strings.Builder
		for _, part := range strings.Fields(o.Name) {
			word.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
		if !slices.Contains(out, word.String()) {
			out = append(out, word.String())
		}
	}
	return out
}
