package kusto_test

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/besra-hunt/besra/sentinel/kusto"
)

var rustCache sync.Map

// rust compiles an expression in KQL's syntax. What compiled exclusions use of it
// is RE2's, but for the ASCII word boundary.
func rust(text string) *regexp.Regexp {
	if re, ok := rustCache.Load(text); ok {
		return re.(*regexp.Regexp)
	}
	for _, other := range []string{`\d`, `\w`, `\s`, `\Q`, `[[:`, `\p`, `\B`, `(?P`} {
		if strings.Contains(strings.ReplaceAll(text, `\\`, ""), other) {
			panic("the expression " + text + " means something else in KQL")
		}
	}
	plain := strings.ReplaceAll(text, `(?-u:\b)`, `\b`)
	if strings.Contains(strings.NewReplacer(`\\`, "", `(?-u:\b)`, "").Replace(text), `\b`) {
		panic("the expression " + text + " has a word boundary of Unicode")
	}
	re := regexp.MustCompile(plain)
	rustCache.Store(text, re)
	return re
}

// function compiles a call.
func (w world) function(n *kusto.Node) expr {
	name := nameOf(n)
	var args []expr
	for _, e := range elements(n.Children[1].Children[1]) {
		args = append(args, w.expr(e))
	}
	switch name { // which do not need all of their arguments
	case "iff":
		return func(r row) any {
			if args[0](r) == true {
				return args[1](r)
			}
			return args[2](r)
		}
	case "case":
		return func(r row) any {
			for i := 0; i+1 < len(args); i += 2 {
				if args[i](r) == true {
					return args[i+1](r)
				}
			}
			return args[len(args)-1](r)
		}
	case "now":
		return constant(instantOf(w.now))
	case "matches":
	}
	f, ok := calls[name]
	if !ok {
		panic("the evaluator does not know " + name + "()")
	}
	return func(r row) any {
		values := make([]any, len(args))
		for i, a := range args {
			values[i] = a(r)
		}
		return f(values)
	}
}

// sticky makes a function null where its first argument is.
func sticky(f func(v []any) any) func([]any) any {
	return func(v []any) any {
		if v[0] == nil {
			return nil
		}
		return f(v)
	}
}

var calls = map[string]func(v []any) any{
	"not": sticky(func(v []any) any { return !v[0].(bool) }),
	"coalesce": func(v []any) any {
		for _, x := range v {
			if x != nil && x != "" {
				return x
			}
		}
		return nil
	},
	"isnull":     func(v []any) any { return v[0] == nil },
	"isnotnull":  func(v []any) any { return v[0] != nil },
	"isempty":    func(v []any) any { return v[0] == nil || v[0] == "" },
	"isnotempty": func(v []any) any { return v[0] != nil && v[0] != "" },
	"tolower":    func(v []any) any { return strings.ToLower(v[0].(string)) },
	"strlen":     func(v []any) any { return int64(utf8.RuneCountInString(v[0].(string))) },
	"replace_string": func(v []any) any {
		return strings.ReplaceAll(v[0].(string), v[1].(string), v[2].(string))
	},
	"replace_regex": func(v []any) any {
		with := regexp.MustCompile(`\\([0-9])`).ReplaceAllString(strings.ReplaceAll(v[2].(string), "$", "$$"), "$${$1}")
		return rust(v[1].(string)).ReplaceAllString(v[0].(string), with)
	},
	"extract": func(v []any) any {
		m := rust(v[0].(string)).FindStringSubmatch(v[2].(string))
		if m == nil {
			return ""
		}
		return m[v[1].(int64)]
	},
	"gettype": func(v []any) any {
		d, ok := v[0].(dyn)
		if !ok {
			return "null"
		}
		switch d.v.(type) {
		case string:
			return "string"
		case []any:
			return "array"
		case map[string]any:
			return "dictionary"
		case bool:
			return "bool"
		}
		return "long"
	},
	"tostring":       func(v []any) any { return dynText(v[0]) },
	"tolong":         func(v []any) any { return convert[int64](v[0]) },
	"tobool":         func(v []any) any { return convert[bool](v[0]) },
	"todatetime":     toDatetime,
	"toint":          sticky(func(v []any) any { return int64(v[0].(float64)) }),
	"array_length":   onList(func(l []any, _ []any) any { return int64(len(l)) }),
	"set_intersect":  onList(func(l []any, v []any) any { return sets(l, v[1], true) }),
	"set_difference": onList(func(l []any, v []any) any { return sets(l, v[1], false) }),
	"set_has_element": onList(func(l []any, v []any) any {
		return slices.ContainsFunc(l, func(m any) bool { return m == v[1] })
	}),
	"datetime_utc_to_local": sticky(func(v []any) any {
		t := v[0].(instant).time()
		loc := must(time.LoadLocation(v[1].(string)))
		_, offset := t.In(loc).Zone()
		return instantOrNull(int64(v[0].(instant)) + int64(offset)*10_000_000)
	}),
	"startofday":  sticky(func(v []any) any { i := v[0].(instant); return i - i%ticksPerDay }),
	"dayofmonth":  calendar(func(t time.Time) any { return int64(t.Day()) }),
	"monthofyear": calendar(func(t time.Time) any { return int64(t.Month()) }),
	"getyear":     calendar(func(t time.Time) any { return int64(t.Year()) }),
	"dayofweek":   calendar(func(t time.Time) any { return span(int64(t.Weekday()) * ticksPerDay) }),
	"endofmonth": calendar(func(t time.Time) any {
		return instantOf(time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, -100, time.UTC))
	}),
	"parse_ipv6": func(v []any) any {
		ip, err := netip.ParseAddr(v[0].(string))
		if err != nil || ip.Zone() != "" {
			return ""
		}
		return netip.AddrFrom16(ip.As16()).StringExpanded()
	},
	"ipv4_is_in_any_range": func(v []any) any { return inRange(v, false) },
	"ipv6_is_in_any_range": func(v []any) any { return inRange(v, true) },
}

func calendar(f func(time.Time) any) func([]any) any {
	return sticky(func(v []any) any { return f(v[0].(instant).time()) })
}

func onList(f func(list, v []any) any) func([]any) any {
	return func(v []any) any {
		d, _ := v[0].(dyn)
		list, ok := d.v.([]any)
		if !ok {
			return nil
		}
		return f(list, v)
	}
}

func sets(list []any, other any, in bool) any {
	second, ok := other.(dyn).v.([]any)
	if !ok {
		return nil
	}
	out := []any{}
	for _, m := range list {
		if slices.Contains(second, m) == in && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return dyn{out}
}

// inRange compares addresses of IPv6 as they are: one of IPv4 in that form stays
// in it.
func inRange(v []any, six bool) any {
	ip, err := netip.ParseAddr(v[0].(string))
	if err != nil || ip.Is4() == six || ip.Zone() != "" {
		return nil
	}
	for _, text := range v[1].(dyn).v.([]any) {
		network := netip.MustParsePrefix(text.(string))
		if network.Addr().Is4() == six {
			return nil
		}
		shared := true
		a, b := ip.As16(), network.Addr().As16()
		for bit := range network.Bits() + map[bool]int{true: 0, false: 96}[six] {
			shared = shared && a[bit/8]>>(7-bit%8)&1 == b[bit/8]>>(7-bit%8)&1
		}
		if shared {
			return true
		}
	}
	return false
}

func dynText(v any) any {
	d, ok := v.(dyn)
	if !ok {
		return ""
	}
	if s, ok := d.v.(string); ok {
		return s
	}
	text, _ := json.Marshal(d.v)
	return string(text)
}

func convert[T any](v any) any {
	d, _ := v.(dyn)
	if x, ok := d.v.(T); ok {
		return x
	}
	return nil
}

func toDatetime(v []any) any {
	d, _ := v[0].(dyn)
	text, ok := d.v.(string)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil
	}
	return instantOf(t)
}
