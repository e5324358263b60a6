// Package time is the YARA module "time": the time of the scan.
package time

import "github.com/besra-hunt/besra/yara/module"

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	now := &module.Func{
		Result: &module.Type{Kind: module.Integer},
		Call:   func(c *module.Call, _ []module.Value) module.Value { return module.Int(c.Input.Time.Unix()) },
	}
	return &module.Module{
		Name: "time",
		Doc:  "The time of the scan.",
		Schema: &module.Type{Kind: module.Struct, Name: "time", Fields: []*module.Field{{
			Name:  "now",
			Doc:   "Seconds from 1970-01-01 UTC to the start of the scan; the same in all conditions of a scan.",
			Funcs: []*module.Func{now},
		}}},
	}
}
