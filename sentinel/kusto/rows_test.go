package kusto_test

import (
	"math"
	"math/rand/v2"
	"path"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// The values that rows and expressions are made of: few, so that they meet, and
// odd, so that they differ where two languages do.
var (
	paths = []string{"/var/update/x", "/VAR/update/x", "/var/update", "/var/update-evil/x", "/var/../etc/x", "/a//b/./c", `C:\Tools\x.exe`, `c:/tools/X.EXE`,
		`\\?\C:\Tools\x.exe`, `\\.\C:\Tools\y`, `\\srv\share\x.txt`, "//?/C:/Tools/x", "relative/x", ".", "./a", "./", "..", "a/..", "/", "/.", "//", "/tmp/.hidden",
		"/tmp/ÄÖ/ſcript.py", "/tmp/K/x", "/İstanbul/ı", "/x\n/y", `/back\slash/x`, "/a/b/", "/a/.", "/a/./", "/..x/y", "/x../y.PY", "/opt/Tool/run.py", "/tmp/😀/x",
		"C:", `C:\`, "C:/", `D:\a\..\b`, "/var/update//x", "/var/./update/x", "/srv/a.tar.gz", `C:\x\`, "/A/B/c", "a/b/c", "\u202e/x", "/tmp/a&b", "/tmp/[x]/y",
		"/\x00/x", "/tmp/\"quoted\"/x'y", "/var/update/deep/er/x.log"}
	dirs = []string{"/var/update", "/VAR/UPDATE", "/var/update/", "/", ".", "C:/Tools", `c:\tools`, "/tmp/ÄÖ", "/TMP/äö/ſ", "/tmp/k", "/a", "/a/b", "//srv/share", "relative",
		`/back\slash`, "/tmp/ſcript.py", "/opt/Tool", "/tmp/😀", "/x\n", "C:", "D:/a", "/a/./", "/tmp/\"quoted\"", "/var/update/deep", "/123", "/tmp/[x]"}
	patterns = []string{"/var/*/x", "**/x", "/**", "C:/Tools/*.exe", `c:\tools\*`, "/tmp/[!a-z]*/*", "/a/**/c", "**/*.PY", "/opt/Tool/*", "/tmp/?", "/[a-c]/b", "/x\n/*", "**/*.tar.gz",
		"/tmp/?/x", "/tmp/ſ*", "/tmp/[k-z]/x", "/[!a]/B/c", `/back\\slash/x`, "a/**", "/tmp/a&b", `/tmp/\[x\]/y`, "/tmp/[&-~]*"}
	regexps = []string{`^/var`, `\bupdate\b`, `(?i)TOOLS`, `[[:alpha:]]+\.py$`, `\p{Lu}`, `^log-\d+$`, `(?m)^/y`, `x{1,2}`, `(a|b)+?`, `\x41`, `\Q[x]\E`, `[^\s]$`, `\pL\W`, `[a-z&&[^b]]`,
		`[~~-]`, `(?s)x.*y`, `.`, `^$`, `(?i)k`, `(?i)[a-k]$`, `(?i)straſse|ſ`, `[^/]*$`, `\w+`, `[\x{1F600}-\x{1F64F}]`, `\D{3,}`, `(?:)`, `a*`, `(?i)[^s]`, `--`, `[--/]`, `(?P<n>x)`, `^[^a-z]+\z`, `\S+\t?`}
	words   = []string{"root", "Root", "backup", "", "ROOT", "a", "b", "log-1", "log-22", "straße", "STRASSE", "ſ", "S", "K", "k", "İ", "😀", "a b", "x\ty", "日本", "\"", `\`, "null", "true", "5"}
	systems = []string{"windows", "linux", "darwin", "", "Windows 11", "macOS", "Linux", "freebsd", "Unknown"}
	ips     = []string{"10.0.0.1", "10.255.255.255", "11.0.0.0", "192.168.1.300", "010.0.0.1", "::1", "fd00::1", "fd00::1%eth0", "::ffff:10.0.0.1", "::ffff:0a00:1", "::ffff:192.168.0.1",
		"10.0.0.1/24", "", "example.org", "::", "1:2:3:4:5:6:7:8", "1.2.3", "0.0.0.0", "255.255.255.255", "fe80::1%", "::ffff:10.0.0.1%eth0", "FD00::ABCD", "::10.0.0.1", "1.2.3.4:5", ":::", "2001:db8::1", "10.0.0.1%x", " 10.0.0.1"}
	networksOf = []string{"10.0.0.0/8", "10.0.0.0/30", "0.0.0.0/0", "fd00::/8", "::/0", "::1/128", "2001:db8::/32", "::ffff:10.0.0.0/104", "10.0.0.1/32", "::ffff:0:0/96", "::/64", "192.168.0.0/16"}
	numbers    = []int64{0, 1, -1, 5, 4096, 65536, 443, 80, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, 1 << 40, 1 << 62, 0o755, 4294967296}
	zones      = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Tokyo", "America/St_Johns"}
	crons      = []string{"30 2 * * *", "*/5 * * * *", "0 2 * * 1-5", "0 0 1 * *", "15 3 1,15 * 5", "@daily", "@hourly", "0 23 * * *", "* 2 * * *", "Mon..Fri 02:30", "*-*~1 03:00", "daily", "Sat,Sun 22:15",
		"2026-*-* 12:00", "*-02,03-* 02:30:00", "weekly", "59 23 31 12 *", "0 */6 */2 * *", "Mon *-*-1..7 04:00 Europe/Berlin", "*:0/30", "0 12 * feb 0-7"}
	slacks  = []string{"0s", "30s", "1m", "90s", "10m", "1h", "23h", "24h", "2h30m"}
	clocks  = []string{"00:00", "02:00", "02:30", "04:00", "12:00", "22:15", "23:59", "24:00"}
	spans   = []string{"0s", "1s", "24h", "-1h", "1h30m", "100ns", "2562047h47m16.8547758s", "720h"}
	moments = []string{"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-11-28T12:00:00Z", "1970-01-01T00:00:00Z",
		"1601-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-02-28T23:59:59.9999999Z", "2024-02-29T02:30:10Z", "2026-12-31T23:59:30Z", "2026-03-10T02:30:59.9999999Z",
		"2026-03-10T02:40:00Z", "2026-03-10T02:40:00.0000001Z", "2026-03-01T03:00:00Z", "2026-01-31T22:15:00Z", "2025-03-09T07:00:00Z", "2026-04-05T15:00:00Z"}
	hashes = []string{strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("a", 40), strings.Repeat("c", 40), strings.Repeat("a", 32), strings.Repeat("d", 32), "", strings.Repeat("A", 64)}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func somewhen(r *rand.Rand) time.Time {
	if r.IntN(3) == 0 {
		return must(time.Parse(time.RFC3339Nano, pick(r, moments)))
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(365*24*60)) * time.Minute)
	return at.Add(time.Duration(r.IntN(3)) * 29 * time.Second)
}

// someText is a text as a fact of the name may have it.
func someText(r *rand.Rand, fact string) string {
	last := fact[strings.LastIndexByte(fact, '.')+1:]
	switch {
	case r.IntN(12) == 0:
		return ""
	case r.IntN(12) == 0:
		return pick(r, words)
	case strings.Contains("path dir exe root cwd point", last) || strings.HasSuffix(last, "Path"):
		return pick(r, paths)
	case last == "ip":
		return pick(r, ips)
	case strings.Contains(fact, "sha") || strings.Contains(fact, "md5"):
		return pick(r, hashes)
	case last == "os":
		return pick(r, systems)
	case last == "name" || last == "ext":
		return path.Base(strings.ReplaceAll(pick(r, paths), `\`, "/"))
	}
	return pick(r, append(words, "https://example.org/a?b=c", "cmd --backup /x", "10.0.0.1"))
}

// someList is a list of texts, or nothing.
func someList(r *rand.Rand) any {
	if r.IntN(5) == 0 {
		return nil
	}
	out := []any{}
	for range r.IntN(4) {
		out = append(out, pick(r, words))
	}
	return dyn{out}
}

// someValue is a value of a column, or of a property of a bag.
func someValue(r *rand.Rand, t besra.FactType, fact string) any {
	switch t {
	case besra.TypeString:
		return someText(r, fact)
	case besra.TypeStrings:
		return someList(r)
	}
	if r.IntN(5) == 0 {
		return nil
	}
	switch t {
	case besra.TypeInt:
		return pick(r, numbers)
	case besra.TypeBool:
		return r.IntN(2) == 0
	}
	return instantOf(somewhen(r))
}

var columnTypes = map[kql.Type]besra.FactType{kql.String: besra.TypeString, kql.Long: besra.TypeInt, kql.Int: besra.TypeInt,
	kql.Boolean: besra.TypeBool, kql.DateTime: besra.TypeTimestamp, kql.Dynamic: besra.TypeStrings}

// texts that columns without a fact of their own take.
var columnTexts = map[string][]string{
	"FolderPath": paths, "FilePath": paths, "TargetFilePath": paths, "TargetProcessName": paths, "FileHash": hashes, "DvcOs": systems,
	"ActionType": {"FileCreated", "FileDeleted", "FileModified", ""}, "EventType": {"FileCreated", "FileDeleted", "FileModified", ""},
	"Protocol": {"TCP", "udp", "", "İCMP"}, "DetectionId": {"d1", "d1", "d2"}, "Severity": {"Informational", "Low", "Medium", "High"},
	"Context": {"file", "file", "image", "archive", "process", "network", "mail", "object", "", "other"},
}

// someRow is a row of a table.
func someRow(r *rand.Rand, t kql.Table, asked []string) row {
	out := row{}
	for _, c := range t.Columns {
		v := someValue(r, columnTypes[c.Type], c.Fact+c.Name)
		if c.Fact != "" {
			v = someValue(r, columnTypes[c.Type], c.Fact)
		}
		if texts, ok := columnTexts[c.Name]; ok {
			v = pick(r, texts)
		}
		if c.Type == kql.Int {
			if n, ok := v.(int64); ok {
				v = int64(int32(n))
			}
		}
		out[c.Name] = v
	}
	if t.Cut != "" {
		out[t.Cut] = []any{nil, nil, nil, nil, dyn{[]any{}}, dyn{[]any{"Patterns"}}, dyn{[]any{"FilePath", "Facts"}}, dyn{"FilePath"}}[r.IntN(8)]
	}
	if t.Bag != "" {
		out[t.Bag] = someBag(r, asked)
	}
	return out
}

// someBag holds some of the facts that were asked for.
func someBag(r *rand.Rand, asked []string) any {
	if r.IntN(20) == 0 {
		return nil
	}
	bag := map[string]any{}
	for _, name := range asked {
		def, _ := besra.FactNamed(name)
		v := someValue(r, def.Type, name)
		if i, ok := v.(instant); ok {
			v = i.time().Format(time.RFC3339Nano)
		}
		if d, ok := v.(dyn); ok {
			v = d.v
		}
		if v != nil && r.IntN(6) > 0 {
			bag[name] = v
		}
	}
	return dyn{bag}
}
