package compile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// digest is the form of what a function gives: hex digits, so many, of one
// case.
type digest struct {
	length int
	upper  bool
}

// digests are the functions that give one, as YARA-X has them.
var digests = map[string]digest{
	"hash.md5": {length: 32}, "hash.sha1": {length: 40}, "hash.sha256": {length: 64},
	"pe.imphash": {length: 32}, "crx.permhash": {length: 64}, "dex.signature": {length: 40},
	"elf.import_md5": {length: 32}, "elf.telfhash": {length: 72, upper: true},
	"macho.dylib_hash": {length: 32}, "macho.entitlement_hash": {length: 32}, "macho.export_hash": {length: 32},
	"macho.import_hash": {length: 32}, "macho.symhash": {length: 32},
}

// digestOf returns the form of a call's result, if it is known.
func (l *lowering) digestOf(call *program.Node) (digest, bool) {
	if call.Op != program.OpCall || l.c.prog.Nodes[call.A].Op != program.OpModule {
		return digest{}, false
	}
	m := l.c.schemas[l.c.prog.Nodes[call.A].V]
	d, ok := digests[m.Name+"."+m.Schema.Fields[call.V].Name]
	return d, ok
}

// checkOperation warns of a == that cannot hold.
func (l *lowering) checkOperation(b *syntax.Binary, x, y operand) {
	if b.Op != syntax.OpEq {
		return
	}
	constant, other := x, y
	if !constant.constant() {
		constant, other = y, x
	}
	if !constant.constant() || other.constant() || x.broken || y.broken {
		return
	}
	switch n := &l.c.prog.Nodes[other.node]; constant.kind {
	case module.String:
		if d, ok := l.digestOf(n); ok {
			l.checkDigest(d, constant, other)
		}
	case module.Integer:
		if n.Op == program.OpReadInt {
			l.checkRead(program.ReadCode(n.V), constant, other)
		}
	}
}

// checkDigest warns of a text that is no digest of the form.
func (l *lowering) checkDigest(d digest, text, call operand) {
	s, _ := text.value.Text()
	cased, is, has := strings.ToLower(s), "lower", "upper"
	if d.upper {
		cased, is, has = strings.ToUpper(s), "upper", "lower"
	}
	switch {
	case s != cased:
		l.unsatisfiable(call, text, "this gives "+is+"-case letters", "this has "+has+"-case ones", "write `\""+cased+"\"`")
	case len(s) != d.length:
		l.unsatisfiable(call, text, "the length of this is "+strconv.Itoa(d.length), "the length of this is "+strconv.Itoa(len(s)))
	}
}

// checkRead warns of a number that the integer read from data never is.
func (l *lowering) checkRead(code program.ReadCode, number, call operand) {
	bits := 8 * code.Width()
	if bits >= 64 {
		return
	}
	lo, hi := int64(0), int64(1)<<bits-1
	if code.Signed() {
		lo, hi = -1<<(bits-1), 1<<(bits-1)-1
	}
	if i, _ := number.value.Int(); i < lo || i > hi {
		between := fmt.Sprintf("%d to %d", lo, hi)
		l.unsatisfiable(call, number, "this is an integer of "+between, "this is none of "+between)
	}
}

// unsatisfiable warns of a comparison with a constant.
func (l *lowering) unsatisfiable(compared, constant operand, is, isNot string, notes ...string) {
	l.c.report(&diag.Diagnostic{Code: "unsatisfiable_expr", Severity: diag.Warning, Title: "comparison cannot be true",
		Span: compared.span, Primary: is, Labels: []diag.Label{{Span: constant.span, Text: isNot}}, Notes: notes})
}
