package lint

import "github.com/besra-hunt/besra/exclusion"

// example is an expression with a fault, and one without it. The test of the
// table holds each to what it shows.
type example struct{ bad, good string }

const aHash = `"` + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" + `"`

// examples shows the faults of expressions, by code. Those of other members of
// an exclusion explain themselves.
var examples = map[string]example{
	exclusion.CodeSyntax:           {`file.path == "/opt/tool`, `file.path == "/opt/tool" && package.verified`},
	exclusion.CodeUnknownName:      {`file.hash in lists.golden`, `file.sha256 in lists.golden`},
	exclusion.CodeUnknownParameter: {`file.path.under(params.tool_dir)`, `file.path.under(params.tool_dirs) && package.verified`},
	exclusion.CodeUnknownFunction:  {`file.path.isUnder("/opt/tool")`, `file.path.under("/opt/tool") && package.verified`},
	exclusion.CodeType:             {`file.size == "4096"`, `file.size == 4096 && package.verified`},
	exclusion.CodeBadArgument:      {`net.src.ip.cidr("10.1.2.3/8")`, `file.owner.name == "svc" && file.mtime.within("30 2 * * *", duration("10m"))`},
	exclusion.CodeWrongContext:     {`process.name == "ansible-playbook"`, `"ansible-playbook" in opener.names && package.verified`},

	CodeMixedLogic:          {`package.verified && file.path.under("/opt/tool") || file.sha256 in lists.golden`, `(package.verified && file.path.under("/opt/tool")) || file.sha256 in lists.golden`},
	CodeAlwaysTrue:          {`file.name != "a.py" || file.name != "b.py"`, `file.name in ["a.py", "b.py"] && package.verified`},
	CodeNeverTrue:           {`file.owner.name == "svc" && file.owner.name == "backup"`, `file.owner.name in ["svc", "backup"]`},
	CodeIdlePart:            {`file.owner.name == "svc" && (file.name != "a" || file.name != "b")`, `file.owner.name == "svc" && file.name in ["a", "b"]`},
	CodePolarity:            {`file.owner.name != "root"`, `file.owner.name == "backup"`},
	CodeLonePath:            {`file.path.under("/opt/tool")`, `file.path.under("/opt/tool") && package.verified`},
	CodeWritablePath:        {`file.path.under("/tmp/build")`, `file.path.under("/tmp/build") && file.owner.name == "builder"`},
	CodeWidePath:            {`file.path.under("/usr") && file.owner.name == "svc"`, `file.path.under("/usr/share/tool") && file.owner.name == "svc"`},
	CodeNameOnly:            {`file.name == "MixText.py"`, `file.name == "MixText.py" && file.sha256 in lists.golden`},
	CodeWholeTool:           {`file.name == "powershell.exe"`, `file.sha256 in lists.golden`},
	CodeWholeUser:           {`file.owner.name == "root"`, `file.owner.name == "root" && file.path.under("/root/scripts") && !file.foreign_writable`},
	CodeWholeHost:           {`"dev" in host.tags`, `"dev" in host.tags && file.path.under("/srv/dev") && file.group.name == "developers"`},
	CodeWholeRule:           {`"$s1" in match.patterns`, `"$s1" in match.patterns && file.sha256 in lists.golden`},
	CodePackageOnly:         {`package.name == "ansible" && package.verified`, `package.name == "ansible" && package.verified && file.path.under("/usr/share/ansible")`},
	CodeWeakEvidence:        {`file.mtime.inWindow("02:00", "04:00", "UTC")`, `file.mtime.inWindow("02:00", "04:00", "UTC") && file.owner.name == "logproc"`},
	CodePathText:            {`file.path.startsWith("/var/update") && file.owner.name == "svc"`, `file.path.under("/var/update") && file.owner.name == "svc"`},
	CodePathForm:            {`file.path.under("~/scripts") && file.owner.name == "svc"`, `file.path.under("/home/svc/scripts") && file.owner.name == "svc"`},
	CodeMergedUsr:           {`file.path == "/bin/tool" && package.verified`, `file.path == "/usr/bin/tool" && package.verified`},
	CodeCaseCompare:         {`file.path == "C:/Tools/Update.exe" && file.owner.name == "svc"`, `file.path.glob("C:/Tools/Update.exe") && file.owner.name == "svc"`},
	CodeRelativePath:        {`file.path.under("var/update") && file.owner.name == "svc"`, `file.path.under("/var/update") && file.owner.name == "svc"`},
	CodeLooseRegexp:         {`file.name.matches("backup") && file.owner.name == "svc"`, `file.name.matches("^backup-[0-9]+$") && file.owner.name == "svc"`},
	CodeDeadComparison:      {`file.ext == "py" && file.owner.name == "svc"`, `file.ext == ".py" && file.owner.name == "svc"`},
	CodeScanTime:            {`scan.time.inWindow("02:00", "04:00", "UTC") && file.owner.name == "svc"`, `file.mtime.inWindow("02:00", "04:00", "UTC") && file.owner.name == "svc"`},
	CodeEmptyList:           {`file.sha256 in []`, `file.sha256 in [` + aHash + `]`},
	CodeVacuousAll:          {`file.owner.name == "svc" && opener.names.all(n, n == "rsync")`, `file.owner.name == "svc" && size(opener.names) > 0 && opener.names.all(n, n == "rsync")`},
	CodeWideWindow:          {`file.owner.name == "svc" && file.mtime.inWindow("00:00", "20:00", "UTC")`, `file.owner.name == "svc" && file.mtime.inWindow("02:00", "04:00", "UTC")`},
	CodeUserSchedule:        {`file.owner.name == "svc" && file.mtime.within(host.user_schedules, "crontab:svc", duration("10m"))`, `file.owner.name == "svc" && file.mtime.within(host.schedules, "/etc/cron.d/svc", duration("10m"))`},
	CodeScheduleName:        {`file.owner.name == "svc" && file.mtime.within(host.schedules, "nightly", duration("10m"))`, `file.owner.name == "svc" && file.mtime.within(host.schedules, "nightly.timer", duration("10m"))`},
	CodeUnresolvedParameter: {`file.path.under(params.unset) && package.verified`, `file.path.under(params.tool_dirs) && package.verified`},
	CodeCost:                {`params.tool_dirs.exists(a, params.many.exists(b, params.many.exists(c, host.tags.exists(t, t == a || b == c))))`, `params.tool_dirs.exists(d, file.path.under(d)) && package.verified`},
}
