package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// printModules prints what each imported module says of a target, as yara
// does: every field of the schema, defined or not. The rules ask the modules
// again.
func (w *yaraWorker) printModules(ctx context.Context, job *yaraJob, data []byte) {
	if !w.run.flags.showModules {
		return
	}
	modules := standard.Modules()
	for _, name := range w.run.rules.Stats().Modules {
		i := slices.IndexFunc(modules, func(m *module.Module) bool { return m.Name == name })
		if i < 0 {
			continue
		}
		root, err := loadModule(ctx, modules[i], data, w.run.moduleData)
		if err != nil {
			job.fail(err)
			continue
		}
		job.out.WriteString(name)
		printObject(&job.out, modules[i].Schema, root, nil)
		job.out.WriteByte('\n')
	}
}

// printObject prints a value behind its name, the parts of a composite one on
// lines of their own, a tab further in. within are the types that it is part
// of: an undefined value of one of them would have no end.
func printObject(b *bytes.Buffer, t *module.Type, v module.Value, within []*module.Type) {
	if !v.Defined() && slices.Contains(within, t) {
		return
	}
	tabs := "\n" + strings.Repeat("\t", len(within)+1)
	within = append(within, t)
	switch t.Kind {
	case module.Struct:
		for i, f := range t.Fields {
			if f.Funcs != nil {
				continue
			}
			b.WriteString(tabs + f.Name)
			printObject(b, f.Type, fieldValue(f, v, i), within)
		}
	case module.Array:
		for i, item := range listItems(v) {
			b.WriteString(tabs + "[" + strconv.Itoa(i) + "]")
			printObject(b, t.Elem, item, within)
		}
	case module.Map:
		for key, value := range dictEntries(v) {
			b.WriteString(tabs + keyText(key))
			printObject(b, t.Elem, value, within)
		}
	default:
		b.WriteString(" = ")
		printScalar(b, v)
	}
}

func printScalar(b *bytes.Buffer, v module.Value) {
	switch v.Kind() {
	case module.Integer:
		i, _ := v.Int()
		b.WriteString(strconv.FormatInt(i, 10))
	case module.Bool: // an integer to yara
		if ok, _ := v.Bool(); ok {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	case module.Float:
		f, _ := v.Float()
		fmt.Fprintf(b, "%f", f)
	case module.String:
		s, _ := v.Text()
		b.WriteByte('"')
		for i := range len(s) {
			if c := s[i]; c >= ' ' && c <= '~' {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(b, `\x%02x`, c)
			}
		}
		b.WriteByte('"')
	default:
		b.WriteString("YR_UNDEFINED")
	}
}

// loadModule asks a module for its data on a target, outside of any rule.
func loadModule(ctx context.Context, m *module.Module, data []byte, meta map[string][]byte) (root module.Value, err error) {
	if m.Load == nil {
		return module.Value{}, nil
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // of a mapped file, for the caller
			panic(p)
		default:
			err = fmt.Errorf("the module %s failed: %v", m.Name, p)
		}
	}()
	in := &module.Input{Meta: meta}
	in.Reset(ctx, data, time.Now())
	return m.Load(in), nil
}
