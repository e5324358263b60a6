// Package kusto asks Microsoft's own parser and binder of the Kusto Query
// Language what is wrong with a query, and gives its syntax tree.
//
// The parser is the npm package @kusto/language-service-next, a program in
// JavaScript that runs here inside the process. It is not part of besra: [Find]
// looks for a folder that holds it, and everything that needs it says plainly
// where there is none. What it does not look at (regular expressions, the limits
// of rules) is for [Lint], which always runs.
package kusto

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf16"

	"github.com/dop251/goja"
)

// Package is the npm package that holds the parser, and Variable the environment
// variable that can name its folder.
const (
	Package  = "@kusto/language-service-next"
	Variable = "BESRA_KQL_LANGUAGE_SERVICE"
)

// scripts are the files of the package, in the order in which they are run.
var scripts = []string{"bridge.min.js", "Kusto.Language.Bridge.min.js"}

//go:embed driver.js
var driver string

// ErrNotFound says that no folder holds the parser.
var ErrNotFound = errors.New("the parser of Microsoft is not here: install it with npm install " + Package +
	", or name its folder with --language-service or " + Variable)

// Find returns the folder of the parser: dir, if one is named; the one that the
// environment names; or the nearest node_modules from the working directory up.
func Find(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv(Variable)
	}
	if dir != "" {
		for _, d := range []string{dir, filepath.Join(dir, Package), filepath.Join(dir, "node_modules", Package)} {
			if holdsParser(d) {
				return d, nil
			}
		}
		return "", fmt.Errorf("%s holds no %s of %s", dir, scripts[1], Package)
	}
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if d := filepath.Join(at, "node_modules", Package); holdsParser(d) {
			return d, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", ErrNotFound
		}
		at = up
	}
}

func holdsParser(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, scripts[1]))
	return err == nil
}

// Parser is the running parser. It belongs to one goroutine at a time. To load
// one takes some seconds, its first query more, later ones a fraction of one.
type Parser struct {
	declare func(schema string) (any, error)
	analyze func(query string, schema any, tree bool) (string, error)
}

// Load runs the parser of a folder that [Find] returned.
func Load(dir string) (*Parser, error) {
	vm := goja.New()
	for _, name := range scripts {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if _, err := vm.RunScript(name, string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := vm.RunScript("driver.js", driver); err != nil {
		return nil, fmt.Errorf("%s is not a version that besra knows: %w", Package, err)
	}
	analyze, ok := goja.AssertFunction(vm.Get("besraAnalyze"))
	declare, ok2 := goja.AssertFunction(vm.Get("besraGlobals"))
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s is not a version that besra knows", Package)
	}
	return &Parser{
		declare: func(schema string) (any, error) { return declare(goja.Undefined(), vm.ToValue(schema)) },
		analyze: func(query string, schema any, tree bool) (string, error) {
			out, err := analyze(goja.Undefined(), vm.ToValue(query), schema.(goja.Value), vm.ToValue(tree))
			if err != nil {
				return "", err
			}
			return out.String(), nil
		},
	}, nil
}

// Schema is what a workspace has.
type Schema struct {
	Tables    []Table    `json:"tables,omitempty"`
	Functions []Function `json:"functions,omitempty"`
}

// Table is a table; Columns is as KQL declares it, "(FilePath: string)".
type Table struct {
	Name    string `json:"name"`
	Columns string `json:"columns"`
}

// Function is a saved function; Parameters is "path: string", Body what it is
// made of.
type Function struct {
	Name       string `json:"name"`
	Parameters string `json:"parameters"`
	Body       string `json:"body"`
}

// Workspace is a schema that a parser has read.
type Workspace struct {
	parser *Parser
	schema any
}

// Workspace reads a schema.
func (p *Parser) Workspace(s Schema) (*Workspace, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	schema, err := p.declare(string(text))
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	return &Workspace{p, schema}, nil
}

// Diagnostic is something wrong with a query.
type Diagnostic struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // Error, Warning, Suggestion
	Message  string `json:"message"`
	Offset   int    `json:"offset"` // in bytes
	Length   int    `json:"length"`
	Line     int    `json:"line"`   // from 1
	Column   int    `json:"column"` // from 1, in characters
}

// Error returns the diagnostic in one line.
func (d Diagnostic) Error() string {
	return fmt.Sprintf("%d:%d: %s [%s]", d.Line, d.Column, d.Message, d.Code)
}

// Column is a column of a query's result.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Result is what the parser found out about a query.
type Result struct {
	Diagnostics []Diagnostic `json:"diagnostics"`
	Columns     []Column     `json:"columns"`
	Tree        *Node        `json:"tree"` // nil unless asked for
}

// Node is a node of the syntax tree, or a token.
type Node struct {
	Kind     string  `json:"k"` // the parser's name for it, such as FunctionCallExpression
	Type     string  `json:"t"` // of the result, where it has one
	Refers   string  `json:"r"` // name of the symbol it was bound to
	Text     string  `json:"x"` // of a token
	Value    string  `json:"v"` // of a text literal, without quotes and escapes
	Start    int     `json:"s"` // in UTF-16 units, as Width
	Width    int     `json:"l"`
	Children []*Node `json:"c"`
}

// Check parses and binds a query.
func (w *Workspace) Check(query string) (Result, error) { return w.run(query, false) }

// Parse is [Workspace.Check] with the syntax tree.
func (w *Workspace) Parse(query string) (Result, error) { return w.run(query, true) }

func (w *Workspace) run(query string, tree bool) (Result, error) {
	var r Result
	out, err := w.parser.analyze(query, w.schema, tree)
	if err != nil {
		return r, fmt.Errorf("the parser of Microsoft failed: %w", err)
	}
	var raw struct {
		Result
		Diagnostics []struct {
			Code, Severity, Message string
			Start, Length           int
		} `json:"diagnostics"`
	}
	if err := json.Unmarshal([]byte(out), &raw); err != nil {
		return r, err
	}
	r = raw.Result
	for _, d := range raw.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, Diagnostic{Code: d.Code, Severity: d.Severity, Message: d.Message}.at(query, d.Start, d.Length))
	}
	return r, nil
}

// at places a diagnostic by its offset in UTF-16 units.
func (d Diagnostic) at(query string, start, length int) Diagnostic {
	d.Offset = bytesOf(query, start)
	d.Length = bytesOf(query[d.Offset:], length)
	return d.placed(query)
}

// placed fills in line and column by the offset.
func (d Diagnostic) placed(query string) Diagnostic {
	d.Line, d.Column = 1, 1
	for _, r := range query[:d.Offset] {
		d.Column++
		if r == '\n' {
			d.Line, d.Column = d.Line+1, 1
		}
	}
	return d
}

// bytesOf converts a number of UTF-16 units from the start of text to bytes.
func bytesOf(text string, units int) int {
	n := 0
	for i, r := range text {
		if n >= units {
			return i
		}
		n += max(1, utf16.RuneLen(r))
	}
	return len(text)
}
