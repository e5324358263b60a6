package syntax

// Walk visits x and the expressions below it, parents first and in source
// order. Where visit returns false the expressions below are left out.
func Walk(x Expr, visit func(Expr) bool) {
	if x == nil || !visit(x) {
		return
	}
	switch e := x.(type) {
	case *PatternRef:
		Walk(e.At, visit)
		walkRange(e.In, visit)
	case *PatternCount:
		walkRange(e.In, visit)
	case *PatternOffset:
		Walk(e.Index, visit)
	case *PatternLength:
		Walk(e.Index, visit)
	case *Field:
		Walk(e.X, visit)
	case *Index:
		Walk(e.X, visit)
		Walk(e.Index, visit)
	case *Call:
		Walk(e.Fun, visit)
		walkAll(e.Args, visit)
	case *Paren:
		Walk(e.X, visit)
	case *Unary:
		Walk(e.X, visit)
	case *Binary:
		Walk(e.X, visit)
		Walk(e.Y, visit)
	case *Of:
		Walk(e.Quantifier.Expr, visit)
		walkAll(e.Items, visit)
		Walk(e.At, visit)
		walkRange(e.In, visit)
	case *ForOf:
		Walk(e.Quantifier.Expr, visit)
		Walk(e.Body, visit)
	case *ForIn:
		Walk(e.Quantifier.Expr, visit)
		walkRange(e.Range, visit)
		walkAll(e.List, visit)
		Walk(e.Over, visit)
		Walk(e.Body, visit)
	case *With:
		walkAll(e.Values, visit)
		Walk(e.Body, visit)
	}
}

func walkAll(list []Expr, visit func(Expr) bool) {
	for _, x := range list {
		Walk(x, visit)
	}
}

func walkRange(r *Range, visit func(Expr) bool) {
	if r != nil {
		Walk(r.Lo, visit)
		Walk(r.Hi, visit)
	}
}
