package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// oracleFiles are the rules and targets of the comparison with yara.
// data/binary is added by writeOracleFiles.
const oracleFiles = `
-- rules.yar --
import "console"
import "math"
include "lib/base.yar"
rule everything : first second {
  meta:
    text = "quote \" back \\ bell \x07 line \n high é end"
    number = 42
    negative = -7
    yes = true
    no = false
    text = "again"
  strings:
    $a = "abc"
    $b = "abc" nocase
    $w = "abc" wide ascii
    $f = "abc" fullword
    $h = { 61 62 63 [0-4] 78 }
    $j = { 61 [0-600] 7A }
    $r = /x[a-c]+x/
    $s = /a.{0,900}Z/s
    $x = "secret" xor(1-255)
    $ = "abc" private
    $ = "lone"
    $6 = "This program cannot" base64
    $never = "not in any target"
  condition:
    any of them and base
}
rule at : second { strings: $a = "abc" condition: $a at 0 }
rule at_nowhere { strings: $a = "abc" $b = "xabcx" condition: $a at 7 or $b at 1 }
rule lacking { strings: $a = "abc" $r = /a+/ condition: $a and #r > 1000 }
rule counting : third { strings: $a = "aa" condition: #a > 1 and @a[1] > 3 and !a[1] == 2 }
rule no_strings { condition: filesize > 0 }
rule empty { condition: filesize == 0 }
private rule hidden { condition: true }
rule logs { condition: console.log("size ", filesize) and console.log("bytes: ", "\x01\xff\"") and console.hex(uint8(0)) and false }
rule entropy { condition: math.entropy(0, filesize) > 2.0 }
rule undefined_read { condition: uint32(100000) == 0 }
rule longest { strings: $a = /a{2,}/ $l = /a{2,}?/ condition: any of them }
-- lib/base.yar --
include "deeper/deep.yar"
rule base : lib { condition: deep }
-- lib/deeper/deep.yar --
rule deep { condition: true }
-- gated.yar --
global rule small { condition: filesize < 20 }
rule gated { condition: true }
rule gated_string { strings: $a = "abc" condition: $a }
-- plain.yar --
rule plain { strings: $a = "abc" condition: $a }
-- externals.yar --
rule i { condition: i == 5 }
rule f { condition: f > 1.4 and f < 1.6 }
rule b { condition: b }
rule s { condition: s contains "hel" }
rule n { condition: n == -3 }
-- broken.yar --
rule broken { condition: nowhere }
-- data/abc --
abc
-- data/longer --
abc xabcx ABC aaaa lone VGhpcyBwcm9ncmFtIGNhbm5vdA== end
-- data/empty --
-- data/sub/one --
abc
-- data/sub/deep/two --
nothing
-- data/with blank --
abc
-- list --
data/longer
data/missing
data/sub
data/abc
`

// writeOracleFiles unpacks oracleFiles and adds what text cannot hold.
func writeOracleFiles(t *testing.T, dir string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(oracleFiles)).Files {
		writeFile(t, filepath.Join(dir, f.Name), f.Data)
	}
	binary := []byte("abc abc xabcx ABC a\x00b\x00c\x00 aaaa aaz VGhpcyBwcm9ncmFtIGNhbm5vdA== \xff\xfe\n a")
	for _, c := range []byte("secret") {
		binary = append(binary, c^0x41)
	}
	binary = append(binary, bytes.Repeat([]byte("."), 700)...)
	binary = append(binary, 'Z')
	writeFile(t, filepath.Join(dir, "data/binary"), binary)
	writeFile(t, filepath.Join(dir, "data/large"), append(bytes.Repeat([]byte("0123456789abcde\n"), 100_000), "abc"...))
	for name, to := range map[string]string{"data/link": "abc", "data/linkdir": "sub", "data/self": ".", "data/nowhere": "gone"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// oracleCommands are command lines; yara's standard output and exit code are
// what ours must be.
var oracleCommands = []string{
	"-w rules.yar data/binary",
	"-w rules.yar data/abc",
	"-w rules.yar data/empty",
	"-w rules.yar data/large",
	"-ws rules.yar data/large",
	"-ws rules.yar data/binary",
	"-w -s rules.yar data/longer",
	"-wsL rules.yar data/binary",
	"-wL rules.yar data/binary",
	"-wn rules.yar data/binary",
	"-wns rules.yar data/binary",
	"-wns rules.yar data/empty",
	"-wm rules.yar data/abc",
	"-wg rules.yar data/abc",
	"-we rules.yar data/abc",
	"-wmge rules.yar data/abc",
	"-wmgesL rules.yar data/binary",
	"--no-warnings --print-meta --print-tags --print-namespace --print-strings --print-string-length rules.yar data/binary",
	"-wc rules.yar data/binary",
	"-wcn rules.yar data/binary",
	"-wcs rules.yar data/binary",
	"-wD rules.yar data/abc",
	"-wf rules.yar data/binary",
	"-w -l 1 rules.yar data/binary",
	"-w -l 3 rules.yar data/binary",
	"-wn -l 2 rules.yar data/binary",
	"-wc -l 2 rules.yar data/binary",
	"-w --max-rules=2 rules.yar data/abc",
	"-w -i at rules.yar data/abc",
	"-w -i at -i no_strings rules.yar data/abc",
	"-wc -i at rules.yar data/abc",
	"-w -t second rules.yar data/abc",
	"-w -t second -t third rules.yar data/binary",
	"-w -t nosuch rules.yar data/abc",
	"-w -t first -i at rules.yar data/abc",
	"-wn -t second rules.yar data/binary",
	"-w gated.yar data/abc",
	"-wn gated.yar data/abc",
	"-wn gated.yar data/binary",
	"-wnsc gated.yar data/binary",
	"-we plain.yar data/abc",
	"-we one:plain.yar two:plain.yar data/abc",
	"-we one:plain.yar gated.yar data/abc",
	"-we plain.yar ns:gated.yar data/binary",
	"-w ./lib/../rules.yar data/abc",
	"-d i=5 -d f=1.5 -d b=true -d s=hello -d n=-3 externals.yar data/abc",
	"-d i=6 -d f=1. -d b=false -d s=5x -d n=-3 externals.yar data/abc",
	"--define=i=5 --define=f=1.5 --define=b=true --define=s=a=hel --define=n=0 externals.yar data/abc",
	"-w -p 1 rules.yar data",
	"-wr -p 1 plain.yar data",
	"-wr -p 1 plain.yar data/",
	"-wr -p 1 plain.yar ./data",
	"-wrN -p 1 plain.yar data",
	"-wrs -p 1 rules.yar data",
	"-wrc -p 1 rules.yar data",
	"-wrn -p 1 rules.yar data",
	"-wr -l 2 -p 1 rules.yar data",
	"-wrc -l 2 -p 1 rules.yar data",
	"-wr -z 5 -p 1 plain.yar data",
	"-wr --skip-larger=0x10 -p 1 plain.yar data",
	"-w --scan-list -p 1 plain.yar list",
	"-wr --scan-list -p 1 plain.yar list",
	"-wc --scan-list -p 1 plain.yar list",
	"-w -a 10 -k 1000 plain.yar data/abc",
	"--timeout=10 --stack-size=1000 --max-strings-per-rule=100 -w plain.yar data/abc",
	"-w plain.yar data/missing",
	"-w plain.yar 999999999",
	"-w missing.yar data/abc",
	"-w broken.yar data/abc",
	"-w plain.yar broken.yar data/abc",
	"-w --scan-list plain.yar data",
	"-w --scan-list plain.yar missing",
	"--fail-on-warnings -w plain.yar data/abc",
	"-w -C plain.yar data/abc",
	"-w -x console=missing plain.yar data/abc",
	"-ws -x console=data/abc plain.yar data/abc",
	"-wr --negate --count --tag second --identifier at -p 1 rules.yar data",
	"-wrmgesL -p 1 rules.yar data",
	"-wrn -z 5 -N -p 1 plain.yar data",
	"-wse --scan-list -p 1 one:plain.yar two:gated.yar list",
	"-wf -s -p 1 rules.yar data",
	"-w -l 0 rules.yar data/binary",
	"rules.yar data/abc -w -g -m",
	"-wrD -p 1 plain.yar data",
	"-w -x nothing plain.yar data/abc",
	"-w plain.yar",
	"",
	"--no-such-option plain.yar data/abc",
	"-w -p many plain.yar data/abc",
}

// TestYARAOracle runs the installed yara and `besra yara` side by side.
func TestYARAOracle(t *testing.T) {
	oracle, err := exec.LookPath("yara")
	if err != nil {
		t.Skip("no yara is installed")
	}
	t.Chdir(t.TempDir())
	writeOracleFiles(t, ".")
	for _, line := range oracleCommands {
		t.Run(line, func(t *testing.T) {
			args := strings.Fields(line)
			want, wantCode := runOracle(t, oracle, args)
			for _, threads := range []string{"", "--threads=4"} {
				got, stderr, code := runBesra(append([]string{"yara"}, append(args, strings.Fields(threads)...)...))
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s output (-yara +besra):\n%s\nstderr: %s", threads, d, stderr)
				}
				if code != wantCode {
					t.Errorf("%s exit code: got %d, want %d; stderr: %s", threads, code, wantCode, stderr)
				}
				if (code != 0) != (stderr != "") && !strings.Contains(line, "list") && !strings.Contains(line, "-z") {
					t.Errorf("%s exit code %d with stderr %q", threads, code, stderr)
				}
			}
		})
	}
}

func runOracle(t *testing.T, oracle string, args []string) (stdout string, code int) {
	out, err := exec.Command(oracle, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// runBesra runs a command line in this process.
func runBesra(args []string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = run(args, stdio{in: strings.NewReader(""), out: &out, err: &err})
	return out.String(), err.String(), code
}

// faultyRules are rules of which yara's words for the fault are known, and
// ours. Where a syntax is wrong ours say more.
var faultyRules = map[string]string{
	"identifier": `rule r { condition: nowhere }`,
	"string":     `rule r { condition: $a }`,
	"set":        `rule r { strings: $a = "abcd" condition: 3 of ($b*) }`,
	"unused":     `rule r { strings: $a = "abcd" condition: true }`,
	"rules":      "rule r { condition: true }\nrule r { condition: true }",
	"strings":    `rule r { strings: $a = "abcd" $a = "efgh" condition: any of them }`,
	"module":     "import \"nope\"\nrule r { condition: true }",
	"field":      `import "pe" rule r { condition: pe.nope == 1 }`,
	"arguments":  `import "pe" rule r { condition: pe.exports(1.0) }`,
	"zero":       `rule r { condition: 1 \ 0 == 1 }`,
	"empty":      `rule r { strings: $a = "" condition: $a }`,
	"modifiers":  `rule r { strings: $a = "abcd" xor nocase condition: $a }`,
	"modifier":   `rule r { strings: $a = "abcd" wide wide condition: $a }`,
	"tags":       `rule r : a a { condition: true }`,
	"loops":      `rule r { condition: for any i in (1..2) : ( for any i in (1..2) : ( i == 1 ) ) }`,
	"anonymous":  `rule r { strings: $ = "abcd" condition: $ }`,
	"two":        "rule r { condition: nowhere }\nrule s { condition: elsewhere }",
	"alphabet":   `rule r { strings: $a = "abcd" base64("x") condition: $a }`,
	"later":      `rule r { condition: later } rule later { condition: true }`,
	"types":      `rule r { condition: "abc" == 1 }`,
	"include":    `include "gone.yar" rule r { condition: true }`,
	"repetition": `rule r { strings: $a = /a{3,1}/ condition: $a }`,
	"slow":       `rule r { strings: $a = "a" condition: $a }`,
	"dots":       `rule r { strings: $a = /b.*/ $b = /abcdef(.+g)h/ $c = /abcdef(.*|g)[.]*\.*/ $d = /.{2,}bcdef/s condition: any of them }`,
	"bool":       `rule r { condition: "a" and not "" or filesize }`,
	"jumps":      `rule r { strings: $a = { 61 62 63 64 [1-2] [3-4] 65 66 67 } condition: $a }`,
	"integers":   `import "pe" rule r { condition: pe.imphash() == "ABC" or uint8(0) == 0x5A4D or pe.is_dll() }`,
	"comparing":  `rule r { strings: $a = "abcd" condition: #a and 1.0 and not 0 }`,
}

// TestYARAOracleErrors compares what is said of faulty rules.
func TestYARAOracleErrors(t *testing.T) {
	oracle, err := exec.LookPath("yara")
	if err != nil {
		t.Skip("no yara is installed")
	}
	t.Chdir(t.TempDir())
	for name, text := range faultyRules {
		file := name + ".yar"
		writeFile(t, file, []byte(text+"\n"))
		cmd := exec.Command(oracle, file, file)
		var want bytes.Buffer
		cmd.Stderr = &want
		_ = cmd.Run() // its exit code is compared
		_, got, code := runBesra([]string{"yara", file, file})
		if d := cmp.Diff(want.String(), got); d != "" || code != cmd.ProcessState.ExitCode() {
			t.Errorf("%s: exit code %d and %d; stderr (-yara +besra):\n%s", name, cmd.ProcessState.ExitCode(), code, d)
		}
	}
}

// faultyCommands are command lines of which yara's words are ours, too.
var faultyCommands = []string{
	"-Z good.yar good.yar",
	"--bogus good.yar good.yar",
	"-l good.yar good.yar",
	"-a x good.yar good.yar",
	"-x bad good.yar good.yar",
	"-x pe=gone good.yar good.yar",
	"-x pe=gone gone.yar good.yar",
	"gone.yar good.yar",
	"good.yar gone",
	"-r good.yar gone/deeper",
	"--scan-list good.yar good.yar",
	"--scan-list good.yar gone",
	"--max-strings-per-rule=1 good.yar good.yar",
	"--atom-quality-table=gone good.yar good.yar",
	"good.yar good.yar -t",
}

// TestYARAOracleUsage compares what is said of faulty command lines.
func TestYARAOracleUsage(t *testing.T) {
	oracle, err := exec.LookPath("yara")
	if err != nil {
		t.Skip("no yara is installed")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "good.yar", []byte(`rule r { strings: $a = "abcd" $b = "efgh" condition: any of them }`+"\n"))
	for _, line := range faultyCommands {
		cmd := exec.Command(oracle, strings.Fields(line)...)
		var want bytes.Buffer
		cmd.Stderr = &want
		_ = cmd.Run() // its exit code is compared
		_, got, code := runBesra(append([]string{"yara"}, strings.Fields(line)...))
		if d := cmp.Diff(want.String(), got); d != "" || code != cmd.ProcessState.ExitCode() {
			t.Errorf("%s: exit code %d and %d; stderr (-yara +besra):\n%s", line, cmd.ProcessState.ExitCode(), code, d)
		}
	}
}
