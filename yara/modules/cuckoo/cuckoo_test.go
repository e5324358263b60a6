package cuckoo_test

import (
	"regexp"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/cuckoo"
	"github.com/besra-hunt/besra/yara/yaratest"
)

const sample = `{
	"network": {
		"domains": [{"domain": "evil.example", "ip": "192.0.2.1"}, {"domain": "evil.test"}, {"domain": null}],
		"dns": "not looked at beside domains",
		"http": [
			{"method": "GET", "uri": "http://evil.example/a", "user-agent": "bot"},
			{"method": "post", "uri": "http://evil.example/b"},
			{"method": "HEAD", "uri": "http://evil.example/c"},
			{"uri": "http://evil.example/d", "user-agent": "bot"}
		],
		"tcp": [{"dst": "192.0.2.1", "dport": 443}, {"dst": "192.0.2.1", "dport": 80}, {"dst_domain": "evil.example", "dport": 443}],
		"udp": [{"dst": "192.0.2.1"}],
		"hosts": ["192.0.2.1", "192.0.2.2"]
	},
	"behavior": {"summary": {"mutexes": ["m1"], "files": ["C:\\a", "C:\\b"], "keys": null}}
}`

func regex(s string) module.Value { return module.Regex(regexp.MustCompile(s)) }

func TestFunctions(t *testing.T) {
	tests := []struct {
		path          string
		args          []any
		want, libyara string
	}{
		{"network.dns_lookup", []any{regex("evil")}, "2", "1"},
		{"network.dns_lookup", []any{regex("test$")}, "1", "0"}, // libyara asks for an address
		{"network.http_get", []any{regex("evil")}, "1", "1"},
		{"network.http_post", []any{regex("evil")}, "1", "1"},
		{"network.http_request", []any{regex("evil")}, "3", "1"},
		{"network.http_request", []any{regex("c$")}, "1", "0"}, // libyara knows GET and POST
		{"network.http_user_agent", []any{regex("^bot$")}, "2", "1"},
		{"network.host", []any{regex("^192")}, "2", "1"},
		{"network.host", []any{regex("^193")}, "0", "0"},
		{"network.tcp", []any{regex("192|evil"), 443}, "2", "1"},
		{"network.tcp", []any{regex("evil"), 443}, "1", "0"},
		{"network.udp", []any{regex("."), 0}, "0", "0"},
		{"registry.key_access", []any{regex(".")}, "0", "0"},
		{"filesystem.file_access", []any{regex("a$")}, "1", "1"},
		{"sync.mutex", []any{regex("m")}, "1", "1"},
	}
	for _, test := range tests {
		for _, libyara := range []bool{false, true} {
			want := test.want
			if libyara {
				want = test.libyara
			}
			in := &module.Input{Meta: map[string][]byte{"cuckoo": []byte(sample)}, LibYARA: libyara}
			if got := yaratest.Show(yaratest.Call(t, cuckoo.Module(), in, test.path, test.args...)); got != want {
				t.Errorf("%s, libyara %v: got %s, want %s", test.path, libyara, got, want)
			}
		}
	}
}

func TestReports(t *testing.T) {
	tests := []struct{ report, want, libyara string }{
		{"", "0", "0"},
		{"{}", "0", "0"},
		{"null", "0", "0"},
		{"{", "undefined", "undefined"},
		{"{} {}", "undefined", "undefined"},
		{`{"network": []}`, "undefined", "0"},
		{`{"network": {"hosts": "a"}}`, "undefined", "0"},
		{`{"network": {"hosts": ["a", 1, "b"]}}`, "undefined", "1"},
		{`{"network": {"hosts": ["a", "b"], "tcp": [{"dport": -1}]}}`, "undefined", "1"},
		{`{"network": {"hosts": ["a"], "domains": null, "dns": 1}}`, "1", "1"},
		{`{"network": {"hosts": ["a"], "dns": [{"hostname": 1}]}}`, "undefined", "1"},
		{`{"Network": {"hosts": ["a"]}}`, "0", "0"},
	}
	for _, test := range tests {
		for _, libyara := range []bool{false, true} {
			want := test.want
			if libyara {
				want = test.libyara
			}
			in := &module.Input{Meta: map[string][]byte{"cuckoo": []byte(test.report)}, LibYARA: libyara}
			if got := yaratest.Show(yaratest.Call(t, cuckoo.Module(), in, "network.host", regex("."))); got != want {
				t.Errorf("%s, libyara %v: got %s, want %s", test.report, libyara, got, want)
			}
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Meta: map[string][]byte{"cuckoo": data}}
		yaratest.Call(t, cuckoo.Module(), in, "network.tcp", regex("a"), 1)
		yaratest.Call(t, cuckoo.Module(), in, "network.http_request", regex("a"))
	})
}
