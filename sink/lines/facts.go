package lines

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Facts are what a finding knows of its target, as fields of a schema take them:
// text is printable, and what does not fit its field counts as not known.
type Facts map[string]any

// FactsOf returns the facts of a finding that are known, by their names in the
// vocabulary.
func FactsOf(f *besra.Finding) Facts {
	facts := Facts{}
	for _, fact := range f.Facts {
		if _, ok := besra.FactNamed(fact.Name); !ok || !fact.Known() {
			continue
		}
		if s, ok := fact.Text(); ok {
			facts[fact.Name] = printable(s)
			continue
		}
		switch v := fact.Value.(type) {
		case []string:
			list := make([]string, len(v))
			for i, s := range v {
				list[i] = printable(s)
			}
			facts[fact.Name] = list
		case time.Time:
			facts[fact.Name] = v.UTC()
		case int64, float64, bool:
			facts[fact.Name] = v
		}
	}
	return facts
}

func printable(s string) string { return besra.Text(s).Printable() }

// Text returns a fact that is a string; "" where it is not known.
func (f Facts) Text(name string) string {
	s, _ := f[name].(string)
	return s
}

// Texts returns a fact that is a list of strings, or a single one, without those
// that are empty.
func (f Facts) Texts(name string) []string {
	list, ok := f[name].([]string)
	if !ok {
		list = []string{f.Text(name)}
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// Number returns a fact that is a number and not negative.
func (f Facts) Number(name string) *int64 {
	if n, ok := f[name].(int64); ok && n >= 0 {
		return &n
	}
	return nil
}

// Port returns a fact that is the number of a port.
func (f Facts) Port(name string) *int64 {
	if n := f.Number(name); n != nil && *n < 1<<16 {
		return n
	}
	return nil
}

// Time returns a fact that is a point in time.
func (f Facts) Time(name string) *time.Time {
	if t, ok := f[name].(time.Time); ok {
		return &t
	}
	return nil
}

// Address returns a fact that is an address of the Internet, without its zone.
func (f Facts) Address(name string) string {
	a, err := netip.ParseAddr(f.Text(name))
	if err != nil {
		return ""
	}
	return a.WithZone("").String()
}

// Base returns the last part of a path that a fact is.
func (f Facts) Base(name string) string { return string(besra.Text(f.Text(name)).Base()) }

// Present returns a group of fields, and nil where nothing is known of it.
func Present[T comparable](group T) *T {
	var none T
	if group == none {
		return nil
	}
	return &group
}

// IsFile reports whether a target is something that lies there under its name: a
// file, a member, an object that was carved from traffic. The memory of a process
// does not, nor what one end of a conversation sent.
func IsFile(t besra.TargetRef) bool {
	if t.Context == besra.ContextProcess || t.Name == "" {
		return false
	}
	proto, ends, _ := strings.Cut(string(t.Name.Base()), ":")
	stream := strings.Contains(ends, ">") && slices.Contains([]string{"tcp", "udp", "icmp"}, proto)
	return t.Context != besra.ContextNetwork || !stream
}
