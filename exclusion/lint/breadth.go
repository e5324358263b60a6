package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// The facts by what they tell.
var (
	pathFacts = []string{"file.path", "file.dir", "process.exe", "process.cwd", "opener.exes", "archive.path", "git.root"}
	nameFacts = []string{"file.name", "file.ext", "process.name", "process.cmdline", "process.ancestors", "opener.names",
		"net.host", "net.url", "net.user_agent", "file.origin_url", "file.origin_host", "git.remote",
		"mail.from", "mail.from_domain", "mail.reply_to", "mail.subject", "mail.list_id"}
	accountFacts = []string{"file.owner.name", "file.owner.uid", "file.owner.sid", "file.group.name", "file.group.gid",
		"process.user", "process.uid", "opener.users"}
	hostFacts    = []string{"host.name", "host.os", "host.tags", "host.schedules", "host.user_schedules", "scan.time"}
	ruleFacts    = []string{"rule.name", "rule.tags", "match.patterns", "match.count"}
	packageFacts = []string{"package.manager", "package.name", "package.version", "package.verified"}
	mailFacts    = []string{"mail.dkim", "mail.spf", "mail.dmarc"}
)

// tools are programs that attackers use because they are everywhere: shells,
// interpreters, loaders and service managers. Without .exe and version.
var tools = strings.Fields(`
	ash awk bash busybox csh dash fish ksh sh tcsh zsh cmd powershell pwsh
	python perl ruby node php lua java javaw osascript
	curl wget nc ncat netcat socat ssh scp sftp rsync ftp tftp certutil bitsadmin
	cron crond atd systemd launchd init sshd sudo su svchost services explorer wininit taskeng taskhostw
	rundll32 regsvr32 mshta wscript cscript msbuild installutil wmic msiexec schtasks at reg sc net odbcconf forfiles
	tar gzip zip unzip vim vi nano find xargs env docker kubectl git make gcc cc`)

// administrators are accounts that an intruder has in the end.
var administrators = []string{"root", "admin", "administrator", "administrators", "system", "nt authority\\system", "wheel", "sudo",
	"s-1-5-18", "s-1-5-32-544", "domain admins"}

// writable are directories in which anybody, or the user at hand, can put a file.
var writable = []string{"/tmp", "/var/tmp", "/dev/shm", "/run/user", "/home", "/Users", "/private/tmp", "/private/var/tmp",
	"C:/Users", "C:/Temp", "C:/Windows/Temp", "C:/Windows/Tasks", "C:/ProgramData"}

// polarity reports an expression that says what is not benign: one negated as a
// whole, or a branch with nothing but negations.
func (s *subject) polarity() {
	if s.x == nil {
		return
	}
	if e := s.x.Expr(); e.Kind == exclusion.KindNot && e.Args[0].Kind != exclusion.KindFact {
		s.at(e, CodePolarity, "the whole expression is negated")
		return
	}
	for _, b := range s.branches {
		if b.negative() {
			s.at(b[0].atom, CodePolarity, fmt.Sprintf("this way to be true only says what is not the case: %s", b))
			return
		}
	}
}

// String prints a branch.
func (b branch) String() string {
	parts := make([]string, len(b))
	for i, l := range b {
		parts[i] = l.atom.String()
		if l.negated {
			parts[i] = "!(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " && ")
}

// breadth judges each way to be true by its facts: does it say enough about the
// file, or would it hold for what an intruder brings?
func (s *subject) breadth() {
	if s.x == nil {
		return
	}
	weak, reported := false, map[string]bool{}
	for _, b := range s.branches {
		if call := s.widest(b); call != nil && !reported[CodeWidePath] {
			reported[CodeWidePath] = true
			p := s.at(call, CodeWidePath, fmt.Sprintf("%s holds for most of a system", call))
			p.Level = s.soften(p)
		}
		code, message := s.judge(b)
		weak = weak || slices.Contains(weakCodes, code)
		if code == "" || reported[code] {
			continue
		}
		reported[code] = true
		p := s.at(b[0].atom, code, message)
		p.Level = s.soften(p)
	}
	if s.spec.AllowWeak != "" && (!weak || !s.suppresses()) && s.branches != nil {
		s.field("allow_weak", CodeIdleAllowWeak, "it allows weak evidence, and does not rest on any")
	}
}

// weakCodes are the faults that allow_weak is for.
var weakCodes = []string{CodeLonePath, CodeWritablePath, CodeNameOnly, CodeWholeTool, CodePackageOnly, CodeWeakEvidence}

// soften lowers the level where the author has recorded a reason, or where
// nothing is hidden.
func (s *subject) soften(p *exclusion.Problem) exclusion.Level {
	switch {
	case s.spec.AllowWeak != "" && slices.Contains([]string{CodeLonePath, CodePackageOnly, CodeWeakEvidence}, p.Code):
		return noteLevel
	case p.Level == errorLevel && (!s.suppresses() || s.spec.AllowWeak != ""):
		return warningLevel
	}
	return p.Level
}

// judge returns the fault of a branch, or "".
func (s *subject) judge(b branch) (code, message string) {
	facts := b.facts()
	switch {
	case len(facts) == 0 || b.negative():
		return "", "" // its logic is at fault, not its breadth
	case within(facts, hostFacts):
		return CodeWholeHost, fmt.Sprintf("%s is the same for every file of a host", b)
	case within(facts, accountFacts) && s.isAdministrator(b):
		return CodeWholeUser, fmt.Sprintf("%s is an administrator, with nothing else", b)
	case within(facts, ruleFacts):
		return CodeWholeRule, fmt.Sprintf("%s is true of every match of the rule, wherever it is", b)
	case within(facts, mailFacts):
		return CodeWholeMail, fmt.Sprintf("%s is true of every sender who owns a domain", b)
	case within(facts, packageFacts):
		return CodePackageOnly, fmt.Sprintf("%s rests on the package index alone", b)
	case slices.ContainsFunc(facts, func(f string) bool { return !exclusion.Forgeable(f) }):
		return "", ""
	}
	return s.judgeForgeable(b, facts)
}

// judgeForgeable judges a branch whose facts an intruder all chooses.
func (s *subject) judgeForgeable(b branch, facts []string) (code, message string) {
	if dir, ok := firstOf(b.texts(s.x, pathFacts), inWritable); ok {
		return CodeWritablePath, fmt.Sprintf("anybody can write to %s", dir)
	}
	tool, ok := firstOf(b.texts(s.x, nameFacts), isTool)
	switch {
	case ok && !intersects(facts, pathFacts):
		return CodeWholeTool, fmt.Sprintf("%s is a tool that attackers use too", tool)
	case intersects(facts, pathFacts):
		return CodeLonePath, fmt.Sprintf("%s rests on a path alone", b)
	case intersects(facts, nameFacts):
		return CodeNameOnly, fmt.Sprintf("%s rests on a name alone", b)
	}
	return CodeWeakEvidence, fmt.Sprintf("%s rests on facts that an intruder chooses", b)
}

// widest returns a test of a branch that the path lies in a wide directory, if
// no other test of the path is narrower and no hash settles it anyway.
func (s *subject) widest(b branch) *exclusion.Expr {
	var found *exclusion.Expr
	for _, l := range b {
		if l.negative() || !intersects(l.atom.Facts(), pathFacts) {
			if intersects(l.atom.Facts(), []string{"file.sha256", "file.sha1"}) && !l.negative() {
				return nil
			}
			continue
		}
		list := texts(s.x, l.atom)
		if len(list) == 0 || !slices.ContainsFunc(list, wide) {
			return nil
		}
		found = l.atom
	}
	return found
}

// wide reports whether a directory, or what is fixed of a pattern, is at most
// one element below the root.
func wide(path string) bool {
	path = strings.ReplaceAll(path, `\`, "/")
	elements := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(elements) > 0 && strings.HasSuffix(elements[0], ":") {
		elements = elements[1:]
	}
	fixed := slices.IndexFunc(elements, func(e string) bool { return strings.ContainsAny(e, "*?[") })
	if fixed < 0 {
		return len(elements) <= 1
	}
	// A pattern is wide if only wildcards follow a short start.
	named := slices.ContainsFunc(elements[fixed:], func(e string) bool { return strings.Trim(e, "*?") != "" })
	return fixed <= 1 && !named
}

func firstOf(list []string, is func(string) bool) (string, bool) {
	i := slices.IndexFunc(list, is)
	if i < 0 {
		return "", false
	}
	return list[i], true
}

func inWritable(path string) bool {
	return slices.ContainsFunc(writable, func(dir string) bool {
		below, err := exclusion.Under(path+"/x", dir, true)
		return err == nil && below
	})
}

var toolVersion = lazyregexp.New(`[0-9.]*$`)

// isTool reports whether a name, or the last element of a path, is a tool's.
func isTool(name string) bool {
	name = strings.ToLower(name[strings.LastIndexAny(name, `/\`)+1:])
	name = toolVersion().ReplaceAllString(strings.TrimSuffix(name, ".exe"), "")
	return slices.Contains(tools, name)
}

// isAdministrator reports whether a branch names one of the accounts above.
func (s *subject) isAdministrator(b branch) bool {
	for _, l := range b {
		if slices.ContainsFunc(texts(s.x, l.atom), func(t string) bool { return slices.Contains(administrators, strings.ToLower(t)) }) {
			return true
		}
		zero := false
		l.atom.Walk(func(e *exclusion.Expr) bool {
			zero = zero || value(s.x, e) == int64(0)
			return true
		})
		if zero {
			return true
		}
	}
	return false
}
