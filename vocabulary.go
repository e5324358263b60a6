package besra

import "slices"

// FactType is the type of a fact's value, as exclusions see it.
type FactType uint8

// The fact types, with the CEL type each becomes.
const (
	TypeString    FactType = iota // string
	TypeInt                       // int
	TypeBool                      // bool
	TypeTimestamp                 // google.protobuf.Timestamp
	TypeStrings                   // list(string)
)

// FactDef defines one fact of the vocabulary.
type FactDef struct {
	Name     string    // dotted, such as "file.owner.name"
	Type     FactType  // type of its value
	Contexts []Context // where it can be known at all
	Doc      string    // one sentence; a time says what it is the time of
}

// In reports whether the fact can be known in context c.
func (d FactDef) In(c Context) bool { return slices.Contains(d.Contexts, c) }

// Vocabulary lists every fact that a collector may fill and an exclusion may
// ask for, sorted by name within each group. It is the one table that facts,
// exclusions and documentation share; a name outside it does not exist.
func Vocabulary() []FactDef { return slices.Clone(vocabulary) }

// FactNamed returns the definition of name.
func FactNamed(name string) (FactDef, bool) {
	i := slices.IndexFunc(vocabulary, func(d FactDef) bool { return d.Name == name })
	if i < 0 {
		return FactDef{}, false
	}
	return vocabulary[i], true
}

var (
	onDisk   = []Context{ContextFile, ContextImage}
	named    = []Context{ContextFile, ContextImage, ContextArchive, ContextMail, ContextObject}
	owned    = []Context{ContextFile, ContextImage, ContextArchive}
	anywhere = Contexts()
	running  = []Context{ContextProcess}
	live     = []Context{ContextFile, ContextProcess}
	wire     = []Context{ContextNetwork}
)

var vocabulary = []FactDef{
	{"file.path", TypeString, named, "Cleaned absolute path on the file's own host, slash-separated; the inner path of an archive member."},
	{"file.dir", TypeString, named, "Directory part of file.path."},
	{"file.name", TypeString, named, "Last element of file.path."},
	{"file.ext", TypeString, named, "Extension of file.name in lower case, with its dot; empty where there is none."},
	{"file.size", TypeInt, anywhere, "Size in bytes."},
	{"file.magic", TypeString, anywhere, "Class of the content by its first bytes: elf, pe, macho, zip, script, text, …; data where unknown."},
	{"file.md5", TypeString, anywhere, "MD5 of the content, lower-case hex. Collisions are practical: never proof on its own."},
	{"file.sha1", TypeString, anywhere, "SHA-1 of the content, lower-case hex."},
	{"file.sha256", TypeString, anywhere, "SHA-256 of the content, lower-case hex."},
	{"file.mode", TypeInt, owned, "Permission bits with setuid, setgid and sticky, such as 0755."},
	{"file.mtime", TypeTimestamp, owned, "Time of the last change of the content, as the file system says; the owner can set it."},
	{"file.ctime", TypeTimestamp, onDisk, "Time of the last change of the inode."},
	{"file.btime", TypeTimestamp, onDisk, "Time of birth of the inode, where the file system keeps it."},
	{"file.owner.uid", TypeInt, owned, "Numeric owner."},
	{"file.owner.name", TypeString, owned, "Owner's name by the passwd file of the file's own host."},
	{"file.owner.sid", TypeString, onDisk, "Owner's security identifier (Windows)."},
	{"file.group.gid", TypeInt, owned, "Numeric group."},
	{"file.group.name", TypeString, owned, "Group's name by the group file of the file's own host."},
	{"file.world_writable", TypeBool, onDisk, "The file, or a directory above it that is not sticky, can be written by everyone."},
	{"file.foreign_writable", TypeBool, onDisk, "The file, or a directory above it, can be written by someone other than root and the file's owner."},
	{"file.mount.type", TypeString, []Context{ContextFile}, "Type of the file system it lies on."},
	{"file.origin_url", TypeString, []Context{ContextFile}, "URL it was downloaded from, as the browser noted it in an extended attribute or stream."},
	{"package.name", TypeString, onDisk, "Name of the installed package that owns the path, by the host's own package index."},
	{"package.verified", TypeBool, onDisk, "The content equals what that package shipped, by the digest in the package index."},
	{"process.pid", TypeInt, running, "Process identifier."},
	{"process.name", TypeString, running, "Base name of the process's executable."},
	{"process.exe", TypeString, running, "Path of the process's executable."},
	{"process.cmdline", TypeString, running, "Command line, arguments joined by a space."},
	{"process.user", TypeString, running, "Name of the user it runs as."},
	{"process.ancestors", TypeStrings, running, "Names of its ancestors' executables, nearest first."},
	{"process.start", TypeTimestamp, running, "Time the process started."},
	{"opener.names", TypeStrings, live, "Names of the executables that have the file open at the time of the scan."},
	{"net.src.ip", TypeString, wire, "Address that sent the bytes."},
	{"net.dst.ip", TypeString, wire, "Address that received the bytes."},
	{"net.src.port", TypeInt, wire, "Port that sent the bytes."},
	{"net.dst.port", TypeInt, wire, "Port that received the bytes."},
	{"net.host", TypeString, wire, "Host named by the protocol: HTTP Host, TLS server name."},
	{"net.url", TypeString, wire, "URL the object was carved from."},
	{"net.time", TypeTimestamp, wire, "Time of the stream's first packet."},
	{"host.name", TypeString, anywhere, "Name of the host the bytes belong to."},
	{"host.os", TypeString, anywhere, "Operating system of that host, as GOOS spells it."},
	{"host.tags", TypeStrings, anywhere, "Tags the operator gave the host (--tag)."},
	{"scan.time", TypeTimestamp, anywhere, "Time of the scan. Rarely what an exclusion wants."},
}
