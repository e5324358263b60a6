package capture

import (
	"slices"
	"sort"
)

// runs are the bytes of a file that came, in any order, at offsets: sorted, and
// without overlap. What came last at an offset stands.
type runs struct {
	list []run
	size int64 // bytes in all runs
}

// run is bytes that follow one another in a file.
type run struct {
	at   int64
	data []byte
}

func (r *run) end() int64 { return r.at + int64(len(r.data)) }

// put copies data to an offset. It costs what data is long, and the logarithm of
// the number of runs: what touches on the left is appended to, what touches on
// the right stays a run of its own until [runs.joined].
func (r *runs) put(at int64, data []byte) {
	if len(data) == 0 {
		return
	}
	end := at + int64(len(data))
	i := sort.Search(len(r.list), func(i int) bool { return r.list[i].end() >= at })
	if i < len(r.list) && r.list[i].at <= at {
		left := &r.list[i]
		n := copy(left.data[at-left.at:], data)
		left.data = append(left.data, data[n:]...)
		r.size += int64(len(data) - n)
	} else {
		r.list = slices.Insert(r.list, i, run{at, slices.Clone(data)})
		r.size += int64(len(data))
	}
	r.trim(i+1, end)
}

// trim takes away what the runs from i on hold before end, because it was
// written anew.
func (r *runs) trim(i int, end int64) {
	covered := i
	for ; covered < len(r.list) && r.list[covered].at < end; covered++ {
		over := &r.list[covered]
		n := min(end, over.end()) - over.at
		r.size -= n
		over.at, over.data = over.at+n, over.data[n:]
		if len(over.data) > 0 {
			break
		}
	}
	r.list = slices.Delete(r.list, i, covered)
}

// joined returns the runs with those that touch made one.
func (r *runs) joined() []run {
	var joined []run
	for i := 0; i < len(r.list); {
		end := i + 1
		for end < len(r.list) && r.list[end].at == r.list[end-1].end() {
			end++
		}
		one := r.list[i]
		if end > i+1 {
			last := r.list[end-1]
			one.data = make([]byte, 0, last.end()-one.at)
			for _, part := range r.list[i:end] {
				one.data = append(one.data, part.data...)
			}
		}
		joined, i = append(joined, one), end
	}
	return joined
}
