package compile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// ruleFile is a file of a corpus.
type ruleFile struct {
	name string
	text []byte
}

// corpus reads the rules of a tarball, in memory.
func corpus(t testing.TB, file string) []ruleFile {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []ruleFile
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if ext := filepath.Ext(h.Name); ext != ".yar" && ext != ".yara" {
			continue
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ruleFile{h.Name, text})
	}
}

func corpusOptions() Options {
	opt := Options{Modules: standard.Modules(), Externals: map[string]module.Value{}}
	for _, name := range []string{"filename", "filepath", "extension", "filetype", "owner"} {
		opt.Externals[name] = module.Text("")
	}
	return opt
}

// compileCorpus compiles each file into a namespace of its own.
func compileCorpus(files []ruleFile, opt Options) (*program.Program, diag.List) {
	c := New(opt)
	var all diag.List
	for _, f := range files {
		all = append(all, c.Add(f.name, f.name, f.text)...)
	}
	p, more := c.Build()
	return p, append(all, more...)
}

// TestCorpora compiles public rule sets: every rule must compile, but for
// those that need a module that is not there.
func TestCorpora(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "corpora"), "rules", "*.tar.gz"))
	if len(files) == 0 {
		t.Skip("no corpora")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			rules, opt := corpus(t, file), corpusOptions()
			opt.Includes = includesOf(rules)
			p, list := compileCorpus(rules, opt)
			absent := make(map[string]bool)
			for _, d := range list {
				if d.Code == "unknown_module" {
					_, rest, _ := strings.Cut(d.Title, "`")
					absent[strings.TrimSuffix(rest, "`")] = true
				}
			}
			for _, d := range list {
				if d.Severity == diag.Error && d.Code != "unknown_module" && d.Code != "invalid_rule_reference" && !namesAny(d.Title, absent) {
					t.Error(d.Error(), d.Notes)
				}
			}
			if err := p.Check(); err != nil {
				t.Error("the program is not whole:", err)
			}
			logSummary(t, p, list)
		})
	}
}

// includesOf finds files of the corpus relative to the one that includes them.
func includesOf(rules []ruleFile) func(from, name string) (string, []byte, error) {
	return func(from, name string) (string, []byte, error) {
		name = path.Join(path.Dir(from), name)
		for _, f := range rules {
			if f.name == name {
				return f.name, f.text, nil
			}
		}
		return "", nil, fs.ErrNotExist
	}
}

func namesAny(title string, names map[string]bool) bool {
	for name := range names {
		if strings.Contains(title, "`"+name+"`") {
			return true
		}
	}
	return false
}

// logSummary tells how many of the rules have anchors and gates.
func logSummary(t *testing.T, p *program.Program, list diag.List) {
	codes := make(map[string]int)
	for _, d := range list {
		codes[d.Code]++
	}
	none, gated := 0, 0
	anchors := make(map[int32]bool)
	for i := range p.Rules {
		r := &p.Rules[i]
		none += b2i(r.Anchors == nil)
		gated += b2i(len(r.Gate.Headers) > 0)
		for _, a := range r.Anchors {
			anchors[a] = true
		}
	}
	t.Logf("%d rules, %d patterns (%d anchors), %d rules without, %d with a header, %d nodes, diagnostics %v",
		len(p.Rules), len(p.Patterns), len(anchors), none, gated, len(p.Nodes), codes)
}

func BenchmarkCorpus(b *testing.B) {
	file := filepath.Join("..", "..", "..", "..", "shared", "corpora", "rules", "signature-base.tar.gz")
	if _, err := os.Stat(file); err != nil {
		b.Skip("the shared folder is not there")
	}
	files, opt := corpus(b, file), corpusOptions()
	var p *program.Program
	b.ReportAllocs()
	for b.Loop() {
		p, _ = compileCorpus(files, opt)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(len(p.Rules)), "rules")
	b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-live")
}

func BenchmarkDecode(b *testing.B) {
	file := filepath.Join("..", "..", "..", "..", "shared", "corpora", "rules", "signature-base.tar.gz")
	if _, err := os.Stat(file); err != nil {
		b.Skip("the shared folder is not there")
	}
	p, _ := compileCorpus(corpus(b, file), corpusOptions())
	var data bytes.Buffer
	if err := p.Encode(&data); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := program.Decode(bytes.NewReader(data.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(data.Len())/1e6, "MB")
}
