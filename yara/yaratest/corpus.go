package yaratest

import (
	"io/fs"
	"path"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
)

// Corpus is what became of a tree of rule files.
type Corpus struct {
	Files int
	// Broken maps the files that have errors to them.
	Broken map[string]diag.List
	// Rules holds every rule that compiles; each file is a namespace of its own.
	Rules *yara.Rules
}

// CompileCorpus compiles all .yar and .yara files below the root of fsys.
func CompileCorpus(fsys fs.FS, opts ...yara.Option) (*Corpus, error) {
	corpus := &Corpus{Broken: make(map[string]diag.List)}
	c := yara.NewCompiler(append([]yara.Option{yara.IncludesFS(fsys)}, opts...)...)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); err != nil || d.IsDir() || ext != ".yar" && ext != ".yara" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		corpus.Files++
		if diags := c.AddSource(yara.Source{Namespace: name, Origin: name, Text: text}); diags.HasErrors() {
			corpus.Broken[name] = diags
		}
		return nil
	})
	corpus.Rules, _ = c.Build()
	return corpus, err
}
