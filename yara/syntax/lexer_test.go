package syntax

import (
	"strings"
	"testing"
)

// lexed returns the tokens of a text as `kind text` in one line, and the codes
// of what was reported.
func lexed(text string) (tokens, codes string) {
	l := &lexer{src: text}
	var all, reported []string
	for {
		t := l.scan()
		if t.kind == tEOF {
			break
		}
		name := words[t.kind]
		if strings.HasPrefix(name, "`") {
			name = "" // the text says it
		}
		all = append(all, name+"‹"+text[t.start:t.end]+"›")
	}
	for _, d := range l.list {
		reported = append(reported, d.Code)
	}
	return strings.Join(all, " "), strings.Join(reported, " ")
}

func TestLexer(t *testing.T) {
	for _, tt := range []struct{ text, want, codes string }{
		{"", "", ""},
		{"rule r_1", "‹rule› identifier‹r_1›", ""},
		{"Rule RULE rules _ _9", "identifier‹Rule› identifier‹RULE› identifier‹rules› identifier‹_› identifier‹_9›", ""},
		{"with include int8 uint32be", "identifier‹with› identifier‹include› identifier‹int8› identifier‹uint32be›", ""},
		{"base64 base64wide base64x", "‹base64› ‹base64wide› identifier‹base64x›", ""},

		{"1 10 1_000 1__0_", "integer‹1› integer‹10› integer‹1_000› integer‹1__0_›", ""},
		{"0x1F 0xdead_beef 0o17 0o1_7", "integer‹0x1F› integer‹0xdead_beef› integer‹0o17› integer‹0o1_7›", ""},
		{"0x 0xg 0X1 0o8 0x_1", "integer‹0› identifier‹x› integer‹0› identifier‹xg› integer‹0› identifier‹X1› integer‹0› identifier‹o8› integer‹0› identifier‹x_1›", ""},
		{"0o178", "integer‹0o17› integer‹8›", ""},
		{"1KB 2MB 1_KB 3GB 1kB 1KBs", "integer‹1KB› integer‹2MB› integer‹1_KB› integer‹3› identifier‹GB› integer‹1› identifier‹kB› integer‹1KB› identifier‹s›", ""},
		{"1.5 1_0.0_1 1._5 1.5KB", "float‹1.5› float‹1_0.0_1› float‹1._5› float‹1.5› identifier‹KB›", ""},
		{"1. .5 1..2 1.5..2.5 1...2", "integer‹1› ‹.› ‹.› integer‹5› integer‹1› ‹.› ‹.› integer‹2› float‹1.5› ‹.› ‹.› float‹2.5› integer‹1› ‹.› ‹.› ‹.› integer‹2›", ""},
		{"5of 5%", "integer‹5› ‹of› integer‹5› ‹%›", ""},
		{"-1 1-1", "‹-› integer‹1› integer‹1› ‹-› integer‹1›", ""},

		{"$ $a $_ $9 $a*", "pattern identifier‹$› pattern identifier‹$a› pattern identifier‹$_› pattern identifier‹$9› pattern identifier‹$a› ‹*›", ""},
		{"#a @a[1] !a ! != !==", "pattern count‹#a› pattern offset‹@a› ‹[› integer‹1› ‹]› pattern length‹!a› pattern length‹!› ‹!=› ‹!=› ‹=›", ""},

		{"== = <= < << >= > >> <<= >>>", "‹==› ‹=› ‹<=› ‹<› ‹<<› ‹>=› ‹>› ‹>>› ‹<<› ‹=› ‹>>› ‹>›", ""},
		{`& | ^ ~ + - * \ % : , . [ ] ( ) { }`, `‹&› ‹|› ‹^› ‹~› ‹+› ‹-› ‹*› ‹\› ‹%› ‹:› ‹,› ‹.› ‹[› ‹]› ‹(› ‹)› ‹{› ‹}›`, ""},

		{`"" "a" "\"" "\\" "\\\""`, `string‹""› string‹"a"› string‹"\""› string‹"\\"› string‹"\\\""›`, ""},
		{`"""""" """a""" """a\"b"""`, `string‹""""""› string‹"""a"""› string‹"""a\"b"""›`, ""},
		{"\"\"\"a\nb\"\"\"x", "string‹\"\"\"a\nb\"\"\"› identifier‹x›", ""},
		{"\"a\nb", "something unreadable‹\"a› identifier‹b›", "unterminated_string"},
		{`"a`, `something unreadable‹"a›`, "unterminated_string"},
		{`"a\`, `something unreadable‹"a\›`, "unterminated_string"},
		{"\"a\\\nb", "something unreadable‹\"a\\› identifier‹b›", "unterminated_string"},
		{"\"\"\"a\nb", "something unreadable‹\"\"\"a› identifier‹b›", "unterminated_string"},
		{`"""a"b"""c`, `something unreadable‹"""a"b"""› identifier‹c›`, "syntax_error"},
		{`"""a\`, `something unreadable‹"""a\›`, "unterminated_string"},

		{`/a/ /a/i /a/s /a/is /a/si`, `regexp‹/a/› regexp‹/a/i› regexp‹/a/s› regexp‹/a/is› regexp‹/a/si›`, ""},
		{`/a/wide /a/iwide /a/and`, `regexp‹/a/› ‹wide› regexp‹/a/i› ‹wide› regexp‹/a/› ‹and›`, ""},
		{`/a\/b/ /[\/]/ /\\/`, `regexp‹/a\/b/› regexp‹/[\/]/› regexp‹/\\/›`, ""},
		{"/a\nb", "something unreadable‹/a› identifier‹b›", "unterminated_regexp"},
		{"/a\\\nb", "something unreadable‹/a\\› identifier‹b›", "unterminated_regexp"},
		{`/a`, `something unreadable‹/a›`, "unterminated_regexp"},

		{"a // b\nc", "identifier‹a› identifier‹c›", ""},
		{"a /* b */ c", "identifier‹a› identifier‹c›", ""},
		{"a /* b /* c */ d", "identifier‹a› identifier‹d›", ""},
		{"a /**/ b /***/ c /*/*/ d", "identifier‹a› identifier‹b› identifier‹c› identifier‹d›", ""},
		{"a/*b*/c//d", "identifier‹a› identifier‹c›", ""},
		{"a /* b", "identifier‹a› something unreadable‹›", "unterminated_comment"},
		{"a /*/ b", "identifier‹a› something unreadable‹›", "unterminated_comment"},

		{"a\t\r\n\u00a0\u2003b", "identifier‹a› identifier‹b›", ""},
		{"a;b", "identifier‹a› a stray character‹;› identifier‹b›", ""},
		{"é\ufeff", "a stray character‹é› a stray character‹\ufeff›", ""},
		{"a\xffb", "identifier‹a› something unreadable‹\xff› identifier‹b›", "invalid_utf8"},
		{"a\x00\v", "identifier‹a› a stray character‹\x00› a stray character‹\v›", ""},
	} {
		got, codes := lexed(tt.text)
		if got != tt.want || codes != tt.codes {
			t.Errorf("%q:\ngot  %s [%s]\nwant %s [%s]", tt.text, got, codes, tt.want, tt.codes)
		}
	}
}

func TestKeywords(t *testing.T) {
	if len(keywords) != 38 {
		t.Errorf("got %d keywords, want the 38 that both dialects have", len(keywords))
	}
}

func TestParseInt(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"010", 10, true}, {"0x10", 16, true}, {"0o10", 8, true}, {"1_0", 10, true},
		{"1KB", 1024, true}, {"1_0_MB", 10 << 20, true},
		{"9223372036854775807", 1<<63 - 1, true}, {"0x7FFFFFFFFFFFFFFF", 1<<63 - 1, true},
		{"0o777777777777777777777", 1<<63 - 1, true},
		{"9223372036854775808", 0, false}, {"0x8000000000000000", 0, false}, {"0o1000000000000000000000", 0, false},
		{"9007199254740991KB", 9007199254740991 << 10, true}, {"9007199254740992KB", 0, false},
		{"8796093022207MB", 8796093022207 << 20, true}, {"8796093022208MB", 0, false},
		{"18014398509481984KB", 0, false}, {"99999999999999999999", 0, false},
	} {
		if got, ok := parseInt(tt.raw); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", tt.raw, got, ok, tt.want, tt.ok)
		}
	}
}
