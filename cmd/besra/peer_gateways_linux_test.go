package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

// gatewayRules lead to each action of a policy.
const gatewayRules = `
rule Hold { meta: severity = "medium" strings: $a = "PEER-HOLD" condition: $a }
rule Log { meta: severity = "low" strings: $a = "PEER-LOG" condition: $a }
`

// serving runs a gateway in the network of the test until stop, which holds
// the findings of its record to what is wanted.
func serving(t *testing.T, dir string, args ...string) (stop func(want ...string)) {
	t.Helper()
	rules, record := filepath.Join(dir, "gateway.yar"), filepath.Join(dir, "record")
	if err := os.WriteFile(rules, []byte(gatewayRules), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Args = append([]string{"besra", "serve", "--format", "ndjson=" + record, "--pack", rules, "--policy", "high=block,medium=quarantine,low=log"}, args...)
	cmd.SysProcAttr = bound(0)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if line, err := lines.ReadString('\n'); !strings.Contains(line, "listening on") {
		t.Fatalf("got %q, %v: want it to listen", line, err)
	}
	return func(want ...string) {
		t.Helper()
		cmd.Process.Signal(syscall.SIGTERM)
		said, err := io.ReadAll(lines)
		if cmd.Wait(); cmd.ProcessState.ExitCode() != exitDone || !strings.Contains(string(said), " 0 errors") {
			t.Errorf("exit %d, %v: %s", cmd.ProcessState.ExitCode(), err, said)
		}
		got := foundIn(t, record)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got findings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// queueID is what a mail server calls a message, other each time.
var queueID = regexp.MustCompile(`^mail:\w+`)

// foundIn lists the findings of a record: where, what, and what became of it.
func foundIn(t *testing.T, record string) []string {
	t.Helper()
	b, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		var r besra.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if f := r.Finding; f != nil {
			list = append(list, fmt.Sprintf("%s: %s is %s", queueID.ReplaceAllString(string(f.Target.Name), "mail:ID"), f.Rule.Name, f.Verdict))
		}
	}
	return list
}

// TestPostfix lets a mail server ask about what it is given, in one connection.
func TestPostfix(t *testing.T) {
	dir := gatewayFiles(t)
	friend := `archive.kind == 'zip' && mail.envelope_from == 'golden@d.example' && mail.client_ip == '127.0.0.1' && mail.subject == 'samples'`
	stop := serving(t, dir, "milter:127.0.0.1:8891", "--pack", (&spot{in: besra.ContextArchive}).pack(t, friend))
	startPostfix(t, dir, "inet:127.0.0.1:8891")
	begins(t, said(t, dir, `python3 "$PEERS"/deliver.py large`), `clean 250 2.0.0 Ok
zip 550 5.7.1 Refused: Marker by us
zip of a friend 250 2.0.0 Ok
hold 250 2.0.0 Ok
log 250 2.0.0 Ok
zip in chunks 550 5.7.1 Refused: Marker by us
clean in chunks 250 2.0.0 Ok
zip in one piece 550 5.7.1 Refused: Marker by us
large 250 2.0.0 Ok`)
	const zip = "mail:ID!tool.zip!a.txt: Marker is "
	stop(zip+"alert", zip+"alert", zip+"alert", zip+"suppressed",
		"mail:ID: Hold is alert", "mail:ID!part-1.txt: Hold is alert", "mail:ID: Log is alert", "mail:ID!part-1.txt: Log is alert")
	log := grown(t, filepath.Join(dir, "run", "log"), " quit=1 ")
	for text, want := range map[string]int{"milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 5.7.1 Refused: Marker by us;": 3,
		"milter-hold: END-OF-MESSAGE ": 1, "warning:": 0} {
		if got := strings.Count(log, text); got != want {
			t.Errorf("%q is %d times in the log, want %d:\n%s", text, got, want, log)
		}
	}
	held, err := filepath.Glob(filepath.Join(dir, "run", "queue", "hold", "*"))
	if err != nil || len(held) != 1 {
		t.Fatalf("on hold are %q, %v, want one message", held, err)
	}
	if b, err := os.ReadFile(held[0]); !strings.Contains(string(b), "X-Besra: quarantine; Hold") {
		t.Errorf("on hold is %q, %v: want it marked", b, err)
	}
}

// TestSquid lets a proxy ask about what goes up and comes down.
func TestSquid(t *testing.T) {
	dir := gatewayFiles(t)
	for name, text := range map[string]string{"tool.zip": string(zipWith(marker)(t)), "hold": "PEER-HOLD\n", "log": "PEER-LOG\n", "nothing": "",
		"slow": strings.Repeat("nothing in it\n", 15000)} { // Squid 5 stalls where an origin fills its buffer at once
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	friend := `net.url == 'http://127.0.0.1/sub/tool.py' && net.dst.ip == '127.0.0.1'`
	stop := serving(t, dir, "icap:127.0.0.1:1344", "--pack", (&spot{in: besra.ContextNetwork}).pack(t, friend))
	nginx(t, dir)
	squid(t, dir)
	begins(t, said(t, dir, `exec 2>&1
try() {
	echo "$* $(curl -sS -x http://127.0.0.1:3128 -o got -w '%{http_code}' "$@") $(grep -o 'Marker\|Hold' got | head -n 1)"
}
down() { try http://127.0.0.1/"$@" && cmp -s got "$1" && echo as it is; }
up() { try http://127.0.0.1/in/ "$@"; }
down other
down nothing
down slow
down tool.py
down tool.txt --compressed
down tool.zip
down hold
down log
down sub/tool.py
down tool.py -I
down slow -r 5-9
down slow http://127.0.0.1/tool.py -o got
up -T tool.py
up -T slow
up -T - <other
up -F file=@tool.zip
up -F file=@other
up -H 'Expect: 100-continue' -T slow
`), `http://127.0.0.1/other 200
as it is
http://127.0.0.1/nothing 200
as it is
http://127.0.0.1/slow 200
as it is
http://127.0.0.1/tool.py 403 Marker
http://127.0.0.1/tool.txt --compressed 403 Marker
http://127.0.0.1/tool.zip 403 Marker
http://127.0.0.1/hold 403 Hold
http://127.0.0.1/log 200
as it is
http://127.0.0.1/sub/tool.py 200
as it is
http://127.0.0.1/tool.py -I 200
http://127.0.0.1/slow -r 5-9 206
http://127.0.0.1/slow http://127.0.0.1/tool.py -o got 200403 Marker
http://127.0.0.1/in/ -T tool.py 403 Marker
http://127.0.0.1/in/ -T slow 200
http://127.0.0.1/in/ -T - 200
http://127.0.0.1/in/ -F file=@tool.zip 403 Marker
http://127.0.0.1/in/ -F file=@other 200
http://127.0.0.1/in/ -H Expect: 100-continue -T slow 200`)
	const at, alert = "http://127.0.0.1/", ": Marker is alert"
	stop("POST "+at+"in/!tool.zip!a.txt"+alert, "PUT "+at+"in/tool.py"+alert, at+"hold: Hold is alert", at+"log: Log is alert",
		at+"sub/tool.py: Marker is suppressed", at+"tool.py"+alert, at+"tool.py"+alert, at+"tool.txt"+alert, at+"tool.zip!a.txt"+alert)
}

// gatewayFiles begins a test of a gateway in a network of its own, and lays out
// what is sent through it.
func gatewayFiles(t *testing.T) string {
	if testing.Short() {
		t.Skip("starts servers")
	}
	t.Parallel()
	isolated(t)
	dir := t.TempDir()
	(&exchange{}).files(t, dir)
	return dir
}

// said is what a line of the shell says, in a folder.
func said(t *testing.T, dir, line string) string {
	t.Helper()
	out, err := shell(t, dir, line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// begins holds the beginning of each line to what is wanted.
func begins(t *testing.T, got, want string) {
	t.Helper()
	if !slices.EqualFunc(strings.Split(strings.TrimSpace(got), "\n"), strings.Split(want, "\n"), strings.HasPrefix) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// grown is a file once it has a text in it.
func grown(t *testing.T, name, text string) string {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-poll.C {
		b, err := os.ReadFile(name)
		if strings.Contains(string(b), text) {
			return string(b)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no %q: %v\n%s", name, text, err, b)
		}
	}
}
