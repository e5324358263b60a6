// Package cuckoo is the YARA module "cuckoo": what a program did in a Cuckoo
// sandbox. The caller passes the sandbox's JSON report beside the target; the
// target itself is not looked at.
//
// Functions count the events that match. Without a report they give 0; where
// the report is no JSON or a member has another type than Cuckoo's they give
// undefined. Under the LibYARA dialect they give 1 or 0, look at the members
// that libyara looks at, and leave out events with members of another type.
//
// The report is parsed once a scan, when a function is first called. Time and
// memory are linear in its size.
package cuckoo

import (
	"strings"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	value := column.Struct(root, none{})
	return &module.Module{
		Name:   "cuckoo",
		Doc:    "What a program did in a Cuckoo sandbox, of a report that the caller passes.",
		Schema: column.Type("cuckoo", root),
		Load:   func(*module.Input) module.Value { return value },
	}
}

type none struct{}

func always(none) (none, bool) { return none{}, true }

var root = []column.Column[none]{
	column.Sub("network", "What went over the network.", "Network", network, always),
	column.Sub("registry", "What happened to the registry.", "Registry", []column.Column[none]{
		matching("key_access", "The number of registry keys accessed whose path matches.", func(r *report) []string { return r.keys }),
	}, always),
	column.Sub("filesystem", "What happened to files.", "Filesystem", []column.Column[none]{
		matching("file_access", "The number of files accessed whose path matches.", func(r *report) []string { return r.files }),
	}, always),
	column.Sub("sync", "How the program synchronized.", "Sync", []column.Column[none]{
		matching("mutex", "The number of mutexes whose name matches.", func(r *report) []string { return r.mutexes }),
	}, always),
}

var network = []column.Column[none]{
	matching("dns_lookup", "The number of names looked up that match.", func(r *report) []string { return r.domains }),
	matching("http_get", "The number of GET requests whose URI matches.", func(r *report) []string { return r.uris("get") }),
	matching("http_post", "The number of POST requests whose URI matches.", func(r *report) []string { return r.uris("post") }),
	matching("http_request", "The number of requests whose URI matches; of GET and POST requests under the LibYARA dialect.",
		func(r *report) []string {
			if r.lenient {
				return r.uris("get", "post")
			}
			return r.uris()
		}),
	matching("http_user_agent", "The number of requests whose User-Agent header matches.", func(r *report) []string { return r.agents }),
	matching("host", "The number of hosts spoken to whose address matches.", func(r *report) []string { return r.hosts }),
	flowing("tcp", "The number of TCP connections to the port of a host whose address or name matches.", func(r *report) []flow { return r.tcp }),
	flowing("udp", "The number of UDP flows to the port of a host whose address or name matches.", func(r *report) []flow { return r.udp }),
}

// matching is a function that counts the strings that a regexp matches.
func matching(name, doc string, of func(*report) []string) column.Column[none] {
	return column.Func[none](name, doc, module.Integer, column.Overload{
		Params: []module.Kind{module.Regexp},
		Call: func(c *module.Call, args []module.Value) module.Value {
			r := reportOf(c.Input)
			if r == nil {
				return module.Value{}
			}
			n, re := 0, args[0].Regexp()
			for _, s := range of(r) {
				if re.MatchString(s) {
					n++
				}
			}
			return r.count(n)
		},
	})
}

// flowing is a function that counts the flows to a port of a host that a
// regexp matches.
func flowing(name, doc string, of func(*report) []flow) column.Column[none] {
	return column.Func[none](name, doc, module.Integer, column.Overload{
		Params: []module.Kind{module.Regexp, module.Integer},
		Call: func(c *module.Call, args []module.Value) module.Value {
			r := reportOf(c.Input)
			if r == nil {
				return module.Value{}
			}
			n, re := 0, args[0].Regexp()
			port, _ := args[1].Int()
			for _, f := range of(r) {
				if f.port == uint64(port) && f.hasPort && f.matches(re) {
					n++
				}
			}
			return r.count(n)
		},
	})
}

func (r *report) count(n int) module.Value {
	if r.lenient {
		n = min(n, 1)
	}
	return module.Int(int64(n))
}

func (f *flow) matches(re module.Matcher) bool {
	for _, host := range f.hosts {
		if re.MatchString(host) {
			return true
		}
	}
	return false
}

// uris are those of requests with one of the methods, of all without.
func (r *report) uris(methods ...string) []string {
	var uris []string
	for _, q := range r.requests {
		ok := len(methods) == 0
		for _, m := range methods {
			ok = ok || strings.EqualFold(m, q.method)
		}
		if ok {
			uris = append(uris, q.uri)
		}
	}
	return uris
}
