package detection

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection/attack"
	"github.com/besra-hunt/besra/lazyregexp"
)

// What rules say of themselves in their meta section follows no standard, but
// a few conventions: that of signature-base and THOR (score, hash1, reference,
// license), of CCCS (mitre_att, sharing, status, fingerprint), of YARA-Forge
// (source_url, license_url, score, tags), of Elastic (severity as a number,
// threat_name, reference_sample, scan_context) and of malcontent (the severity
// as a tag, hash_2024_name). ruleMeta reads all of them.

// metaFacts is what a rule says of itself.
type metaFacts struct {
	title, author, license, source, upstream string
	severity                                 besra.Severity // empty where nothing is said
	confidence                               int
	attack                                   attack.IDs
	references, knownBad                     []string
	tlp                                      TLP
	status                                   Status
	contexts                                 []besra.Context // of Elastic's scan_context
}

// readMeta reads the meta section and tags of a rule. The first of two values
// of one field counts.
func readMeta(name string, meta iter.Seq2[string, any], tags []string) metaFacts {
	f := metaFacts{}
	licenseURL := ""
	for key, value := range meta {
		key = strings.ToLower(key)
		switch v := value.(type) {
		case string:
			if key == "license_url" {
				licenseURL = v
			}
			f.text(key, strings.TrimSpace(v))
		case int64:
			f.number(key, v)
		}
	}
	for _, tag := range tags {
		f.tag(tag)
	}
	if f.license == "" {
		f.license = licenseURL
	}
	f.title = firstOf(f.title, name)
	if f.severity == "" && f.confidence > 0 {
		f.severity = scoreSeverity(int64(f.confidence))
	}
	return f
}

var (
	hashKey      = lazyregexp.New(`^(hash|md5|sha1|sha256|sha_256|sample|reference_sample)(_?[0-9]+|_[0-9a-z_]+)?$`)
	attackKey    = lazyregexp.New(`^(mitre|attack|att_?ck|technique|tactic)`)
	referenceKey = lazyregexp.New(`^(reference|ref|report|url|link|blog)s?_?[0-9]*$`)
	addressText  = lazyregexp.New(`https?://[^\s"'<>,]+`)
)

// text takes an entry whose value is a text.
func (f *metaFacts) text(key, v string) {
	set := func(field *string) {
		if *field == "" {
			*field = v
		}
	}
	switch key {
	case "description", "desc":
		set(&f.title)
	case "author", "authors":
		set(&f.author)
	case "license", "licence":
		set(&f.license)
	case "source", "source_url", "rule_source", "origin":
		set(&f.source)
	case "id", "uuid", "rule_id":
		set(&f.upstream)
	case "severity":
		f.word(v)
	case "status":
		f.status = statusOf(v)
	case "score", "confidence":
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			f.number(key, n)
		}
	case "tlp", "sharing", "rule_sharing_tlp":
		if f.tlp == "" {
			f.tlp = tlpOf(v)
		}
	case "scan_context":
		f.scanContext(v)
	case "mitre_group", "actor_id":
		f.attack.Find(v)
	}
	f.listed(key, v)
}

// listed takes an entry of a kind of which there may be several.
func (f *metaFacts) listed(key, v string) {
	switch {
	case attackKey().MatchString(key):
		f.attack.Find(v)
	case hashKey().MatchString(key):
		if h := strings.ToLower(v); validDigest().MatchString(h) && !slices.Contains(f.knownBad, h) {
			f.knownBad = append(f.knownBad, h)
		}
	case referenceKey().MatchString(key) || key == "source_url":
		for _, url := range addressText().FindAllString(v, -1) {
			if !slices.Contains(f.references, url) {
				f.references = append(f.references, url)
			}
			if strings.Contains(url, "attack.mitre.org/") {
				f.attack.Find(url)
			}
		}
	}
}

// number takes an entry whose value is a whole number.
func (f *metaFacts) number(key string, v int64) {
	switch {
	case key == "score" && v != 0 || key == "confidence" && v > 0:
		f.confidence = int(min(max(v, 1), 100)) // THOR's negative scores are of rules that take points away
	case key == "severity" && v >= 0 && f.severity == "":
		f.severity = scoreSeverity(v) // Elastic counts from 1 to 100
	}
}

// tag takes a tag: ATT&CK ids, or a severity as malcontent gives it.
func (f *metaFacts) tag(tag string) {
	low := strings.ToLower(tag)
	if f.severity == "" && slices.Contains([]string{"low", "medium", "high", "critical", "harmless"}, low) {
		f.word(low)
		return
	}
	f.attack.Find(strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(low, "attack_"), "mitre_"), "_", "."))
}

func (f *metaFacts) word(v string) {
	if f.severity != "" {
		return
	}
	switch v = strings.ToLower(v); v {
	case "critical", "crit":
		f.severity = besra.SeverityHigh
	case "info", "harmless", "none":
		f.severity = besra.SeverityInformational
	case "med", "moderate":
		f.severity = besra.SeverityMedium
	default:
		if s := besra.Severity(v); s.Rank() >= 0 {
			f.severity = s
		} else if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			f.number("severity", n)
		}
	}
}

func (f *metaFacts) scanContext(v string) {
	if strings.Contains(v, "file") {
		f.contexts = append(f.contexts, besra.ContextFile, besra.ContextImage, besra.ContextArchive, besra.ContextMail, besra.ContextObject)
	}
	if strings.Contains(v, "memory") {
		f.contexts = append(f.contexts, besra.ContextProcess)
	}
}

// statusOf reads CCCS's words for a status; others are a draft.
func statusOf(v string) Status {
	switch strings.ToUpper(v) {
	case "RELEASED", "STABLE":
		return StatusStable
	case "TESTING", "TEST", "EXPERIMENTAL":
		return StatusTest
	case "DEPRECATED":
		return StatusDeprecated
	}
	return ""
}

// tlpOf reads a label; white is what clear was called before version 2.0.
func tlpOf(v string) TLP {
	v = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(v), "tlp:"), "tlp ")
	if v = strings.TrimSpace(v); v == "white" {
		return TLPClear
	}
	if slices.Contains(tlps(), TLP(v)) {
		return TLP(v)
	}
	return ""
}

// scoreSeverity turns a score of 1 to 100 into a severity by the levels of
// THOR: a notice from 40, a warning from 60, an alert above 80.
func scoreSeverity(score int64) besra.Severity {
	switch {
	case score > 80:
		return besra.SeverityHigh
	case score >= 60:
		return besra.SeverityMedium
	case score >= 40:
		return besra.SeverityLow
	}
	return besra.SeverityInformational
}

// attackOf returns what a detection file says of ids.
func attackOf(ids attack.IDs) Attack {
	if ids.Empty() {
		return Attack{}
	}
	return Attack{Version: attack.Version, Tactics: ids.Tactics, Techniques: ids.Techniques, Groups: ids.Groups, Software: ids.Software}
}

// apply fills a detection with what a rule says of itself, where the detection
// says nothing yet.
func (f metaFacts) apply(d *Detection) {
	d.Title = firstOf(d.Title, f.title)
	if d.Severity == "" {
		d.Severity = besra.Severity(firstOf(string(f.severity), string(besra.SeverityMedium)))
	}
	if d.Confidence == 0 {
		d.Confidence = f.confidence
	}
	if d.Attack.Version == "" {
		d.Attack = attackOf(f.attack)
	}
	if d.Contexts == nil {
		d.Contexts = f.contexts
	}
	d.Status = Status(firstOf(string(d.Status), string(f.status)))
	if d.References == nil {
		d.References = f.references
	}
	if d.Rule.KnownBad == nil {
		d.Rule.KnownBad = f.knownBad
	}
	f.provenance(&d.Provenance)
}

func (f metaFacts) provenance(p *Provenance) {
	p.Author = firstOf(p.Author, f.author)
	p.License = firstOf(p.License, f.license)
	p.Source = firstOf(p.Source, f.source)
	if p.License == "" {
		p.License, p.Source = knownLicense(p.Author, p.Source)
	}
	p.Upstream = firstOf(p.Upstream, f.upstream)
	p.TLP = TLP(firstOf(string(p.TLP), string(f.tlp)))
	p.Attribution = p.Attribution || asksAttribution(p.License)
}

// asksAttribution reports whether a licence asks that messages based on a match
// name the author, as the Detection Rule License does.
func asksAttribution(license string) bool {
	return strings.Contains(license, "Detection Rule License") || strings.Contains(license, "DRL")
}
