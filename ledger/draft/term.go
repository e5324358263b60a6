package draft

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/ledger"
)

// term is a part of an expression, about one fact.
type term struct {
	fact  string
	about string // what it is about: path, name and directory are one thing
	when  string
	// length is how much there is to read and to keep up: 1, and more for lists.
	length      int
	grade       besra.Grade // the worst that the fact has among the benign
	hides, also set
}

// maxValues bounds a list of values in a term.
const maxValues = 8

// unfit are facts that say nothing about why something is benign: those of the
// match itself, and what every finding of a kind shares by chance.
var unfit = []string{"rule.", "match.", "file.size", "file.mode", "file.links", "file.md5", "file.sha1", "file.sha512", "file.magic", "file.ext",
	"process.pid", "process.start", "net.src.port", "host.os", "host.schedules", "host.user_schedules"}

// telling are the facts that say most about what something is and where it
// belongs, first.
var telling = []string{"file.path", "file.sha256", "package.name", "process.exe", "process.cmdline", "process.sha256", "archive.sha256", "image.digest",
	"net.url", "mail.from", "file.owner.name", "process.user", "host.name", "host.tags", "file.group.name"}

// telling is the place of the term's fact among those; the last is for all
// others.
func (t *term) telling() int {
	if i := slices.Index(telling, t.fact); i >= 0 {
		return i
	}
	return len(telling)
}

// about joins facts of which one says what the other does.
var about = map[string]string{"file.dir": "file.path", "file.name": "file.path", "process.name": "process.exe",
	"file.owner.uid": "file.owner.name", "file.group.gid": "file.group.name", "package.version": "package.name", "process.uid": "process.user",
	"git.remote": "git.root", "git.tracked": "git.root", "git.unmodified": "git.root"}

// terms are what holds of all the benign findings of a group.
func (d *Draft) terms(ctx context.Context, g *group, compile func(exclusion.Spec) (*exclusion.Exclusion, error)) []*term {
	var out []*term
	for _, def := range besra.Vocabulary() {
		if !def.In(g.context) || slices.ContainsFunc(unfit, func(p string) bool { return strings.HasPrefix(def.Name, p) }) {
			continue
		}
		values, grade, ok := shared(ctx, g.benign, def.Name)
		if !ok {
			continue
		}
		for _, t := range write(def, values) {
			t.grade = grade
			x, err := compile(exclusion.Spec{ID: "term", When: t.when, Contexts: []besra.Context{g.context}, AllowWeak: "a part of an expression"})
			if err != nil || holds(ctx, x, g.benign).len() != len(g.benign) {
				continue
			}
			t.hides, t.also = holds(ctx, x, g.confirmed), holds(ctx, x, g.others)
			out = append(out, t)
		}
	}
	return out
}

// shared returns the values that a fact has in all findings, and its worst grade;
// ok is false where one does not know it.
func shared(ctx context.Context, items []*ledger.Item, name string) (values []any, grade besra.Grade, ok bool) {
	grade = besra.GradeVerified
	for _, i := range items {
		f := besra.Recorded(&i.Finding).Fact(ctx, name)
		if !f.Known() {
			return nil, grade, false
		}
		values, grade = append(values, plain(f.Value)), min(grade, f.Grade)
	}
	return values, grade, true
}

// write returns the terms that say what values have in common.
func write(def besra.FactDef, values []any) []*term {
	one := func(when string, length int) *term {
		t := &term{fact: def.Name, about: def.Name, when: when, length: length}
		if a, ok := about[def.Name]; ok {
			t.about = a
		}
		return t
	}
	var out []*term
	switch values[0].(type) {
	case bool:
		if len(distinct(values)) == 1 {
			if values[0] == false {
				return []*term{one("!"+def.Name, 2)} // true of most things
			}
			out = append(out, one(def.Name, 1))
		}
	case string, int64:
		if list := distinct(values); len(list) == 1 {
			out = append(out, one(def.Name+" == "+list[0], 1))
		} else if len(list) <= maxValues {
			out = append(out, one(def.Name+" in ["+strings.Join(list, ", ")+"]", len(list)))
		}
		if dir := commonDir(def.Name, values); dir != "" {
			out = append(out, one(fmt.Sprintf("%s.under(%s)", def.Name, quote(dir)), 1))
		}
	case []string:
		for _, s := range common(values) {
			out = append(out, one(quote(s)+" in "+def.Name, 1))
		}
	case time.Time: // no two findings share one for a reason
	}
	return out
}

// distinct returns the different values as literals, sorted.
func distinct(values []any) []string {
	seen := map[string]bool{}
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if v == "" {
				return make([]string, maxValues+1) // nothing known is no reason
			}
			seen[quote(v)] = true
		default:
			seen[fmt.Sprint(v)] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// quote writes a text as a literal of CEL.
func quote(s string) string { return strconv.Quote(s) }

// commonDir returns the directory that all paths lie in, where it is two levels
// deep or more: what lies right under the root belongs to everybody.
func commonDir(name string, values []any) string {
	if name != "file.path" && name != "process.exe" {
		return ""
	}
	dir := ""
	for i, v := range values {
		p, _ := v.(string)
		if i == 0 {
			dir = path.Dir(p)
		}
		for dir != "/" && dir != "." && !strings.HasPrefix(p, dir+"/") {
			dir = path.Dir(dir)
		}
	}
	if strings.Count(dir, "/") < 2 {
		return ""
	}
	return dir
}

// common returns the elements that all lists have.
func common(values []any) []string {
	first, _ := values[0].([]string)
	var out []string
	for _, s := range first {
		if !slices.ContainsFunc(values, func(v any) bool { list, _ := v.([]string); return !slices.Contains(list, s) }) {
			out = append(out, s)
		}
	}
	return out
}

// holds returns of which findings an exclusion is true.
func holds(ctx context.Context, x *exclusion.Exclusion, items []*ledger.Item) set {
	out := make(set, (len(items)+63)/64)
	for n, i := range items {
		if x.Decide(ctx, besra.Recorded(&i.Finding), time.Time{}, i.Finding.Target.Context).Outcome == besra.OutcomeTrue {
			out[n/64] |= 1 << (n % 64)
		}
	}
	return out
}
