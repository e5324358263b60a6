// Package console is the YARA module "console": its functions write a line to
// the console of the scan and are always true.
//
// A line is text for people: bytes that are not UTF-8 are shown as U+FFFD,
// bytes of the target as escapes. Control characters in strings are kept as
// they are, so what prints lines to a terminal escapes them first.
package console

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/module"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	return &module.Module{
		Name: "console",
		Doc:  "Writes lines to the console of the scan.",
		Schema: &module.Type{Kind: module.Struct, Name: "console", Fields: []*module.Field{
			{
				Name: "log",
				Doc:  "Writes a value, or a message and a value; with an offset and a length, those bytes of the target.",
				Funcs: []*module.Func{
					writer(text, module.String),
					writer(text, module.Bool),
					writer(text, module.Integer),
					writer(text, module.Float),
					writer(span, module.Integer, module.Integer),
					writer(text, module.String, module.String),
					writer(text, module.String, module.Bool),
					writer(text, module.String, module.Integer),
					writer(text, module.String, module.Float),
					writer(span, module.String, module.Integer, module.Integer),
				},
			},
			{
				Name: "hex",
				Doc:  "Writes an integer, or a message and an integer, in base 16.",
				Funcs: []*module.Func{
					writer(hex, module.Integer),
					writer(hex, module.String, module.Integer),
				},
			},
		}},
	}
}

// writer returns an overload that writes what format makes of its arguments;
// format is not asked where nobody listens.
func writer(format func(*module.Input, []module.Value) (string, bool), params ...module.Kind) *module.Func {
	return &module.Func{
		Params:  params,
		Result:  &module.Type{Kind: module.Bool},
		Effects: true,
		Call: func(c *module.Call, args []module.Value) module.Value {
			if c.Input.Console != nil {
				if line, ok := format(c.Input, args); ok {
					c.Input.Console(line)
				}
			}
			return module.Boolean(true)
		},
	}
}

// text is the last argument behind the message, if there is one.
func text(in *module.Input, args []module.Value) (string, bool) {
	last := len(args) - 1
	return message(args[:last]) + show(in, args[last]), true
}

func message(args []module.Value) string {
	if len(args) == 0 {
		return ""
	}
	s, _ := args[0].Text()
	return valid(s)
}

func valid(s string) string { return strings.ToValidUTF8(s, string(utf8.RuneError)) }

func show(in *module.Input, v module.Value) string {
	switch v.Kind() {
	case module.Integer:
		i, _ := v.Int()
		return strconv.FormatInt(i, 10)
	case module.Float:
		f, _ := v.Float()
		return showFloat(in, f)
	case module.Bool:
		b, _ := v.Bool()
		return strconv.FormatBool(b)
	}
	s, _ := v.Text()
	if in.LibYARA {
		return escapeUnprintable(s)
	}
	return valid(s)
}

// showFloat prints the shortest digits that read back as f, never with an
// exponent; libyara prints six decimals.
func showFloat(in *module.Input, f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case in.LibYARA:
		return strconv.FormatFloat(f, 'f', 6, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// hex is text with the last argument, an integer, in base 16.
func hex(_ *module.Input, args []module.Value) (string, bool) {
	last := len(args) - 1
	i, _ := args[last].Int()
	return message(args[:last]) + "0x" + strconv.FormatUint(uint64(i), 16), true
}

// span shows the bytes of the target that its last two arguments, an offset
// and a length, name. A span that the target does not have whole is not shown.
func span(in *module.Input, args []module.Value) (string, bool) {
	last := len(args) - 2
	offset, _ := args[last].Int()
	length, _ := args[last+1].Int()
	size := int64(len(in.Data))
	if offset < 0 || length < 0 || offset > size || length > size-offset {
		return "", false
	}
	return message(args[:last]) + escapeBytes(in.Data[offset:offset+length]), true
}

// escapeBytes shows printable UTF-8 as it is, anything else as ASCII escapes.
func escapeBytes(data []byte) string {
	s := string(data)
	special := func(r rune) bool { return r == '\\' || r == '"' || unicode.IsControl(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, special) {
		return s
	}
	var b strings.Builder
	for _, c := range data {
		switch c {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\\', '"', '\'':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			writeByte(&b, c)
		}
	}
	return b.String()
}

// escapeUnprintable is what libyara does to every string it logs.
func escapeUnprintable(s string) string {
	var b strings.Builder
	for i := range len(s) {
		writeByte(&b, s[i])
	}
	return b.String()
}

// writeByte writes a printable ASCII character, or \x and two digits.
func writeByte(b *strings.Builder, c byte) {
	if c >= ' ' && c <= '~' {
		b.WriteByte(c)
		return
	}
	const digits = "0123456789abcdef"
	b.WriteString(`\x`)
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&0xF])
}
