package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/besra-hunt/besra/sentinel/kusto"
	"github.com/spf13/cobra"
)

func sentinelCheckCommand(stdio stdio) *cobra.Command {
	var service string
	var params []string
	cmd := &cobra.Command{
		Use:   "check [PACK|FILE.kql…]",
		Short: "Parse and bind queries with Microsoft's own parser",
		Long: `Check every query that packs, the embedded one where none is named, become in Sentinel, or queries
in files, with Microsoft's parser and binder of KQL against the schemas of the tables; and for what
that parser does not look at: regular expressions, types of compared values, limits of rules.

The parser is the npm package ` + kusto.Package + `, which is not part of besra: it is looked for
in the folder of --language-service, of the environment variable ` + kusto.Variable + `,
and of node_modules from here up. Without it the second half of the checks still runs, and the
command says that queries were not parsed and exits with 2. A problem exits with 3.`,
		Example: "  npm install " + kusto.Package + "\n  besra sentinel check detections/\n  besra sentinel check hunting.kql",
		RunE: func(_ *cobra.Command, args []string) error {
			c := checker{stdio: stdio, schema: kusto.Sentinel()}
			if err := c.collect(args, params); err != nil {
				return err
			}
			return c.run(service)
		},
	}
	cmd.Flags().StringVar(&service, "language-service", "", "folder of Microsoft's parser")
	cmd.Flags().StringArrayVar(&params, "param", nil, "site parameter as NAME=VALUE or DETECTION/NAME=VALUE; may be repeated")
	return cmd
}

// checker checks queries.
type checker struct {
	stdio   stdio
	schema  kusto.Schema
	queries []namedQuery
}

// namedQuery is a query; one that is the body of a function has its parameters.
type namedQuery struct{ name, text, parameters string }

// collect gathers the queries of files and of what packs become.
func (c *checker) collect(args, params []string) error {
	var names []string
	for _, arg := range args {
		if filepath.Ext(arg) != ".kql" {
			names = append(names, arg)
			continue
		}
		text, err := os.ReadFile(arg)
		if err != nil {
			return err
		}
		c.queries = append(c.queries, namedQuery{arg, string(text), ""})
	}
	if len(names) == 0 && len(args) > 0 {
		return nil
	}
	packs, err := loadPacks(names)
	if err != nil {
		return &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, params); err != nil {
		return err
	}
	bundle, _ := content.Build(content.Options{}, packs...)
	for _, r := range bundle.Resources {
		c.resource(r)
	}
	return nil
}

// resource takes the query of a resource; a function is one that others call, too.
func (c *checker) resource(r *content.Resource) {
	query := r.Query()
	if query == "" {
		return
	}
	parameters, _ := r.Properties["functionParameters"].(string)
	c.queries = append(c.queries, namedQuery{r.Kind.Name + " " + r.Title, query, parameters})
	if r.Kind == content.Function {
		c.schema.Functions = append(c.schema.Functions, kusto.Function{Name: r.Name, Parameters: parameters, Body: query})
	}
}

func (c *checker) run(service string) error {
	workspace, missing := c.load(service)
	problems := 0
	for _, q := range c.queries {
		found := kusto.Lint(q.text)
		if workspace != nil {
			diagnostics, err := q.check(workspace)
			if err != nil {
				return err
			}
			found = append(found, diagnostics...)
		}
		for _, d := range found {
			fmt.Fprintf(c.stdio.out, "%s:%s\n", q.name, d.Error())
		}
		problems += len(found)
	}
	fmt.Fprintf(c.stdio.err, "%d queries, %d problems\n", len(c.queries), problems)
	switch {
	case problems > 0:
		return &exitError{exitContent, nil}
	case missing != nil:
		return fmt.Errorf("the queries were not parsed: %w", missing)
	}
	return nil
}

// check parses the query; a body with parameters inside a declaration of them,
// which takes a line of its own.
func (q namedQuery) check(w *kusto.Workspace) ([]kusto.Diagnostic, error) {
	if q.parameters == "" {
		result, err := w.Check(q.text)
		return result.Diagnostics, err
	}
	result, err := w.Check("let besra = (" + q.parameters + ") {\n" + q.text + "\n};\nprint 1")
	for i := range result.Diagnostics {
		result.Diagnostics[i].Line--
	}
	return result.Diagnostics, err
}

func (c *checker) load(service string) (*kusto.Workspace, error) {
	dir, err := kusto.Find(service)
	if err != nil {
		return nil, err
	}
	p, err := kusto.Load(dir)
	if err != nil {
		return nil, err
	}
	return p.Workspace(c.schema)
}
