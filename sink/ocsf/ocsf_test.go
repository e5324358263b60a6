package ocsf

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check(sinktest.LoadShape(t))})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.ndjson", *update) }

// check holds each event to testdata/shape.txt, and to what it says twice.
func check(shape sinktest.Shape) func([]byte) (int, error) {
	return func(out []byte) (findings int, err error) {
		for line := range bytes.Lines(out) {
			var doc map[string]any
			dec := json.NewDecoder(bytes.NewReader(line))
			dec.UseNumber()
			if err := dec.Decode(&doc); err != nil {
				return 0, err
			}
			if err := errors.Join(shape.Check(doc), captions(shape, "", doc), agrees(doc)); err != nil {
				return 0, fmt.Errorf("%w in %.300s", err, line)
			}
			findings++
		}
		return findings, nil
	}
}

// captions wants the name beside each number of an enumeration to be its caption.
func captions(shape sinktest.Shape, path string, v any) error {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if err := captions(shape, path, e); err != nil {
				return err
			}
		}
	}
	obj, _ := v.(map[string]any)
	for name, v := range obj {
		at := strings.TrimPrefix(path+"."+name, ".")
		want := shape.Caption(at, v)
		beside := obj[strings.TrimSuffix(strings.TrimSuffix(name, "_id"), "_uid")]
		if named, ok := obj[strings.TrimSuffix(strings.TrimSuffix(name, "_id"), "_uid")+"_name"]; ok {
			beside = named
		}
		if want != "" && beside != want {
			return fmt.Errorf("%s is %v, and its name %v is not %q", at, v, beside, want)
		}
		if err := captions(shape, at, v); err != nil {
			return err
		}
	}
	return nil
}

// agrees wants an alert of everything but what is suppressed.
func agrees(doc map[string]any) error {
	verdict := doc["unmapped"].(map[string]any)["verdict"]
	if doc["is_alert"] == (verdict == "suppressed") {
		return fmt.Errorf("is_alert is %v of a finding that is %v", doc["is_alert"], verdict)
	}
	return nil
}
