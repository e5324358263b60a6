package besra

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/besra-hunt/besra"

// layers states which packages of this module each package may import, and
// after "deps:" which third-party modules it may link. It is policy: change it
// in review with a reason, not to make a build pass. A name ending in /...
// stands for every package below it; the first line that covers a package wins.
const layers = `
.                          :
yara/diag                  :
yara/module                :
yara/syntax                : yara/diag
yara/internal/regex        :
yara/internal/atom         : yara/internal/regex
yara/internal/binfmt       :
yara/internal/container    : yara/internal/binfmt
yara/internal/container/containertest :
yara/module/column         : yara/module
yara/internal/program      : yara/module yara/internal/regex yara/internal/atom
yara/internal/compile      : yara/diag yara/syntax yara/module yara/internal/atom yara/internal/regex yara/internal/program
yara/internal/search       : yara/internal/program yara/internal/regex yara/internal/atom     deps: golang.org/x/sys/cpu
yara/internal/eval         : yara/internal/program yara/internal/search yara/internal/regex yara/module
yara                       : yara/diag yara/syntax yara/module yara/internal/...
yara/modules/standard      : yara/module yara/modules/...
yara/modules/msi           : yara/module yara/module/column yara/internal/container yara/modules/pe
yara/modules/...           : yara/module yara/internal/binfmt yara/module/column yara/internal/container
yara/yaratest              : yara yara/diag yara/module yara/modules/standard
yara/yaratest/diff         : yara yara/diag yara/module yara/modules/standard yara/yaratest

docs                       :
lazyregexp                 :
inflate                    :
facts                      : .                                          deps: golang.org/x/sys/...
cache                      :                                            deps: go.etcd.io/bbolt/...
evidence                   : .
pace                       :                                            deps: golang.org/x/sys/...
exclusion                  : . lazyregexp                                          deps: cel.dev/cel-go/... google.golang.org/protobuf/... google.golang.org/genproto/...
exclusion/lint             : . exclusion lazyregexp                                deps: cel.dev/cel-go/...
exclusion/kql              : . exclusion                                deps: cel.dev/cel-go/...
detection/attack           :
detection/builtin          : detection
detection/site             : . yara detection detection/attack
detection/...              : . lazyregexp detection/attack yara yara/diag yara/syntax yara/modules/standard exclusion exclusion/lint     deps: github.com/goccy/go-yaml/... golang.org/x/net/html/...
source/sourcetest          : .
source/archive             : . facts inflate lazyregexp                                    deps: github.com/klauspost/compress/... github.com/ulikunitz/xz/... github.com/pierrec/lz4/v4 github.com/andybalholm/brotli github.com/bodgit/sevenzip github.com/nwaples/rardecode/v2
source/httpbody            : inflate                                    deps: github.com/klauspost/compress/... github.com/andybalholm/brotli
source/capture             : . facts inflate source/httpbody            deps: github.com/gopacket/gopacket/... golang.org/x/crypto/cryptobyte
source/gateway             : .
source/icap                : . facts source/gateway source/httpbody
source/submit              : . facts source/gateway source/httpbody
source/milter              : . facts source/gateway
source/watch               : .                                          deps: github.com/fsnotify/fsnotify golang.org/x/sys/unix
source/process             : . facts                                    deps: golang.org/x/sys/windows
source/mail                : . facts                                    deps: github.com/emersion/go-message/... github.com/richardlehane/mscfb
source/bucket              : . facts                                    deps: github.com/minio/minio-go/v7/... github.com/Azure/azure-sdk-for-go/sdk/... golang.org/x/oauth2/...
source/git                 : . facts                                    deps: github.com/go-git/go-git/v5/plumbing/... github.com/go-git/go-git/v5/storage/... github.com/go-git/go-billy/v5/...
source/image               : . facts inflate                            deps: github.com/google/go-containerregistry/pkg/... github.com/klauspost/compress/...
source/...                 : . facts                                    deps: github.com/bmatcuk/doublestar/v4 golang.org/x/sys/...
sink/table                 : . report                                   deps: github.com/charmbracelet/lipgloss/... github.com/muesli/termenv github.com/mattn/go-runewidth
sink/sentinel              : . sentinel/ingest sink/lines
sink/...                   : . report report/junit lazyregexp sink/lines
filelock                   :                                            deps: golang.org/x/sys/windows
ledger/draft               : . exclusion ledger
ledger                     : . exclusion filelock                       deps: golang.org/x/sys/...
sentinel/azure             :                                            deps: github.com/Azure/azure-sdk-for-go/sdk/azcore/... github.com/Azure/azure-sdk-for-go/sdk/azidentity github.com/goccy/go-yaml
sentinel/disposition       : ledger sentinel/azure
sentinel/standin           :
sentinel/spool             : filelock
sentinel/ingest            : . detection/attack exclusion/kql sentinel/azure sentinel/spool     deps: github.com/klauspost/compress/gzip
sentinel/kusto             : exclusion/kql                                deps: github.com/dop251/goja
report                     : .
report/junit               : .
sentinel/deploy            : sentinel/azure sentinel/content
sentinel/content           : . detection detection/attack exclusion exclusion/kql     deps: github.com/goccy/go-yaml
scan                       : . yara yara/diag detection exclusion facts pace
cmd/...                    : ...
`

type layer struct {
	pkg       string
	may, deps []string
	used      bool
}

func parseLayers() []*layer {
	var ls []*layer
	for line := range strings.Lines(layers) {
		pkg, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		may, deps, _ := strings.Cut(rest, "deps:")
		ls = append(ls, &layer{strings.TrimSpace(pkg), strings.Fields(may), strings.Fields(deps), false})
	}
	return ls
}

// TestLayers reads the import clauses itself, on every platform's files. It
// does not ask "go list": the test cache cannot see what a child process
// reads, and would report an old pass for a new import.
func TestLayers(t *testing.T) {
	ls := parseLayers()
	for pkg, files := range sourceFiles(t) {
		i := slices.IndexFunc(ls, func(l *layer) bool { return covers(l.pkg, pkg) })
		if i < 0 {
			t.Errorf("package %s has no line in layers", pkg)
			continue
		}
		ls[i].used = true
		for _, f := range files {
			checkImports(t, ls[i], pkg, f)
		}
	}
	for _, l := range ls {
		if !l.used && !strings.HasSuffix(l.pkg, "...") && l.pkg != "yara/internal/binfmt" {
			t.Errorf("layers has a line for %s, which holds no package", l.pkg)
		}
	}
}

func checkImports(t *testing.T, l *layer, pkg string, f parsed) {
	for _, spec := range f.file.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		dep, local := strings.CutPrefix(imp, modulePath+"/")
		if imp == modulePath {
			dep, local = ".", true
		}
		host, _, _ := strings.Cut(imp, "/")
		switch {
		case local && !coveredByAny(l.may, dep):
			t.Errorf("%s: %s must not import %s", f.fset.Position(spec.Pos()), pkg, dep)
		case !local && strings.Contains(host, ".") && l.pkg != "cmd/..." && !coveredByAny(l.deps, imp):
			t.Errorf("%s: %s must not link %s", f.fset.Position(spec.Pos()), pkg, imp)
		}
	}
}

// TestPackageComments holds every package to exactly one package comment, and
// keeps init functions out of everything but commands.
func TestPackageComments(t *testing.T) {
	for pkg, files := range sourceFiles(t) {
		docs := 0
		for _, f := range files {
			if f.file.Doc != nil {
				docs++
			}
			for _, d := range f.file.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Recv == nil && fn.Name.Name == "init" && !strings.HasPrefix(pkg, "cmd/") {
					t.Errorf("%s: init() outside cmd", f.fset.Position(fn.Pos()))
				}
			}
		}
		if docs != 1 {
			t.Errorf("package %s has %d package comments, want 1", pkg, docs)
		}
	}
}

type parsed struct {
	fset *token.FileSet
	file *ast.File
}

// sourceFiles parses every Go file of the module that is not a test, by package folder.
func sourceFiles(t *testing.T) map[string][]parsed {
	t.Helper()
	pkgs := make(map[string][]parsed)
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "examples" || len(name) > 1 && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(name))
		if f.Name.Name == "main" && !strings.HasPrefix(pkg, "cmd/") {
			return nil // a program beside a package, which "go run" alone builds
		}
		pkgs[pkg] = append(pkgs[pkg], parsed{fset, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// covers reports whether pattern names pkg, or, ending in /..., a parent of it.
func covers(pattern, pkg string) bool {
	dir, tree := strings.CutSuffix(pattern, "...")
	return pattern == pkg || tree && strings.HasPrefix(pkg+"/", dir)
}

func coveredByAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, pkg) })
}
