package column

import (
	"testing"

	"github.com/besra-hunt/besra/yara/module"
)

func TestUTF8(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"plain", "plain"},
		{"é€😀", "é€😀"},
		{"a\xffb", "a\uFFFDb"},
		{"\xff\xff", "\uFFFD\uFFFD"},
		{"\xe2\x82", "\uFFFD"},                 // cut short
		{"\xe2\x82a", "\uFFFDa"},               // one part, then text
		{"\xe2a", "\uFFFDa"},                   //
		{"\xe0\x80", "\uFFFD\uFFFD"},           // overlong: the second cannot follow
		{"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"}, // surrogate
		{"\xf0\x9f\x98", "\uFFFD"},
		{"\xf0\x9f\x98\xe2\x82\xac", "\uFFFD€"},
		{"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}, // beyond U+10FFFF
		{"\xc0\xaf", "\uFFFD\uFFFD"},
	} {
		if got := UTF8([]byte(test.in)); got != test.want {
			t.Errorf("UTF8(%q): got %q, want %q", test.in, got, test.want)
		}
	}
}

type row struct{ n uint64 }

func TestStruct(t *testing.T) {
	rows := append([]Column[row]{
		Int("n", "", func(r row) uint64 { return r.n }),
		OptText("even", "", func(r row) (string, bool) { return "yes", r.n%2 == 0 }),
	}, Constants[row]("", map[string]int64{"TWO": 2, "ONE": 1})...)
	typ := Type("Row", rows)
	for i, name := range []string{"n", "even", "ONE", "TWO"} {
		if got := typ.Fields[i].Name; got != name {
			t.Errorf("field %d: got %s, want %s", i, got, name)
		}
	}
	list := List(rows, []row{{1}, {1<<64 - 1}, {2}}).List()
	if got, _ := list.At(1).Field(0).Int(); got != -1 {
		t.Errorf("unsigned: got %d, want it to wrap to -1", got)
	}
	if list.At(0).Field(1).Defined() || !list.At(2).Field(1).Defined() {
		t.Error("an optional field does not follow ok")
	}
	for _, i := range []int{-1, 3} {
		if list.At(i).Defined() {
			t.Errorf("item %d is defined", i)
		}
	}
	if list.At(0).Field(2).Defined() || list.At(0).Field(9).Defined() {
		t.Error("a field without getter is defined")
	}
}

func TestSub(t *testing.T) {
	inner := []Column[row]{
		Int("n", "", func(r row) uint64 { return r.n }),
		Rows("rows", "", "Row", []Column[row]{}, func(row) []row { return make([]row, 2) }),
	}
	c := Sub("sub", "", "Sub", inner, func(r row) (row, bool) { return r, r.n > 0 })
	if v := c.Get(row{1}); !v.Field(0).Defined() || v.Field(1).List().Len() != 2 {
		t.Error("a struct that is there has nothing in it")
	}
	if v := c.Get(row{0}); v.Field(0).Defined() || v.Field(1).List().Len() != 0 {
		t.Error("a struct that is not there has something in it")
	}
}

func TestBlank(t *testing.T) {
	typ := Type("Root", []Column[row]{
		Bool("is", "", func(row) bool { return true }),
		Texts("names", "", func(row) []string { return nil }),
		Int("n", "", func(r row) uint64 { return r.n }),
	})
	v := Blank(typ, map[string]module.Value{"is": module.Boolean(false)})
	if b, ok := v.Field(0).Bool(); b || !ok {
		t.Error("a given field is not there")
	}
	if v.Field(1).List() == nil {
		t.Error("a list is undefined")
	}
	if v.Field(2).Defined() {
		t.Error("a number is defined")
	}
}
