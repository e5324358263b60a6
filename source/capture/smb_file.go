package capture

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// smbFile is an open file: what was written to it, and what was read from it.
type smbFile struct {
	talk    *smbTalk // of the connection that opened it
	number  int
	name    string // "\\host\share\path"
	disk    bool
	size    int64 // smbUnknownSize until it is known
	key     smbFileKey
	parts   [2]runs // written, read
	flow    [2]flow
	spilled [2]bool
	yielded [2]int64  // where the run ends whose tail was kept for the next part
	called  [2]string // what its targets are named, apart from another of its name
}

// endsAt notes where the file ends, by a read that reached its end.
func (f *smbFile) endsAt(size int64) {
	if f.size == smbUnknownSize {
		f.size = size
	}
}

// maxSMBRuns bounds how many parts of a file wait for what lies between them.
const maxSMBRuns = 4096

// create begins a file with the request to open it.
func (t *smbTalk) create(m smbMessage) *smbFile { return t.add(t.tree(m), m.text(44)) }

func (t *smbTalk) add(tree smbTree, path string) *smbFile {
	t.c.streams.numbered++
	f := &smbFile{talk: t, number: t.c.streams.numbered, name: tree.name + `\` + strings.TrimLeft(path, `\`), disk: tree.disk, size: smbUnknownSize}
	t.open[f] = struct{}{}
	t.c.held += smbFileCost
	return f
}

// tree is the share that a request goes to; one of a made-up name where the
// capture does not hold how it was connected.
func (t *smbTalk) tree(m smbMessage) smbTree {
	if tree, ok := t.c.streams.smb.trees[smbTreeKey{t.server, m.session(), m.tree()}]; ok {
		return tree
	}
	return smbTree{`\\` + net.IP(t.server).String() + `\tree-` + strconv.FormatUint(uint64(m.tree()), 10), true}
}

// opened binds a file to the number that the server gave it.
func (t *smbTalk) opened(m smbMessage, f *smbFile) {
	f.size = max(0, m.u64(48))
	f.key = smbFileKey{t.server, m.session(), m.file(64)}
	t.c.streams.smb.files[f.key] = f
}

// file is the open file that a request names; one of a made-up name where the
// capture does not hold how it was opened.
func (t *smbTalk) file(m smbMessage, at int, last *smbFile) *smbFile {
	id := m.file(at)
	if id == smbSame && last != nil {
		return last
	}
	key := smbFileKey{t.server, m.session(), id}
	files := t.c.streams.smb.files
	if f := files[key]; f != nil {
		return f
	}
	f := t.add(t.tree(m), fmt.Sprintf("handle-%x", id[8:]))
	f.key = key
	files[key] = f
	return f
}

// put keeps bytes that were written (0) or read (1). A file that grows beyond
// what one part may hold is yielded in parts.
func (t *smbTalk) put(f *smbFile, i int, way flow, at int64, data []byte) {
	if !f.disk || at < 0 || at+int64(len(data)) < at || len(data) == 0 {
		return
	}
	if _, open := f.talk.open[f]; !open { // bytes that another connection brings late
		f.talk, t.open[f] = t, struct{}{}
		t.c.held += smbFileCost
	}
	p := &f.parts[i]
	before := p.size
	p.put(at, data)
	t.c.held += p.size - before
	f.flow[i] = way
	if f.size != smbUnknownSize {
		f.size = max(f.size, at+int64(len(data)))
	}
	if p.size > t.c.d.config.part || len(p.list) > maxSMBRuns {
		t.spill(f, i)
	}
}

// spill yields what there is of a file that goes on, and keeps the end of its
// longest run, so that what crosses the border is found.
func (t *smbTalk) spill(f *smbFile, i int) {
	p := &f.parts[i]
	overlap := int64(t.c.d.config.Overlap)
	if p.size <= overlap {
		return
	}
	list := p.joined()
	f.spilled[i] = true
	t.yield(f, i, list, false)
	longest := list[0]
	for _, r := range list {
		if len(r.data) > len(longest.data) {
			longest = r
		}
	}
	t.c.held -= p.size
	*p = runs{}
	p.put(max(longest.at, longest.end()-overlap), longest.data[max(0, int64(len(longest.data))-overlap):])
	t.c.held += p.size
	f.yielded[i] = longest.end()
}

// close yields a file for good.
func (t *smbTalk) close(f *smbFile) {
	if _, open := f.talk.open[f]; !open {
		return
	}
	delete(f.talk.open, f)
	if t.c.streams.smb.files[f.key] == f {
		delete(t.c.streams.smb.files, f.key)
	}
	t.c.held -= smbFileCost
	for i := range f.parts {
		if list := f.parts[i].joined(); len(list) > 0 {
			whole := !f.spilled[i] && len(list) == 1 && list[0].at == 0 && list[0].end() == f.size
			t.yield(f, i, list, whole)
			if !whole {
				t.partial(f, i, list)
			}
		}
		t.c.held -= f.parts[i].size
		f.parts[i] = runs{}
	}
}

// partial tells that a file was not carved whole.
func (t *smbTalk) partial(f *smbFile, i int, list []run) {
	detail := fmt.Sprintf("%d bytes in %d parts were seen", f.parts[i].size, len(list))
	switch {
	case f.spilled[i]:
		detail = inParts
	case f.size != smbUnknownSize:
		detail += fmt.Sprintf(", the file has %d", f.size)
	}
	t.gap(ReasonPartial, f.called[i], detail)
}

// yield hands the parts of a file over.
func (t *smbTalk) yield(f *smbFile, i int, list []run, whole bool) {
	d := t.c.d
	name := f.flow[i].name() + "!" + f.name
	if f.called[i] == "" {
		f.called[i] = name
		if t.named[name]++; t.named[name] > 1 {
			f.called[i] += "#" + strconv.Itoa(t.named[name])
		}
	}
	for _, r := range list {
		if d.err != nil || f.spilled[i] && r.end() == f.yielded[i] {
			continue
		}
		name := d.config.Name + "!" + f.called[i]
		if r.at > 0 {
			name += "@" + strconv.FormatInt(r.at, 10)
		}
		content := r.data
		d.err = d.to.Target(besra.Target{Name: name, Context: besra.ContextNetwork, Size: int64(len(content)), Facts: f.facts(d.config, i, whole),
			Open: func(ctx context.Context) (besra.Content, error) { return held(content), ctx.Err() }})
	}
}

// partSeen is why size and digests of a part are not the file's.
const partSeen = "only a part of the file was seen"

// facts are what is known of a file, or of a part of one: the digests of a part
// are not the file's.
func (f *smbFile) facts(c *Config, i int, whole bool) *facts.Given {
	const source = "share of SMB"
	g := facts.NewGiven(besra.ContextNetwork, c.Facts)
	f.flow[i].state(g)
	host, path, _ := strings.Cut(strings.TrimLeft(f.name, `\`), `\`)
	g.State("net.host", besra.Text(host), besra.GradeWeak, source)
	u := url.URL{Scheme: "smb", Host: host, Path: "/" + strings.ReplaceAll(path, `\`, "/")}
	g.State("net.url", besra.Text(u.String()), besra.GradeWeak, source)
	if !whole {
		g.Partial(partSeen)
	}
	return g
}
