package facts

import (
	"context"
	"errors"
	"io/fs"

	"github.com/besra-hunt/besra"
)

var errNoOwner = errors.New("this system knows no numeric owner")

// owner says who owns the path and what its mode is, with the source.
func (h *Host) owner(path string, info fs.FileInfo) (ownership, string, error) {
	if h.owners != nil {
		o, source := h.owners.of(path, info.IsDir())
		return o, source, nil
	}
	s, ok := statOf(info)
	if !ok {
		return ownership{}, "", errNoOwner
	}
	return ownership{uid: s.uid, gid: s.gid, mode: unixMode(info.Mode())}, h.stat(), nil
}

// unixMode returns the permission bits with setuid, setgid and sticky as Unix
// numbers them.
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}

func (f *File) ownerFact(name string) besra.Fact {
	o, source, err := f.host.owner(f.path, f.info)
	if name == "file.owner.name" && err != nil {
		return f.sidName()
	}
	if err != nil {
		return unknown(err.Error())
	}
	g := f.host.grade()
	switch name {
	case "file.mode":
		return fact(int64(o.mode), g, source)
	case "file.owner.uid":
		return fact(int64(o.uid), g, source)
	case "file.group.gid":
		return fact(int64(o.gid), g, source)
	case "file.owner.name":
		who, why := f.host.accounts().user(o.uid)
		return nameFact(who, why, g, source+", /etc/passwd")
	}
	who, why := f.host.accounts().groupName(o.gid)
	return nameFact(who, why, g, source+", /etc/group")
}

func nameFact(name, why string, g besra.Grade, source string) besra.Fact {
	if why != "" {
		return unknown(why)
	}
	return fact(besra.Text(name), g, source)
}

// worldWritable looks for a way in which everyone could change the file: its
// own mode, or a directory on its path that is writable and not sticky.
func (f *File) worldWritable(context.Context) besra.Fact {
	return f.writable(func(p part) bool {
		return p.mode&0o002 != 0 && !(p.dir && p.mode&0o1000 != 0)
	})
}

// foreignWritable looks for a way in which someone other than root and the
// file's owner could change the file or what its path leads to: as the owner of
// a directory on the path, as a member of a group that may write, or as anyone.
// A sticky directory keeps others from replacing what is in it, yet not from
// adding to it: it counts.
func (f *File) foreignWritable(context.Context) besra.Fact {
	file, _, err := f.host.owner(f.path, f.info)
	if err != nil {
		return unknown(err.Error())
	}
	return f.writable(func(p part) bool {
		switch {
		case p.uid != 0 && p.uid != file.uid, p.mode&0o002 != 0:
			return true
		case p.mode&0o020 == 0:
			return false
		}
		return p.acl || !f.host.accounts().onlyMembers(p.gid, file.uid)
	})
}

// part is the file, or a directory on its path.
type part struct {
	ownership
	dir bool
	acl bool // it has an access list, so the group's bits speak for others too
}

// writable walks from the file up to the root and reports whether open holds
// for a part of the path.
func (f *File) writable(open func(part) bool) besra.Fact {
	g, info := f.host.grade(), f.info
	for p := f.path; ; p = parent(p) {
		o, source, err := f.host.owner(p, info)
		if err != nil {
			return unknown(err.Error())
		}
		if open(part{o, info.IsDir(), f.host.hasACL(p)}) {
			return fact(true, g, source+", "+p)
		}
		if p == parent(p) {
			return fact(false, g, source+", and so of the whole path")
		}
		if info, err = f.host.tree.lstat(parent(p)); err != nil {
			return unknown(reason(parent(p), err))
		}
	}
}

// User returns the name that the host's own passwd file gives a user; empty, with
// the reason, where it gives none.
func (h *Host) User(uid uint32) (name, why string) { return h.accounts().user(uid) }
