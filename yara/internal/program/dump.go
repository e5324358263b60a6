package program

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
)

// Dump writes the program for people: the tables, then each rule with its
// gate, anchors and condition. The text is stable, and goldens hold it.
func Dump(w io.Writer, p *Program) error {
	d := dumper{p: p, w: bufio.NewWriter(w)}
	fmt.Fprintf(d.w, "dialect %s\n", [...]string{"yara-x", "yara"}[p.Dialect&1])
	for i, m := range p.Modules {
		fmt.Fprintf(d.w, "module %d %s\n", i, m.Name)
	}
	for i, e := range p.Externals {
		fmt.Fprintf(d.w, "external %d %s = %s\n", i, e.Name, literal(e.Value))
	}
	for i := range p.Patterns {
		d.pattern(i)
	}
	for i := range p.Rules {
		d.rule(i)
	}
	return d.w.Flush()
}

type dumper struct {
	p *Program
	w *bufio.Writer
}

func (d *dumper) pattern(i int) {
	p := &d.p.Patterns[i]
	fmt.Fprintf(d.w, "pattern %d cost %.3g", i, p.Cost)
	if p.Positions {
		d.w.WriteString(" positions")
	}
	if p.Longest {
		d.w.WriteString(" longest")
	}
	if p.At >= 0 {
		fmt.Fprintf(d.w, " at %d", p.At)
	}
	d.w.WriteByte('\n')
	for j := range p.Needles {
		d.needle(&p.Needles[j])
	}
}

func (d *dumper) needle(n *Needle) {
	fmt.Fprintf(d.w, "  %s", [...]string{"literal", "xor", "base64", "regexp"}[n.Kind&3])
	if n.Kind != Regexp {
		fmt.Fprintf(d.w, " %s", show(n.Bytes))
	}
	switch {
	case n.Kind == Xor:
		fmt.Fprintf(d.w, " keys %d-%d", n.XorLo, n.XorHi)
	case n.Kind == Base64:
		fmt.Fprintf(d.w, " padding %d of %s", n.Base64.Padding, show(n.Base64.Plain))
	case n.Kind == Regexp:
		d.progs(n.Expression)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{n.Fold, " fold"}, {n.Base64 != nil && n.Base64.Wide, " wide"}, {n.Boundary == WordBoundary, " fullword"},
		{n.Boundary == WideBoundary, " fullword wide"}} {
		if flag.set {
			d.w.WriteString(flag.name)
		}
	}
	d.atoms(n)
	d.w.WriteByte('\n')
}

// progs shows the expressions of a needle, shortened.
func (d *dumper) progs(x *Expression) {
	const most = 200
	for _, p := range []struct {
		name string
		prog *regex.Prog
	}{{"forward", x.Forward}, {"reverse", x.Reverse}, {"whole", x.Whole}} {
		if p.prog == nil {
			continue
		}
		text := p.prog.String()
		if len(text) > most {
			text = text[:most] + "…"
		}
		fmt.Fprintf(d.w, " %s /%s/", p.name, text)
	}
	fmt.Fprintf(d.w, " least %d", x.MinLen)
}

func (d *dumper) rule(i int) {
	r, label := &d.p.Rules[i], d.p.Label(int32(i))
	fmt.Fprintf(d.w, "rule %d %s:%s", i, d.p.Namespaces[r.Namespace].Name, r.Name)
	if r.Global {
		d.w.WriteString(" global")
	}
	if r.Private {
		d.w.WriteString(" private")
	}
	fmt.Fprintf(d.w, " at %s:%d:%d\n", label.Origin, label.Line, label.Column)
	if len(label.Tags) > 0 {
		fmt.Fprintf(d.w, "  tags %s\n", strings.Join(label.Tags, " "))
	}
	for _, m := range label.Meta {
		fmt.Fprintf(d.w, "  meta %s = %s\n", m.Key, literal(m.Value))
	}
	for j, pattern := range r.Patterns {
		p := label.Patterns[j]
		fmt.Fprintf(d.w, "  %s = %s pattern %d", p.ID, [...]string{"text", "hex", "regexp", ""}[p.Kind&3], pattern)
		if p.Private {
			d.w.WriteString(" private")
		}
		d.w.WriteByte('\n')
	}
	if r.Anchors != nil {
		fmt.Fprintf(d.w, "  anchors %s\n", strings.Trim(fmt.Sprint(r.Anchors), "[]"))
	}
	d.gate(&r.Gate)
	if r.Slots > 0 {
		fmt.Fprintf(d.w, "  slots %d\n", r.Slots)
	}
	d.tree(r.Condition, "  ")
}

func (d *dumper) gate(g *Gate) {
	if g.MinSize > 0 || g.MaxSize < math.MaxInt64 {
		fmt.Fprintf(d.w, "  size %d..", g.MinSize)
		if g.MaxSize < math.MaxInt64 {
			fmt.Fprintf(d.w, "%d", g.MaxSize)
		}
		d.w.WriteByte('\n')
	}
	for _, h := range g.Headers {
		fmt.Fprintf(d.w, "  header %d bytes at %d & %#x == %#x\n", h.Width, h.Offset, h.Mask, h.Value)
	}
}

// tree prints a node on one line where it is short, else an operand a line.
func (d *dumper) tree(id NodeID, indent string) {
	const width = 90
	n := &d.p.Nodes[id]
	if line, ok := d.line(id, width-len(indent)); ok {
		fmt.Fprintf(d.w, "%s%s\n", indent, line)
		return
	}
	fmt.Fprintf(d.w, "%s%s\n", indent, d.head(n))
	for _, op := range d.p.operands(n) {
		d.tree(op, indent+"  ")
	}
}

// line renders a node and its operands within so many bytes.
func (d *dumper) line(id NodeID, width int) (string, bool) {
	n := &d.p.Nodes[id]
	var b strings.Builder
	b.WriteString(d.head(n))
	for i, op := range d.p.operands(n) {
		sep := ", "
		if i == 0 {
			sep = "("
		}
		part, ok := d.line(op, width-b.Len())
		if !ok {
			return "", false
		}
		b.WriteString(sep + part)
	}
	if strings.Contains(b.String(), "(") && len(d.p.operands(n)) > 0 {
		b.WriteByte(')')
	}
	return b.String(), b.Len() <= width
}

// head renders what a node is, without its operands.
func (d *dumper) head(n *Node) string {
	name := n.Op.String()
	info := n.Op.info()
	switch info.imm {
	case immValue:
		return d.constant(n)
	case immNone:
	case immPattern:
		name += " " + patternOperand(int32(n.V))
	case immRegexp:
		name += " /" + d.p.Regexps[n.V].Source + "/"
	case immRead:
		name = readName(ReadCode(n.V), n.Op == OpReadFlt)
	case immFold:
		if n.V == 1 {
			name = "i" + name
		}
	default:
		name += " " + strconv.FormatInt(n.V, 10)
	}
	if n.Op == OpCall {
		name += "." + strconv.Itoa(int(n.C))
	}
	if info.quant {
		name += " " + [...]string{"all", "any", "none", "n", "percent"}[n.Quant.Kind]
	}
	switch info.list {
	case listPatterns, listRules:
		var items []string
		for _, v := range d.p.Lists[n.L : n.L+n.N] {
			items = append(items, patternOperand(v))
		}
		name += " [" + strings.Join(items, " ") + "]"
	}
	if n.Op == OpOfPatterns && n.A != None {
		name += " at"
	} else if n.Op == OpOfPatterns && n.B != None {
		name += " in"
	}
	return name
}

func (d *dumper) constant(n *Node) string {
	switch n.Op {
	case OpInt:
		return strconv.FormatInt(n.V, 10)
	case OpFloat:
		return strconv.FormatFloat(math.Float64frombits(uint64(n.V)), 'g', -1, 64) + "f"
	case OpBool:
		return strconv.FormatBool(n.V != 0)
	case OpText:
		return show([]byte(d.p.Texts[n.V]))
	}
	return "/" + d.p.Regexps[n.V].Source + "/"
}

func patternOperand(v int32) string {
	if v < 0 {
		return "slot" + strconv.Itoa(int(-v-1))
	}
	return strconv.Itoa(int(v))
}

func readName(c ReadCode, float bool) string {
	name := "uint"
	switch {
	case float:
		name = "float"
	case c.Signed():
		name = "int"
	}
	name += strconv.Itoa(8 * c.Width())
	if c.BigEndian() {
		name += "be"
	}
	return name
}

// literal renders a scalar value.
func literal(v module.Value) string {
	switch v.Kind() {
	case module.Integer:
		i, _ := v.Int()
		return strconv.FormatInt(i, 10)
	case module.Float:
		f, _ := v.Float()
		return strconv.FormatFloat(f, 'g', -1, 64) + "f"
	case module.Bool:
		b, _ := v.Bool()
		return strconv.FormatBool(b)
	case module.String:
		s, _ := v.Text()
		return show([]byte(s))
	}
	return "undefined"
}

// show quotes bytes, shortened in the middle where they are many.
func show(b []byte) string {
	const most = 48
	if len(b) > most {
		return fmt.Sprintf("%+q…%d…%+q", b[:most/2], len(b)-most, b[len(b)-most/2:])
	}
	return fmt.Sprintf("%+q", b)
}

func (d *dumper) atoms(n *Needle) {
	atoms := n.Atoms()
	for i := range atoms {
		a := &atoms[i]
		if i == 4 && len(atoms) > 5 {
			fmt.Fprintf(d.w, " … %d more atoms", len(atoms)-i)
			return
		}
		fmt.Fprintf(d.w, " atom %s", show(a.Bytes))
		if a.Fold {
			d.w.WriteString(" fold")
		}
		switch {
		case a.Exact:
			d.w.WriteString(" exact")
		case a.Offset < 0:
			fmt.Fprintf(d.w, " delta %d", a.Delta)
		default:
			fmt.Fprintf(d.w, " offset %d", a.Offset)
		}
	}
}
