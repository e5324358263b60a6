package compile

import (
	"encoding/binary"
	"math"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/syntax"
)

// hexPattern lowers { … }: to a literal where it is nothing but bytes, else to
// the tree of a regexp.
func (l *lowering) hexPattern(src *syntax.Pattern) *lowered {
	if !l.checkHex(src) {
		return nil
	}
	if bytes, ok := hexLiteral(src.Hex.Tokens); ok {
		return l.internLiteral(literal{bytes: bytes, ascii: true})
	}
	key := appendHexKey(append(l.c.scratch.key[:0], 'H'), src.Hex.Tokens)
	l.c.scratch.key = key
	return l.intern(key, func() *lowered {
		return l.lowerNode(l.c.hexNode(src.Hex.Tokens), expression{src: src, ascii: true, span: src.Hex.Span})
	})
}

// checkHex refuses what no hex pattern may hold.
func (l *lowering) checkHex(src *syntax.Pattern) bool {
	h := hexChecker{l: l, src: src, ok: true}
	h.sequence(src.Hex.Tokens)
	if h.ok && h.size > l.c.opt.Limits.PatternSize {
		l.tooLarge(src)
		h.ok = false
	}
	return h.ok
}

type hexChecker struct {
	l    *lowering
	src  *syntax.Pattern
	size int
	ok   bool
}

func (h *hexChecker) sequence(tokens []syntax.HexToken) {
	h.size += len(tokens)
	for i := 0; i < len(tokens); i++ {
		switch t := tokens[i].(type) {
		case *syntax.HexByte:
			if t.Not && t.Mask == 0 {
				h.ok = false
				h.l.errorAt("invalid_hex", t.Span, "`~??` matches nothing", "")
			}
		case *syntax.HexAlt:
			for _, alt := range t.Alts {
				h.sequence(alt)
			}
		case *syntax.HexJump:
			n := jumpRun(tokens[i:])
			h.jump(t, tokens[i:i+n])
			i += n - 1
		}
	}
}

// jump checks jumps that follow each other: they count as one.
func (h *hexChecker) jump(first *syntax.HexJump, run []syntax.HexToken) {
	lo, hi := sumJumps(run)
	span := first.Span.Join(run[len(run)-1].(*syntax.HexJump).Span)
	switch {
	case hi >= 0 && lo > hi:
		h.l.errorAt("invalid_range", span, "invalid range", "the lower bound is greater than the upper bound")
	case hi == 0 && h.l.c.opt.Dialect != program.LibYARA:
		h.l.errorAt("invalid_hex", span, "jump over no bytes", "", "leave it out")
	default:
		return
	}
	h.ok = false
}

// hexLiteral returns the bytes of a hex pattern that is nothing but bytes.
func hexLiteral(tokens []syntax.HexToken) ([]byte, bool) {
	b := make([]byte, 0, len(tokens))
	for _, t := range tokens {
		h, ok := t.(*syntax.HexByte)
		if !ok || h.Mask != 0xFF || h.Not {
			return nil, false
		}
		b = append(b, h.Value)
	}
	return b, len(b) > 0
}

// sumJumps joins jumps that follow each other; hi is -1 where unbounded.
func sumJumps(jumps []syntax.HexToken) (lo, hi int64) {
	for _, t := range jumps {
		j := t.(*syntax.HexJump)
		lo = min(lo+j.Min, longestJump)
		if hi >= 0 && j.Max >= 0 {
			hi = min(hi+j.Max, longestJump)
		} else {
			hi = -1
		}
	}
	return lo, hi
}

// longestJump is as good as no bound.
const longestJump = math.MaxInt32 - 2

// appendHexKey appends what tells one hex pattern from another.
func appendHexKey(key []byte, tokens []syntax.HexToken) []byte {
	key = binary.AppendUvarint(key, uint64(len(tokens)))
	for _, t := range tokens {
		switch t := t.(type) {
		case *syntax.HexByte:
			key = append(key, 'b', t.Value, t.Mask, byte(b2i(t.Not)))
		case *syntax.HexJump:
			key = binary.AppendVarint(binary.AppendVarint(append(key, 'j'), t.Min), t.Max)
		case *syntax.HexAlt:
			key = binary.AppendUvarint(append(key, 'a'), uint64(len(t.Alts)))
			for _, alt := range t.Alts {
				key = appendHexKey(key, alt)
			}
		}
	}
	return key
}

// hexNode is the tree of a sequence of tokens. Jumps take as little as they
// can, as in YARA.
func (c *Compiler) hexNode(tokens []syntax.HexToken) *regex.Node {
	list := make([]*regex.Node, 0, len(tokens))
	var run []byte // literal bytes not yet in list
	flush := func() {
		if len(run) > 0 {
			list = append(list, regex.Literal(run))
			run = nil
		}
	}
	for i := 0; i < len(tokens); i++ {
		switch t := tokens[i].(type) {
		case *syntax.HexByte:
			if t.Mask == 0xFF && !t.Not {
				run = append(run, t.Value)
				continue
			}
			flush()
			list = append(list, c.hexByte(t))
		case *syntax.HexJump:
			flush()
			n := jumpRun(tokens[i:])
			lo, hi := sumJumps(tokens[i : i+n])
			if hi == longestJump {
				hi = -1
			}
			list = append(list, regex.Repeat(c.anyByte(), int(lo), int(hi), false))
			i += n - 1
		case *syntax.HexAlt:
			flush()
			alts := make([]*regex.Node, len(t.Alts))
			for j, alt := range t.Alts {
				alts[j] = c.hexNode(alt)
			}
			list = append(list, regex.Alternate(alts...))
		}
	}
	flush()
	return regex.Concat(list...)
}

// hexByte returns the node of a masked byte. There are few different ones, and
// trees may share nodes.
func (c *Compiler) hexByte(t *syntax.HexByte) *regex.Node {
	key := uint32(t.Value)<<16 | uint32(t.Mask)<<8 | uint32(b2i(t.Not))
	n := c.hexBytes[key]
	if n == nil {
		set := regex.MaskedSet(t.Value, t.Mask)
		if t.Not {
			set = set.Complement()
		}
		n = regex.Class(set)
		c.hexBytes[key] = n
	}
	return n
}

func (c *Compiler) anyByte() *regex.Node { return c.hexByte(&syntax.HexByte{}) }
