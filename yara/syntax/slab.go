package syntax

// slab hands out values from blocks: a tree has many small nodes, and
// allocating each alone is most of the cost of parsing.
type slab[T any] struct {
	free []T
	size int
}

const slabMax = 256

// new returns a zero value. Blocks grow, so that small files stay small.
func (s *slab[T]) new() *T {
	if len(s.free) == 0 {
		s.size = min(max(2*s.size, 4), slabMax)
		s.free = make([]T, s.size)
	}
	p := &s.free[0]
	s.free = s.free[1:]
	return p
}

// nodes are the slabs of the parser, and lists it fills again and again before
// their final length is known.
type nodes struct {
	rules    slab[Rule]
	metas    slab[Meta]
	patterns slab[Pattern]
	mods     slab[Modifier]
	strings  slab[StringLit]
	regexps  slab[RegexpLit]

	texts    slab[TextLit]
	ints     slab[IntLit]
	names    slab[Name]
	fields   slab[Field]
	calls    slab[Call]
	parens   slab[Paren]
	binaries slab[Binary]
	refs     slab[PatternRef]
	counts   slab[PatternCount]
	ofs      slab[Of]

	hexes slab[Hex]
	bytes slab[HexByte]
	jumps slab[HexJump]

	metaList     []*Meta
	patternList  []*Pattern
	modifierList []*Modifier
	items        []ofItem   // a stack: sets can be nested
	tokens       []HexToken // likewise
}
