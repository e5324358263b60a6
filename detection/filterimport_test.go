package detection

import (
	"strings"
	"testing"
)

const sigmaFilters = `title: Administrators
filter:
  rules: [any]
  selection:
    User|startswith: 'adm_'
    Image|endswith: ['\mmc.exe', '/tool?']
  filter_host:
    ComputerName|cased: x
  condition: not selection
---
title: Keep
filter:
  rules: [any]
  selection: {User: root}
  condition: selection
---
title: Two
filter:
  rules: [any]
  sel_a: [{user: a}, {ProcessName: ab*}]
  sel_b: {filesize: [1, 2]}
  condition: not (1 of sel_* or all of them)
---
title: Unknown
filter:
  rules: [any]
  selection: {EventID: 1}
  condition: not selection
---
title: Words
filter:
  rules: [any]
  selection: [one, two]
  condition: not selection
---
title: Modifiers
filter:
  rules: [any]
  selection:
    CommandLine|contains|windash: ' -q '
    CommandLine|contains|cased: Backup
    Image|re|i: ^/opt/[a-z]+$
    filesize|gte: 4096
  condition: not selection
---
title: Lookahead
filter:
  rules: [any]
  selection: {User|re: '^(?!root)'}
  condition: not selection
---
title: Encoded
filter:
  rules: [any]
  selection: {CommandLine|base64offset|contains: x}
  condition: not selection
`

func TestSigmaFilters(t *testing.T) {
	d, err := SigmaFilters("f.yml", []byte(sigmaFilters))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`(process.exe.matches("(?is)^.*[\\\\/]mmc\\.exe$") || process.exe.matches("(?is)^.*[\\\\/]tool.$")) && process.user.matches("(?is)^adm_.*$")`,
		"",
		`((process.user.matches("(?is)^a$") || process.name.matches("(?is)^ab.*$")) || (file.size == 1 || file.size == 2))` +
			` || ((process.user.matches("(?is)^a$") || process.name.matches("(?is)^ab.*$")) && (file.size == 1 || file.size == 2))`,
		"", "",
		`process.cmdline.matches("(?s)^.*Backup.*$") && process.cmdline.matches("(?is)^.* [-/–—―]q .*$")` +
			` && process.exe.matches("(?i)^/opt/[a-z]+$") && file.size >= 4096`,
		"", "",
	}
	checkFilters(t, d, want, "another kind than RE2", "base64offset cannot be said", "does !(process.user", "EventID is no fact", "keyword of no field")
}

func TestTHORFilters(t *testing.T) {
	const list = "# Backup\nFILE: C:\\\\Backup\\\\[a-z]+\\.exe\nMessage of any kind\nFILE: /a MD5: 00\nFILE: /opt/(x|y)/.*\nFILE: /a|b\n^SHA256: aa\nFILE: /end$\n"
	d, err := THORFilters("f.cfg", []byte(list))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`file.path.matches("^(?:C:[\\\\/]Backup[\\\\/][a-z]+\\.exe)")`, "", "", `file.path.matches("^(?:/opt/(x|y)/.*)")`, "",
		`file.sha256.matches("(?i)^(?:aa)")`, ""}
	checkFilters(t, d, want, "anywhere in a message", "more than one field", "end of the message")
	if got := d.Detection.Scenarios[0].ID; got != "backup" {
		t.Errorf("got id %q, want that of the comment", got)
	}
}

// checkFilters holds the exclusions of a draft, empty for a question, and its
// notes.
func checkFilters(t *testing.T, d *Draft, want []string, notes ...string) {
	t.Helper()
	var all strings.Builder
	for _, n := range d.Notes {
		all.WriteString(n.Text + "\n")
	}
	if len(d.Detection.Scenarios) != len(want) {
		t.Fatalf("got %d scenarios, want %d", len(d.Detection.Scenarios), len(want))
	}
	for i, s := range d.Detection.Scenarios {
		got := ""
		for _, x := range s.Exclusions {
			got = x.When
		}
		if got != want[i] || (got == "") != (len(s.Questions) == 1) {
			t.Errorf("%s: got %s, %d questions, want %s\n%s", s.Title, got, len(s.Questions), want[i], all.String())
		}
	}
	for _, n := range notes {
		if !strings.Contains(all.String(), n) {
			t.Errorf("no note says %q:\n%s", n, all.String())
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for text, want := range map[string]string{"": "empty", "a: [": "not YAML", "title: x": "no Sigma filter"} {
		if _, err := SigmaFilters("f", []byte(text)); !IsPageError(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"": "empty", "# x": "no filter", "a\n(": "f:2: not a regular expression"} {
		if _, err := THORFilters("f", []byte(text)); !IsPageError(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzSigmaFilters(f *testing.F) {
	f.Add([]byte(sigmaFilters))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := SigmaFilters("f", text); err != nil && !IsPageError(err) {
			t.Fatal(err)
		}
	})
}

func FuzzTHORFilters(f *testing.F) {
	f.Add([]byte("# x\nFILE: /opt/(x|y)/.*\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := THORFilters("f", text); err != nil && !IsPageError(err) {
			t.Fatal(err)
		}
	})
}
