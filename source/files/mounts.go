package files

import (
	"path"
	"path/filepath"

	"github.com/besra-hunt/besra/facts"
)

// classes tells the types of file system that are left out, and why.
var classes = map[string]string{
	"autofs": ReasonPseudo, "binder": ReasonPseudo, "binfmt_misc": ReasonPseudo, "bpf": ReasonPseudo,
	"cgroup": ReasonPseudo, "cgroup2": ReasonPseudo, "configfs": ReasonPseudo, "debugfs": ReasonPseudo,
	"devfs": ReasonPseudo, "devpts": ReasonPseudo, "devtmpfs": ReasonPseudo, "efivarfs": ReasonPseudo,
	"fdescfs": ReasonPseudo, "fuse.lxcfs": ReasonPseudo, "fuse.portal": ReasonPseudo, "fusectl": ReasonPseudo,
	"hugetlbfs": ReasonPseudo, "linprocfs": ReasonPseudo, "linsysfs": ReasonPseudo, "mqueue": ReasonPseudo,
	"nsfs": ReasonPseudo, "proc": ReasonPseudo, "procfs": ReasonPseudo, "pstore": ReasonPseudo,
	"resctrl": ReasonPseudo, "rpc_pipefs": ReasonPseudo, "securityfs": ReasonPseudo, "selinuxfs": ReasonPseudo,
	"smackfs": ReasonPseudo, "sysfs": ReasonPseudo, "tracefs": ReasonPseudo, "xenfs": ReasonPseudo,

	"afpfs": ReasonNetwork, "afs": ReasonNetwork, "beegfs": ReasonNetwork, "ceph": ReasonNetwork,
	"cifs": ReasonNetwork, "coda": ReasonNetwork, "davfs": ReasonNetwork, "fuse.ceph": ReasonNetwork,
	"fuse.curlftpfs": ReasonNetwork, "fuse.davfs": ReasonNetwork, "fuse.gcsfuse": ReasonNetwork,
	"fuse.glusterfs": ReasonNetwork, "fuse.gvfsd-fuse": ReasonNetwork, "fuse.juicefs": ReasonNetwork,
	"fuse.mfs": ReasonNetwork, "fuse.rclone": ReasonNetwork, "fuse.s3fs": ReasonNetwork, "fuse.smbnetfs": ReasonNetwork,
	"fuse.sshfs": ReasonNetwork, "gpfs": ReasonNetwork, "lustre": ReasonNetwork, "ncpfs": ReasonNetwork,
	"nfs": ReasonNetwork, "nfs4": ReasonNetwork, "orangefs": ReasonNetwork, "remote": ReasonNetwork,
	"smb3": ReasonNetwork, "smbfs": ReasonNetwork, "webdav": ReasonNetwork,
}

// classOf returns the reason for which a type of file system is left out; empty
// where it is read.
func classOf(fsType string) string { return classes[fsType] }

// mountTable finds the mounts below a directory by their path on the host that
// is walked. It is the state when the walk began: it spares touching what must
// not be touched, and what came later is found when it is opened.
type mountTable struct {
	byDir map[string]map[string]string // directory, name, type
}

// newMountTable reads this host's mounts that lie below root; all of them where
// root is empty. Without a table the walk relies on what it opens.
func newMountTable(root string) mountTable {
	all, err := facts.Mounts()
	if err != nil {
		return mountTable{}
	}
	return mountsBelow(all, filepath.ToSlash(root))
}

func mountsBelow(all []facts.Mount, root string) mountTable {
	t := mountTable{byDir: map[string]map[string]string{}}
	for _, m := range all {
		p := m.Point
		if root != "" {
			rest := relative(root, p)
			if rest == "" || rest == p || p != join(root, rest) {
				continue
			}
			p = "/" + rest
		}
		dir := path.Dir(p)
		if t.byDir[dir] == nil {
			t.byDir[dir] = map[string]string{}
		}
		t.byDir[dir][path.Base(p)] = m.Type
	}
	return t
}

// in returns the types of what is mounted in a directory, by name.
func (t mountTable) in(dir string) map[string]string { return t.byDir[dir] }

// at returns the type of the nearest mount that is p or above it; empty where
// none is known.
func (t mountTable) at(p string) string {
	found := ""
	ancestors(p, func(dir string) bool {
		found = t.byDir[path.Dir(dir)][path.Base(dir)]
		return found == ""
	})
	return found
}
