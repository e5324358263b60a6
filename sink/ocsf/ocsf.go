// Package ocsf writes findings as events of the Open Cybersecurity Schema
// Framework: class Detection Finding (2004), one JSON object a line. What the
// schema has no attribute for is under unmapped. Runs, gaps and summaries have
// no event.
package ocsf

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// Version is the version of the schema.
const Version = "1.4.0"

// New returns a sink that writes to w; see [lines.New].
func New(w io.Writer) besra.Sink { return lines.New("ocsf", w, Encode) }

// The numbers of the schema that every event has.
const (
	categoryFindings = 2
	classDetection   = 2004
	activityCreate   = 1
)

// profile is what action and disposition are attributes of.
const profile = "security_control"

type event struct {
	Activity     int         `json:"activity_id"`
	ActivityName string      `json:"activity_name"`
	Category     int         `json:"category_uid"`
	CategoryName string      `json:"category_name"`
	Class        int         `json:"class_uid"`
	ClassName    string      `json:"class_name"`
	Type         int         `json:"type_uid"`
	TypeName     string      `json:"type_name"`
	Time         int64       `json:"time"` // milliseconds since 1970
	Severity     int         `json:"severity_id"`
	SeverityName string      `json:"severity"`
	Status       int         `json:"status_id"`
	StatusName   string      `json:"status"`
	StatusDetail string      `json:"status_detail,omitempty"`
	Action       int         `json:"action_id"`
	ActionName   string      `json:"action"`
	Disposition  int         `json:"disposition_id"`
	DispName     string      `json:"disposition"`
	IsAlert      bool        `json:"is_alert"`
	Message      string      `json:"message"`
	Metadata     metadata    `json:"metadata"`
	FindingInfo  findingInfo `json:"finding_info"`
	Resources    []resource  `json:"resources,omitempty"`
	Evidences    []evidence  `json:"evidences,omitempty"`
	Unmapped     unmapped    `json:"unmapped"`
}

type metadata struct {
	Version  string   `json:"version"`
	Profiles []string `json:"profiles"`
	Product  product  `json:"product"`
	UID      string   `json:"uid,omitempty"`
}

type product struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor_name"`
}

type findingInfo struct {
	UID       string   `json:"uid"`
	Title     string   `json:"title"`
	Created   int64    `json:"created_time"`
	Analytic  analytic `json:"analytic"`
	DataSrcs  []string `json:"data_sources,omitempty"`
	SourceURL string   `json:"src_url,omitempty"`
}

type analytic struct {
	Name     string `json:"name"`
	UID      string `json:"uid"`
	Type     string `json:"type"`
	TypeID   int    `json:"type_id"`
	Version  string `json:"version,omitempty"`
	Category string `json:"category,omitempty"`
}

type resource struct {
	Name string `json:"name,omitempty"`
	UID  string `json:"uid,omitempty"`
	Type string `json:"type"`
}

type evidence struct {
	File *file `json:"file,omitempty"`
	origin
	Data any `json:"data,omitempty"`
}

type file struct {
	Name   string   `json:"name"`
	Path   string   `json:"path,omitempty"`
	TypeID int      `json:"type_id"` // always that of a regular file
	Type   string   `json:"type"`
	Size   *int64   `json:"size,omitempty"`
	Hashes []digest `json:"hashes,omitempty"`
}

type digest struct {
	Algorithm   string `json:"algorithm"`
	AlgorithmID int    `json:"algorithm_id"`
	Value       string `json:"value"`
}

type unmapped struct {
	Verdict     string             `json:"verdict"`
	Run         string             `json:"run"`
	Context     string             `json:"context"`
	Target      string             `json:"target"`
	Facts       lines.Facts        `json:"facts,omitempty"`
	Author      string             `json:"rule_author,omitempty"`
	License     string             `json:"rule_license,omitempty"`
	Suppression *besra.Suppression `json:"suppression,omitempty"`
	Decisions   []besra.Decision   `json:"decisions,omitempty"`
}

// Encode returns the event of a finding, and nothing for other records.
func Encode(r besra.Record) ([]byte, error) {
	f := r.Finding
	if f == nil {
		return nil, nil
	}
	severity, name := severityOf(f.Severity)
	facts := lines.FactsOf(f)
	e := event{Activity: activityCreate, ActivityName: "Create", Category: categoryFindings, CategoryName: "Findings",
		Class: classDetection, ClassName: "Detection Finding", Type: classDetection*100 + activityCreate, TypeName: "Detection Finding: Create",
		Time: f.Time.UnixMilli(), Severity: severity, SeverityName: name, Status: 1, StatusName: "New",
		Action: 3, ActionName: "Observed", Disposition: 15, DispName: "Detected",
		IsAlert:  f.Verdict != besra.VerdictSuppressed,
		Message:  besra.Text(f.Detection.Title + ": " + string(f.Target.Name)).Printable(),
		Metadata: metadata{Version, []string{profile}, product{"besra", "Besra"}, f.ID},
		FindingInfo: findingInfo{UID: f.ID, Title: f.Detection.Title, Created: f.Time.UnixMilli(), SourceURL: webAddress(f.Rule.Source),
			Analytic: analytic{Name: f.Rule.Name, UID: f.Detection.ID, Type: "Rule", TypeID: 1, Version: f.Detection.Version, Category: "YARA"}},
		Unmapped: unmapped{string(f.Verdict), f.Run, string(f.Target.Context), f.Target.Name.Printable(), facts,
			f.Rule.Author, f.Rule.License, f.Suppression, f.Decisions}}
	if s := f.Suppression; s != nil && f.Verdict == besra.VerdictSuppressed {
		e.Status, e.StatusName, e.StatusDetail = 3, "Suppressed", s.Reason
	}
	e.Resources = resources(f.Host, facts)
	e.Evidences = evidences(f, facts)
	return json.Marshal(e)
}

// resources are the host, and the container image that a file is of.
func resources(host string, f lines.Facts) (list []resource) {
	if host != "" {
		list = append(list, resource{Name: host, Type: "host"})
	}
	if r := (resource{f.Text("image.ref"), f.Text("image.digest"), "container image"}); r.Name != "" || r.UID != "" {
		list = append(list, r)
	}
	return list
}

func severityOf(s besra.Severity) (int, string) {
	switch s {
	case besra.SeverityInformational:
		return 1, "Informational"
	case besra.SeverityLow:
		return 2, "Low"
	case besra.SeverityMedium:
		return 3, "Medium"
	case besra.SeverityHigh:
		return 4, "High"
	}
	return 0, "Unknown"
}

func evidences(f *besra.Finding, facts lines.Facts) []evidence {
	ev := evidence{origin: originOf(f.Target, facts)}
	if lines.IsFile(f.Target) {
		ev.File = regularFile(f.Target.Name.Base().Printable(), f.Target.Name.Printable(), f.Target.SHA256)
		if f.Target.Size >= 0 {
			ev.File.Size = &f.Target.Size
		}
	}
	if len(f.Patterns) > 0 {
		ev.Data = map[string]any{"patterns": f.Patterns}
	}
	if ev.File == nil && ev.Data == nil && ev.origin == (origin{}) {
		return nil
	}
	return []evidence{ev}
}

// regularFile is a file with its digest, where that is one.
func regularFile(name, path, sha256 string) *file {
	out := &file{Name: name, Path: path, TypeID: 1, Type: "Regular File"}
	if _, err := hex.DecodeString(sha256); err == nil && sha256 != "" {
		out.Hashes = []digest{{"SHA-256", 3, sha256}}
	}
	return out
}

// webAddress is s where it is the address of a page, and empty otherwise.
func webAddress(s string) string {
	if u, err := url.Parse(s); err != nil || u.Host == "" {
		return ""
	}
	return s
}
