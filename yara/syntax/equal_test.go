package syntax

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
)

var spanType = reflect.TypeFor[diag.Span]()

// difference returns where two trees differ, spans left out; empty where they
// do not.
func difference(a, b []Item) string {
	return differ(reflect.ValueOf(a), reflect.ValueOf(b))
}

func differ(a, b reflect.Value) string {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return fmt.Sprintf(": %v and %v", a, b)
	}
	switch a.Kind() {
	case reflect.Invalid:
		return ""
	case reflect.Interface, reflect.Pointer:
		return differ(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf(": %d and %d elements", a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := differ(a.Index(i), b.Index(i)); d != "" {
				return fmt.Sprintf("[%d]%s", i, d)
			}
		}
		return ""
	case reflect.Struct:
		if a.Type() == spanType {
			return ""
		}
		for i := range a.NumField() {
			if d := differ(a.Field(i), b.Field(i)); d != "" {
				return "." + a.Type().Field(i).Name + d
			}
		}
		return ""
	}
	if !a.Equal(b) {
		return fmt.Sprintf(": %v and %v", a, b)
	}
	return ""
}

// commentTexts returns the comments without their blanks, which the printer
// may change.
func commentTexts(f *File) []string {
	var all []string
	for _, c := range f.Comments {
		all = append(all, strings.Join(strings.Fields(c.Text), ""))
	}
	return all
}
