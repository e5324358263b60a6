package detection

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
)

func packFolder(version string) fstest.MapFS {
	return fstest.MapFS{
		"pack.yaml": {Data: []byte("apiVersion: besra/v1\nname: demo\nversion: " + version + "\n")},
		"x.yar":     {Data: []byte(`rule x { strings: $a = "aaaa" condition: $a }`)},
		"x.yaml":    {Data: []byte(full)},
		"LICENSE":   {Data: []byte("MIT")},
	}
}

func buildDemo(t testing.TB) []byte {
	t.Helper()
	p, errs := LoadPack("folder", packFolder("1.2.0"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	data, err := BuildArchive(p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestArchive(t *testing.T) {
	data := buildDemo(t)
	if again := buildDemo(t); !bytes.Equal(data, again) {
		t.Error("the same files give other bytes")
	}
	a, err := ReadArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	p, errs := a.Pack()
	if len(errs) > 0 || p.Name != "demo" || p.Version != "1.2.0" || len(p.Detections) != 1 || p.Digest != a.Manifest.Digest {
		t.Fatalf("got %+v, %v", p, errs)
	}
	public, private, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	if _, err := a.Verify([]ed25519.PublicKey{public}); reason(err) != "unsigned" {
		t.Errorf("unsigned: got %v", err)
	}
	if data, err = a.Sign(private); err != nil {
		t.Fatal(err)
	}
	a, err = ReadArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := a.Verify([]ed25519.PublicKey{other, public}); err != nil || id != KeyID(public) {
		t.Errorf("got %s, %v", id, err)
	}
	if _, err := a.Verify([]ed25519.PublicKey{other}); reason(err) != "untrusted" {
		t.Errorf("untrusted: got %v", err)
	}
}

func reason(err error) string {
	var e *ArchiveError
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// TestHostileArchive rewrites an archive in every way that must be refused.
func TestHostileArchive(t *testing.T) {
	data := buildDemo(t)
	manifest := func(old, new string) func(string, []byte) (string, []byte) {
		return func(name string, text []byte) (string, []byte) {
			if name == manifestName {
				text = []byte(strings.Replace(string(text), old, new, 1))
			}
			return name, text
		}
	}
	both := func(old, new string) func(string, []byte) (string, []byte) {
		return func(name string, text []byte) (string, []byte) {
			name, text = manifest(`"`+old+`"`, `"`+new+`"`)(name, text)
			return strings.Replace(name, old, new, 1), text
		}
	}
	tests := []struct {
		name, want string
		edit       func(name string, text []byte) (string, []byte)
	}{
		{"nothing", "", func(n string, t []byte) (string, []byte) { return n, t }},
		{"another rule", "tampered", func(n string, t []byte) (string, []byte) {
			return n, bytes.Replace(t, []byte(`"aaaa"`), []byte(`"bbbb"`), 1)
		}},
		{"a longer file", "tampered", func(n string, t []byte) (string, []byte) {
			if n == "x.yar" {
				t = append(t, bytes.Repeat([]byte(" "), 1<<20)...)
			}
			return n, t
		}},
		{"a file left out", "tampered", func(n string, t []byte) (string, []byte) {
			if n == "x.yar" {
				return "", nil
			}
			return n, t
		}},
		{"another name", "tampered", func(n string, t []byte) (string, []byte) { return strings.Replace(n, "x.yar", "z.yar", 1), t }},
		{"a path upwards", "malformed", both("x.yar", "../x.yar")},
		{"an absolute path", "malformed", both("x.yar", "/x.yar")},
		{"a drive", "malformed", both("x.yar", `c:x.yar`)},
		{"twice but for case", "malformed", both("LICENSE", "X.YAML")},
		{"another format", "malformed", manifest("besra-pack/v1", "besra-pack/v9")},
		{"no version", "malformed", manifest(`"1.2.0"`, `"1.2"`)},
		{"a broken manifest", "malformed", manifest("{", "[")},
		{"a huge size", "too_large", manifest(`"size": 3`, `"size": 99999999999`)},
	}
	for _, tt := range tests {
		_, err := ReadArchive(rewrite(t, data, tt.edit))
		if got := reason(err); got != tt.want {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
	for i := range 200 {
		if _, err := ReadArchive(data[:len(data)*i/200]); err == nil {
			t.Errorf("cut off after %d of %d bytes: taken", len(data)*i/200, len(data))
		}
	}
}

func rewrite(t *testing.T, data []byte, edit func(string, []byte) (string, []byte)) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name, text := edit(f.Name, text)
		if name == "" {
			continue
		}
		e, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		e.Write(text)
	}
	w.Close()
	return out.Bytes()
}

func FuzzReadArchive(f *testing.F) {
	f.Add(buildDemo(f))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := ReadArchive(data); err == nil {
			if _, faults := a.Pack(); a.Manifest.Format != archiveFormat {
				t.Fatal(faults)
			}
		} else if reason(err) == "" {
			t.Fatalf("%T: %v", err, err)
		}
	})
}

func TestDiff(t *testing.T) {
	old, _ := LoadPack("p", packFolder("1.0.0"))
	changed := packFolder("1.1.0")
	changed["x.yar"] = &fstest.MapFile{Data: []byte(`rule x { strings: $a = "aaab" condition: $a }`)}
	text := strings.NewReplacer("severity: low", "severity: high", `when: "true"`, `when: "false"`).Replace(full)
	changed["x.yaml"] = &fstest.MapFile{Data: []byte(text + "---\n" + strings.NewReplacer("id: x", "id: y", "name: x", "name: y").Replace(full))}
	fresh, _ := LoadPack("p", changed)
	var got []string
	for _, c := range Diff(old, fresh) {
		names := []string{}
		for _, f := range c.Fields {
			name, _, _ := strings.Cut(f, ":")
			names = append(names, name)
		}
		got = append(got, strings.TrimSpace(c.Kind+" "+c.Detection+" "+c.Exclusion)+" "+strings.Join(names, ","))
	}
	want := []string{"changed x rule,severity", "changed x a when", "added y "}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("got %q, want %q", got, want)
	}
	if same := Diff(old, old); len(same) > 0 {
		t.Errorf("a pack differs from itself: %v", same)
	}
}
