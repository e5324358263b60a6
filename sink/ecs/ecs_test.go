package ecs

import (
	"bytes"
	"flag"
	"fmt"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check(sinktest.LoadShape(t))})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.ndjson", *update) }

// check holds each document to testdata/shape.txt.
func check(shape sinktest.Shape) func([]byte) (int, error) {
	return func(out []byte) (findings int, err error) {
		for line := range bytes.Lines(out) {
			if err := shape.CheckJSON(line); err != nil {
				return 0, fmt.Errorf("%w in %.200s", err, line)
			}
			findings++
		}
		return findings, nil
	}
}
