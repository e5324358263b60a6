package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/spf13/cobra"
)

func moduleCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "module", Short: "Show what the YARA modules offer, and what they say of a file"}
	cmd.AddCommand(moduleDocCommand(stdio), moduleDumpCommand(stdio))
	return cmd
}

// findModule returns the module of a name.
func findModule(name string) (*module.Module, error) {
	all := standard.Modules()
	i := slices.IndexFunc(all, func(m *module.Module) bool { return m.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, m := range all {
		names = append(names, m.Name)
	}
	return nil, &hintError{fmt.Errorf("there is no module %q", name), "the modules are " + strings.Join(names, ", ")}
}

// palette colours text for a terminal, or leaves it as it is.
type palette bool

// The colours.
const (
	heading = "1"  // bold
	naming  = "36" // cyan
	texts   = "32" // green
	numbers = "33" // yellow
	aside   = "2"  // faint
)

func (p palette) paint(color, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// typeName returns a type as documentation writes it: integer, []Section,
// map[string]string.
func typeName(t *module.Type) string {
	switch t.Kind {
	case module.Array:
		return "[]" + typeName(t.Elem)
	case module.Map:
		return "map[" + kindName(t.Key) + "]" + typeName(t.Elem)
	case module.Struct:
		if t.Name == "" {
			return "struct"
		}
		return t.Name
	}
	return kindName(t.Kind)
}

func kindName(k module.Kind) string {
	return [...]string{module.Undefined: "undefined", module.Integer: "integer", module.Float: "float", module.Bool: "bool",
		module.String: "string", module.Regexp: "regexp", module.Struct: "struct", module.Array: "array", module.Map: "map"}[k]
}
