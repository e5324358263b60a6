package yara

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/compile"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// Option steers how rules are compiled; see [NewCompiler].
type Option interface{ apply(*compile.Options) }

type option func(*compile.Options)

func (f option) apply(o *compile.Options) { f(o) }

// Dialect says whose answer counts where YARA-X and libyara give different
// ones, such as whether floats that differ by a rounding error are equal. Both
// dialects accept the same rules, except where one language forbids what the
// other means something by. A Dialect is an [Option].
type Dialect uint8

// The dialects. YARAX is the default.
const (
	YARAX Dialect = iota
	LibYARA
)

func (d Dialect) apply(o *compile.Options) {
	o.Dialect = program.YARAX
	if d == LibYARA {
		o.Dialect = program.LibYARA
	}
}

// WithModules lets rules import these modules. It may be given several times;
// of modules with one name the last counts.
func WithModules(modules ...*module.Module) Option {
	return option(func(o *compile.Options) {
		for _, m := range modules {
			o.Modules = slices.DeleteFunc(o.Modules, func(old *module.Module) bool { return old.Name == m.Name })
			o.Modules = append(o.Modules, m)
		}
	})
}

// FindModules is WithModules for modules that are made when rules import them:
// find returns the module of a name, or nil. It is asked for names that
// WithModules has not given.
func FindModules(find func(name string) *module.Module) Option {
	return option(func(o *compile.Options) { o.FindModule = find })
}

// IgnoreModules names modules that are known to be absent: a rule that uses
// one is left out with a warning instead of an error.
func IgnoreModules(names ...string) Option {
	return option(func(o *compile.Options) { o.IgnoreModules = append(o.IgnoreModules, names...) })
}

// Define declares an external variable with the value that it has where a
// scanner sets none: any Go integer, a float, a bool or a string. A value of
// another type, or an integer beyond an int64, is reported by Build.
func Define(name string, value any) Option {
	return option(func(o *compile.Options) {
		if o.Externals == nil {
			o.Externals = make(map[string]module.Value)
		}
		o.Externals[name] = valueOf(value)
	})
}

// RelaxedRegexps reads unknown escapes and stray braces in regexps as literal
// characters, as YARA does, instead of refusing them as YARA-X does.
func RelaxedRegexps() Option {
	return option(func(o *compile.Options) { o.RelaxedRegexps = true })
}

// Includes allows the include statement. open finds the file that a statement
// names; from is the origin of the source that holds the statement. The name
// it returns becomes the origin of the text. Without this option an include is
// an error.
func Includes(open func(from, path string) (name string, text []byte, err error)) Option {
	return option(func(o *compile.Options) { o.Includes = open })
}

// IncludesFS allows the include statement for the files of fsys. A path is
// relative to the including source's origin, which must then be a path in fsys
// too; it cannot leave fsys.
func IncludesFS(fsys fs.FS) Option {
	return Includes(func(from, name string) (string, []byte, error) {
		name = path.Join(path.Dir(from), strings.ReplaceAll(name, `\`, "/"))
		if !fs.ValidPath(name) {
			return "", nil, fmt.Errorf("the path leaves the directory of rules")
		}
		text, err := fs.ReadFile(fsys, name)
		return name, text, err
	})
}

// valueOf turns a Go value into a value of conditions, undefined where there
// is none for it.
func valueOf(value any) module.Value {
	switch v := value.(type) {
	case bool:
		return module.Boolean(v)
	case string:
		return module.Text(v)
	case float32:
		return module.Float64(float64(v))
	case float64:
		return module.Float64(v)
	}
	if i, ok := integerOf(value); ok {
		return module.Int(i)
	}
	return module.Value{}
}

func integerOf(value any) (int64, bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint:
		return int64(v), uint64(v) <= 1<<63-1
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), v <= 1<<63-1
	}
	return 0, false
}
