package lint

import (
	"slices"

	"github.com/besra-hunt/besra/exclusion"
)

// Code explains one kind of problem.
type Code struct {
	Code  string
	Level exclusion.Level // the usual one
	Why   string          // what goes wrong
	Mend  string          // what to do about it
	// Bad is an expression that has the fault, and Good one without it; both
	// are empty where the fault is not one of the expression.
	Bad, Good string
}

// The codes of the linter, besides those of package exclusion.
const (
	CodeNoOwner             = "no-owner"
	CodeNoReason            = "no-reason"
	CodeNoExpiry            = "no-expiry"
	CodeExpired             = "expired"
	CodeFarExpiry           = "far-expiry"
	CodeNoBenignTest        = "no-benign-test"
	CodeNoMaliciousTest     = "no-malicious-test"
	CodeDuplicateID         = "duplicate-id"
	CodeNotLower            = "not-lower"
	CodeIdleAllowWeak       = "idle-allow-weak"
	CodeTruncated           = "truncated"
	CodeDeadScenario        = "dead-scenario"
	CodeMixedLogic          = "mixed-logic"
	CodeAlwaysTrue          = "always-true"
	CodeNeverTrue           = "never-true"
	CodeIdlePart            = "idle-part"
	CodePolarity            = "polarity"
	CodeLonePath            = "lone-path"
	CodeWritablePath        = "writable-path"
	CodeWidePath            = "wide-path"
	CodeNameOnly            = "name-only"
	CodeWholeTool           = "whole-tool"
	CodeWholeUser           = "whole-user"
	CodeWholeHost           = "whole-host"
	CodePackageOnly         = "package-only"
	CodeWeakEvidence        = "weak-evidence"
	CodePathText            = "path-text"
	CodeRelativePath        = "relative-path"
	CodeLooseRegexp         = "loose-regexp"
	CodeDeadComparison      = "dead-comparison"
	CodeKnownBadListed      = "known-bad-listed"
	CodeScanTime            = "scan-time"
	CodeUnresolvedParameter = "unresolved-parameter"
	CodeUnusedParameter     = "unused-parameter"
	CodeCost                = "cost"
	CodeDuplicate           = "duplicate"
	CodeShadowed            = "shadowed"
	CodeConflict            = "conflict"
	CodeTogether            = "together-always"
	CodePlaceholder         = "placeholder"
	CodeExpiresSoon         = "expires-soon"
	CodeIdleContext         = "idle-context"
	CodeWholeRule           = "whole-rule"
	CodeWholeMail           = "whole-mail"
	CodePathForm            = "path-form"
	CodeMergedUsr           = "merged-usr"
	CodeCaseCompare         = "case-compare"
	CodeEmptyList           = "empty-list"
	CodeVacuousAll          = "vacuous-all"
	CodeWideNetwork         = "wide-network"
	CodeWideWindow          = "wide-window"
	CodeUserSchedule        = "user-schedule"
	CodeScheduleName        = "schedule-name"
)

const (
	errorLevel   = exclusion.LevelError
	warningLevel = exclusion.LevelWarning
	noteLevel    = exclusion.LevelNote
)

// Codes lists every code that [Check] reports, those of the compiler first.
func Codes() []Code { return slices.Clone(codes) }

// Explain returns the explanation of a code; ok is false where there is no such.
func Explain(code string) (c Code, ok bool) {
	i := slices.IndexFunc(codes, func(c Code) bool { return c.Code == code })
	if i < 0 {
		return Code{}, false
	}
	return codes[i], true
}

func codeNamed(code string) Code {
	if c, ok := Explain(code); ok {
		return c
	}
	return Code{Code: code, Level: errorLevel}
}

var codes = explain([]entry{
	{exclusion.CodeNoID, errorLevel, "Findings and ledgers name an exclusion by its id.", "give it a short stable id"},
	{exclusion.CodeNoWhen, errorLevel, "Prose alone excludes nothing.", "write in CEL when the match is benign"},
	{exclusion.CodeNoContext, errorLevel, "It is never asked.", "list the contexts that know its facts"},
	{exclusion.CodeUnknownContext, errorLevel, "There is no such kind of target.", "use one of the contexts of the vocabulary"},
	{exclusion.CodeBadEffect, errorLevel, "There is no such effect.", "write suppress, downgrade or annotate"},
	{exclusion.CodeBadSeverity, errorLevel, "A downgrade needs a severity to lead to.", "write informational, low, medium or high"},
	{exclusion.CodeBadDate, errorLevel, "The day of expiry cannot be read.", "write it as year-month-day"},
	{exclusion.CodeBadParameter, errorLevel, "A parameter has no type, or a value that is not of it.", "give a type, and a value or default of that type"},
	{exclusion.CodeBadKnownBad, warningLevel, "The known-bad guard cannot compare it with a file.", "write an MD5, SHA-1 or SHA-256 in hex"},
	{exclusion.CodeSyntax, errorLevel, "The expression cannot be read.", "see besra exclusion functions for the language"},
	{exclusion.CodeTooLong, errorLevel, "The expression exceeds the bounds of the language.", "move long lists into parameters"},
	{exclusion.CodeUnknownName, errorLevel, "There is no such fact; it would be unknown for ever.", "use a fact of the vocabulary"},
	{exclusion.CodeUnknownParameter, errorLevel, "The detection declares no such parameter.", "declare it, or mend its spelling"},
	{exclusion.CodeUnknownFunction, errorLevel, "There is no such function.", "see besra exclusion functions"},
	{exclusion.CodeType, errorLevel, "Values of different types are compared, or there is no yes or no.", "compare like with like"},
	{exclusion.CodeBadArgument, errorLevel, "The call would fail on every file.", "see besra exclusion functions"},
	{exclusion.CodeWrongContext, errorLevel, "A fact is never known in a listed context, so the exclusion stays silent there.", "make one exclusion for each context"},

	{CodeNoOwner, errorLevel, "Nobody answers for what it hides.", "name a team or person as owner"},
	{CodeNoReason, errorLevel, "Nobody can judge later whether it still holds.", "say in a sentence why the match is benign"},
	{CodePlaceholder, warningLevel, "A word that fills a form tells nobody whom to ask, or why.", "name a team, and say in a sentence why the match is benign"},
	{CodeNoExpiry, errorLevel, "It hides findings for ever.", "give a day within the next year, and renew it then"},
	{CodeExpired, warningLevel, "It has lapsed: findings are reported again.", "renew it with a fresh look, or remove it"},
	{CodeExpiresSoon, noteLevel, "It lapses within two weeks: findings are reported again then.", "renew it with a fresh look, or let it lapse"},
	{CodeFarExpiry, warningLevel, "Nobody will look at it again in time.", "choose an earlier day"},
	{CodeNoBenignTest, warningLevel, "Nothing shows that it ever works.", "add a benign fixture that the rule matches and the exclusion must hold for"},
	{CodeNoMaliciousTest, warningLevel, "Nothing shows that it leaves an attacker visible.", "add a malicious twin: the same bytes with one fact changed"},
	{CodeDuplicateID, errorLevel, "Findings could not say which of the two hid them.", "give each its own id"},
	{CodeNotLower, warningLevel, "The downgrade changes nothing, because the detection is no more severe than that.", "downgrade to a lower severity, or annotate"},
	{CodeIdleAllowWeak, warningLevel, "The opt-in to weak evidence is not used, and will be when someone weakens the expression.", "remove allow_weak"},
	{CodeTruncated, noteLevel, "The prose was cut off where it was found, so the expression may lack a condition.", "find the whole text, or decide what was meant and remove the mark"},
	{CodeIdleContext, warningLevel, "The detection is not meant for this context, so the exclusion is never asked there.", "remove the context, or add it to the detection"},
	{CodeDeadScenario, warningLevel, "The rule does not match the scenario's own benign fixture: there is nothing to exclude.", "remove the exclusion, or mend the fixture"},

	{CodeMixedLogic, errorLevel, "&& and || side by side are read in more than one way.", "write parentheses"},
	{CodeAlwaysTrue, errorLevel, "It holds for every file: the detection is switched off.", "say what is benign, not what is not: a != \"x\" || a != \"y\" is always true"},
	{CodeNeverTrue, errorLevel, "It holds for no file: the parts contradict each other.", "use || between alternatives"},
	{CodeIdlePart, warningLevel, "A part has the same answer for every file, so it decides nothing.", "remove it, or say what was meant"},
	{CodePolarity, errorLevel, "It excludes everything but what it names, so every new thing an attacker brings is excluded too.", "name what is benign: x == \"tool\", not x != \"tool\""},
	{CodeLonePath, errorLevel, "A path alone is benign for whoever can write there (ATT&CK T1564.012).", "add a fact an intruder does not choose: file.sha256, package.verified, file.owner.name; or record the reason in allow_weak"},
	{CodeWritablePath, errorLevel, "Anyone can put a file there (ATT&CK T1564.012).", "exclude by hash, or by a path that only root can write"},
	{CodeWidePath, errorLevel, "The directory holds most of a system.", "name the tool's own directory"},
	{CodeNameOnly, errorLevel, "A name is what an attacker changes first.", "add a second, independent fact: hash, package, owner"},
	{CodeWholeTool, errorLevel, "Attackers work with the same tool (a living-off-the-land binary).", "exclude one use of it: its command line with its parent and user, or the file's hash"},
	{CodeWholeUser, errorLevel, "It is the account an intruder has in the end.", "add what the account does: a path and a hash, a schedule"},
	{CodeWholeHost, errorLevel, "It switches the detection off for whole hosts.", "say which files on these hosts"},
	{CodeWholeRule, errorLevel, "The rule, its tags and its patterns are the same wherever it matches: this switches it off.", "add which files it is benign in"},
	{CodeWholeMail, errorLevel, "Passing DKIM or SPF shows who sent a message, not that the sender is a friend.", "add the domain: mail.from_domain == \"example.org\" && mail.dkim == \"pass\""},
	{CodePackageOnly, warningLevel, "The package index is local and knows weak digests: alone it only downgrades.", "add the path of the package's files, or a hash"},
	{CodeWeakEvidence, warningLevel, "All its facts are forgeable, so it only downgrades.", "add a fact an intruder does not choose"},
	{CodePathText, warningLevel, "Compared as text, /var/update also fits /var/update-evil or /tmp/var/update.", "use under or glob, which compare whole elements"},
	{CodePathForm, errorLevel, "Facts give paths whole and cleaned: what a shell or Windows would make of other forms is not done here.", "write the path as a listing shows it, such as /home/svc/tool or C:/Program Files/Tool"},
	{CodeMergedUsr, warningLevel, "/bin, /sbin and /lib are links into /usr on most Linux hosts, and files are found by where they are.", "name the directory in /usr, or both"},
	{CodeCaseCompare, warningLevel, "Windows does not tell upper from lower case in names; == and startsWith do, so that one spelling fits and the other does not.", "use under or glob, which follow the host's system"},
	{CodeRelativePath, warningLevel, "Files on a host have absolute paths: this fits none.", "start with / or a drive, or with **/"},
	{CodeLooseRegexp, warningLevel, "A regular expression without ^ and $ fits any text that has it inside.", "anchor it at both ends"},
	{CodeDeadComparison, errorLevel, "The fact never has a value of this form, so the comparison has one answer.", "write the value as the vocabulary spells it"},
	{CodeKnownBadListed, errorLevel, "The list of trusted hashes has the detection's own malware in it.", "remove the hash, and find out who trusted it"},
	{CodeScanTime, warningLevel, "The time of the scan says nothing about the file.", "name a time of the file, process or stream"},
	{CodeUnresolvedParameter, noteLevel, "The site has not set a parameter: until then the exclusion stays undecided.", "set the parameter"},
	{CodeUnusedParameter, warningLevel, "No exclusion uses the parameter: setting it changes nothing.", "remove it, or use it"},
	{CodeCost, warningLevel, "At its greatest the evaluation would be stopped by its cost limit.", "use in on a list instead of exists, or a shorter list"},
	{CodeEmptyList, errorLevel, "Nothing is a member of an empty list, so the test has one answer.", "fill the list, or remove the test"},
	{CodeVacuousAll, warningLevel, "all() is true of an empty list, and so of what nobody has open, or that has no ancestors.", "ask for the size too: size(list) > 0 && list.all(…)"},
	{CodeWideNetwork, errorLevel, "A network so large has attackers in it.", "name the networks that are your own"},
	{CodeWideWindow, warningLevel, "A window that is open most of the time says little of what falls into it.", "shorten it, or the slack, to what the job takes"},
	{CodeUserSchedule, warningLevel, "A user writes his own crontab, and so decides when this window is open.", "use host.schedules, which only root writes, or add a fact that the user does not choose"},
	{CodeScheduleName, errorLevel, "Schedules are known by the name of their unit, their crontab or a program they run.", "write NAME.timer, /etc/cron.d/NAME, crontab:USER or the program's path"},
	{CodeDuplicate, warningLevel, "It says the same as another exclusion.", "keep one"},
	{CodeShadowed, warningLevel, "Whenever it holds an earlier or wider exclusion holds too, so it does nothing.", "remove it, or narrow the other"},
	{CodeConflict, warningLevel, "Two exclusions agree on what is benign and not on what follows; the stronger effect wins.", "decide on one effect and remove the other exclusion"},
	{CodeTogether, errorLevel, "Of every file one of two exclusions holds: together they switch the detection off.", "say in each what is benign, with facts of its own"},
})

// entry is a line of the table.
type entry struct {
	code  string
	level exclusion.Level
	why   string
	mend  string
}

func explain(table []entry) []Code {
	var out []Code
	for _, e := range table {
		out = append(out, Code{Code: e.code, Level: e.level, Why: e.why, Mend: e.mend, Bad: examples[e.code].bad, Good: examples[e.code].good})
	}
	return out
}
