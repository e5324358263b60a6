package facts

import (
	"bytes"
	"strconv"
	"strings"
)

// accounts holds a host's users and groups as its own files name them. It needs
// no C library and no service of this host, so it reads any host's.
type accounts struct {
	users  map[uint32]user
	groups map[uint32]group
	uids   map[string]uint32
	// primary lists the users of each group whose main group it is.
	primary map[uint32][]uint32

	noUsers, noGroups string // why the file could not be read
}

type user struct {
	name string
	gid  uint32
}

type group struct {
	name    string
	members []string
}

func readAccounts(t tree) *accounts {
	a := &accounts{
		users: map[uint32]user{}, groups: map[uint32]group{},
		uids: map[string]uint32{}, primary: map[uint32][]uint32{},
	}
	if err := eachLine(t, "/etc/passwd", func(_ int, l []byte) error { a.passwd(l); return nil }); err != nil {
		a.noUsers = reason("/etc/passwd", err)
	}
	if err := eachLine(t, "/etc/group", func(_ int, l []byte) error { a.group(l); return nil }); err != nil {
		a.noGroups = reason("/etc/group", err)
	}
	return a
}

// passwd takes one line of a passwd file: name:password:uid:gid:… Of several
// lines for one user the first counts, as in the C library.
func (a *accounts) passwd(line []byte) {
	f, ok := accountFields(line, 4)
	if !ok {
		return
	}
	uid, okUID := number(f[2])
	gid, okGID := number(f[3])
	if !okUID || !okGID {
		return
	}
	if _, dup := a.uids[f[0]]; !dup {
		a.uids[f[0]] = uid
		a.primary[gid] = append(a.primary[gid], uid)
	}
	if _, dup := a.users[uid]; !dup {
		a.users[uid] = user{name: f[0], gid: gid}
	}
}

// group takes one line of a group file: name:password:gid:member,member
func (a *accounts) group(line []byte) {
	f, ok := accountFields(line, 3)
	if !ok {
		return
	}
	gid, ok := number(f[2])
	if _, dup := a.groups[gid]; !ok || dup {
		return
	}
	g := group{name: f[0]}
	if len(f) > 3 {
		g.members = strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' })
	}
	a.groups[gid] = g
}

// accountFields splits a line, unless it is empty, a comment, too short, or a
// reference to a directory service ("+", "-").
func accountFields(line []byte, least int) ([]string, bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' || line[0] == '+' || line[0] == '-' || line[0] == ':' {
		return nil, false
	}
	f := strings.Split(string(line), ":")
	return f, len(f) >= least
}

func number(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// user returns the name of uid, or why it is not known.
func (a *accounts) user(uid uint32) (name, why string) {
	if u, ok := a.users[uid]; ok {
		return u.name, ""
	}
	if a.noUsers != "" {
		return "", a.noUsers
	}
	return "", "/etc/passwd has no user " + strconv.FormatUint(uint64(uid), 10)
}

// groupName returns the name of gid, or why it is not known.
func (a *accounts) groupName(gid uint32) (name, why string) {
	if g, ok := a.groups[gid]; ok {
		return g.name, ""
	}
	if a.noGroups != "" {
		return "", a.noGroups
	}
	return "", "/etc/group has no group " + strconv.FormatUint(uint64(gid), 10)
}

// onlyMembers reports whether the group is known to have no members but root
// and owner. A group that the host's own files do not explain has others.
func (a *accounts) onlyMembers(gid, owner uint32) bool {
	g, ok := a.groups[gid]
	if !ok || a.noUsers != "" {
		return false
	}
	uids := a.primary[gid]
	for _, name := range g.members {
		uid, ok := a.uids[name]
		if !ok {
			return false
		}
		uids = append(uids[:len(uids):len(uids)], uid)
	}
	for _, uid := range uids {
		if uid != 0 && uid != owner {
			return false
		}
	}
	return true
}
