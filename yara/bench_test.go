package yara_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// largeSources are the rules of a public set of some 5,900 rules.
func largeSources(b *testing.B) []yara.Source {
	b.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "corpora", "rules", "signature-base.tar.gz"))
	if err != nil {
		b.Skip("the shared folder is not there")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	var list []yara.Source
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			b.Fatal(err)
		}
		if ext := filepath.Ext(h.Name); ext != ".yar" && ext != ".yara" {
			continue
		}
		text, err := io.ReadAll(in)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, yara.Source{Namespace: h.Name, Origin: h.Name, Text: text})
	}
}

func compileLarge(b *testing.B, sources []yara.Source) *yara.Rules {
	b.Helper()
	opts := []yara.Option{yara.WithModules(standard.Modules()...)}
	for _, name := range []string{"filename", "filepath", "extension", "filetype", "owner"} {
		opts = append(opts, yara.Define(name, ""))
	}
	c := yara.NewCompiler(opts...)
	for _, s := range sources {
		c.AddSource(s)
	}
	rules, _ := c.Build()
	return rules
}

func BenchmarkCompile(b *testing.B) {
	sources := largeSources(b)
	b.ReportAllocs()
	for b.Loop() {
		compileLarge(b, sources)
	}
}

// BenchmarkRead loads compiled rules, as far as listing them needs.
func BenchmarkRead(b *testing.B) {
	data := compiledLarge(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		readLarge(b, data)
	}
	b.ReportMetric(live(b, func() any { return readLarge(b, data) }), "MB-live")
}

// BenchmarkStart loads compiled rules and scans one small target of no class.
func BenchmarkStart(b *testing.B) {
	data := compiledLarge(b)
	start := func() any {
		s := readLarge(b, data).NewScanner()
		if _, err := s.Scan(context.Background(), []byte("MZ nothing")); err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.ReportAllocs()
	for b.Loop() {
		start()
	}
	b.ReportMetric(live(b, start), "MB-live")
}

// BenchmarkSmall scans targets of 1 KB with all rules: the fixed cost of a scan.
func BenchmarkSmall(b *testing.B) {
	s := readLarge(b, compiledLarge(b)).NewScanner()
	text, err := os.ReadFile("bench_test.go")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
	}{{"text", text[:1024]}, {"zeroes", make([]byte, 1024)}, {"pe", append([]byte("MZ"), text[:1022]...)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Scan(context.Background(), c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func compiledLarge(b *testing.B) []byte {
	b.Helper()
	var data bytes.Buffer
	if _, err := compileLarge(b, largeSources(b)).WriteTo(&data); err != nil {
		b.Fatal(err)
	}
	return data.Bytes()
}

func readLarge(b *testing.B, data []byte) *yara.Rules {
	rules, err := yara.ReadRules(bytes.NewReader(data), yara.WithModules(standard.Modules()...))
	if err != nil {
		b.Fatal(err)
	}
	return rules
}

// live is how many megabytes what f makes keeps alive.
func live(b *testing.B, f func() any) float64 {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / 1e6
}
