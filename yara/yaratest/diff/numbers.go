package diff

import "fmt"

// integer makes an integer; d is the depth that is left.
func (c *conditions) integer(d int) *node {
	if d <= 0 {
		return c.plainInteger()
	}
	switch c.IntN(8) {
	case 0:
		return form("int", "("+pick(c.generator, []string{"-", "~"})+"%)", c.integer(d-1))
	case 1, 2:
		return form("int", "(% "+pick(c.generator, []string{"+", "-", "*", "\\", "%%", "&", "|", "^"})+" %)", c.integer(d-1), c.integer(d-1))
	case 3:
		return form("int", "(% "+pick(c.generator, []string{"<<", ">>"})+" %)", c.integer(d-1), c.small(0))
	case 4:
		return form("int", c.reader()+"(%)", c.small(1))
	case 5:
		return form("int", c.reader()+"(%)", c.integer(d-1))
	}
	return c.plainInteger()
}

func (c *conditions) reader() string {
	return pick(c.generator, []string{"uint8", "uint16", "uint32", "int8", "int16", "int32", "uint8be", "uint16be", "uint32be", "int8be", "int16be", "int32be"})
}

// plainInteger makes an integer without one below it.
func (c *conditions) plainInteger() *node {
	if !c.modern && c.chance(60) {
		return leaf("int", "ext_b") // a number to libyara alone
	}
	switch c.IntN(6) {
	case 0:
		return leaf("int", pick(c.generator, []string{"0x10", "0o17", "1KB", "2MB", "255", "97", "0x6161", "0x5A4D", "65536", "2147483648",
			"0x7FFFFFFFFFFFFFFF", "4294967295", "-1", "-128", "ext_i"}))
	case 1:
		return leaf("int", "filesize")
	}
	return c.small(0)
}

// small makes an integer that can bound a loop: it is small, or undefined.
func (c *conditions) small(d int) *node {
	if d > 0 && c.chance(3) {
		return form("small", "(% "+pick(c.generator, []string{"+", "-"})+" %)", c.small(0), c.small(0))
	}
	if len(c.ints) > 0 && c.chance(3) {
		return leaf("int", pick(c.generator, c.ints))
	}
	if c.item && c.chance(2) {
		return c.itemNumber()
	}
	if len(c.ids) == 0 || c.chance(2) {
		return leaf("small", pick(c.generator, []string{"0", "1", "2", "3", "4", "5", "7", "12", "20", "filesize", "ext_i"}))
	}
	id := pick(c.generator, c.ids)
	switch c.IntN(7) {
	case 0:
		return leaf("small", "@"+id+" ")
	case 1:
		return leaf("small", fmt.Sprintf("@%s[%d]", id, c.between(1, 3)))
	case 2:
		return leaf("small", "!"+id+" ")
	case 3:
		return leaf("small", fmt.Sprintf("!%s[%d]", id, c.between(1, 3)))
	case 4:
		return form("small", "#"+id+" in (%..%)", leaf("small", fmt.Sprint(c.IntN(4))), leaf("small", "filesize"))
	}
	return leaf("small", "#"+id+" ")
}

func (c *conditions) itemNumber() *node {
	switch c.IntN(5) {
	case 0:
		return leaf("small", fmt.Sprintf("@[%d]", c.between(1, 3)))
	case 1:
		return leaf("small", fmt.Sprintf("![%d]", c.between(1, 3)))
	case 2:
		return leaf("small", "#")
	case 3:
		return leaf("small", "@")
	}
	return leaf("small", "!")
}

// definite makes an integer to meet a float. Where libyara reads the rules it
// is never undefined: libyara makes a float of it that is defined.
func (c *conditions) definite(d int) *node {
	if c.modern {
		return c.integer(d)
	}
	n := leaf("definite", pick(c.generator, []string{"0", "1", "3", "97", "-2", "filesize", "ext_i"}))
	if len(c.ids) > 0 && c.chance(3) {
		n = leaf("definite", "#"+pick(c.generator, c.ids)+" ")
	}
	return n
}

// float makes a float.
func (c *conditions) float(d int) *node {
	if d <= 0 || c.chance(2) {
		return leaf("float", pick(c.generator, []string{"0.5", "1.0", "2.5", "0.0", "-0.0", "97.0", "ext_f"}))
	}
	op := pick(c.generator, []string{"+", "-", "*", "\\"})
	if c.chance(2) {
		return form("float", "(% "+op+" %)", c.float(d-1), c.definite(d-1))
	}
	return form("float", "(% "+op+" %)", c.float(d-1), c.float(d-1))
}

// str makes a string.
func (c *conditions) str() *node {
	if len(c.strs) > 0 && c.chance(2) {
		return leaf("str", pick(c.generator, c.strs))
	}
	if c.chance(3) {
		return leaf("str", "ext_s")
	}
	text := c.literal(0, 4)
	b := `"`
	for i := range len(text) {
		b += escapeText(text[i])
	}
	return leaf("str", b+`"`)
}
