package diff

// Minimise makes the rules and the data of a difference smaller as long as a
// difference of the same kind is left. steps bounds how often the oracle is
// asked.
func Minimise(d Difference, steps int) (Difference, error) {
	if d.Kind == Takes {
		return d, nil
	}
	for changed := true; changed && steps > 0; {
		var err error
		before := d
		if d, err = smallerRules(d, &steps); err != nil {
			return d, err
		}
		if d, err = smallerData(d, &steps); err != nil {
			return d, err
		}
		changed = before.Set.String() != d.Set.String() || len(before.Data) != len(d.Data)
	}
	return d, nil
}

// smallerRules takes the first simpler tree that still differs, and begins
// anew with it.
func smallerRules(d Difference, steps *int) (Difference, error) {
	for again := true; again; {
		again = false
		size := len(d.Set.String())
		for tree := range d.Set.tree.simpler() {
			if len(tree.String()) >= size {
				continue
			}
			c, err := d.try(tree, d.Data, steps)
			if err != nil || *steps <= 0 {
				return d, err
			}
			if c.Kind == d.Kind {
				d, again = c, true
				break
			}
		}
	}
	return d, nil
}

func (d Difference) try(tree *node, data []byte, steps *int) (Difference, error) {
	*steps--
	return d.Again(tree, data)
}

// smallerData cuts halves, quarters and so on out of the data.
func smallerData(d Difference, steps *int) (Difference, error) {
	for n := len(d.Data); n > 0; n /= 2 {
		for at := 0; at+n <= len(d.Data) && *steps > 0; {
			c, err := d.try(d.Set.tree, append(d.Data[:at:at], d.Data[at+n:]...), steps)
			if err != nil {
				return d, err
			}
			if c.Kind == d.Kind {
				d = c
			} else {
				at += n
			}
		}
	}
	return d, nil
}
