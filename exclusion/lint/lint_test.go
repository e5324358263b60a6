package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/lint"
)

const badHash = "e4d24e30e6cc3a0aa0032dbbd2b68c60bac216bef524eaf56296430aa05b3795"

var (
	goodHash = strings.Repeat("0a", 32)
	now      = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
)

// whole returns an exclusion without a fault around an expression.
func whole(when string) exclusion.Spec {
	return exclusion.Spec{
		ID: "fp-test", Scenario: "A test", Text: "Exclude it.", When: when, Contexts: []besra.Context{besra.ContextFile},
		Owner: "soc", Reason: "the updater ships it", Ticket: "CHG-1", Expires: "2026-12-31",
		Tests: exclusion.Tests{Benign: []exclusion.Fixture{{Name: "yes"}}, Malicious: []exclusion.Fixture{{Name: "no"}}},
	}
}

// in puts an exclusion into contexts.
func in(s exclusion.Spec, contexts ...besra.Context) exclusion.Spec {
	s.Contexts = contexts
	return s
}

func options() lint.Options {
	return lint.Options{At: now, KnownBad: []string{badHash}, Severity: besra.SeverityHigh}
}

func codes(problems []*exclusion.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestBadExpressions holds deliberately bad expressions to the codes that must
// catch each: exactly those.
func TestBadExpressions(t *testing.T) {
	params := exclusion.Parameters{"hashes": {Default: []any{goodHash, strings.ToUpper(badHash)}}, "unset": {Type: "strings"}, "dirs": {Default: []any{"/opt/tool", "/tmp/x"}}, "none": {Default: []any{}}}
	tests := []struct {
		when string
		want string
	}{
		// Logic that is not what it says.
		{`file.name != "a" || file.name != "b"`, "always-true polarity"},
		{`true`, "always-true"},
		{`file.size >= 10 || file.size < 10`, "always-true weak-evidence"},
		{`file.owner.uid > 5 || file.owner.uid <= 10`, "always-true"},
		{`package.verified || !package.verified`, "always-true package-only"},
		{`file.owner.name == "a" && file.owner.name == "b"`, "never-true"},
		{`file.owner.name == "a" && !(file.owner.name in ["a", "b"])`, "never-true"},
		{`file.path.under("/var/update") && file.path.under("/opt/tool") && file.owner.name == "svc"`, "never-true"},
		{`file.path == "/opt/tool/x" && !file.path.under("/opt/tool") && file.owner.name == "svc"`, "never-true"},
		{`file.owner.uid > 5 && file.owner.uid < 5`, "never-true"},
		{`file.owner.name == "svc" && (file.name != "a" || file.name != "b")`, "idle-part"},
		{`file.owner.name == "svc" || (file.name.startsWith("a") && file.name.startsWith("b"))`, "idle-part name-only"},
		{`file.owner.name == "svc" && true`, "idle-part"},
		{`file.owner.name == "svc" && file.path.under("/opt/tool") || file.sha256 == "` + goodHash + `"`, "mixed-logic"},
		{`file.sha256 == "` + goodHash + `" || file.owner.name == "svc" && package.verified && file.path.under("/opt/tool")`, "mixed-logic"},
		{`!(file.owner.name == "svc" && file.world_writable || package.verified)`, "mixed-logic polarity"},

		// Polarity.
		{`file.owner.name != "root"`, "polarity"},
		{`!(file.owner.name == "root")`, "polarity"},
		{`!file.path.under("/tmp") && file.owner.name != "bob"`, "polarity"},
		{`file.sha256 == "` + goodHash + `" || file.owner.name != "bob"`, "polarity"},
		{`!(file.owner.name in ["eve", "bob"]) || file.sha256 == "` + goodHash + `"`, "polarity"},

		// Evidence that an intruder arranges.
		{`file.path.under("/var/update")`, "lone-path"},
		{`file.path.under("/root/scripts") && file.name == "MixText.py"`, "lone-path"},
		{`file.path == "/opt/log-processing/MixText.py"`, "lone-path"},
		{`file.sha256 == "` + goodHash + `" || file.path.under("/var/update")`, "lone-path"},
		{`file.path.under("/tmp/update")`, "writable-path"},
		{`file.dir == "/dev/shm"`, "writable-path"},
		{`file.path.under("C:\\Users\\svc\\AppData") && file.name.endsWith(".ps1")`, "case-compare writable-path"},
		{`file.path.under(params.dirs)`, "writable-path"},
		{`file.path.under("/") && file.owner.name == "svc"`, "wide-path"},
		{`file.path.glob("/usr/**") && file.owner.name == "svc"`, "wide-path"},
		{`file.path.under("C:/Windows") && package.verified`, "wide-path"},
		{`file.path.startsWith("/opt/") && file.owner.name == "svc"`, "wide-path"},
		{`file.name == "MixText.py"`, "name-only"},
		{`file.name.endsWith(".py") && file.size < 9000`, "name-only"},
		{`file.ext == ".py" && file.mtime.inWindow("02:00", "04:00", "UTC")`, "name-only"},
		{`file.name == "powershell.exe"`, "case-compare whole-tool"},
		{`"bash" in opener.names`, "whole-tool"},
		{`opener.names.exists(n, n == "python3.11")`, "whole-tool"},
		{`file.owner.name == "root"`, "whole-user"},
		{`file.owner.name in ["svc", "Administrator"]`, "whole-user"},
		{`file.owner.uid == 0 && file.group.name == "wheel"`, "whole-user"},
		{`file.owner.sid == "S-1-5-18"`, "whole-user"},
		{`host.name == "build01"`, "whole-host"},
		{`"dev" in host.tags && host.os == "linux"`, "whole-host"},
		{`package.name == "ansible" && package.verified`, "package-only"},
		{`file.mtime.inWindow("02:00", "04:00", "UTC")`, "weak-evidence"},
		{`file.size == 4096 && file.magic == "script"`, "weak-evidence"},
		{`file.md5 == "` + strings.Repeat("0a", 16) + `"`, "weak-evidence"},

		// Comparisons that do not compare.
		{`file.path.startsWith("/var/update") && file.owner.name == "svc"`, "path-text"},
		{`file.path.contains("/var/update/") && file.owner.name == "svc"`, "path-text"},
		{`file.path.under("var/update") && file.owner.name == "svc"`, "relative-path"},
		{`file.path.glob("*.py") && file.owner.name == "svc"`, "relative-path"},
		{`file.path.matches("/var/update/") && file.owner.name == "svc"`, "loose-regexp"},
		{`file.name.matches("backup|restore$") && file.owner.name == "svc"`, "loose-regexp"},
		{`file.sha256 == "abc123"`, "dead-comparison"},
		{`file.sha256 in ["` + strings.ToUpper(goodHash) + `"]`, "dead-comparison"},
		{`file.ext == "py" && file.owner.name == "svc"`, "dead-comparison"},
		{`file.ext in [".PY"] && file.owner.name == "svc"`, "dead-comparison"},
		{`host.os == "Windows" && file.owner.name == "svc"`, "dead-comparison"},
		{`file.name == "opt/x.py" && file.owner.name == "svc"`, "dead-comparison"},
		{`file.dir == "/var/update/" && file.owner.name == "svc"`, "dead-comparison"},
		{`file.path == "C:\\Tool\\x.exe" && file.owner.name == "svc"`, "case-compare dead-comparison"},
		{`file.sha256 == "` + badHash + `"`, "known-bad-listed"},
		{`file.sha256 in ["` + goodHash + `", "` + badHash + `"]`, "known-bad-listed"},
		{`file.sha256 in params.hashes`, "dead-comparison known-bad-listed"},
		{`scan.time.inWindow("02:00", "04:00", "UTC") && file.owner.name == "svc"`, "scan-time"},
		{`file.sha256 in params.unset`, "unresolved-parameter"},
		{`[1, 2, 3, 4, 5, 6, 7, 8].exists(a, [1, 2, 3, 4, 5, 6, 7, 8].exists(b, [1, 2, 3, 4, 5, 6, 7, 8].exists(c, host.tags.exists(t, host.tags.exists(u, t == u && file.owner.uid == a * b * c)))))`, "cost"},

		// Paths in forms that files do not have.
		{`file.path.under("~/scripts") && file.owner.name == "svc"`, "path-form relative-path"},
		{`file.path.under("$HOME/scripts") && file.owner.name == "svc"`, "path-form relative-path"},
		{`file.path.under("%ProgramFiles%/Tool") && file.owner.name == "svc"`, "path-form relative-path"},
		{`file.path == "/opt/tool/../x" && file.owner.name == "svc"`, "path-form"},
		{`file.path == "/opt//x" && file.owner.name == "svc"`, "path-form"},
		{`file.dir in ["/opt/tool", "/opt/./x"] && file.owner.name == "svc"`, "path-form"},
		{`file.path.under("\\\\?\\C:\\Tool\\x") && file.owner.name == "svc"`, "path-form"},
		{`file.path.under("C:/PROGRA~1/Tool") && file.owner.name == "svc"`, "path-form"},
		{`file.path.under("file:///opt/tool") && file.owner.name == "svc"`, "path-form relative-path"},
		{`file.path == "/opt/tool/x " && file.owner.name == "svc"`, "path-form"},
		{`file.path.under("/sbin/tool") && file.owner.name == "svc"`, "merged-usr"},
		{`file.path in ["/bin/tool"] && package.verified`, "merged-usr"},
		{`file.path == "C:/Tools/Update.exe" && file.owner.name == "svc"`, "case-compare"},
		{`file.name in ["Update.EXE"] && file.owner.name == "svc"`, "case-compare"},

		// Lists, networks, windows.
		{`file.owner.name == "svc" && file.sha256 in []`, "empty-list never-true"},
		{`file.owner.name == "svc" && opener.names.all(n, n == "rsync")`, "vacuous-all"},
		{`file.owner.name == "svc" && params.none.all(n, n == file.name)`, "vacuous-all"},
		{`file.mtime.inWindow("00:00", "20:00", "UTC") && file.owner.name == "svc"`, "wide-window"},
		{`file.mtime.within("* * * * *", duration("1m")) && file.owner.name == "svc"`, "wide-window"},
		{`file.mtime.within("0 * * * *", duration("40m"), "Europe/Berlin") && file.owner.name == "svc"`, "wide-window"},
		{`file.mtime.within(host.schedules, "nightly", duration("10m")) && file.owner.name == "svc"`, "schedule-name"},
		{`file.mtime.within(host.user_schedules, "crontab:svc", duration("10m")) && file.owner.name == "svc"`, "user-schedule"},
		{`"$s1" in match.patterns && rule.name == "R"`, "whole-rule"},
		{`file.path.under("/opt/tool") && file.mode == 420`, "lone-path"},
		{`git.tracked && git.remote == "https://git.example/team/tool.git"`, "name-only"},
		{`file.path.under("/srv/dev") && git.unmodified`, "lone-path"},
		{`file.mtime.within(host.schedules, "nightly.timer", duration("10m"))`, "weak-evidence"},

		// What does not compile.
		{``, "no-when"},
		{`process.name == "ansible-playbook"`, "wrong-context"},
		{`net.src.ip.cidr("10.0.0.0/8")`, "wrong-context"},
		{`file.hash == "x"`, "unknown-name"},
		{`file.path.under(params.nowhere)`, "unknown-parameter"},
		{`file.path.isUnder("/opt")`, "unknown-function"},
		{`file.size == "large"`, "type"},
		{`file.path.under("/opt/../tmp")`, "bad-argument"},
		{`file.path == "/opt`, "syntax"},
	}
	for _, tt := range tests {
		o := options()
		o.Parameters = params
		problems := lint.Check([]exclusion.Spec{whole(tt.when)}, o)
		problems = slices.DeleteFunc(problems, func(p *exclusion.Problem) bool { return p.Code == lint.CodeUnusedParameter })
		want := strings.Fields(tt.want)
		if diff := cmp.Diff(want, codes(problems)); diff != "" {
			t.Errorf("%s: codes (-want +got):\n%s%v", tt.when, diff, problems)
		}
		for _, p := range problems {
			if p.Exclusion != "fp-test" || p.Message == "" || p.Field == "when" && p.Line == 0 && p.Code != "no-when" {
				t.Errorf("%s: an incomplete problem: %+v", tt.when, p)
			}
		}
	}
}

// TestBadMembers spoils one member of a good exclusion at a time.
func TestBadMembers(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*exclusion.Spec)
		want  string // field, code and level
	}{
		{"id", func(s *exclusion.Spec) { s.ID = "" }, "id no-id error"},
		{"owner", func(s *exclusion.Spec) { s.Owner = " " }, "owner no-owner error"},
		{"reason", func(s *exclusion.Spec) { s.Reason = "" }, "reason no-reason error"},
		{"no expiry", func(s *exclusion.Spec) { s.Expires = "" }, "expires no-expiry error"},
		{"expired", func(s *exclusion.Spec) { s.Expires = "2026-03-09" }, "expires expired warning"},
		{"far", func(s *exclusion.Spec) { s.Expires = "2036-01-01" }, "expires far-expiry warning"},
		{"no date", func(s *exclusion.Spec) { s.Expires = "never" }, "expires bad-date error"},
		{"benign", func(s *exclusion.Spec) { s.Tests.Benign = nil }, "tests.benign no-benign-test warning"},
		{"malicious", func(s *exclusion.Spec) { s.Tests.Malicious = nil }, "tests.malicious no-malicious-test warning"},
		{"truncated", func(s *exclusion.Spec) { s.Truncated = true }, "text truncated note"},
		{"downgrade", func(s *exclusion.Spec) { s.Effect, s.To = besra.EffectDowngrade, besra.SeverityHigh }, "to not-lower warning"},
		{"allow_weak", func(s *exclusion.Spec) { s.AllowWeak = "only root can write there" }, "allow_weak idle-allow-weak warning"},
		{"effect", func(s *exclusion.Spec) { s.Effect = "drop" }, "effect bad-effect error"},
		{"context", func(s *exclusion.Spec) { s.Contexts = []besra.Context{"disk"} }, "contexts[0] unknown-context error"},
		{"contexts", func(s *exclusion.Spec) { s.Contexts = nil }, "contexts no-context error"},
	}
	for _, tt := range tests {
		s := whole(`file.sha256 == "` + goodHash + `"`)
		tt.spoil(&s)
		problems := lint.Check([]exclusion.Spec{s}, options())
		if len(problems) != 1 || fmt.Sprintf("%s %s %s", problems[0].Field, problems[0].Code, problems[0].Level) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, problems, tt.want)
		}
	}
}

func TestExpiryEdges(t *testing.T) {
	for date, want := range map[string]string{
		"2026-03-10": "expires-soon", "2026-03-09": "expired", "2026-03-23": "expires-soon", "2026-03-24": "",
		"2027-04-13": "", "2027-04-14": "far-expiry", // 400 days from noon of March 10
	} {
		s := whole(`file.sha256 == "` + goodHash + `"`)
		s.Expires = date
		if got := strings.Join(codes(lint.Check([]exclusion.Spec{s}, options())), " "); got != want {
			t.Errorf("%s: got %q, want %q", date, got, want)
		}
	}
}

// TestGood holds the linter to silence about what is well made.
func TestGood(t *testing.T) {
	o := options()
	o.Parameters = exclusion.Parameters{"dirs": {Default: []any{"/var/update", "/opt/patch"}}, "hashes": {Default: []any{goodHash}}, "jobs": {Default: "30 2 * * *"}, "sites": {Type: "strings"}, "empty": {Default: []any{}}}
	var many []string // more than the small model tries
	for i := range 2000 {
		many = append(many, fmt.Sprintf("%064x", i))
	}
	o.Parameters["many"] = exclusion.Parameter{Value: many}
	good := []exclusion.Spec{
		whole(`file.sha256 in params.many && file.sha256.endsWith("7cf")`),
		whole(`file.path.under("/opt/Tool") && file.path.under("/opt/tool") && file.owner.name == "svc"`), // on Windows
		whole(`file.path.under(params.dirs) && (file.sha256 in params.hashes || package.verified)`),
		whole(`file.path.under("/opt/log-processing") && file.owner.name == "logproc" && file.mtime.within(params.jobs, duration("10m"))`),
		whole(`file.path.under("/root/scripts") && file.owner.name == "root" && !file.foreign_writable`),
		whole(`file.path.under("/usr/share/ansible") && package.name == "ansible" && package.verified`),
		whole(`file.path.glob("/usr/share/ansible/**/*.py") && package.verified && host.os == "linux"`),
		whole(`file.path.under("/srv/dev") && "dev" in host.tags && file.group.name == "developers"`),
		in(whole(`process.exe.under("/usr/bin") && process.user == "backup" && process.start.inWindow("02:00", "04:00", "UTC")`), besra.ContextProcess),
		in(whole(`net.src.ip.cidr("10.1.0.0/16") && net.dst.port in [8530, 8531]`), besra.ContextNetwork),
		whole(`host.os == "windows" ? file.owner.name == "svc-update" && file.path.under("C:/Tools/Update") : file.sha256 in params.hashes`),
		whole(`file.path.under("/home") && file.owner.name == "dev" && file.path.under(params.sites)`),
		whole(`file.path.under("/usr") && file.sha256 in params.hashes`),
		whole(`file.owner.name == "svc" && !file.path.under("/home")`),
		whole(`file.path.under("/opt/tool") && (file.owner.name == "svc" || file.sha256 in params.empty)`),
		whole("// the updater\nfile.sha256 in params.hashes"),
	}
	for i := range good {
		good[i].ID = fmt.Sprintf("fp-%d", i)
	}
	for _, s := range good {
		for _, p := range lint.Check([]exclusion.Spec{s}, o) {
			if p.Code != lint.CodeUnusedParameter && p.Code != lint.CodeUnresolvedParameter {
				t.Errorf("%s: %v", s.When, p)
			}
		}
	}
}

// TestSoften checks how levels follow the effect and the recorded reason.
func TestSoften(t *testing.T) {
	level := func(when string, change func(*exclusion.Spec), code string) exclusion.Level {
		s := whole(when)
		change(&s)
		for _, p := range lint.Check([]exclusion.Spec{s}, options()) {
			if p.Code == code {
				return p.Level
			}
		}
		return ""
	}
	downgrade := func(s *exclusion.Spec) { s.Effect, s.To = besra.EffectDowngrade, besra.SeverityLow }
	allow := func(s *exclusion.Spec) { s.AllowWeak = "root only" }
	tests := []struct {
		when   string
		change func(*exclusion.Spec)
		code   string
		want   exclusion.Level
	}{
		{`file.path.under("/var/update")`, func(*exclusion.Spec) {}, "lone-path", "error"},
		{`file.path.under("/var/update")`, downgrade, "lone-path", "warning"},
		{`file.path.under("/var/update")`, allow, "lone-path", "note"},
		{`file.path.under("/tmp/update")`, allow, "writable-path", "warning"},
		{`file.name == "bash"`, allow, "whole-tool", "warning"},
		{`file.path.under("/var/update")`, func(s *exclusion.Spec) { downgrade(s); allow(s) }, "idle-allow-weak", "warning"},
	}
	for _, tt := range tests {
		if got := level(tt.when, tt.change, tt.code); got != tt.want {
			t.Errorf("%s: %s: got level %q, want %q", tt.when, tt.code, got, tt.want)
		}
	}
}

func TestPairs(t *testing.T) {
	pair := func(a, b string) []exclusion.Spec {
		first, second := whole(a), whole(b)
		first.ID, second.ID = "first", "second"
		return []exclusion.Spec{first, second}
	}
	owner, hash := `file.owner.name == "svc"`, `file.sha256 == "`+goodHash+`"`
	tests := []struct {
		name  string
		specs []exclusion.Spec
		want  string // exclusion and code
	}{
		{"same", pair(owner, owner), "second duplicate"},
		{"same in another order", pair(owner+" && "+hash, hash+" && "+owner), "second duplicate"},
		{"narrower", pair(owner, owner+" && "+hash), "second shadowed"},
		{"wider", pair(owner+" && "+hash, owner), "first shadowed"},
		{"nested directories", pair(owner+` && file.path.under("/opt/tool")`, owner+` && file.path.under("/opt/tool/jobs")`), "second shadowed"},
		{"equal in meaning", pair(`file.owner.name in ["a", "b"]`, `file.owner.name == "a" || file.owner.name == "b"`), "second shadowed"},
		{"different", pair(owner, hash), ""},
		{"overlapping", pair(owner+` && file.path.under("/opt/tool")`, owner+` && file.path.under("/srv/tool")`), ""},
		{"unlike names", pair(`file.owner.name == "a"`, `file.owner.name == "A"`), ""},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range lint.Check(tt.specs, options()) {
			got = append(got, p.Exclusion+" "+p.Code)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}

	weaker := pair(owner, owner+" && "+hash)
	weaker[0].Effect, weaker[0].To = besra.EffectDowngrade, besra.SeverityLow
	elsewhere := pair(owner, owner+" && "+hash)
	elsewhere[1].Contexts = append(elsewhere[1].Contexts, besra.ContextImage)
	for name, specs := range map[string][]exclusion.Spec{"a downgrade does not shadow": weaker, "nor does another context": elsewhere} {
		if problems := lint.Check(specs, options()); len(problems) > 0 {
			t.Errorf("%s: got %v", name, problems)
		}
	}

	conflict := pair(owner, owner)
	conflict[0].Effect, conflict[0].To = besra.EffectDowngrade, besra.SeverityLow
	if got := lint.Check(conflict, options()); len(got) != 1 || got[0].Code != lint.CodeConflict || got[0].Exclusion != "first" {
		t.Errorf("one expression with two effects: got %v", got)
	}
	if got := codes(lint.Check(pair(`file.world_writable`, `!file.world_writable`), options())); !slices.Contains(got, lint.CodeTogether) {
		t.Errorf("two halves of everything: got %v", got)
	}
	downgrades := pair(`file.world_writable`, `!file.world_writable`)
	downgrades[0].Effect, downgrades[0].To = besra.EffectDowngrade, besra.SeverityLow
	if got := codes(lint.Check(downgrades, options())); slices.Contains(got, lint.CodeTogether) {
		t.Errorf("half of it is only downgraded: got %v", got)
	}

	twice := pair(owner, hash)
	twice[1].ID = "first"
	if got := codes(lint.Check(twice, options())); !slices.Equal(got, []string{"duplicate-id"}) {
		t.Errorf("one id twice: got %v", got)
	}
}

func TestParametersAndScenarios(t *testing.T) {
	o := options()
	o.Parameters = exclusion.Parameters{"used": {Type: "strings"}, "idle": {Default: 1}, "broken": {}}
	o.Dead = func(s exclusion.Spec) bool { return s.Scenario == "A test" }
	var got []string
	for _, p := range lint.Check([]exclusion.Spec{whole(`file.sha256 in params.used`)}, o) {
		got = append(got, p.Field+" "+p.Code)
	}
	want := []string{"parameters.broken bad-parameter", "parameters.broken unused-parameter", "parameters.idle unused-parameter",
		"scenario dead-scenario", "when unresolved-parameter"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got := codes(lint.Check([]exclusion.Spec{whole(`file.sha256 in params.used`), whole(`file.x`)}, o)); slices.Contains(got, lint.CodeUnusedParameter) {
		t.Errorf("got %v, but what an exclusion that does not compile uses is not known", got)
	}
}

func TestMixedLogicShowsBothReadings(t *testing.T) {
	tests := []struct{ when, hint, at string }{
		{`package.verified || file.world_writable && file.foreign_writable`,
			"write package.verified || (file.world_writable && file.foreign_writable), which is how it is read, or (package.verified || file.world_writable) && file.foreign_writable", "&&"},
		{`(package.verified && file.world_writable || file.foreign_writable) && file.name == "a(b || c"`,
			"write (package.verified && file.world_writable) || file.foreign_writable, which is how it is read, or package.verified && (file.world_writable || file.foreign_writable)", "||"},
		{`file.owner.name == "a" && (package.verified || file.world_writable) // && ||`, "", ""},
		{`[package.verified && file.world_writable, file.foreign_writable || package.verified].exists(x, x)`, "", ""},
		{`package.verified && file.world_writable ? file.foreign_writable || package.verified : file.world_writable`, "", ""},
	}
	for _, tt := range tests {
		hint, at := "", ""
		for _, p := range lint.Check([]exclusion.Spec{whole(tt.when)}, options()) {
			if p.Code == lint.CodeMixedLogic {
				hint, at = p.Hint, tt.when[p.Offset:p.Offset+2]
			}
		}
		if hint != tt.hint || at != tt.at {
			t.Errorf("%s:\ngot  %s at %q\nwant %s at %q", tt.when, hint, at, tt.hint, tt.at)
		}
	}
}

// TestCodes holds the table to its use: every code is explained.
func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range lint.Codes() {
		if c.Why == "" || c.Mend == "" || c.Level == "" || seen[c.Code] {
			t.Errorf("%s: the table is incomplete, or names it twice", c.Code)
		}
		seen[c.Code] = true
	}
	if len(seen) < 50 {
		t.Errorf("got %d codes", len(seen))
	}
}

// TestHugeExpressions must come to an end: the model gives up in time.
func TestHugeExpressions(t *testing.T) {
	var parts []string
	for i := range 200 {
		parts = append(parts, fmt.Sprintf(`(file.owner.name == "u%d" || file.path.under("/d%d/x"))`, i, i))
	}
	for _, mark := range []string{" && ", " || "} {
		if got := codes(lint.Check([]exclusion.Spec{whole(strings.Join(parts, mark))}, options())); slices.Contains(got, lint.CodeAlwaysTrue) || slices.Contains(got, lint.CodeNeverTrue) {
			t.Errorf("got %v, though both answers are possible", got)
		}
	}
}

// TestNetworksAndMail has faults of contexts other than files.
func TestNetworksAndMail(t *testing.T) {
	for when, want := range map[string]string{
		`net.src.ip.cidr("0.0.0.0/0") && net.dst.port == 8530`:              "wide-network",
		`net.src.ip.cidr(["10.0.0.0/8", "128.0.0.0/1"])`:                    "wide-network",
		`net.src.ip.cidr("2000::/3") && net.dst.port == 8530`:               "wide-network",
		`net.src.ip.cidr("10.0.0.0/8") && net.dst.port == 8530`:             "",
		`mail.dkim == "pass"`:                                               "whole-mail",
		`mail.dkim == "pass" && mail.spf == "pass"`:                         "whole-mail",
		`mail.from_domain == "example.org"`:                                 "name-only",
		`mail.from_domain == "example.org" && mail.dkim == "pass"`:          "",
		`process.name == "ansible-playbook" && process.cwd == "/tmp/x"`:     "writable-path",
		`process.sha256 == "abc"`:                                           "dead-comparison",
		`process.ancestors.all(a, a == "cron") && process.user == "backup"`: "vacuous-all",
	} {
		group, _, _ := strings.Cut(when, ".")
		context := map[string]besra.Context{"net": besra.ContextNetwork, "mail": besra.ContextMail, "process": besra.ContextProcess}[group]
		if got := strings.Join(codes(lint.Check([]exclusion.Spec{in(whole(when), context)}, options())), " "); got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}
}

// TestExamples holds each example of the table to its code: the bad one has the
// fault, the good one has no fault at all.
func TestExamples(t *testing.T) {
	o := options()
	o.Parameters = exclusion.Parameters{"tool_dirs": {Default: []any{"/opt/tool"}}, "unset": {Type: "strings"}, "many": {Value: slices.Repeat([]string{goodHash}, 300)}}
	o.Lists = exclusion.Lists{"golden": {Source: "the golden image", Values: []string{goodHash}}}
	shown := 0
	for _, c := range lint.Codes() {
		if (c.Bad == "") != (c.Good == "") {
			t.Errorf("%s: one example of two", c.Code)
		}
		if c.Bad == "" {
			continue
		}
		shown++
		if got := codes(lint.Check([]exclusion.Spec{whole(c.Bad)}, o)); !slices.Contains(got, c.Code) {
			t.Errorf("%s: the bad example %s has %v", c.Code, c.Bad, got)
		}
		got := slices.DeleteFunc(codes(lint.Check([]exclusion.Spec{whole(c.Good)}, o)), func(code string) bool { return code == lint.CodeUnusedParameter })
		if len(got) > 0 {
			t.Errorf("%s: the good example %s has %v", c.Code, c.Good, got)
		}
	}
	if shown < 35 {
		t.Errorf("got examples of %d codes", shown)
	}
	if _, ok := lint.Explain("no-such-code"); ok {
		t.Error("a code that there is not was explained")
	}
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string]bool{"TODO": true, " n/a ": true, "...": true, "False positive.": true, "the updater writes it": false, "soc": false} {
		s := whole(`file.sha256 == "` + goodHash + `"`)
		s.Reason = text
		if got := slices.Contains(codes(lint.Check([]exclusion.Spec{s}, options())), lint.CodePlaceholder); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestIdleContext(t *testing.T) {
	o := options()
	o.Contexts = []besra.Context{besra.ContextFile}
	s := in(whole(`file.sha256 == "`+goodHash+`"`), besra.ContextFile, besra.ContextMail)
	if got := lint.Check([]exclusion.Spec{s}, o); len(got) != 1 || got[0].Code != lint.CodeIdleContext || got[0].Field != "contexts[1]" {
		t.Errorf("got %v, want one idle context", got)
	}
}
