package kql

import (
	"fmt"
	"strings"

	"github.com/besra-hunt/besra"
)

// The tables of others. Their columns are those of the reference of Azure
// Monitor and of the ASIM schemas; only what a hunt may want of them is here.

// columns reads a list of names, with the fact after "=" where it is simply the
// value of the column.
func columns(t Type, names string) []Column {
	var out []Column
	for _, word := range strings.Fields(names) {
		name, fact, _ := strings.Cut(word, "=")
		out = append(out, Column{Name: name, Type: t, Fact: fact})
	}
	return out
}

func concat(lists ...[]Column) []Column {
	var out []Column
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// windowsPath matches a path of Windows: a drive, or two backslashes.
const windowsPath = `\A(?:[A-Za-z]:[/\\]|\\\\)`

// slashed is a path in the form of the fact file.path: with slashes, and without
// the prefix of Windows' long paths.
func slashed(path string) string {
	return fmt.Sprintf(`iff(%[1]s matches regex %[2]s, replace_regex(replace_string(%[1]s, "\\", "/"), %[3]s, ""), %[1]s)`,
		path, quote(windowsPath), quote(`\A(?://\?/)?(?://\./)?`))
}

// places are the facts that follow from a path.
func places(column string) []Computed {
	const path = "BesraFilePath"
	return []Computed{
		{"file.path", []string{column}, slashed(column), path, "", column + " with slashes."},
		{"file.dir", []string{column}, fmt.Sprintf(`replace_regex(replace_regex(%s, "/[^/]*\\z", ""), "\\A(|[A-Za-z]:)\\z", "\\1/")`, slashed(column)),
			"BesraFileDir", fmt.Sprintf(`(%s contains_cs "/" or %[1]s contains_cs "\\")`, column), "The same up to its last slash."},
	}
}

// extension is file.ext by a column with the name.
func extension(column string) Computed {
	return Computed{"file.ext", []string{column}, fmt.Sprintf(`tolower(extract("(?s:.)(\\.[^.]*)\\z", 1, %s))`, column), "", "isnotempty(" + column + ")",
		column + " from its last dot on, in lower case; empty where there is none."}
}

// system is the host's system where the path tells: only Windows has drives.
func system(column string) Computed {
	return Computed{"host.os", []string{column}, fmt.Sprintf(`iff(%s matches regex %s, "windows", "")`, column, quote(windowsPath)), "BesraHostOs", "",
		"windows where " + column + " has a drive or begins with two backslashes; else not known."}
}

// DeviceFileEvents is Defender's table of changes of files. A row is of a file.
func DeviceFileEvents() Table {
	return Table{Name: "DeviceFileEvents", Contexts: []besra.Context{besra.ContextFile},
		Columns: concat(
			columns(DateTime, "TimeGenerated Timestamp InitiatingProcessCreationTime InitiatingProcessParentCreationTime"),
			columns(String, `ActionType DeviceId DeviceName=host.name FileName=file.name FolderPath PreviousFileName PreviousFolderPath
				SHA1=file.sha1 SHA256=file.sha256 MD5=file.md5 FileOriginUrl=file.origin_url FileOriginReferrerUrl FileOriginIP
				InitiatingProcessAccountDomain InitiatingProcessAccountName InitiatingProcessAccountSid InitiatingProcessAccountUpn
				InitiatingProcessMD5 InitiatingProcessSHA1 InitiatingProcessSHA256 InitiatingProcessFolderPath InitiatingProcessFileName
				InitiatingProcessCommandLine InitiatingProcessIntegrityLevel InitiatingProcessParentFileName InitiatingProcessVersionInfoCompanyName
				MachineGroup RequestProtocol RequestSourceIP RequestAccountName RequestAccountDomain RequestAccountSid ShareName SensitivityLabel Type TenantId`),
			columns(Long, "FileSize=file.size InitiatingProcessFileSize ReportId"),
			columns(Int, "InitiatingProcessId InitiatingProcessParentId RequestSourcePort"),
			columns(Dynamic, "AdditionalFields")),
		Computed: append(places("FolderPath"), extension("FileName"), system("FolderPath"),
			Computed{"file.mtime", []string{"ActionType", "TimeGenerated"}, `iff(ActionType in ("FileCreated", "FileModified"), TimeGenerated, datetime(null))`, "BesraFileMtime", "",
				"TimeGenerated of an event that created or changed the file."}),
	}
}

// DeviceProcessEvents is Defender's table of starts of processes. A row is of a
// process and of the file that was started.
func DeviceProcessEvents() Table {
	return Table{Name: "DeviceProcessEvents", Contexts: []besra.Context{besra.ContextProcess, besra.ContextFile},
		Columns: concat(
			columns(DateTime, "TimeGenerated Timestamp ProcessCreationTime=process.start InitiatingProcessCreationTime InitiatingProcessParentCreationTime"),
			columns(String, `ActionType DeviceId DeviceName=host.name FileName=file.name FolderPath SHA1=file.sha1 SHA256=file.sha256 MD5=file.md5
				ProcessCommandLine=process.cmdline ProcessIntegrityLevel ProcessTokenElevation ProcessVersionInfoCompanyName ProcessVersionInfoProductName
				ProcessVersionInfoOriginalFileName AccountDomain AccountName=process.user AccountSid AccountUpn AccountObjectId LogonId
				InitiatingProcessAccountDomain InitiatingProcessAccountName InitiatingProcessAccountSid InitiatingProcessAccountUpn
				InitiatingProcessMD5 InitiatingProcessSHA1 InitiatingProcessSHA256 InitiatingProcessFolderPath InitiatingProcessFileName
				InitiatingProcessCommandLine InitiatingProcessIntegrityLevel InitiatingProcessParentFileName MachineGroup Type TenantId`),
			columns(Long, "ProcessId=process.pid FileSize=file.size InitiatingProcessId InitiatingProcessParentId InitiatingProcessFileSize ReportId"),
			columns(Dynamic, "AdditionalFields")),
		Computed: append(places("FolderPath"), extension("FileName"), system("FolderPath"),
			Computed{"process.name", []string{"FileName"}, "FileName", "", "", "FileName."},
			Computed{"process.exe", []string{"FolderPath"}, slashed("FolderPath"), "BesraFilePath", "", "FolderPath with slashes."},
			Computed{"process.sha256", []string{"SHA256"}, "SHA256", "", "", "SHA256."}),
	}
}

// CommonSecurityLog is the table of what network devices report in CEF.
func CommonSecurityLog() Table {
	digest := func(fact string, length int) Computed {
		return Computed{fact, []string{"FileHash"}, fmt.Sprintf(`iff(strlen(FileHash) == %d, tolower(FileHash), "")`, length), stepName(fact), "",
			fmt.Sprintf("FileHash where it has %d characters, in lower case.", length)}
	}
	return Table{Name: "CommonSecurityLog", Contexts: []besra.Context{besra.ContextNetwork, besra.ContextFile},
		Columns: concat(
			columns(DateTime, "TimeGenerated StartTime=net.time EndTime ReceiptTime"),
			columns(String, `DeviceVendor DeviceProduct DeviceVersion DeviceEventClassID Activity LogSeverity DeviceAction ApplicationProtocol
				DeviceName Computer DeviceAddress Message Protocol SourceIP=net.src.ip SourceHostName SourceUserName SourceUserID SourceProcessName
				DestinationIP=net.dst.ip DestinationHostName=net.host DestinationUserName DestinationProcessName FileHash FileName=file.name FilePath
				FileType RequestURL=net.url RequestClientApplication=net.user_agent RequestMethod MaliciousIP ThreatSeverity AdditionalExtensions Type TenantId`),
			columns(Int, "SourcePort=net.src.port DestinationPort=net.dst.port FileSize=file.size SourceProcessId DestinationProcessId")),
		Computed: append(places("FilePath"), extension("FileName"), system("FilePath"),
			digest("file.sha256", 64), digest("file.sha1", 40), digest("file.md5", 32),
			Computed{"net.proto", []string{"Protocol"}, "tolower(Protocol)", "", "", "Protocol in lower case."}),
	}
}

// asimSystem is the host's system by the name in DvcOs.
func asimSystem() Computed {
	return Computed{"host.os", []string{"DvcOs"},
		`case(DvcOs contains "windows", "windows", DvcOs contains "mac", "darwin", DvcOs contains "linux", "linux", "")`, "BesraHostOs", "",
		"windows, darwin or linux where DvcOs has that word (mac for darwin); else not known."}
}

// FileEvents is the parser of ASIM for changes of files.
func FileEvents() Table {
	return Table{Name: "imFileEvent", Contexts: []besra.Context{besra.ContextFile},
		Columns: concat(
			columns(DateTime, "TimeGenerated EventStartTime EventEndTime TargetFileCreationTime=file.btime"),
			columns(String, `EventType EventResult EventVendor EventProduct EventSchema DvcHostname=host.name DvcIpAddr DvcId DvcOs DvcOsVersion
				TargetFilePath TargetFileName=file.name TargetFileDirectory TargetFileExtension TargetFileMD5=file.md5 TargetFileSHA1=file.sha1
				TargetFileSHA256=file.sha256 TargetFileSHA512=file.sha512 Hash HashType SrcFilePath SrcFileName ActorUsername ActorUserId ActorUsernameType
				ActingProcessName ActingProcessCommandLine ActingProcessId SrcIpAddr TargetUrl Type`),
			columns(Long, "TargetFileSize=file.size")),
		Computed: append(places("TargetFilePath"), extension("TargetFileName"), asimSystem(),
			Computed{"file.mtime", []string{"EventType", "EventStartTime"}, `iff(EventType in ("FileCreated", "FileModified"), EventStartTime, datetime(null))`, "BesraFileMtime", "",
				"EventStartTime of an event that created or changed the file."}),
	}
}

// ProcessEvents is the parser of ASIM for starts of processes.
func ProcessEvents() Table {
	name := `extract("([^/\\\\]*)\\z", 1, TargetProcessName)`
	return Table{Name: "imProcessCreate", Contexts: []besra.Context{besra.ContextProcess, besra.ContextFile},
		Columns: concat(
			columns(DateTime, "TimeGenerated EventStartTime EventEndTime TargetProcessCreationTime=process.start"),
			columns(String, `EventType EventResult EventVendor EventProduct EventSchema DvcHostname=host.name DvcIpAddr DvcId DvcOs DvcOsVersion
				TargetProcessName TargetProcessCommandLine=process.cmdline TargetProcessId TargetProcessMD5=file.md5 TargetProcessSHA1=file.sha1
				TargetProcessSHA256=file.sha256 TargetProcessSHA512=file.sha512 TargetProcessCurrentDirectory=process.cwd TargetUsername=process.user
				TargetUserId TargetUsernameType ActorUsername ActorUserId ActingProcessName ActingProcessCommandLine ActingProcessId
				ParentProcessName HashType Hash Type`)),
		Computed: append(places("TargetProcessName"), asimSystem(),
			Computed{"file.name", []string{"TargetProcessName"}, name, "BesraFileName", "", "TargetProcessName after its last slash or backslash."},
			Computed{"process.name", []string{"TargetProcessName"}, name, "BesraFileName", "", "The same."},
			Computed{"process.exe", []string{"TargetProcessName"}, slashed("TargetProcessName"), "BesraFilePath", "", "TargetProcessName with slashes."},
			Computed{"process.sha256", []string{"TargetProcessSHA256"}, "TargetProcessSHA256", "", "", "TargetProcessSHA256."}),
	}
}
