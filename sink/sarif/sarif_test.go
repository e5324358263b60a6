package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.sarif", *update) }

func TestURI(t *testing.T) {
	for name, want := range map[string]string{
		"/a b/c%.txt": "file:///a%20b/c%25.txt", "a.zip!b#c?": "a.zip%21b%23c%3F", "C:/x": "./C:/x", "\xff/\n": "%FF/%0A", "": "", "//x/y": "file:////x/y",
	} {
		got := uri(besra.Text(name))
		if _, err := url.Parse(got); err != nil || got != want {
			t.Errorf("uri(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}

// log is what the standard demands of a log, in its words; unknown members are
// errors, so that a slip in a name is found.
type log struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		ColumnKind  string
		Results     []result
		Tool        tool
		Automation  *automation `json:"automationDetails"`
		Invocations []invocation
	}
}

// check holds a log against what the schema of SARIF 2.1.0 says of the members
// that we write: required ones, words, bounds, and references.
func check(out []byte) (findings int, err error) {
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	var l log
	if err := dec.Decode(&l); err != nil {
		return 0, err
	}
	if dec.More() || l.Schema != schema || l.Version != "2.1.0" || l.Runs == nil {
		return 0, errors.New("not one log of version 2.1.0")
	}
	words := func(what, got string, want ...string) {
		if !slices.Contains(want, got) {
			err = fmt.Errorf("%s is %q", what, got)
		}
	}
	for _, r := range l.Runs {
		words("columnKind", r.ColumnKind, "utf16CodeUnits", "unicodeCodePoints")
		if r.Tool.Driver.Name == "" || r.Tool.Driver.Rules == nil || len(r.Invocations) != 1 || r.Results == nil {
			return 0, errors.New("a run without driver, rules, results or invocation")
		}
		seen := map[string]bool{}
		for _, rule := range r.Tool.Driver.Rules {
			words("level", rule.Default.Level, "none", "note", "warning", "error")
			if rule.ID == "" || seen[rule.ID] {
				return 0, fmt.Errorf("rule %q has no id of its own", rule.ID)
			}
			seen[rule.ID] = true
		}
		for _, n := range r.Invocations[0].Notifications {
			words("level", n.Level, "none", "note", "warning", "error")
			if n.Message.Text == "" || n.Descriptor.ID == "" {
				return 0, errors.New("a notification without message or descriptor")
			}
		}
		for _, at := range []string{r.Invocations[0].Start, r.Invocations[0].End} {
			if _, perr := time.Parse(time.RFC3339Nano, at); at != "" && perr != nil {
				return 0, perr
			}
		}
		for _, res := range r.Results {
			findings++
			words("level", res.Level, "none", "note", "warning", "error")
			words("kind", res.Kind, "fail")
			if res.RuleIndex < 0 || res.RuleIndex >= len(r.Tool.Driver.Rules) || r.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
				return 0, fmt.Errorf("ruleIndex %d is not rule %q", res.RuleIndex, res.RuleID)
			}
			if res.Message.Text == "" || len(res.Locations) == 0 || res.Suppressions == nil {
				return 0, errors.New("a result without message, location or suppressions")
			}
			for _, s := range res.Suppressions {
				words("suppression kind", s.Kind, "inSource", "external")
				words("suppression status", s.Status, "accepted", "underReview", "rejected")
			}
			for _, loc := range res.Locations {
				if loc.Physical == nil {
					return 0, errors.New("a location without place")
				}
				if _, perr := url.Parse(loc.Physical.Artifact.URI); perr != nil {
					return 0, perr
				}
				if reg := loc.Physical.Region; reg != nil && (reg.Offset < 0 || reg.Length < 0) {
					return 0, errors.New("a region before the beginning")
				}
			}
		}
	}
	return findings, err
}
