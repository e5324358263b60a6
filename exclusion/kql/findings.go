package kql

import "github.com/besra-hunt/besra"

// FindingsTable is the name of the custom table that findings land in.
const FindingsTable = "BesraFindings_CL"

// Findings returns the table of our own findings. Its columns are the one
// agreement that the delivery of findings, the content that reads them and the
// exclusions compiled to KQL share.
//
// A fact that an exclusion asks for and that has no column of its own stands in
// the column Facts under its dotted name; a fact that was not known is not in
// there. Names keep the limits of custom tables: at most 45 characters of
// [A-Za-z0-9_], none of the reserved words (Logs Ingestion API, "Create or edit
// custom tables").
func Findings() Table {
	return Table{Name: FindingsTable, Contexts: besra.Contexts(), ContextColumn: "Context", Bag: "Facts", Cut: "Trimmed",
		SeverityColumn: "Severity", DetectionColumn: "DetectionId", Computed: foundLater(), Columns: findingsColumns()}
}

// foundLater are the facts of a finding that have neither a column nor need the
// bag.
func foundLater() []Computed {
	return []Computed{
		extension("FileName"),
		{"scan.time", []string{"TimeGenerated"}, "TimeGenerated", "", "", "TimeGenerated."},
	}
}

func findingsColumns() []Column {
	return []Column{
		{"TimeGenerated", DateTime, "", "Time of the scan of the target."},
		{"FindingId", String, "", "Identifier of the finding: the same rule on the same content at the same place has the same one in every run."},
		{"RunId", String, "", "Identifier of the run."},
		{"SensorVersion", String, "", "Version of besra that scanned."},
		{"Context", String, "", "Where the bytes were: file, archive, process, network, mail, image, object."},
		{"TargetName", String, "", "Name of the target, with the way into archives."},
		{"HostName", String, "host.name", "Host the bytes belong to."},
		{"HostOs", String, "host.os", "Its operating system."},
		{"HostTags", Dynamic, "host.tags", "Tags the operator gave it."},
		{"FilePath", String, "file.path", "Path, cleaned and slash-separated."},
		{"FileDirectory", String, "file.dir", "Directory part of FilePath."},
		{"FileName", String, "file.name", "Last element of FilePath."},
		{"FileSize", Long, "file.size", "Size in bytes."},
		{"FileMagic", String, "file.magic", "Class of the content by its first bytes."},
		{"FileOwner", String, "file.owner.name", "Owner's name."},
		{"FileGroup", String, "file.group.name", "Group's name."},
		{"FileModified", DateTime, "file.mtime", "Time of the last change of the content, as the file system says."},
		{"MD5", String, "file.md5", "Lower-case hex."},
		{"SHA1", String, "file.sha1", "Lower-case hex."},
		{"SHA256", String, "file.sha256", "Lower-case hex."},
		{"ProcessName", String, "process.name", "Base name of the executable."},
		{"ProcessPath", String, "process.exe", "Path of the executable."},
		{"ProcessId", Long, "process.pid", "Process identifier."},
		{"ProcessCommandLine", String, "process.cmdline", "Command line."},
		{"ProcessUser", String, "process.user", "User it runs as."},
		{"SourceIp", String, "net.src.ip", "Address that sent the bytes."},
		{"SourcePort", Long, "net.src.port", "Port that sent them."},
		{"DestinationIp", String, "net.dst.ip", "Address that received them."},
		{"DestinationPort", Long, "net.dst.port", "Port that received them."},
		{"Url", String, "net.url", "URL the object was carved from."},
		{"DetectionId", String, "", "Identifier of the detection."},
		{"DetectionVersion", String, "", "Its version."},
		{"DetectionTitle", String, "", "Its title."},
		{"DetectionStatus", String, "", "draft, test, stable or deprecated."},
		{"Hypothesis", String, "", "The hypothesis that the detection hunts for."},
		{"Pack", String, "", "Pack the detection came in."},
		{"RuleName", String, "rule.name", "Rule that matched."},
		{"RuleTags", Dynamic, "rule.tags", "Its tags."},
		{"RuleAuthor", String, "", "Author of the rule; shown in every message based on a match."},
		{"RuleLicense", String, "", "Licence of the rule."},
		{"RuleSource", String, "", "Where the rule comes from."},
		{"Severity", String, "", "Informational, Low, Medium or High, after downgrades."},
		{"AuthorSeverity", String, "", "The detection's own severity."},
		{"Confidence", Long, "", "1 to 100; empty where nobody has said."},
		{"Tactics", Dynamic, "", "Tactics of ATT&CK in Sentinel's words."},
		{"Techniques", Dynamic, "", "Techniques of ATT&CK."},
		{"Patterns", Dynamic, "", "Patterns that occur, each with its count and its first matches."},
		{"MatchPatterns", Dynamic, "match.patterns", "Identifiers of those patterns."},
		{"MatchCount", Long, "match.count", "Number of their occurrences."},
		{"Verdict", String, "", "alert, undecided, downgraded or suppressed."},
		{"Disposition", String, "", "Undetermined, or BenignPositive where an exclusion suppressed the finding."},
		{"ExclusionId", String, "", "Exclusion that suppressed or downgraded."},
		{"ExclusionReason", String, "", "Its owner's reason."},
		{"Decisions", Dynamic, "", "Every exclusion that was asked, with its outcome and the facts that were missing."},
		{"Facts", Dynamic, "", "Every fact that was known and asked for, by its dotted name."},
		{"Trimmed", Dynamic, "", "Names of the columns cut to fit the limits of one row, where any was."},
	}
}
