package bucket

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// kinds are the stores that are spoken to over HTTP.
var kinds = []struct {
	name    string
	handler func(*standIn, http.ResponseWriter, *http.Request)
	url     func(at string) string
	prefix  string // of the names of targets
}{
	{"s3", likeS3, func(at string) string { return "s3://bucket/?region=us-east-1&anonymous=true&endpoint=" + at }, "s3://bucket/"},
	{"azblob", likeAzure, func(at string) string { return "azblob://bucket/?anonymous=true&endpoint=" + at + "/account" }, "azblob://bucket/"},
	{"gs", likeGoogle, func(at string) string { return "gs://bucket/?endpoint=" + at }, "gs://bucket/"},
}

// each runs a test on every kind of store.
func each(t *testing.T, test func(t *testing.T, s *standIn, url, prefix string)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s := start(t, k.handler)
			test(t, s, k.url(s.URL), k.prefix)
		})
	}
}

func newSource(t testing.TB, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, c Config) *sourcetest.Recorder {
	t.Helper()
	return sourcetest.Collect(t, newSource(t, c))
}

// many fills a store with more than a page.
func many() map[string][]byte {
	objects := map[string][]byte{"empty": {}, "dir/with space/ä+%.txt": []byte("name")}
	for i := range sourcetest.MinTargets {
		objects[fmt.Sprintf("many/%d/%d", i%7, i)] = []byte(strings.Repeat("x", i*100))
	}
	return objects
}

func named(prefix string, objects map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for key, content := range objects {
		out[prefix+key] = content
	}
	return out
}

func TestContract(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
				s := start(t, k.handler)
				s.objects = many()
				s.objects["large"] = make([]byte, 20_000)
				want := named(k.prefix, many())
				return sourcetest.Place{Source: newSource(t, Config{URL: k.url(s.URL), MaxSize: 10_000}), Want: want, Gaps: []string{ReasonTooLarge},
					Remove: func(name string) error {
						s.mu.Lock()
						defer s.mu.Unlock()
						delete(s.objects, strings.TrimPrefix(name, k.prefix))
						return nil
					}}
			})
		})
	}
	t.Run("file", func(t *testing.T) {
		sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
			dir := folderOf(t, many())
			os.Symlink("empty", filepath.Join(dir, "link"))
			return sourcetest.Place{Source: newSource(t, Config{URL: "file://" + dir}), Want: named("file://"+dir+"/", many()), Gaps: []string{ReasonIrregular},
				Remove: func(name string) error { return os.Remove(strings.TrimPrefix(name, "file://")) }}
		})
	})
}

// folderOf writes objects into a folder.
func folderOf(t testing.TB, objects map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for key, content := range objects {
		p := filepath.Join(dir, filepath.FromSlash(key))
		err := os.MkdirAll(filepath.Dir(p), 0o755)
		if err == nil {
			err = os.WriteFile(p, content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestOrder lists in the order of keys, from a key on, below a prefix.
func TestOrder(t *testing.T) {
	objects := map[string][]byte{"a": nil, "a.b": nil, "a/b": nil, "a/c/d": nil, "a0": nil, "b/x": nil, "b.x": nil, "bb": nil}
	check := func(t *testing.T, base, url string) {
		for _, c := range []struct{ prefix, after string }{{"", ""}, {"a", ""}, {"a/", ""}, {"b", "b.x"}, {"", "a/b"}, {"", "a/"}, {"", "a/c/a"}, {"", "zz"}, {"none", ""}} {
			var want []string
			for _, k := range slices.Sorted(maps.Keys(objects)) {
				if strings.HasPrefix(k, c.prefix) && k > c.after {
					want = append(want, k)
				}
			}
			s := newSource(t, Config{URL: fmt.Sprintf(url, c.prefix), After: c.after})
			r := &sourcetest.Recorder{}
			if err := s.Run(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range r.Targets() {
				got = append(got, strings.TrimPrefix(target.Name, base))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c, diff)
			}
		}
	}
	each(t, func(t *testing.T, s *standIn, url, prefix string) {
		s.objects = objects
		at, params, _ := strings.Cut(url, "?")
		check(t, prefix, at+"%s?"+params)
	})
	t.Run("file", func(t *testing.T) {
		delete(objects, "a") // no folder holds a file and a directory of one name
		dir := folderOf(t, objects)
		check(t, "file://"+dir+"/", "file://"+dir+"?prefix=%s")
	})
}

// TestPages counts how often a store is asked.
func TestPages(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		s.objects = many()
		run(t, Config{URL: url})
		if want := (len(s.objects) + pageSize - 1) / pageSize; s.lists != want {
			t.Errorf("got %d pages of %d objects, want %d", s.lists, len(s.objects), want)
		}
	})
}

func open(t testing.TB, target besra.Target) (string, error) {
	t.Helper()
	c, err := target.Open(t.Context())
	if err != nil {
		return "", err
	}
	defer c.Close()
	return string(c.Bytes()), nil
}

// TestTransient has answers that fail at first, or break off; each is read whole.
func TestTransient(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		content := strings.Repeat("0123456789", 3000)
		s.objects["a"], s.objects["b"] = []byte(content), []byte("b")
		s.busy[""], s.busy["b"], s.cut["a"] = 1, 1, 3
		r := run(t, Config{URL: url})
		if len(r.Targets()) != 2 {
			t.Fatalf("got %q, want both", r.Names())
		}
		for i, want := range []string{content, "b"} {
			if got, err := open(t, r.Targets()[i]); err != nil || got != want {
				t.Errorf("%s: got %d bytes, error %v; want %d, none", r.Targets()[i].Name, len(got), err, len(want))
			}
		}
	})
}

func reason(err error) string {
	var r interface{ Reason() string }
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return r.Reason()
	case errors.Is(err, fs.ErrPermission):
		return "permission"
	}
	return err.Error()
}

// TestFaults has objects that cannot be read: each is its own error, the list
// goes on.
func TestFaults(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		s.objects = map[string][]byte{"changed": []byte("before"), "cold": []byte("x"), "colder": []byte("x"), "endless": []byte("0123456789"), "ok": []byte("ok"), "refused": []byte("x")}
		s.offline["cold"], s.refused["refused"], s.cut["endless"] = true, true, 100
		r := run(t, Config{URL: url, Keep: func(p string) bool { return p != "/ok2" }})
		s.mu.Lock()
		s.objects["changed"], s.offline["colder"] = []byte("behind"), true
		s.mu.Unlock()
		got := map[string]string{}
		for _, target := range r.Targets() {
			_, err := open(t, target)
			got[target.Name[strings.LastIndexByte(target.Name, '/')+1:]] = reason(err)
		}
		want := map[string]string{"changed": ReasonChanged, "ok": "", "refused": "permission", "colder": ReasonOffline, "endless": got["endless"]}
		if strings.HasPrefix(url, "gs:") { // what it archives is read as all else is
			want["cold"], want["colder"] = got["cold"], got["colder"]
		} else {
			if g := r.Gaps(); len(g) != 1 || g[0].Reason != ReasonOffline || g[0].Count != 1 {
				t.Errorf("gaps: got %+v, want one that is offline", g)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || got["endless"] == "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
	})
}

// TestStored reads an object that is stated to be compressed as it is stored.
func TestStored(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		content := packed(t, "content")
		s.objects["a"], s.packed["a"] = content, true
		if got, err := open(t, run(t, Config{URL: url}).Targets()[0]); err != nil || got != string(content) {
			t.Errorf("got %q, error %v; want the %d bytes that are stored", got, err, len(content))
		}
	})
}

func packed(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(content))
	z.Close()
	return b.Bytes()
}

// TestPayer names who pays, of lists and of objects.
func TestPayer(t *testing.T) {
	for _, c := range []struct {
		store              int
		param, name, value string
	}{{0, "requester_pays=true", "X-Amz-Request-Payer", "requester"}, {2, "user_project=soc", "X-Goog-User-Project", "soc"}} {
		s := start(t, kinds[c.store].handler)
		s.objects["a"] = []byte("x")
		target := run(t, Config{URL: kinds[c.store].url(s.URL) + "&" + c.param}).Targets()[0]
		for _, of := range []string{"list", "object"} {
			if got := s.headers.Get(c.name); got != c.value {
				t.Errorf("%s, %s: got %q, want %q", c.param, of, got, c.value)
			}
			open(t, target)
		}
	}
}

func TestFacts(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		s.objects["jobs/a.py"], s.tags["jobs/a.py"] = []byte("content"), "team=soc"
		target := run(t, Config{URL: url}).Targets()[0]
		if _, err := open(t, target); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, name := range []string{"file.path", "file.mtime", "object.bucket", "object.etag", "object.content_type", "object.tags"} {
			f := target.Facts.Fact(t.Context(), name)
			got[name] = fmt.Sprintf("%v (%v)", f.Value, f.Grade)
		}
		want := map[string]string{"file.path": "/jobs/a.py (weak)", "file.mtime": "2026-11-20 02:10:00 +0000 UTC (verified)", "object.bucket": "bucket (verified)",
			"object.etag": etag([]byte("content")) + " (verified)", "object.content_type": "text/x-python (weak)", "object.tags": "[team=soc] (weak)"}
		if strings.HasPrefix(url, "gs:") {
			want["object.tags"] = "<nil> (unavailable)"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	})
}

// TestNoBucket ends the run with an error that says what the store answered.
func TestNoBucket(t *testing.T) {
	each(t, func(t *testing.T, s *standIn, url, _ string) {
		s.refused[""] = true
		err := newSource(t, Config{URL: url}).Run(context.Background(), &sourcetest.Recorder{})
		if err == nil || !errors.Is(err, fs.ErrPermission) || len(err.Error()) > 200 {
			t.Errorf("got error %v, want a short one of permission", err)
		}
	})
}

// TestEnvironment finds a store by what its own tools take from the environment.
func TestEnvironment(t *testing.T) {
	for _, c := range []struct{ url, name, value, want string }{
		{"azblob://b", "AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1/b"},
		{"azblob://b?account=a&anonymous=true", "AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true", "https://a.blob.core.windows.net/b"},
		{"azblob://b?anonymous=true", "AZURE_STORAGE_ACCOUNT", "a", "https://a.blob.core.windows.net/b"},
		{"azblob://b?endpoint=http://h/a", "AZURE_STORAGE_KEY", "a2V5", "http://h/a/b"},
		{"gs://b", "STORAGE_EMULATOR_HOST", "h:1", "http://h:1/storage/v1/b/b/o"},
		{"gs://b", "STORAGE_EMULATOR_HOST", "https://h:1", "https://h:1/storage/v1/b/b/o"},
		{"s3://b", "AWS_ENDPOINT_URL", "http://h:1", "http://h:1"},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			var got string
			switch s := newSource(t, Config{URL: c.url}).store.(type) {
			case *azure:
				got = s.client.URL()
			case *gcs:
				got = s.bucket
			case *s3:
				got = s.client.EndpointURL().String()
			}
			if got != c.want {
				t.Errorf("%s: got %s, want %s", c.url, got, c.want)
			}
		})
	}
}

// TestAccountOf tells whose key signs.
func TestAccountOf(t *testing.T) {
	for endpoint, want := range map[string]string{"https://soc.blob.core.windows.net": "soc", "http://127.0.0.1:10000/dev/": "dev", "https://soc.blob.stack.example/": "soc"} {
		if got := accountOf(endpoint); got != want {
			t.Errorf("%s: got %q, want %q", endpoint, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "bucket", "ftp://bucket", "s3://", "azblob:///x", "s3://b?endpoint=nonsense", "file:///no/such/folder/here", "s3://user@b", "azblob://container",
		"s3://b?regoin=x", "s3://b?endpoint=http://h/path", "file:///?after=x"} {
		t.Setenv("AZURE_STORAGE_ACCOUNT", "")
		if _, err := New(Config{URL: url}); err == nil {
			t.Errorf("%q: got no error", url)
		}
	}
}
