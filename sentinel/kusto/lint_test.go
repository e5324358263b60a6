package kusto_test

import (
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sentinel/kusto"
)

func TestLint(t *testing.T) {
	const table = "BesraFindings_CL | where "
	for query, want := range map[string]string{
		table + `FilePath matches regex "(a"`:                                               "invalid-regexp",
		table + `FilePath matches regex @"a(?=b)"`:                                          "invalid-regexp",
		table + `FilePath matches regex '[a'`:                                               "invalid-regexp",
		table + `FilePath matches regex "(?-u:\\b)a\\.b"`:                                   "",
		table + `FilePath matches regex "` + strings.Repeat("(a)", 17) + `"`:                "invalid-regexp",
		"print extract(\"*a\", 1, \"x\")":                                                   "invalid-regexp",
		"print replace_regex(strcat(\"a\", \",\"), \"a)\", \"\")":                           "invalid-regexp",
		table + `Severity == 3`:                                                             "type",
		table + `FileSize == "high"`:                                                        "type",
		table + `FileSize == 10 and Severity =~ "high"`:                                     "",
		"BesraFindings_CL | extend FileSize = tostring(FileSize) | where FileSize == \"a\"": "",
		"search *":                                              "unbounded-query",
		"union * | take 1":                                      "unbounded-query",
		table + `dayofweek(TimeGenerated) == 6`:                 "weekday",
		table + `dayofweek(TimeGenerated) in (0, 6)`:            "weekday",
		table + `dayofweek(TimeGenerated) == 6d`:                "",
		table + `isnull(FilePath)`:                              "null-text",
		table + `isnotnull(FileSize) // isnull(FilePath)`:       "",
		"print \"" + strings.Repeat("a", kusto.MaxQuery) + "\"": "query-length",
		"": "",
	} {
		got := ""
		if found := kusto.Lint(query); len(found) > 0 {
			got = found[0].Code
		}
		if got != want {
			t.Errorf("%.80s: got %q, want %q", query, got, want)
		}
	}
	found := kusto.Lint("BesraFindings_CL\n| where Severity == 3")
	if len(found) != 1 || found[0].Line != 2 || found[0].Column != 21 {
		t.Errorf("got %+v, want it at 2:21", found)
	}
}

// FuzzLint looks for panics, and for places that are none.
func FuzzLint(f *testing.F) {
	f.Add("T | where a matches regex @\"x\"\"(\" and dayofweek(b) == 6 // c")
	f.Add("BesraFindings_CL | where isnull(FilePath) or ```a```")
	f.Add(`print h@'a', "\`)
	f.Fuzz(func(t *testing.T, query string) {
		for _, d := range kusto.Lint(query) {
			if d.Offset < 0 || d.Offset+d.Length > len(query) || d.Line < 1 || d.Column < 1 {
				t.Fatalf("%q: %+v is no place", query, d)
			}
		}
	})
}
