package vba

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/module/column"
)

// tables are deflated: the code pages of one byte with 128 characters each,
// then those of two bytes, each with leads characters for each trail. A
// character is stored as the difference to the one before, all low bytes
// before all high ones.
//
//go:embed codepages.bin
var tables []byte

const (
	firstLead, lastLead   = 0x81, 0xfe
	firstTrail, lastTrail = 0x40, 0xfe
	trails                = lastTrail - firstTrail + 1
	doubleSize            = (lastLead - firstLead + 1) * trails
)

// singles and doubles are the code pages in the order of the tables. Windows
// code pages that are near an ISO character set stand for it.
var (
	singles = [][]uint16{{1250}, {1251}, {1252, 28591, 20127}, {1253}, {1254, 28599}, {1255}, {1256}, {1257}, {1258},
		{874}, {866}, {10000}, {10007, 10017}, {20866}, {21866},
		{28592}, {28593}, {28594}, {28595}, {28596}, {28597}, {28598, 38598}, {28600}, {28603}, {28604}, {28605}, {28606}}
	doubles = []uint16{932, 936, 949, 950}
)

// pages decodes the text of a project with a code page.
type pages struct {
	single []rune // of 128 characters
	double []rune
	number uint16
}

// newPages loads the tables that a code page needs.
func newPages(number uint16) *pages {
	p := &pages{number: number}
	for i, numbers := range singles {
		for _, n := range numbers {
			if n == number {
				p.single = load(i*128, 128)
			}
		}
	}
	for i, n := range doubles {
		if n == number || number == 54936 && n == 936 {
			p.double = load(len(singles)*128+i*doubleSize, doubleSize)
		}
	}
	return p
}

// load inflates n characters from a place in the tables on.
func load(from, n int) []rune {
	planes, err := io.ReadAll(flate.NewReader(bytes.NewReader(tables)))
	if err != nil {
		return nil // the package's tests inflate it
	}
	high := planes[len(planes)/2:]
	list := make([]rune, 0, n)
	value := uint16(0)
	for i := range from + n {
		value += uint16(planes[i]) | uint16(high[i])<<8
		if i >= from {
			list = append(list, rune(value))
		}
	}
	return list
}

// decode decodes text; what the code page has not is replaced by U+FFFD.
func (p *pages) decode(b []byte) string {
	if p.single == nil && p.double == nil {
		return column.UTF8(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, n := p.rune(b)
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

func (p *pages) rune(b []byte) (r rune, n int) {
	c := b[0]
	switch {
	case c < utf8.RuneSelf:
		return rune(c), 1
	case p.single != nil:
		return p.single[c-128], 1
	case p.number == 932 && c >= 0xa1 && c <= 0xdf:
		return 0xff61 + rune(c) - 0xa1, 1 // katakana of half width
	case p.number == 932 && c == 0x80:
		return 0x80, 1
	case p.number == 936 && c == 0x80:
		return '€', 1
	case c < firstLead || c > lastLead || len(b) == 1:
		return utf8.RuneError, 1
	}
	r = utf8.RuneError
	if t := b[1]; t >= firstTrail && t <= lastTrail {
		r = p.double[int(c-firstLead)*trails+int(t-firstTrail)]
	}
	if r == utf8.RuneError && b[1] < utf8.RuneSelf {
		return r, 1 // the second byte is text of its own
	}
	return r, 2
}
