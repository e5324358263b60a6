package compile

import (
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
)

// TestDiagnostics holds one line a diagnostic: the source, then its code, the
// text it points at, and a word from its notes. A source without "rule" is a
// condition of a rule with the patterns $a, $b1 and $b2, which are used.
func TestDiagnostics(t *testing.T) {
	tests := []struct{ src, code, at, note string }{
		// Names.
		{`$c`, "unknown_pattern", "$c", ""},
		{`#b3 > 1`, "unknown_pattern", "#b3", "`$b1`"},
		{`any of ($c, $a)`, "unknown_pattern", "$c", ""},
		{`any of ($c*)`, "empty_pattern_set", "$c*", ""},
		{`$ at 0`, "unbound_pattern", "$ at 0", ""},
		{`ext_imt == 1`, "unknown_identifier", "ext_imt", "`ext_int`"},
		{`pe.machine == 1`, "unknown_identifier", "pe", "import"},
		{`r`, "unknown_identifier", "r", "itself"},
		{`import "pe" rule r { condition: pe.machin == 1 }`, "unknown_field", "machin", "`machine`"},
		{`import "pe" rule r { condition: pe.sections[0].nme == "" }`, "unknown_field", "nme", "`name`"},
		{`import "pe" rule r { condition: pe.old == 1 }`, "deprecated_field", "old", "`machine`"},
		{`import "maths" rule r { condition: filesize == 1 }`, "unknown_module", `"maths"`, "`math`"},
		{`import "pe" import "pe" rule r { condition: filesize == 1 }`, "duplicate_import", `import "pe"`, ""},
		{`import "absent" rule r { condition: filesize == 1 }`, "unsupported_module", `import "absent"`, ""},
		{`import "absent" rule r { condition: absent.x }`, "unsupported_module", "absent", ""},
		{`import "absent" rule a { condition: absent.x } rule b { condition: a }`, "ignored_rule", "a", ""},
		{`rule a { condition: x } rule b { condition: a }`, "invalid_rule_reference", "a", ""},
		{`rule a { condition: filesize == 1 } rule a { condition: filesize == 1 }`, "duplicate_rule", "a", ""},
		{`import "pe" rule pe { condition: filesize == 1 }`, "rule_name_conflict", "pe", ""},
		{`rule ext_int { condition: filesize == 1 }`, "rule_name_conflict", "ext_int", ""},
		{`rule a : x y x { condition: filesize == 1 }`, "duplicate_tag", "x", ""},
		{`rule a1 { condition: filesize == 1 } rule b { condition: any of (a*) } rule a2 { condition: filesize == 1 }`,
			"rule_after_wildcard", "a2", ""},
		{`any of (zz*)`, "empty_rule_set", "zz*", ""},
		{`global rule g { condition: filesize == 1 } rule b { condition: g }`, "global_rule_misuse", "g", ""},
		{`include "x.yar"`, "include_not_allowed", `include "x.yar"`, ""},

		// Types.
		{`"a" + 1 == 2`, "wrong_type", `"a"`, ""},
		{`1.5 % 2 == 1`, "wrong_type", "1.5", ""},
		{`1 contains "a"`, "wrong_type", "1", ""},
		{`"a" == 1`, "mismatching_types", `"a" == 1`, ""},
		{`ext_bool == 2`, "bool_int_comparison", `ext_bool == 2`, "true counts as 1"},
		{`ext_bool == 1.5`, "mismatching_types", `ext_bool == 1.5`, ""},
		{`ext_bool == 1`, "bool_int_comparison", `ext_bool == 1`, "`ext_bool`"},
		{`ext_bool != 1`, "bool_int_comparison", `ext_bool != 1`, "`not ext_bool`"},
		{`ext_bool > 1`, "wrong_type", `ext_bool`, ""},
		{`filesize and ext_bool`, "non_bool_expr", "filesize", ""},
		{`not ext_text`, "non_bool_expr", "ext_text", ""},
		{`import "pe" rule r { condition: pe }`, "wrong_type", "pe", ""},
		{`import "pe" rule r { condition: pe.imphash == "" }`, "wrong_type", "pe.imphash", ""},
		{`import "pe" rule r { condition: pe.imports }`, "wrong_type", "pe.imports", "`pe.imports()`"},
		{`import "pe" rule r { condition: pe.sections["a"].size == 1 }`, "wrong_type", `"a"`, ""},
		{`import "pe" rule r { condition: pe.version_info[1] == "" }`, "wrong_type", `1`, ""},
		{`import "pe" rule r { condition: pe.machine[1] == 1 }`, "wrong_type", `pe.machine`, ""},
		{`import "pe" rule r { condition: pe.sections[-1].size == 1 }`, "negative_number", `-1`, ""},
		{`import "pe" rule r { condition: pe.machine() == 1 }`, "wrong_type", `pe.machine`, ""},
		{`import "pe" rule r { condition: pe.imports(1) }`, "wrong_arguments", `pe.imports(1)`, "(string)"},
		{`import "math" rule r { condition: math.entropy(0, 1.0) > 1 }`, "wrong_arguments", `math.entropy(0, 1.0)`, "(integer, integer)"},
		{`uint16(0, 1) == 1`, "wrong_arguments", "uint16(0, 1)", ""},
		{`uint16("a") == 1`, "wrong_type", `"a"`, ""},
		{`ext_text.len(1) == 1`, "wrong_arguments", "ext_text.len(1)", ""},
		{`2.0 of them`, "wrong_type", "2.0", ""},
		{`for any i in (1, 2.0) : (i == 1)`, "mismatching_types", "2.0", ""},
		{`for any i, j in (1..2) : (i == j)`, "assignment_mismatch", "i, j", ""},
		{`import "pe" rule r { condition: for any k in pe.version_info : (k == "") }`, "assignment_mismatch", "k", ""},
		{`import "pe" rule r { condition: for any k in pe.machine : (k == 1) }`, "wrong_type", "pe.machine", ""},
		{`for any i in (1..2) : ("a")`, "non_bool_expr", `"a"`, ""},

		// Numbers.
		{`9223372036854775808 == 1`, "integer_overflow", "9223372036854775808", ""},
		{`@a[0] == 1`, "number_out_of_range", "0", ""},
		{`$a at -1`, "negative_number", "-1", ""},
		{`$a in (10..1)`, "invalid_range", "(10..1)", ""},
		{`for any i in (10..1) : (i == 1)`, "invalid_range", "(10..1)", ""},
		{`101% of them`, "number_out_of_range", "101", ""},
		{`-1 of them`, "negative_number", "-1", ""},
		{`filesize << -1 == 1`, "negative_number", "-1", ""},
		{`0 of them`, "ambiguous_expr", "0 of them", "`none`"},
		{`4 of them`, "invariant_expr", "4 of them", ""},
		{`2 of them at 0`, "unsatisfiable_expr", "2", ""},
		{`all of them at 0`, "unsatisfiable_expr", "all", ""},
		{`rule r { condition: 1 == 1 }`, "invariant_expr", "1 == 1", ""},
		{`for any i in (0..filesize) : (i == 1)`, "potentially_slow_loop", "(0..filesize)", ""},
		{`for any i in (0..5000000) : (i == filesize)`, "too_many_iterations", "for any i in (0..5000000) : (i == filesize)", ""},
		{`with x = filesize, y = 1 : (x == 1)`, "unused_identifier", "y", ""},
		{`import "pe" rule r { condition: with f = pe.sections[0].has : (f("a")) }`, "method_in_with", "pe.sections[0].has", ""},
		{`import "pe" rule r { condition: pe.imphash() == "ABC" }`, "unsatisfiable_expr", `pe.imphash()`, `"abc"`},
		{`import "pe" rule r { condition: pe.imphash() == "12" }`, "unsatisfiable_expr", `pe.imphash()`, ""},
		{`import "elf" rule r { condition: "t1" == elf.telfhash() }`, "unsatisfiable_expr", `elf.telfhash()`, `"T1"`},
		{`uint8(0) == 0x1FF`, "unsatisfiable_expr", "uint8(0)", ""},
		{`-129 == int8(0)`, "unsatisfiable_expr", "int8(0)", ""},
		{`uint16be(0) == 0x10000`, "unsatisfiable_expr", "uint16be(0)", ""},
		{`int32(0) == 0x80000000`, "unsatisfiable_expr", "int32(0)", ""},
		{`rule r { strings: $a = /(b|.+)foo/s condition: $a }`, "arbitrary_prefix", "/(b|.+)foo/s", ""},
		{`rule r { strings: $a = /.+.foo/s condition: $a }`, "arbitrary_prefix", "/.+.foo/s", ""},
		{`entrypoint == 0`, "deprecated_entrypoint", "entrypoint", "pe.entry_point"},

		// Patterns.
		{`rule r { strings: $a = "abc" $a = "def" condition: any of them }`, "duplicate_pattern", "$a", ""},
		{`rule r { strings: $a = "abc" $b = "def" condition: $a }`, "unused_pattern", "$b", "$_"},
		{`rule r { strings: $a = "abc" $b = "abc" condition: any of them }`, "duplicate_pattern_value", `$b = "abc"`, ""},
		{`rule r { strings: $a = "abc" nocase nocase condition: $a }`, "duplicate_modifier", "nocase", ""},
		{`rule r { strings: $a = "abc" xor nocase condition: $a }`, "invalid_modifier_combination", "nocase", ""},
		{`rule r { strings: $a = "abc" base64 fullword condition: $a }`, "invalid_modifier_combination", "fullword", ""},
		{`rule r { strings: $a = "abc" xor(5-3) condition: $a }`, "invalid_range", "xor(5-3)", ""},
		{`rule r { strings: $a = "abc" base64("abc") condition: $a }`, "invalid_base64_alphabet", `"abc"`, ""},
		{`rule r { strings: $a = "ab" base64 condition: $a }`, "pattern_too_short", `"ab"`, ""},
		{`rule r { strings: $a = { 61 62 63 } condition: $a }`, "text_as_hex", "$a = { 61 62 63 }", `"abc"`},
		{`rule r { strings: $a = { 61 62 [1-2] [3] 63 } condition: $a }`, "consecutive_jumps", "[1-2] [3]", ""},
		{`rule r { strings: $a = /abc.d/i nocase condition: $a }`, "redundant_modifier", "nocase", ""},
		{`rule r { strings: $a = "a" condition: $a }`, "slow_pattern", `$a = "a"`, ""},
		{`rule r { strings: $a = { 00 00 00 00 } condition: $a }`, "slow_pattern", `$a = { 00 00 00 00 }`, ""},
		{`$b1 and any of ($b*)`, "unintended_pattern_in_set", "$b*", ""},
		{`any of ($*) and all of ($b*)`, "unintended_pattern_in_set", "$*", ""},
	}
	for _, test := range tests {
		t.Run(test.src, func(t *testing.T) {
			c := New(options())
			list := c.Add("", "t.yar", []byte(whole(test.src)))
			for _, d := range list {
				if d.Code == test.code && spanText(c, d.Span) == test.at {
					if notes := strings.Join(d.Notes, "; "); !strings.Contains(notes, test.note) {
						t.Errorf("notes: got %q, want %q in it", notes, test.note)
					}
					return
				}
			}
			t.Errorf("got %s, want %s at %q", summary(c, list), test.code, test.at)
		})
	}
}

// whole makes a source of a condition.
func whole(src string) string {
	if strings.Contains(src, "rule ") || strings.HasPrefix(src, "include ") {
		return src
	}
	return `rule r { strings: $a = "first" $b1 = "second" $b2 = "third" condition: ` + src + "\n or all of them }"
}

func summary(c *Compiler, list diag.List) string {
	var parts []string
	for _, d := range list {
		parts = append(parts, d.Error()+" at "+spanText(c, d.Span))
	}
	return strings.Join(parts, "; ")
}

// TestSilence holds sources that nothing is to be said of.
func TestSilence(t *testing.T) {
	tests := []string{
		`$a or $b1`, `any of ($b*) or $a`, `none of ($b*)`, `0 < #a`, `filesize > 1KB and 1.5 < ext_float`,
		`any of them at 0`, `for all i in (1..3) : (@a[i] == i)`, `for any s in ("a", "b") : (ext_text == s)`,
		`with x = filesize : (x == 1)`, `ext_text.len() == 3`, `ext_text matches /a.c/`, `$b1 and $b2 or any of ($b*)`,
		`defined @a[1]`, `"a" < ext_text`, `uint16be(0) == 0x4D5A`, `uint8(0) == 255 and int8(1) == -128 and uint32(0) == 0xFFFFFFFF`, `float32(0) > 1`, `1 of (ext_bool, filesize == 1)`,
		`rule r { strings: $_a = "abc" $ = "def" condition: filesize == 1 or any of ($) }`,
		`rule a1 { condition: filesize == 1 } rule b { condition: any of (a*) or 1 of (a1) }`,
		`import "pe" rule r { condition: with f = pe.imports, s = pe.sections[0] : (f("a") and s.has("b") and f("c")) }`,
		`import "pe" rule r { condition: for any k, v in pe.version_info : (k == v) }`,
		`import "pe" rule r { condition: pe.machine == pe.MACHINE_I386 and pe.sections.len() > 1 and pe.version_info.len() > 1 }`,
	}
	for _, src := range tests {
		t.Run(src, func(t *testing.T) {
			c := New(options())
			if list := c.Add("", "t.yar", []byte(whole(src))); len(list) > 0 {
				t.Errorf("got %s, want nothing", summary(c, list))
			}
			p, _ := c.Build()
			if err := p.Check(); err != nil {
				t.Error(err)
			}
			if _, err := p.Bind(finder()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDialects holds conditions that only one dialect refuses.
func TestDialects(t *testing.T) {
	tests := []struct{ src, yarax, yara string }{
		{`9223372036854775807 + 1 == filesize`, "", "integer_overflow"},
		{`-9223372036854775807 - 2 == filesize`, "", "integer_overflow"},
		{`9223372036854775807 * 2 == filesize`, "integer_overflow", "integer_overflow"},
		{`~9223372036854775807 \ -1 == filesize`, "", "integer_overflow"},
		{`/a/ or $a`, "wrong_type", ""},
		{`1 \ 0 == filesize`, "", "division_by_zero"},
		{`1 % 0 == filesize`, "", "division_by_zero"},
		{`@a[-1] == filesize`, "number_out_of_range", ""},
		{`$a at -1`, "negative_number", ""},
		{`0% of them`, "", "number_out_of_range"},
		{`entrypoint == 1`, "deprecated_entrypoint", ""},
		{`ext_bool + 1 == 2`, "wrong_type", ""},
		{`import "pe" rule r { condition: pe.imports("a") & pe.machine == 1 }`, "wrong_type", ""},
		{`-ext_bool == ~ext_bool`, "wrong_type", ""},
		{`ext_bool < 2`, "wrong_type", ""},
		{`ext_bool == 1.5`, "mismatching_types", ""},
		{`ext_bool of them`, "wrong_type", ""},
		{`uint8(ext_bool) == 1`, "wrong_type", ""},
		{`@a[ext_bool] == 1 and $a at ext_bool and $a in (ext_bool..9)`, "wrong_type", ""},
		{`for all i in (ext_bool, 2) : (i > 0)`, "mismatching_types", ""},
		{`import "math" rule r { condition: math.entropy(ext_bool, 3) > 1 }`, "wrong_arguments", ""},
		{`(filesize == 1) + 1 == 2`, "syntax_error", "syntax_error"},
	}
	for _, test := range tests {
		for dialect, want := range map[program.Dialect]string{program.YARAX: test.yarax, program.LibYARA: test.yara} {
			opt := options()
			opt.Dialect = dialect
			c := New(opt)
			list := c.Add("", "t.yar", []byte(whole(test.src)))
			got := ""
			for _, d := range list {
				if d.Severity == diag.Error {
					got = d.Code
				}
			}
			if got != want {
				t.Errorf("%s, dialect %d: got %q, want %q", test.src, dialect, got, want)
			}
		}
	}
}
