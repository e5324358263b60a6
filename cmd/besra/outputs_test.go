//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// TestOutputs holds what real hunts write, in files of a foreign root, archives,
// messages and traffic, to the tables that the sinks are held to.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	held := []string{"ecs", "ocsf", "sarif", "junit"}
	places := []string{}
	for _, p := range append(capturePlaces()[:3], append(mailPlaces()[:1], archivePlaces()[:3]...)...) {
		places = append(places, p.make(t, t.TempDir()))
	}
	for name, args := range map[string][]string{"host": {"--root", "../../examples/host", "/"}, "places": places} {
		for _, format := range held {
			args = append(args, "-f", format+"="+filepath.Join(dir, name+"."+format))
		}
		if _, stderr, code := hunt(t, args...); code != exitDone {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		for _, format := range held {
			out, err := os.ReadFile(filepath.Join(dir, name+"."+format))
			if err != nil {
				t.Fatal(err)
			}
			shape, err := sinktest.ReadShape(filepath.Join("../../sink", format, "testdata", "shape.txt"))
			if err != nil {
				t.Fatal(err)
			}
			if err := whole(shape, format, out); err != nil || len(out) == 0 {
				t.Errorf("%s of %s: %v", format, name, err)
			}
		}
	}
}

// whole checks a document, or one a line.
func whole(shape sinktest.Shape, format string, out []byte) error {
	switch format {
	case "sarif":
		return shape.CheckJSON(out)
	case "junit":
		return shape.CheckXML(out)
	}
	for line := range bytes.Lines(out) {
		if err := shape.CheckJSON(line); err != nil {
			return err
		}
	}
	return nil
}
