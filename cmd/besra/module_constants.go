package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

// constantsOf returns the integer constants of a module.
func constantsOf(root *module.Type) []*module.Field {
	var list []*module.Field
	for _, f := range root.Fields {
		if f.Const.Kind() == module.Integer {
			list = append(list, f)
		}
	}
	return list
}

// A field's doc names its constants by a pattern: "one of ET_*", "a sum of
// PF_*". The doc of constants without a common prefix names the field: "A flag
// of characteristics."
var (
	constantPattern = regexp.MustCompile(`[A-Z][A-Z0-9_*]*\*[A-Z0-9_*]*`)
	sumPattern      = regexp.MustCompile(`\b[Ss]um of |\btogether\b`)
)

// constantNames spells the value of a field in constants, empty where there are
// none for it: MACHINE_AMD64, or 0x22 = EXECUTABLE_IMAGE | LARGE_ADDRESS_AWARE.
func constantNames(constants []*module.Field, f *module.Field, v int64) string {
	pattern := constantPattern.FindString(f.Doc)
	isFlags := sumPattern.MatchString(f.Doc)
	var mine []*module.Field
	for _, c := range constants {
		ok, _ := path.Match(pattern, c.Name)
		if pattern == "" {
			isFlag := c.Doc == "A flag of "+f.Name+"."
			ok, isFlags = isFlag || c.Doc == "A value of "+f.Name+".", isFlags || isFlag
		}
		if ok {
			mine = append(mine, c)
		}
	}
	if isFlags {
		return flagNames(mine, v)
	}
	for _, c := range mine {
		if n, _ := c.Const.Int(); n == v {
			return c.Name
		}
	}
	return ""
}

// flagNames takes constants of more bits first: some flags are numbers.
func flagNames(constants []*module.Field, v int64) string {
	byBits := slices.SortedStableFunc(slices.Values(constants), func(a, b *module.Field) int {
		x, _ := a.Const.Int()
		y, _ := b.Const.Int()
		return cmp.Compare(bits.OnesCount64(uint64(y)), bits.OnesCount64(uint64(x)))
	})
	rest, taken := v, make(map[*module.Field]bool)
	for _, c := range byBits {
		if n, _ := c.Const.Int(); n != 0 && n&rest == n {
			rest, taken[c] = rest&^n, true
		}
	}
	var names []string
	for _, c := range constants {
		if taken[c] {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf("%#x = %s", v, strings.Join(names, " | "))
}
