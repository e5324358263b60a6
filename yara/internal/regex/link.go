package regex

// A Link is a stretch of an expression that was cut at its wide gaps of any
// bytes. It begins Min to Max bytes behind the end of the stretch before, Max
// -1 being any number; Greedy prefers the far places. Those of the first say
// nothing.
type Link struct {
	Min, Max int
	Greedy   bool
	Part     *Prog
}

const (
	// wideGap is from how many turns on a repetition of any byte may be cut at.
	wideGap = 1024
	// maxLinks is how many stretches there may be.
	maxLinks = 64
)

// CompileLinked makes a prog of an expression that Compile finds too large for
// the gaps between its parts: it is cut there, and only the parts are bounded
// by the limits, all together. Machines do not run such a prog, which for them
// never matches: its user runs the parts that Links gives.
func CompileLinked(n *Node, lim Limits) (*Prog, error) {
	limit := lim.insts()
	p := &Prog{limit: limit, extent: extent{0, n.MinLen(), n.MaxLen(), n.OpenJump()}}
	p.form.Store(&form{node: n, chain: noChain})
	subs, from := n.Subs, 0
	if n.Op != OpConcat {
		subs = []*Node{n}
	}
	next := Link{}
	for i := range len(subs) + 1 {
		if i < len(subs) && !subs[i].isWideGap() {
			continue
		}
		part, err := Compile(Concat(subs[from:i]...), lim)
		if err != nil {
			return nil, err
		}
		p.size += part.size
		next.Part = part
		p.links = append(p.links, next)
		if from = i + 1; i < len(subs) {
			next = Link{Min: subs[i].Min, Max: subs[i].Max, Greedy: subs[i].Greedy}
		}
	}
	if p.size >= limit || len(p.links) > maxLinks || p.links[0].Part.min == 0 {
		return nil, &SizeError{Insts: size(n, 0), Limit: limit}
	}
	return p, nil
}

// isWideGap reports whether n is a gap to cut at.
func (n *Node) isWideGap() bool {
	if n.Op != OpRepeat || n.Max >= 0 && n.Max < wideGap && n.Min < wideGap {
		return false
	}
	set, ok := n.Subs[0].OneByte()
	return ok && set == AnyByte()
}

// Links returns the stretches of a prog that CompileLinked made, or nil.
func (p *Prog) Links() []Link { return p.links }

// AtMost returns a node with the matches of n that take no more than limit
// bytes, and maybe some others: no repetition has more turns than that takes.
func (n *Node) AtMost(limit int) *Node {
	if n.Op == OpRepeat && n.Subs[0].MinLen() > 0 && max(n.Min, n.Max) > limit {
		// One turn more than there can be keeps it from ever matching.
		return Repeat(n.Subs[0].AtMost(limit), min(n.Min, limit+1), min(n.Max, limit+1), n.Greedy)
	}
	return n.mapSubs(func(s *Node) *Node { return s.AtMost(limit) })
}
