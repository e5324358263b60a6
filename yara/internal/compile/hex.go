package compile

import "github.com/besra-hunt/besra/yara/syntax"

// hexPattern lowers { … }.
func (l *lowering) hexPattern(src *syntax.Pattern) *lowered {
	if bytes, ok := hexLiteral(src.Hex.Tokens); ok {
		return l.internLiteral(literal{bytes: bytes, ascii: true})
	}
	l.errorAt("unsupported", src.Span, "hex with wildcards is not there yet", "")
	return nil
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
		lo += j.Min
		if hi >= 0 && j.Max >= 0 {
			hi += j.Max
		} else {
			hi = -1
		}
	}
	return lo, hi
}
