package syntax

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
)

// dump writes a tree as an outline: a node a line, with its own values and,
// after a bar, the source its span covers.
func dump(f *File) string {
	d := dumper{src: string(f.Source.Text)}
	for _, item := range f.Items {
		d.value("", reflect.ValueOf(item), 0)
	}
	for _, c := range f.Comments {
		d.line(0, "Comment", c.Span)
	}
	if f.Incomplete {
		d.b.WriteString("incomplete\n")
	}
	return d.b.String()
}

type dumper struct {
	src string
	b   strings.Builder
}

func (d *dumper) line(depth int, text string, at diag.Span) {
	d.b.WriteString(strings.Repeat("  ", depth) + text)
	if !at.IsZero() {
		src := strings.NewReplacer("\n", "⏎", "\t", "→", "\r", "␍").Replace(d.src[at.Start:at.End])
		if r := []rune(src); len(r) > 70 {
			src = string(r[:40]) + " … " + string(r[len(r)-25:])
		}
		d.b.WriteString(" | " + src)
	}
	d.b.WriteByte('\n')
}

// value writes a field, what is zero left out.
func (d *dumper) value(name string, v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.Slice { // alternatives
				d.line(depth, fmt.Sprintf("%s[%d]", name, i), diag.Span{})
				d.value("", v.Index(i), depth+1)
				continue
			}
			d.value(name, v.Index(i), depth)
		}
		return
	}
	if v.Kind() != reflect.Struct {
		return
	}
	head := strings.TrimPrefix(name+" "+v.Type().Name(), " ")
	at := d.scalars(&head, v)
	d.line(depth, head, at)
	for i := range v.NumField() {
		if f := v.Type().Field(i); !f.Anonymous && v.Field(i).Type() != spanType && !v.Field(i).IsZero() {
			d.value(f.Name, v.Field(i), depth+1)
		}
	}
}

// scalars adds the plain fields to the head of a line and finds its span.
func (d *dumper) scalars(head *string, v reflect.Value) (at diag.Span) {
	for i := range v.NumField() {
		f, x := v.Type().Field(i), v.Field(i)
		switch {
		case f.Type == spanType && f.Anonymous:
			at = x.Interface().(diag.Span)
		case f.Anonymous: // node
			at = x.Field(0).Interface().(diag.Span)
		case f.Type == spanType || x.IsZero():
		case x.Kind() == reflect.String:
			*head += fmt.Sprintf(" %s=%q", f.Name, x.String())
		case f.Type == reflect.TypeFor[Op]():
			*head += " " + Op(x.Uint()).String()
		case x.Kind() == reflect.Bool:
			*head += " " + f.Name
		case x.CanInt() || x.CanUint() || x.CanFloat():
			*head += fmt.Sprintf(" %s=%v", f.Name, x)
		}
	}
	return at
}
