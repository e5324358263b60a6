//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// TestOutputs holds what real hunts write, in files of a foreign root, archives,
// messages, traffic, processes and buckets, to the tables that the sinks are held
// to, and wants to find whose the bytes were.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	held := []string{"ecs", "ocsf", "sarif", "junit"}
	places := []string{}
	for _, p := range slices.Concat(capturePlaces()[:3], mailPlaces()[:1], archivePlaces()[:3], processPlaces()) {
		places = append(places, p.make(t, t.TempDir()))
	}
	bucket := t.TempDir()
	write(t, filepath.Join(bucket, "key"), []byte(marker))
	places = append(places, "bucket:file://"+bucket)
	rule := filepath.Join(dir, "plain.yar")
	write(t, rule, []byte(`rule plain { strings: $a = "BinStore enabled implants." condition: $a }`))
	for name, args := range map[string][]string{"host": {"--root", "../../examples/host", "/"}, "places": append(places, "--pack", rule)} {
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
			for _, want := range origins()[format] {
				if name == "places" && !bytes.Contains(out, []byte(want)) {
					t.Errorf("%s of %s has no %s", format, name, want)
				}
			}
		}
	}
}

// origins are what outputs say of whose the bytes are, though no exclusion asked.
func origins() map[string][]string {
	want := map[string][]string{
		"ecs": {`"source":{"ip":"`, `"destination":{"ip":"`, `"network":{"transport":"tcp"}`, `"url":{"original":"http://files.example/tool.py"`,
			`"email":{"from":{"address":["`, `"url":{"original":"file:///`},
		"ocsf": {`"src_endpoint":{"ip":"`, `"dst_endpoint":{"ip":"`, `"protocol_name":"tcp"`, `"url":{"url_string":"http://files.example/tool.py"}`,
			`"email":{"from":"`, `"databucket":{"name":"`},
	}
	if len(processPlaces()) > 0 {
		want["ecs"] = append(want["ecs"], `"process":{"pid":`, `"command_line":"sh -c echo up`)
		want["ocsf"] = append(want["ocsf"], `"process":{"pid":`, `"cmd_line":"sh -c echo up`)
	}
	return want
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
