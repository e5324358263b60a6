package exclusion

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/besra-hunt/besra/lazyregexp"
)

// Parameter is a value that a detection leaves to the site that uses it, such
// as its update directories. Exclusions call it params.NAME. A parameter with
// neither Value nor Default is unresolved: expressions that need it stay
// unknown.
type Parameter struct {
	// Type is "string", "int", "bool" or "strings"; where empty it is that of
	// the value or default.
	Type    string `yaml:"type,omitempty"`
	Text    string `yaml:"text,omitempty"` // what it is for
	Default any    `yaml:"default,omitempty"`
	// Value is what the site set; nil takes the default.
	Value any `yaml:"-"`
}

// Parameters holds the parameters of a detection by name.
type Parameters map[string]Parameter

// Read returns the parameter with the value that a command line gives in text:
// one, or any number for a list of strings.
func (p Parameter) Read(texts ...string) (Parameter, error) {
	want := p.Type
	if want == "" {
		want = typeOf(p.Default)
	}
	if want == "strings" {
		p.Value = texts
		return p, nil
	}
	if len(texts) != 1 {
		return p, fmt.Errorf("it is of type %s and takes one value, not %d", want, len(texts))
	}
	var err error
	switch want {
	case "int":
		p.Value, err = strconv.ParseInt(texts[0], 0, 64)
	case "bool":
		p.Value, err = strconv.ParseBool(texts[0])
	default:
		p.Value = texts[0]
	}
	if err != nil {
		return p, fmt.Errorf("%q is not of type %s", texts[0], want)
	}
	return p, nil
}

// parameter is a typed parameter; value is nil where unresolved.
type parameter struct {
	celType *cel.Type
	value   ref.Val
}

var parameterTypes = map[string]*cel.Type{
	"string":  cel.StringType,
	"int":     cel.IntType,
	"bool":    cel.BoolType,
	"strings": cel.ListType(cel.StringType),
}

var (
	parameterName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	celKeywords   = []string{"in", "true", "false", "null"}
)

// typed types every parameter, in order of name so that problems are stable.
func (ps Parameters) typed(p *problems) map[string]parameter {
	out := map[string]parameter{}
	for _, name := range slices.Sorted(maps.Keys(ps)) {
		field := "parameters." + name
		if !parameterName().MatchString(name) || slices.Contains(celKeywords, name) {
			p.field(field, CodeBadParameter, fmt.Sprintf("%q is not a name an expression can use", name), "use letters, digits and underscores")
			continue
		}
		typed, err := ps[name].typed()
		if err != nil {
			p.field(field, CodeBadParameter, err.Error(), "types are string, int, bool and strings (a list of strings)")
			continue
		}
		out["params."+name] = typed
	}
	return out
}

func (p Parameter) typed() (parameter, error) {
	given := p.Value
	if given == nil {
		given = p.Default
	}
	want := p.Type
	if want == "" {
		want = typeOf(given)
	}
	celType, ok := parameterTypes[want]
	switch {
	case !ok && given == nil && want == "":
		return parameter{}, fmt.Errorf("a parameter with neither a value nor a default needs a type")
	case !ok:
		return parameter{}, fmt.Errorf("%q is not a parameter type", want)
	case given == nil:
		return parameter{celType: celType}, nil
	}
	value, err := parameterValue(want, given)
	return parameter{celType, value}, err
}

// typeOf names the parameter type of a decoded YAML value. An empty list is a
// list of strings, the only kind there is.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return ""
	case string:
		return "string"
	case bool:
		return "bool"
	case []any, []string:
		return "strings"
	}
	if _, ok := integer(v); ok {
		return "int"
	}
	return fmt.Sprintf("%T", v)
}

func parameterValue(want string, given any) (ref.Val, error) {
	wrong := fmt.Errorf("the value %v is not of type %s", given, want)
	switch want {
	case "string":
		if s, ok := given.(string); ok {
			return types.String(s), nil
		}
	case "bool":
		if b, ok := given.(bool); ok {
			return types.Bool(b), nil
		}
	case "int":
		if n, ok := integer(given); ok {
			return types.Int(n), nil
		}
	case "strings":
		if list, ok := stringList(given); ok {
			return newStringSet(list), nil
		}
	}
	return nil, wrong
}

// integer reads any whole number that a decoder may give.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case float64:
		// 2^63 is the first float that no longer fits.
		return int64(n), n == math.Trunc(n) && n >= -1<<63 && n < 1<<63
	}
	return 0, false
}

// stringList reads any list of strings that a decoder may give.
func stringList(v any) ([]string, bool) {
	switch list := v.(type) {
	case []string:
		return slices.Clone(list), true
	case []any:
		out := make([]string, len(list))
		for i, e := range list {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			out[i] = s
		}
		return out, true
	}
	return nil, false
}

// stringSet is a CEL list of strings that answers "in" from a hash set, so that
// an allow-list of a million hashes costs no more than a short one.
type stringSet struct {
	traits.Lister
	members map[string]struct{}
}

func newStringSet(list []string) stringSet {
	members := make(map[string]struct{}, len(list))
	for _, s := range list {
		members[s] = struct{}{}
	}
	return stringSet{types.NewStringList(types.DefaultTypeAdapter, list), members}
}

// Contains implements [traits.Container].
func (s stringSet) Contains(v ref.Val) ref.Val {
	word, ok := v.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	_, ok = s.members[string(word)]
	return types.Bool(ok)
}
