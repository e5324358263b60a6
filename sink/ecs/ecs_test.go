package ecs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.ndjson", *update) }

// fields are those of ECS that we write, with their types: k keyword or text, l
// long, d date, [k list of keywords.
var fields = map[string]string{
	"@timestamp": "d", "message": "k", "ecs.version": "k", "labels.verdict": "k", "labels.severity": "k", "labels.context": "k",
	"event.kind": "k", "event.category": "[k", "event.type": "[k", "event.action": "k", "event.id": "k", "event.module": "k",
	"event.dataset": "k", "event.severity": "l", "event.reason": "k",
	"rule.id": "k", "rule.name": "k", "rule.ruleset": "k", "rule.version": "k", "rule.description": "k", "rule.author": "[k", "rule.license": "k", "rule.reference": "k",
	"host.name": "k", "file.path": "k", "file.name": "k", "file.directory": "k", "file.size": "l", "file.hash.sha256": "k",
}

func check(out []byte) (findings int, err error) {
	for line := range bytes.Lines(out) {
		var doc map[string]any
		if err := json.Unmarshal(line, &doc); err != nil {
			return 0, err
		}
		delete(doc, "besra") // our own
		for _, want := range []string{"@timestamp", "ecs", "event"} {
			if doc[want] == nil {
				return 0, fmt.Errorf("no %s in %.200s", want, line)
			}
		}
		if err := typed("", doc); err != nil {
			return 0, err
		}
		if kind := doc["event"].(map[string]any)["kind"]; kind != "alert" && kind != "event" {
			return 0, fmt.Errorf("event.kind is %v", kind)
		}
		findings++
	}
	return findings, nil
}

func typed(prefix string, v any) error {
	if m, ok := v.(map[string]any); ok {
		for k, e := range m {
			name := k
			if prefix != "" {
				name = prefix + "." + k
			}
			if err := typed(name, e); err != nil {
				return err
			}
		}
		return nil
	}
	got := "?"
	switch x := v.(type) {
	case string:
		got = "k"
		if _, err := time.Parse(time.RFC3339Nano, x); err == nil && fields[prefix] == "d" {
			got = "d"
		}
	case float64:
		got = "l"
	case []any:
		got = "[k"
	}
	if fields[prefix] != got {
		return fmt.Errorf("%s is of type %s, want %q", prefix, got, fields[prefix])
	}
	return nil
}
