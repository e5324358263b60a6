package yara_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestDocumented demands a comment on every exported name below yara: types,
// functions, methods, constants, variables, and in the packages that programs
// and modules are written against fields and methods of interfaces, too. A comment on a group of constants or
// variables speaks for all of it.
func TestDocumented(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		d := documents{withMembers: slices.Contains([]string{".", "diag", "module"}, filepath.Dir(name))}
		for _, decl := range file.Decls {
			d.declaration(decl)
		}
		for _, id := range d.lacking {
			t.Errorf("%s: %s has no comment", fset.Position(id.Pos()), id.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// documents collects the exported names that have no comment.
type documents struct {
	lacking     []*ast.Ident
	withMembers bool
}

func (d *documents) need(id *ast.Ident, comments ...*ast.CommentGroup) {
	if !id.IsExported() {
		return
	}
	for _, c := range comments {
		if c != nil && strings.TrimSpace(c.Text()) != "" {
			return
		}
	}
	d.lacking = append(d.lacking, id)
}

func (d *documents) declaration(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil || exportedReceiver(decl.Recv) {
			d.need(decl.Name, decl.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			d.spec(decl, spec)
		}
	}
}

// exportedReceiver reports whether a method is of an exported type.
func exportedReceiver(recv *ast.FieldList) bool {
	x := recv.List[0].Type
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return false
		}
	}
}

func (d *documents) spec(decl *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		d.need(spec.Name, spec.Doc, decl.Doc)
		if spec.Name.IsExported() && d.withMembers {
			d.members(spec.Type, spec.Doc.Text()+decl.Doc.Text())
		}
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			d.need(id, spec.Doc, spec.Comment, decl.Doc)
		}
	}
}

// members looks at fields and methods. The comment of the type speaks for those
// that it names.
func (d *documents) members(expr ast.Expr, comment string) {
	words := strings.FieldsFunc(comment, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var list *ast.FieldList
	switch expr := expr.(type) {
	case *ast.StructType:
		list = expr.Fields
	case *ast.InterfaceType:
		list = expr.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, id := range f.Names {
			if !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, id.Name) }) {
				d.need(id, f.Doc, f.Comment)
			}
		}
	}
}

// TestPage demands that the page about the API names every exported function,
// type, option and method of package yara.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "yara-api.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range exportedNames(file) {
			if !strings.Contains(string(page), id) {
				t.Errorf("docs/yara-api.md does not name %s (%s)", id, name)
			}
		}
	}
}

func exportedNames(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.IsExported() && (decl.Recv == nil || exportedReceiver(decl.Recv)) {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.IsExported() {
					names = append(names, t.Name.Name)
				}
			}
		}
	}
	return names
}
