//go:build unix

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
)

// spot is one row of the matrix: something that holds [marker], where it must
// be found, and what the facts of that place allow to be decided.
type spot struct {
	name string
	// make writes what is hunted in into a directory and returns its argument.
	make   func(t *testing.T, dir string) string
	target string // how the target's name ends
	offset int64  // of the pattern in the target; -1 where the place decides
	in     besra.Context
	// benign is an exclusion that holds of the benign twin; SHA stands for its
	// digest. The malicious twin is the same bytes with another digest expected.
	benign string
	// evil is an exclusion that does not hold; empty for benign with a digest
	// that is another's.
	evil  string
	want  besra.Verdict // of the benign twin
	lacks string        // the fact that an undecided one waits for
}

// undecided is a row whose facts do not say enough.
func undecided(p spot, lacks string) spot {
	p.want, p.lacks = besra.VerdictUndecided, lacks
	return p
}

// markerAt is where the pattern begins in the marker.
const markerAt = int64(len(`print("`))

// smallMember is how much of a member is in memory at once; larger ones are searched
// in windows.
const smallMember = "1MiB"

// TestMatrix hunts with one rule in every container, protocol and encoding, with
// and without a reason to take what it finds for benign.
func TestMatrix(t *testing.T) {
	for _, p := range slices.Concat(archivePlaces(), mailPlaces(), mailTraffic(), capturePlaces(), webPlaces(), smbPlaces(),
		packetPlaces(), storePlaces(), hostPlaces()) {
		t.Run(p.name, func(t *testing.T) {
			arg := p.make(t, t.TempDir())
			p.test(t, func(pack string) string {
				record, stderr, code := hunt(t, "--format", "ndjson", "--pack", pack, "--mail-trusted", "mx.example.org", "--archive-member-size", smallMember, arg)
				if code != exitDone {
					t.Fatalf("exit %d: %s", code, stderr)
				}
				t.Log(stderr)
				return record
			})
		})
	}
}

// test has the twins looked for with a pack each; run returns the record.
func (p *spot) test(t *testing.T, run func(pack string) string) {
	t.Helper()
	f := p.find(t, run(p.pack(t, cmp.Or(p.evil, strings.ReplaceAll(p.benign, "SHA", "0000")))))
	if f == nil {
		return
	}
	if f.Verdict != besra.VerdictAlert {
		t.Errorf("the malicious twin: got %s, want an alert: %+v", f.Verdict, f.Decisions)
	}
	p.check(t, p.find(t, run(p.pack(t, strings.ReplaceAll(p.benign, "SHA", f.Target.SHA256)))))
}

// find returns the finding of the target that the row names.
func (p *spot) find(t *testing.T, record string) *besra.Finding {
	t.Helper()
	var names []string
	var got *besra.Finding
	for line := range strings.Lines(record) {
		var r besra.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Finding == nil {
			continue
		}
		names = append(names, string(r.Finding.Target.Name)+" ("+string(r.Finding.Target.Context)+")")
		if r.Finding.Target.Context == p.in && strings.HasSuffix(string(r.Finding.Target.Name), p.target) {
			got = r.Finding
		}
	}
	if got == nil {
		t.Errorf("no finding of %q in context %s, but of %q", p.target, p.in, names)
	}
	return got
}

func (p *spot) pack(t *testing.T, when string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`apiVersion: besra/v1
id: marker
version: 1.0.0
status: test
title: Marker
hypothesis: {statement: x, state: unknown}
rule: {file: rule.yar, name: Marker, patterns: 1}
severity: high
scenarios:
  - id: s
    title: Known
    exclusions:
      - id: known
        when: %q
        contexts: [%s]
        owner: soc
        reason: A golden copy.
        expires: "2099-01-01"
provenance: {author: us}
`, when, p.in)
	for name, text := range map[string]string{"d.yaml": text,
		"rule.yar": `rule Marker { strings: $a = "BinStore enabled implants." fullword condition: $a }`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// check holds the finding of the benign twin to the row.
func (p *spot) check(t *testing.T, f *besra.Finding) {
	t.Helper()
	if f == nil {
		return
	}
	if f.Verdict != p.want {
		t.Errorf("the benign twin: got %s, want %s: %+v", f.Verdict, p.want, f.Decisions)
	}
	if got := f.Patterns[0].Matches[0].Offset; p.offset >= 0 && got != p.offset {
		t.Errorf("got offset %d, want %d", got, p.offset)
	}
	if p.lacks != "" && (len(f.Decisions) != 1 || !slices.Contains(f.Decisions[0].Missing, p.lacks)) {
		t.Errorf("got the decisions %+v, want that %s is missing", f.Decisions, p.lacks)
	}
}

// written makes a file of some bytes.
func written(name string, content func(t *testing.T) []byte) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content(t), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

func literally(text string) func(*testing.T) []byte {
	return func(*testing.T) []byte { return []byte(text) }
}

// kept names an archive of the folder of small archives.
func kept(name string) func(*testing.T, string) string {
	return func(*testing.T, string) string { return filepath.Join("../../source/archive/testdata", name) }
}

// behindProgram puts one of those behind the beginning of a Windows program.
func behindProgram(name string) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		b, err := os.ReadFile(kept(name)(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		return append(append([]byte("MZ"), make([]byte, 1000)...), b...)
	}
}

func archivePlaces() []spot {
	const kind, owner = `file.sha256 == 'SHA' && archive.kind == '%s'`, `file.sha256 == 'SHA' && file.owner.name != ''`
	var places []spot
	for _, a := range []struct{ file, kind, target string }{
		{"plain.7z", "7z", "inner/b.txt"}, {"encrypted.7z", "7z", "inner/b.txt"}, {"aes.zip", "zip", "inner/b.txt"}, {"traditional.zip", "zip", "inner/b.txt"},
		{"bzip2.zip", "zip", "inner/b.txt"}, {"lzma.zip", "zip", "inner/b.txt"}, {"deflate64.zip", "zip", "inner/b.txt"}, {"xz.zip", "zip", "inner/b.txt"}, {"deflate64.7z", "7z", "inner/b.txt"}, {"stored.rar", "rar", "inner/b.txt"},
		{"mszip.cab", "cab", "inner/b.txt"}, {"stored.cab", "cab", "inner/b.txt"}, {"newc.cpio", "cpio", "inner/b.txt"},
		{"odc.cpio", "cpio", "inner/b.txt"}, {"bin.cpio", "cpio", "inner/b.txt"}, {"rockridge.iso.gz", "iso", "rockridge.iso!inner/b.txt"},
		{"joliet.iso.gz", "iso", "inner/b.txt"}, {"plain.iso.gz", "iso", "INNER/B.TXT"}, {"b.txt.gz", "gzip", "!b.txt"}, {"b.txt.bz2", "bzip2", "!b.txt"},
		{"b.txt.xz", "xz", "!b.txt"}, {"b.txt.lzma", "lzma", "!b.txt"}, {"b.txt.zst", "zstd", "!b.txt"}, {"b.txt.lz4", "lz4", "!b.txt"},
		{"b.txt.br", "brotli", "!b.txt"}, {"tree.tar.gz", "gzip", "tree.tar.gz!inner/b.txt"}, {"tree.tar.bz2", "bzip2", "inner/b.txt"},
		{"tree.tar.xz", "xz", "inner/b.txt"}, {"tree.tar.zst", "zstd", "inner/b.txt"}, {"tree.tar.lz4", "lz4", "inner/b.txt"},
		{"lib.a", "ar", "!b.txt"}, {"tool.deb", "deb", "!usr/share/tool/b.txt"}, {"tool.rpm", "rpm", "!usr/share/tool/b.txt"},
	} {
		places = append(places, spot{a.file, kept(a.file), a.target, -1, besra.ContextArchive, fmt.Sprintf(kind, a.kind), "", besra.VerdictSuppressed, ""})
	}
	for _, name := range []string{"a.zip", "a.jar", "a.apk", "a.docx"} {
		places = append(places, spot{name, written(name, zipWith(marker)), "!a.txt", markerAt, besra.ContextArchive, fmt.Sprintf(kind, "zip"), "", besra.VerdictSuppressed, ""})
	}
	return append(places,
		spot{"zip in tar in gz", written("x.tgz", func(t *testing.T) []byte { return gzipped(tarred(t, "in.zip", zipWith(marker)(t))) }),
			"!in.zip!a.txt", markerAt, besra.ContextArchive, fmt.Sprintf(kind, "zip"), "", besra.VerdictSuppressed, ""},
		spot{"owner in tar", written("x.tar", func(t *testing.T) []byte { return tarred(t, "a.txt", []byte(marker)) }),
			"!a.txt", markerAt, besra.ContextArchive, owner, "", besra.VerdictSuppressed, ""},
		spot{"no owner in gz", written("x.gz", func(*testing.T) []byte { return gzipped([]byte(marker)) }),
			"x", markerAt, besra.ContextArchive, owner, "", besra.VerdictUndecided, "file.owner.name"},
		spot{"7z behind a program", written("setup.exe", behindProgram("plain.7z")),
			"setup.exe!inner/b.txt", -1, besra.ContextArchive, fmt.Sprintf(kind, "7z"), "", besra.VerdictSuppressed, ""},
		spot{"cab in a program", written("setup.exe", behindProgram("mszip.cab")),
			"setup.exe!inner/b.txt", -1, besra.ContextArchive, fmt.Sprintf(kind, "cab"), "", besra.VerdictSuppressed, ""},
		large("large member", `archive.kind == 'gzip'`, besra.VerdictSuppressed, ""),
		large("large member, which has no digest", fmt.Sprintf(kind, "gzip"), besra.VerdictUndecided, "file.sha256"),
		spot{"PDF stream", written("a.pdf", pdf), "a.pdf!obj-1-0", markerAt, besra.ContextArchive, fmt.Sprintf(kind, "pdf"), "", besra.VerdictSuppressed, ""},
	)
}

// large has the marker in a member, in the second window of it.
func large(name, benign string, want besra.Verdict, lacks string) spot {
	const size, second = 3 << 19, 1<<20 - 64<<10 // windows overlap
	return spot{name, written("x.gz", func(*testing.T) []byte { return gzipped(append(make([]byte, size), marker...)) }),
		fmt.Sprintf("x@%d", second), size - second + markerAt, besra.ContextArchive, benign, `archive.kind == 'zip'`, want, lacks}
}

func hostPlaces() []spot {
	return append(processPlaces(),
		spot{"file", written("a.py", literally(marker)), "a.py", markerAt, besra.ContextFile, `file.sha256 == 'SHA'`, "", besra.VerdictSuppressed, ""},
		spot{"file, no origin noted", written("a.py", literally(marker)), "a.py", markerAt, besra.ContextFile,
			`file.sha256 == 'SHA' && file.origin_host == 'x'`, "", besra.VerdictUndecided, "file.origin_host"},
		spot{"a large file", written("big", func(*testing.T) []byte { return append(make([]byte, 5<<20), marker...) }), "big", 5<<20 + markerAt, besra.ContextFile,
			`file.sha256 == 'SHA'`, "", besra.VerdictSuppressed, ""},
		spot{"at the very end", written("end", func(*testing.T) []byte { return bytes.TrimSuffix([]byte(marker), []byte("\")\n")) }), "end", markerAt, besra.ContextFile,
			`file.sha256 == 'SHA'`, "", besra.VerdictSuppressed, ""},
	)
}
