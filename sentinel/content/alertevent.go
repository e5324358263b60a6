package content

// alertEvent shows findings in the schema AlertEvent 0.1 of ASIM, so that what
// is written for that schema reads them.
const alertEvent = `| extend EventCount = int(1), EventStartTime = TimeGenerated, EventEndTime = TimeGenerated, EventType = "Alert", EventSubType = "Threat",
    EventUid = FindingId, EventOriginalUid = FindingId, EventProduct = "Besra", EventVendor = "Besra", EventProductVersion = SensorVersion,
    EventSchema = "AlertEvent", EventSchemaVersion = "0.1", EventSeverity = EffectiveSeverity, EventOriginalSeverity = AuthorSeverity,
    AlertId = FindingId, AlertName = DetectionTitle, AlertDescription = Hypothesis, AlertStatus = iff(EffectiveVerdict == "suppressed", "Closed", "Active"),
    AlertVerdict = iff(EffectiveVerdict == "suppressed", "Benign Positive", "Unknown"), AlertOriginalStatus = Verdict, DetectionMethod = "Other",
    RuleDescription = strcat("by ", RuleAuthor, ", licence ", RuleLicense, ", source ", RuleSource),
    ThreatName = DetectionTitle, ThreatConfidence = toint(Confidence), ThreatOriginalConfidence = tostring(Confidence), IndicatorType = "File",
    IndicatorAssociation = "Associated", AttackTactics = strcat_array(Tactics, ", "), AttackTechniques = strcat_array(Techniques, ", "),
    DvcHostname = HostName, Dvc = HostName, DvcOs = HostOs,
    Username = iff(isempty(ProcessUser), FileOwner, ProcessUser), UsernameType = "Simple",
    ProcessId = tostring(ProcessId), FileSHA256 = SHA256, FileSHA1 = SHA1, FileMD5 = MD5,
    IpAddr = iff(isempty(SourceIp), DestinationIp, SourceIp),
    AdditionalFields = bag_pack("DetectionId", DetectionId, "Exclusion", EffectiveExclusion, "Target", TargetName, "Context", Context, "Pack", Pack)
| project TimeGenerated, EventCount, EventStartTime, EventEndTime, EventType, EventSubType, EventUid, EventOriginalUid, EventProduct, EventVendor,
    EventProductVersion, EventSchema, EventSchemaVersion, EventSeverity, EventOriginalSeverity, AlertId, AlertName, AlertDescription, AlertStatus,
    AlertOriginalStatus, AlertVerdict, DetectionMethod, RuleName, RuleDescription, ThreatName, ThreatConfidence, ThreatOriginalConfidence, IndicatorType,
    IndicatorAssociation, AttackTactics, AttackTechniques, DvcHostname, Dvc, DvcOs, Username, UsernameType, ProcessId, ProcessName,
    ProcessCommandLine, FileName, FilePath, FileSHA256, FileSHA1, FileMD5, FileSize, Url, IpAddr, AdditionalFields`

// alertEventParameters are the filters that parsers of the schema take.
const alertEventParameters = "starttime:datetime=datetime(null), endtime:datetime=datetime(null), ipaddr_has_any_prefix:dynamic=dynamic([]), " +
	"hostname_has_any:dynamic=dynamic([]), username_has_any:dynamic=dynamic([]), attacktactics_has_any:dynamic=dynamic([]), " +
	"attacktechniques_has_any:dynamic=dynamic([]), threatcategory_has_any:dynamic=dynamic([]), alertverdict_has_any:dynamic=dynamic([]), " +
	"eventseverity_has_any:dynamic=dynamic([]), disabled:bool=false"

// alertParsers adds the parser with filters and the one without.
func (b *builder) alertParsers() {
	plain := function("ASimAlertEventBesra", "ASIM: findings of Besra as AlertEvent", "", FindingsFunction+"\n| where not(disabled)\n"+alertEvent)
	plain.Properties["functionParameters"] = "disabled:bool=false"
	filtering := function("vimAlertEventBesra", "ASIM: findings of Besra as AlertEvent, with filters", "", FindingsFunction+`
| where not(disabled)
| where (isnull(starttime) or TimeGenerated >= starttime) and (isnull(endtime) or TimeGenerated <= endtime)
| where array_length(hostname_has_any) == 0 or HostName has_any (hostname_has_any)
| where array_length(username_has_any) == 0 or ProcessUser has_any (username_has_any) or FileOwner has_any (username_has_any)
| where array_length(ipaddr_has_any_prefix) == 0 or has_any_ipv4_prefix(SourceIp, ipaddr_has_any_prefix) or has_any_ipv4_prefix(DestinationIp, ipaddr_has_any_prefix)
| where array_length(attacktactics_has_any) == 0 or tostring(Tactics) has_any (attacktactics_has_any)
| where array_length(attacktechniques_has_any) == 0 or tostring(Techniques) has_any (attacktechniques_has_any)
| where array_length(threatcategory_has_any) == 0
`+alertEvent+`
| where array_length(alertverdict_has_any) == 0 or AlertVerdict has_any (alertverdict_has_any)
| where array_length(eventseverity_has_any) == 0 or EventSeverity has_any (eventseverity_has_any)`)
	filtering.Properties["functionParameters"] = alertEventParameters
	b.add(plain)
	b.add(filtering)
}
