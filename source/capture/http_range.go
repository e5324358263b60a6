package capture

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

// ranges are the parts of objects that came one by one (RFC 9110, 14.4), those of
// one object together.
type ranges struct {
	by    map[string]*ranged
	order []*ranged
}

// ranged is an object that comes in parts.
type ranged struct {
	name  string
	head  httpHead // of the first part
	total int64    // bytes of the whole; -1 where nobody says
	runs  runs
}

// take takes a body that is a part of an object; not ok where it is all of one.
func (r *ranges) take(o object, h httpHead, p portion) (ok bool, err error) {
	at, total, ok := contentRange(h.header.Get("Content-Range"))
	if !ok || h.question == nil {
		return false, nil
	}
	key := o.name + "\n" + h.header.Get("ETag") + "\n" + strconv.FormatInt(total, 10)
	one := r.by[key]
	if one == nil {
		one = &ranged{name: o.name, head: h, total: total}
		if r.by == nil {
			r.by = map[string]*ranged{}
		}
		r.by[key], r.order = one, append(r.order, one)
	}
	if len(one.runs.list) > maxPieces {
		return true, &besra.LimitError{Limit: "parts", Max: maxPieces}
	}
	one.runs.put(at+p.at, p.bytes())
	return true, nil
}

// ranges yields what the parts make together: the object, or its pieces.
func (d *dialogue) ranges(r *ranges) error {
	for _, one := range r.order {
		list := one.runs.joined()
		whole := len(list) == 1 && list[0].at == 0 && int64(len(list[0].data)) == one.total
		if !whole {
			d.tell(besra.GapSkip, d.outer.Name+"!"+one.name, ReasonPartial, fmt.Sprintf("%d bytes of it were transferred", one.runs.size))
		}
		for _, piece := range list {
			p := portion{body: body{coding: counted, base: piece.at}, raw: piece.data, size: int64(len(piece.data))}
			o := p.object(one.name)
			o.state, o.piece = one.head.question.state, !whole
			if err := d.decoded(o, one.head.header, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// contentRange reads "bytes 0-499/1234", or "bytes 0-499/*".
func contentRange(s string) (at, total int64, ok bool) {
	s, ok = strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), "bytes ")
	part, all, _ := strings.Cut(s, "/")
	first, _, _ := strings.Cut(part, "-")
	at, err := strconv.ParseInt(first, 10, 63)
	if !ok || err != nil || at < 0 {
		return 0, 0, false
	}
	total, err = strconv.ParseInt(all, 10, 63)
	if err != nil || total < 0 {
		total = -1
	}
	return at, total, true
}
