package detection

import (
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

func TestParseFilter(t *testing.T) {
	tests := []struct{ filter, cel, negated string }{
		{`process.name != "a"`, `process.name != "a"`, `process.name == "a"`},
		{`Exclude where Image = '/usr/bin/a' AND NOT user == "root".`, `process.exe == "/usr/bin/a" && !(process.user == "root")`, `(process.exe != "/usr/bin/a" || process.user == "root")`},
		{`(file.path startswith “/opt/” or host in ["a", "b"]) and owner not in (c)`,
			`(file.path.startsWith("/opt/") || host.name in ["a", "b"]) && !(file.owner.name in ["c"])`,
			`((!file.path.startsWith("/opt/") && !(host.name in ["a", "b"])) || file.owner.name in ["c"])`},
		{`file.size <= 10 or commandline not contains "x\"y"`, `file.size <= 10 || !process.cmdline.contains("x\"y")`, `file.size > 10 && process.cmdline.contains("x\"y")`},
	}
	for _, tt := range tests {
		text, ok := filterText(tt.filter)
		if !ok {
			t.Errorf("%s is not taken as an expression", tt.filter)
			continue
		}
		l, facts, err := parseFilter(text)
		if err != nil || len(facts) == 0 {
			t.Errorf("%s: %v, facts %q", tt.filter, err, facts)
			continue
		}
		if got := l.cel(); got != tt.cel {
			t.Errorf("%s: got %s, want %s", tt.filter, got, tt.cel)
		}
		if got := l.negated(); got != tt.negated {
			t.Errorf("not %s: got %s, want %s", tt.filter, got, tt.negated)
		}
	}
}

func TestParseFilterErrors(t *testing.T) {
	for filter, want := range map[string]string{
		`event_id == 4688`:                  "event_id is no fact",
		`process.name == `:                  "it ends where a value should stand",
		`(process.name == "a"`:              "a parenthesis is not closed",
		`process.name == "a" "b"`:           "does not belong here",
		`process.name =~ "a"`:               "no comparison that can be said exactly",
		`process.name in "a"`:               "a list should follow in",
		`process.name in ["a"`:              "it ends where a value should stand",
		`process.name == "a`:                "cannot read",
		strings.Repeat("(", 99) + `os == a`: "it nests deeper",
	} {
		if _, _, err := parseFilter(filter); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", filter, err, want)
		}
	}
	for _, prose := range []string{"Exclude files owned by root.", "Verify that it is authorized.", "user accounts in the group", ""} {
		if _, ok := filterText(prose); ok {
			t.Errorf("%q is taken as an expression", prose)
		}
	}
}

// FuzzParseFilter holds both readings of a filter to the grammar of CEL.
func FuzzParseFilter(f *testing.F) {
	f.Add(`process.name != "a" or not (user == 'b' and file.size > 0x10)`)
	f.Add(`host in ["a", "b"] && !owner contains "c\"`)
	f.Fuzz(func(t *testing.T, text string) {
		l, _, err := parseFilter(text)
		if err != nil || len(text) > 1000 {
			return
		}
		for _, when := range []string{l.cel(), l.negated()} {
			_, problems := exclusion.Compile(exclusion.Spec{ID: "x", When: when, Contexts: []besra.Context{besra.ContextFile}}, exclusion.Options{})
			for _, p := range problems {
				if p.Code == exclusion.CodeSyntax {
					t.Fatalf("%q became %q: %v", text, when, p)
				}
			}
		}
	})
}
