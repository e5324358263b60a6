package besra

import (
	"slices"
	"strings"
)

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

// String returns the type as documentation spells it.
func (t FactType) String() string {
	return [...]string{"string", "int", "bool", "timestamp", "list(string)"}[t]
}

// Grades holds the best grade that a fact can have in each context where it can
// be known at all.
type Grades map[Context]Grade

// FactDef defines one fact of the vocabulary.
type FactDef struct {
	Name   string // dotted, such as "file.owner.name"
	Type   FactType
	Grades Grades
	Doc    string // one sentence; a time says what it is the time of
}

// In reports whether the fact can be known in context c.
func (d FactDef) In(c Context) bool { return d.Grades[c] != GradeUnavailable }

// Contexts lists where the fact can be known, in the order of [Contexts].
func (d FactDef) Contexts() []Context {
	return slices.DeleteFunc(Contexts(), func(c Context) bool { return !d.In(c) })
}

// GradeText tells the best grades of the fact, with the contexts of each: such as
// "verified: file; asserted: image, archive".
func (d FactDef) GradeText() string {
	var parts []string
	for g := GradeVerified; g > GradeUnavailable; g-- {
		var in []string
		for _, c := range d.Contexts() {
			if d.Grades[c] == g {
				in = append(in, string(c))
			}
		}
		switch {
		case len(in) == len(Contexts()):
			parts = append(parts, g.String()+": everywhere")
		case len(in) > 0:
			parts = append(parts, g.String()+": "+strings.Join(in, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// Vocabulary lists every fact that a collector may fill and an exclusion may
// ask for, group by group. It is the one table that facts, exclusions and
// documentation share; a name outside it does not exist. Of a context that no
// source of this version yields, the facts are agreed and never known.
func Vocabulary() []FactDef { return slices.Clone(vocabulary) }

// FactNamed returns the definition of name.
func FactNamed(name string) (FactDef, bool) {
	i := slices.IndexFunc(vocabulary, func(d FactDef) bool { return d.Name == name })
	if i < 0 {
		return FactDef{}, false
	}
	return vocabulary[i], true
}

// Origin lists the facts that tell whose bytes of a context are: which process,
// conversation, message, image, object or commit they are of, or who wrote the file.
// A finding has those that are known, whatever its exclusions ask for. None of
// them costs more than a look at what is at hand.
func (c Context) Origin() []string { return origins[c] }

var origins = map[Context][]string{
	ContextFile:    {"writer.cmdline", "writer.exe", "writer.pid", "writer.user"},
	ContextImage:   {"image.digest", "image.hidden", "image.id", "image.ref"},
	ContextArchive: {"git.author", "git.commit", "git.time"},
	ContextProcess: {"process.ancestors", "process.cmdline", "process.container", "process.cwd", "process.deleted", "process.exe", "process.pid",
		"process.sha256", "process.start", "process.unit", "process.user"},
	ContextNetwork: {"net.dst.ip", "net.dst.port", "net.host", "net.proto", "net.src.ip", "net.src.port", "net.time", "net.url", "net.user", "net.user_agent"},
	ContextMail: {"mail.client_ip", "mail.date", "mail.envelope_from", "mail.envelope_to", "mail.from", "mail.reply_to", "mail.subject",
		"mail.user"},
	ContextObject: {"object.bucket", "object.etag"},
}

// The usual grades of a fact: what its own system says of a live host is
// verified, what a foreign root or an archive says of itself is asserted.
var (
	anywhere = Grades{ContextFile: GradeVerified, ContextImage: GradeVerified, ContextArchive: GradeVerified, ContextProcess: GradeVerified,
		ContextNetwork: GradeVerified, ContextMail: GradeVerified, ContextObject: GradeVerified}
	digested = Grades{ContextFile: GradeVerified, ContextImage: GradeVerified, ContextArchive: GradeVerified,
		ContextNetwork: GradeVerified, ContextMail: GradeVerified, ContextObject: GradeVerified}
	hosted = Grades{ContextFile: GradeVerified, ContextImage: GradeAsserted, ContextArchive: GradeAsserted, ContextProcess: GradeVerified,
		ContextNetwork: GradeAsserted, ContextMail: GradeAsserted, ContextObject: GradeAsserted}
	named = Grades{ContextFile: GradeWeak, ContextImage: GradeWeak, ContextArchive: GradeWeak, ContextMail: GradeWeak, ContextObject: GradeWeak}
	owned = Grades{ContextFile: GradeVerified, ContextImage: GradeAsserted, ContextArchive: GradeAsserted}
	timed = Grades{ContextFile: GradeWeak, ContextImage: GradeWeak, ContextArchive: GradeWeak, ContextObject: GradeVerified}

	onDisk    = Grades{ContextFile: GradeVerified, ContextImage: GradeAsserted}
	indexed   = Grades{ContextFile: GradeAsserted, ContextImage: GradeAsserted}
	shipped   = Grades{ContextFile: GradeAsserted, ContextImage: GradeAsserted, ContextArchive: GradeWeak}
	planted   = Grades{ContextFile: GradeWeak, ContextImage: GradeWeak}
	cloned    = Grades{ContextFile: GradeWeak, ContextImage: GradeWeak, ContextArchive: GradeWeak}
	committed = Grades{ContextArchive: GradeAsserted}
	authored  = Grades{ContextArchive: GradeWeak}
	mounted   = Grades{ContextFile: GradeVerified}
	noted     = Grades{ContextFile: GradeWeak}
	opened    = Grades{ContextFile: GradeWeak, ContextProcess: GradeWeak}
	openedBy  = Grades{ContextFile: GradeVerified, ContextProcess: GradeVerified}

	packed   = Grades{ContextArchive: GradeVerified}
	packedIn = Grades{ContextArchive: GradeWeak}
	running  = Grades{ContextProcess: GradeVerified}
	called   = Grades{ContextProcess: GradeWeak}

	// Where an archive came from, its members did.
	layered   = Grades{ContextImage: GradeVerified, ContextArchive: GradeVerified}
	layeredBy = Grades{ContextImage: GradeAsserted, ContextArchive: GradeAsserted}
	onWire    = Grades{ContextNetwork: GradeVerified, ContextArchive: GradeVerified}
	claimed   = Grades{ContextNetwork: GradeWeak, ContextArchive: GradeWeak}
	proxied   = Grades{ContextNetwork: GradeAsserted, ContextArchive: GradeAsserted}
	written   = Grades{ContextMail: GradeWeak, ContextArchive: GradeWeak}
	stamped   = Grades{ContextMail: GradeAsserted, ContextArchive: GradeAsserted}
	stored    = Grades{ContextObject: GradeVerified, ContextArchive: GradeVerified}
	storedAs  = Grades{ContextObject: GradeWeak, ContextArchive: GradeWeak}
)

var vocabulary = []FactDef{
	{"file.path", TypeString, named, "Cleaned absolute path on the file's own host, slash-separated; the inner path of an archive member, the key of an object."},
	{"file.dir", TypeString, named, "Directory part of file.path."},
	{"file.name", TypeString, named, "Last element of file.path."},
	{"file.ext", TypeString, named, "Extension of file.name in lower case, with its dot; empty where there is none."},
	{"file.size", TypeInt, anywhere, "Size in bytes."},
	{"file.magic", TypeString, anywhere, "Class of the content by its first bytes: elf, pe, macho, zip, script, text, …; data where unknown."},
	{"file.md5", TypeString, digested, "MD5 of the content, lower-case hex. Collisions are practical: never proof on its own."},
	{"file.sha1", TypeString, digested, "SHA-1 of the content, lower-case hex."},
	{"file.sha256", TypeString, digested, "SHA-256 of the content, lower-case hex."},
	{"file.sha512", TypeString, digested, "SHA-512 of the content, lower-case hex."},
	{"file.mode", TypeInt, owned, "Permission bits with setuid, setgid and sticky, such as 0755."},
	{"file.mtime", TypeTimestamp, timed, "Time of the last change of the content, as the file system says; the owner can set it."},
	{"file.ctime", TypeTimestamp, onDisk, "Time of the last change of the inode."},
	{"file.btime", TypeTimestamp, onDisk, "Time of birth of the inode, where the file system keeps it."},
	{"file.owner.uid", TypeInt, owned, "Numeric owner."},
	{"file.owner.name", TypeString, owned, "Owner's name by the passwd file of the file's own host."},
	{"file.owner.sid", TypeString, onDisk, "Owner's security identifier (Windows)."},
	{"file.group.gid", TypeInt, owned, "Numeric group."},
	{"file.group.name", TypeString, owned, "Group's name by the group file of the file's own host."},
	{"file.links", TypeInt, onDisk, "Number of names (hard links) that the inode has."},
	{"file.symlink", TypeBool, onDisk, "The path, or a directory of it, is a symbolic link."},
	{"file.world_writable", TypeBool, onDisk, "The file, or a directory above it that is not sticky, can be written by everyone."},
	{"file.foreign_writable", TypeBool, onDisk, "The file, or a directory above it, can be written by someone other than root and the file's owner."},
	{"file.mount.type", TypeString, mounted, "Type of the file system it lies on."},
	{"file.mount.point", TypeString, mounted, "Directory that this file system is mounted on."},
	{"file.origin_url", TypeString, noted, "URL it was downloaded from, as the browser noted it in an extended attribute or stream."},
	{"file.origin_host", TypeString, noted, "Host of file.origin_url, in lower case."},

	{"package.manager", TypeString, indexed, "Package manager whose index was read: dpkg, rpm or apk."},
	{"package.name", TypeString, shipped, "Name of the installed package that owns the path, by the host's own package index; empty where none does. For the member of a package, that package's own name."},
	{"package.version", TypeString, indexed, "Version of that package, as its manager spells it."},
	{"package.verified", TypeBool, shipped, "The content equals what that package shipped, by the digest in the package index; for the member of a package, in the package itself."},

	{"git.root", TypeString, planted, "Top directory of the git work tree that holds the file; empty where none does."},
	{"git.remote", TypeString, cloned, "URL of the repository's remote origin, without user and password; empty where it has none."},
	{"git.tracked", TypeBool, planted, "The repository's index lists the file."},
	{"git.unmodified", TypeBool, planted, "The content equals what the index lists."},
	{"git.commit", TypeString, committed, "First commit that has the blob, by the times that committers state."},
	{"git.author", TypeString, authored, "Address of that commit's author, in lower case."},
	{"git.time", TypeTimestamp, authored, "Time of that commit, as its committer states it."},
	{"git.reachable", TypeBool, authored, "A branch, a tag or another reference leads to a commit that has the blob."},

	{"archive.path", TypeString, packedIn, "Path of the outermost archive, on its own host."},
	{"archive.kind", TypeString, packed, "Format of the innermost archive: zip, tar, deb, …"},
	{"archive.chain", TypeStrings, packedIn, "Names of the archives around the member, outermost first."},
	{"archive.sha256", TypeString, packed, "SHA-256 of the outermost archive, lower-case hex."},
	{"image.ref", TypeString, layeredBy, "Reference of the container image, such as registry.example/app:1.2."},
	{"image.digest", TypeString, layered, "Digest of the image's manifest, such as sha256:…."},
	{"image.id", TypeString, layered, "Digest of the image's configuration, which names it on a host: docker's IMAGE ID."},
	{"image.layer", TypeString, layered, "Digest of the layer that holds the file, unpacked: what the image's configuration calls its diff ID."},
	{"image.created_by", TypeString, layeredBy, "Command that made the layer, as the image's history says."},
	{"image.hidden", TypeBool, layered, "An upper layer removed or replaced the file: a container of the image does not see it, who has the image still does."},

	{"process.pid", TypeInt, running, "Process identifier."},
	{"process.name", TypeString, called, "Base name of the process's executable."},
	{"process.exe", TypeString, called, "Path of the process's executable."},
	{"process.deleted", TypeBool, running, "The file of the executable was deleted or replaced while the process runs."},
	{"process.sha256", TypeString, running, "SHA-256 of the process's executable, lower-case hex."},
	{"process.cmdline", TypeString, called, "Command line, arguments joined by a space."},
	{"process.cwd", TypeString, called, "Working directory."},
	{"process.uid", TypeInt, running, "Numeric user it runs as."},
	{"process.user", TypeString, running, "Name of the user it runs as."},
	{"process.ancestors", TypeStrings, called, "Names of its ancestors' executables, nearest first."},
	{"process.start", TypeTimestamp, running, "Time the process started."},
	{"process.unit", TypeString, running, "Unit of the service manager that it runs in, such as logproc.service."},
	{"process.container", TypeString, running, "Identifier of the container it runs in; empty where it runs in none."},

	{"opener.names", TypeStrings, opened, "Names of the executables that have the file open at the time of the scan."},
	{"opener.exes", TypeStrings, opened, "Paths of the executables that have the file open at the time of the scan."},
	{"opener.users", TypeStrings, openedBy, "Names of the users whose processes have the file open at the time of the scan."},

	{"writer.pid", TypeInt, mounted, "Process that wrote the file last, while it was watched."},
	{"writer.name", TypeString, noted, "Base name of the writing process's executable."},
	{"writer.exe", TypeString, noted, "Path of the writing process's executable."},
	{"writer.cmdline", TypeString, noted, "Command line of the writing process, arguments joined by a space."},
	{"writer.user", TypeString, mounted, "Name of the user whose process wrote the file last."},

	{"net.proto", TypeString, onWire, "Transport protocol: tcp or udp."},
	{"net.src.ip", TypeString, onWire, "Address that sent the bytes."},
	{"net.dst.ip", TypeString, onWire, "Address that received the bytes."},
	{"net.src.port", TypeInt, onWire, "Port that sent the bytes."},
	{"net.dst.port", TypeInt, onWire, "Port that received the bytes."},
	{"net.host", TypeString, claimed, "Host named by the protocol: HTTP Host, TLS server name."},
	{"net.url", TypeString, claimed, "URL the object was carved from."},
	{"net.user_agent", TypeString, claimed, "User agent that asked for the object."},
	{"net.user", TypeString, proxied, "User on whose behalf the object was sent or fetched, as the proxy that handed it over authenticated them."},
	{"net.time", TypeTimestamp, onWire, "Time of the stream's first packet."},

	{"mail.from", TypeString, written, "Address of the header From, in lower case."},
	{"mail.from_domain", TypeString, written, "Domain of mail.from."},
	{"mail.reply_to", TypeString, written, "Address of the header Reply-To, in lower case; empty where there is none."},
	{"mail.envelope_from", TypeString, stamped, "Address that the receiving server was given as the sender, or noted in Return-Path, in lower case."},
	{"mail.envelope_to", TypeStrings, stamped, "Addresses that the receiving server was given as recipients, in lower case."},
	{"mail.client_ip", TypeString, stamped, "Address of the host that delivered the message, as the receiving server saw it."},
	{"mail.helo", TypeString, written, "Name that this host gave itself in HELO."},
	{"mail.user", TypeString, stamped, "User who submitted the message, as the receiving server authenticated them."},
	{"mail.subject", TypeString, written, "Subject, decoded."},
	{"mail.list_id", TypeString, written, "Identifier of the mailing list."},
	{"mail.dkim", TypeString, stamped, "Result of DKIM by the trusted server's Authentication-Results: pass, fail, none, …."},
	{"mail.spf", TypeString, stamped, "Result of SPF by the same."},
	{"mail.dmarc", TypeString, stamped, "Result of DMARC by the same."},
	{"mail.date", TypeTimestamp, written, "Time of the header Date, which the sender writes."},
	{"mail.received", TypeTimestamp, stamped, "Time at which the receiving server took the message."},

	{"object.bucket", TypeString, stored, "Bucket or container that holds the object."},
	{"object.etag", TypeString, stored, "Entity tag, as the store gives it."},
	{"object.content_type", TypeString, storedAs, "Media type, as the writer stated it."},
	{"object.tags", TypeStrings, storedAs, "Tags of the object, each as key=value."},

	{"rule.name", TypeString, anywhere, "Name of the rule that matched."},
	{"rule.tags", TypeStrings, anywhere, "Tags of that rule."},
	{"match.patterns", TypeStrings, anywhere, "Identifiers of the rule's patterns that occur, such as $s1."},
	{"match.count", TypeInt, anywhere, "Number of their occurrences."},

	{"host.name", TypeString, hosted, "Name of the host the bytes belong to."},
	{"host.os", TypeString, hosted, "Operating system of that host, as GOOS spells it."},
	{"host.tags", TypeStrings, anywhere, "Tags the operator gave the host (--tag)."},
	{"host.schedules", TypeStrings, hosted, "What the host's administrator runs at which times: /etc/crontab, /etc/cron.d, systemd timers. For within."},
	{"host.user_schedules", TypeStrings, hosted, "What the host's users run at which times: their own crontabs. For within."},
	{"scan.time", TypeTimestamp, anywhere, "Time of the scan. Rarely what an exclusion wants."},
}
