package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// implant is the text that the embedded detection looks for.
const implant = `status = "BinStore enabled implants."`

// entry is a file of a made-up layer.
type entry struct {
	name, content string
	uid           int
	at            string // time of day of its last change
}

func packed(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		changed, _ := time.Parse("2006-01-02 15:04", "2026-11-20 "+e.at)
		h := &tar.Header{Name: e.name, Mode: 0o644, Uid: e.uid, Gid: e.uid, Size: int64(len(e.content)), ModTime: changed}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(e.content))
	}
	w.Close()
	return b.Bytes()
}

func zipped(t testing.TB, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte(content))
	w.Close()
	return b.String()
}

// saveImage writes an image as docker does. Its upper layer deletes a file of the
// lower one; what stands in it twice differs by one fact.
func saveImage(t testing.TB, dir string) {
	t.Helper()
	lower := packed(t,
		entry{name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\nlogproc:x:998:998::/:/bin/false\n"},
		entry{name: "tmp/dropper", content: implant},
		entry{name: "opt/log-processing/normalize.py", content: implant, uid: 998, at: "02:10"},
		entry{name: "opt/log-processing/evening.py", content: implant, uid: 998, at: "19:10"},
		entry{name: "opt/log-processing/nobody.py", content: implant, uid: 999, at: "02:10"},
	)
	upper := packed(t, entry{name: "tmp/.wh.dropper"}, entry{name: "srv/kit.zip", content: zipped(t, "MixText.py", "#"+implant)})
	config, _ := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": []string{layerID(lower), layerID(upper)}},
		"history": []map[string]any{{"created_by": "COPY . /"}, {"created_by": "RUN rm /tmp/dropper"}}})
	manifest, _ := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{"example.org/app:1.2"}, "Layers": []string{"1/layer.tar", "2/layer.tar"}}})
	image := packed(t, entry{name: "config.json", content: string(config)}, entry{name: "1/layer.tar", content: string(lower)},
		entry{name: "2/layer.tar", content: string(upper)}, entry{name: "manifest.json", content: string(manifest)})
	if err := os.WriteFile(filepath.Join(dir, "image.tar"), image, 0o644); err != nil {
		t.Fatal(err)
	}
}

func layerID(layer []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(layer)) }

// gitObject is an object as git keeps it: a head, the content, compressed.
func gitObject(t testing.TB, dir, kind string, content []byte) (hash []byte) {
	t.Helper()
	whole := append(fmt.Appendf(nil, "%s %d\x00", kind, len(content)), content...)
	sum := sha1.Sum(whole)
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(whole)
	z.Close()
	name := hex.EncodeToString(sum[:])
	plant(t, filepath.Join(dir, ".git", "objects", name[:2], name[2:]), b.String())
	return sum[:]
}

func plant(t testing.TB, name, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// makeRepository makes a git repository of two commits; the second deletes a file of
// the first, of which the work tree has a copy.
func makeRepository(t testing.TB, dir string) {
	t.Helper()
	tree := func(entries ...string) []byte {
		var b []byte
		for i := 0; i < len(entries); i += 2 {
			b = append(append(b, entries[i]...), 0)
			b = append(b, entries[i+1]...)
		}
		return gitObject(t, dir, "tree", b)
	}
	commit := func(tree []byte, at int, parent string) string {
		who := fmt.Sprintf("A <a.author@example.org> %d +0000", at)
		return hex.EncodeToString(gitObject(t, dir, "commit", fmt.Appendf(nil, "tree %x\n%sauthor %s\ncommitter %s\n\nm\n", tree, parent, who, who)))
	}
	implanted := string(gitObject(t, dir, "blob", []byte(implant)))
	kit := string(gitObject(t, dir, "blob", []byte(zipped(t, "MixText.py", implant))))
	first := commit(tree("40000 old", string(tree("100644 MixText.py", implanted))), 1_790_000_000, "")
	second := commit(tree("100644 kit.zip", kit), 1_790_000_100, "parent "+first+"\n")
	plant(t, filepath.Join(dir, ".git", "HEAD"), "ref: refs/heads/main\n")
	plant(t, filepath.Join(dir, ".git", "refs", "heads", "main"), second+"\n")
	plant(t, filepath.Join(dir, ".git", "hooks", "post-checkout"), "#"+implant)
	plant(t, filepath.Join(dir, "copy.py"), implant)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
