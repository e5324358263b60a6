package sarif

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check(sinktest.LoadShape(t))})
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

// log is what of a log refers to something else in it.
type log struct {
	Runs []struct {
		Results []result
		Tool    tool
	}
}

// check holds a log to testdata/shape.txt and follows its references.
func check(shape sinktest.Shape) func([]byte) (int, error) {
	return func(out []byte) (findings int, err error) {
		if err := shape.CheckJSON(out); err != nil {
			return 0, err
		}
		var l log
		if err := json.Unmarshal(out, &l); err != nil {
			return 0, err
		}
		for _, r := range l.Runs {
			if err := referring(r.Tool.Driver.Rules, r.Results); err != nil {
				return 0, err
			}
			findings += len(r.Results)
		}
		return findings, nil
	}
}

// referring wants rules that are there once, and results that name theirs.
func referring(rules []rule, results []result) error {
	seen := map[string]bool{}
	for _, rule := range rules {
		tags := rule.Properties["tags"].([]any)
		once := map[any]bool{}
		for _, tag := range tags {
			once[tag] = true
		}
		if seen[rule.ID] || len(once) != len(tags) {
			return fmt.Errorf("rule %q, or one of its tags %v, is there twice", rule.ID, tags)
		}
		seen[rule.ID] = true
	}
	for _, res := range results {
		if res.RuleIndex >= len(rules) || rules[res.RuleIndex].ID != res.RuleID {
			return fmt.Errorf("ruleIndex %d is not rule %q", res.RuleIndex, res.RuleID)
		}
		if len(res.Locations) == 0 || res.Suppressions == nil {
			return errors.New("a result without location or suppressions")
		}
	}
	return nil
}
