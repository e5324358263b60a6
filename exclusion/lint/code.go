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
)

const (
	errorLevel   = exclusion.LevelError
	warningLevel = exclusion.LevelWarning
	noteLevel    = exclusion.LevelNote
)

// Codes lists every code that [Check] reports, those of the compiler first.
func Codes() []Code { return slices.Clone(codes) }

func codeNamed(code string) Code {
	i := slices.IndexFunc(codes, func(c Code) bool { return c.Code == code })
	if i < 0 {
		return Code{Code: code, Level: errorLevel}
	}
	return codes[i]
}

var codes = []Code{
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
	{CodeNoExpiry, errorLevel, "It hides findings for ever.", "give a day within the next year, and renew it then"},
	{CodeExpired, warningLevel, "It has lapsed: findings are reported again.", "renew it with a fresh look, or remove it"},
	{CodeFarExpiry, warningLevel, "Nobody will look at it again in time.", "choose an earlier day"},
	{CodeNoBenignTest, warningLevel, "Nothing shows that it ever works.", "add a benign fixture that the rule matches and the exclusion must hold for"},
	{CodeNoMaliciousTest, warningLevel, "Nothing shows that it leaves an attacker visible.", "add a malicious twin: the same bytes with one fact changed"},
	{CodeDuplicateID, errorLevel, "Findings could not say which of the two hid them.", "give each its own id"},
	{CodeNotLower, warningLevel, "The downgrade changes nothing, because the detection is no more severe than that.", "downgrade to a lower severity, or annotate"},
	{CodeIdleAllowWeak, warningLevel, "The opt-in to weak evidence is not used, and will be when someone weakens the expression.", "remove allow_weak"},
	{CodeTruncated, noteLevel, "The prose was cut off where it was found, so the expression may lack a condition.", "find the whole text, or decide what was meant and remove the mark"},
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
	{CodePackageOnly, warningLevel, "The package index is local and knows weak digests: alone it only downgrades.", "add the path of the package's files, or a hash"},
	{CodeWeakEvidence, warningLevel, "All its facts are forgeable, so it only downgrades.", "add a fact an intruder does not choose"},
	{CodePathText, warningLevel, "Compared as text, /var/update also fits /var/update-evil or /tmp/var/update.", "use under or glob, which compare whole elements"},
	{CodeRelativePath, warningLevel, "Files on a host have absolute paths: this fits none.", "start with / or a drive, or with **/"},
	{CodeLooseRegexp, warningLevel, "A regular expression without ^ and $ fits any text that has it inside.", "anchor it at both ends"},
	{CodeDeadComparison, errorLevel, "The fact never has a value of this form, so the comparison has one answer.", "write the value as the vocabulary spells it"},
	{CodeKnownBadListed, errorLevel, "The list of trusted hashes has the detection's own malware in it.", "remove the hash, and find out who trusted it"},
	{CodeScanTime, warningLevel, "The time of the scan says nothing about the file.", "name a time of the file, process or stream"},
	{CodeUnresolvedParameter, noteLevel, "The site has not set a parameter: until then the exclusion stays undecided.", "set the parameter"},
	{CodeUnusedParameter, warningLevel, "No exclusion uses the parameter: setting it changes nothing.", "remove it, or use it"},
	{CodeCost, warningLevel, "At its greatest the evaluation would be stopped by its cost limit.", "use in on a list instead of exists, or a shorter list"},
	{CodeDuplicate, warningLevel, "It says the same as another exclusion.", "keep one"},
	{CodeShadowed, warningLevel, "Whenever it holds an earlier or wider exclusion holds too, so it does nothing.", "remove it, or narrow the other"},
}
