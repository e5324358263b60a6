package kusto_test

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// rowFacts are the facts of a row, worked out from what the documentation of its
// table says, and not from the expressions that the compiler writes.
type rowFacts struct {
	values  map[string]any
	context besra.Context
}

func (f rowFacts) Fact(_ context.Context, name string) besra.Fact {
	v := f.values[name]
	if v == nil {
		return besra.Unavailable(name, "it is not in the row")
	}
	def, _ := besra.FactNamed(name)
	grade := def.Grades[f.context]
	if grade == besra.GradeUnavailable {
		grade = besra.GradeVerified // a row of a process tells the digest of its file, which must not be known-bad
	}
	return besra.Fact{Name: name, Value: v, Grade: grade, Source: "row"}
}

func factsOf(t kql.Table, r row) map[string]any {
	out := map[string]any{}
	if t.Bag != "" {
		bagFacts(r[t.Bag], out)
	}
	for _, c := range t.Columns {
		if c.Fact != "" {
			out[c.Fact] = known(r[c.Name])
		}
	}
	computed[t.Name](r, out)
	return out
}

// known is what a column holds, as a fact; nil where nothing.
func known(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case instant:
		return v.time()
	case dyn:
		list, ok := v.v.([]any)
		if !ok {
			return nil
		}
		texts := []string{}
		for _, m := range list {
			texts = append(texts, m.(string))
		}
		return texts
	}
	return v
}

// bagFacts are the facts that a bag holds, of their types.
func bagFacts(v any, out map[string]any) {
	d, _ := v.(dyn)
	bag, _ := d.v.(map[string]any)
	for name, v := range bag {
		def, ok := besra.FactNamed(name)
		switch text, isText := v.(string); {
		case !ok:
		case def.Type == besra.TypeTimestamp && isText:
			out[name] = must(time.Parse(time.RFC3339Nano, text))
		case def.Type == besra.TypeStrings:
			out[name] = known(dyn{v})
		default:
			out[name] = v
		}
	}
}

var drive = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

func isWindows(p string) bool { return drive.MatchString(p) || strings.HasPrefix(p, `\\`) }

func withSlashes(p string) string {
	if !isWindows(p) {
		return p
	}
	p = strings.ReplaceAll(p, `\`, "/")
	return strings.TrimPrefix(strings.TrimPrefix(p, "//?/"), "//./")
}

func text(v any) any { return known(v) }

// pathFacts are those that follow from a path and a name.
func pathFacts(p, name string, out map[string]any) {
	slashed := withSlashes(p)
	out["file.path"] = text(slashed)
	out["file.dir"] = nil
	if strings.ContainsAny(p, `/\`) {
		dir := slashed
		if i := strings.LastIndexByte(slashed, '/'); i >= 0 {
			dir = slashed[:i]
		}
		if dir == "" || len(dir) == 2 && dir[1] == ':' && drive.MatchString(dir+"/") {
			dir += "/"
		}
		out["file.dir"] = dir
	}
	out["file.ext"] = extensionOf(name)
}

func extensionOf(name string) any {
	if name == "" {
		return nil
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return strings.ToLower(name[i:])
	}
	return ""
}

func ofSystem(p string) any {
	if isWindows(p) {
		return "windows"
	}
	return nil
}

func str(v any) string { s, _ := v.(string); return s }

func changed(kind, at any) any {
	if kind == "FileCreated" || kind == "FileModified" {
		return known(at)
	}
	return nil
}

func dvcSystem(v any) any {
	os := strings.ToLower(str(v))
	switch {
	case strings.Contains(os, "windows"):
		return "windows"
	case strings.Contains(os, "mac"):
		return "darwin"
	case strings.Contains(os, "linux"):
		return "linux"
	}
	return nil
}

var computed = map[string]func(r row, out map[string]any){
	"BesraFindings_CL": func(r row, out map[string]any) {
		out["file.ext"] = extensionOf(str(r["FileName"]))
		out["scan.time"] = known(r["TimeGenerated"])
	},
	"DeviceFileEvents": func(r row, out map[string]any) {
		pathFacts(str(r["FolderPath"]), str(r["FileName"]), out)
		out["host.os"] = ofSystem(str(r["FolderPath"]))
		out["file.mtime"] = changed(r["ActionType"], r["TimeGenerated"])
	},
	"DeviceProcessEvents": func(r row, out map[string]any) {
		pathFacts(str(r["FolderPath"]), str(r["FileName"]), out)
		out["host.os"] = ofSystem(str(r["FolderPath"]))
		out["process.name"], out["process.sha256"], out["process.exe"] = text(r["FileName"]), text(r["SHA256"]), out["file.path"]
	},
	"CommonSecurityLog": func(r row, out map[string]any) {
		pathFacts(str(r["FilePath"]), str(r["FileName"]), out)
		out["host.os"] = ofSystem(str(r["FilePath"]))
		for name, length := range map[string]int{"file.sha256": 64, "file.sha1": 40, "file.md5": 32} {
			if hash := str(r["FileHash"]); len(hash) == length {
				out[name] = strings.ToLower(hash)
			}
		}
		out["net.proto"] = text(strings.ToLower(str(r["Protocol"])))
	},
	"imFileEvent": func(r row, out map[string]any) {
		pathFacts(str(r["TargetFilePath"]), str(r["TargetFileName"]), out)
		out["host.os"] = dvcSystem(r["DvcOs"])
		out["file.mtime"] = changed(r["EventType"], r["EventStartTime"])
	},
	"imProcessCreate": func(r row, out map[string]any) {
		p := str(r["TargetProcessName"])
		name := p[strings.LastIndexAny(p, `/\`)+1:]
		pathFacts(p, "", out)
		out["host.os"] = dvcSystem(r["DvcOs"])
		out["file.name"], out["process.name"] = text(name), text(name)
		out["process.sha256"], out["process.exe"] = text(r["TargetProcessSHA256"]), out["file.path"]
	},
}
