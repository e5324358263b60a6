//go:build linux

package yara_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// processMemory is the memory of a process, read as a debugger does.
type processMemory struct {
	*os.File
	regions []yara.Region
}

func openProcess(pid int) (*processMemory, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer maps.Close()
	var list []yara.Region
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			return nil, err
		}
		if mode[0] == 'r' && to < 1<<63 {
			list = append(list, yara.Region{Base: int64(from), Size: int64(to - from)})
		}
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	return &processMemory{mem, list}, err
}

func (p *processMemory) Regions() iter.Seq[yara.Region] { return slices.Values(p.regions) }

// TestMemoryChild is the process that is scanned: it has three pages that
// touch, of which the last cannot be written, and tells where they are.
func TestMemoryChild(t *testing.T) {
	if os.Getenv("BESRA_TEST_MEMORY") == "" {
		t.Skip("only as a child of TestMemoryOracle")
	}
	pages, err := syscall.Mmap(-1, 0, 4*4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	put := func(at int, masked string) { // the text is nowhere else in the process
		for i := range len(masked) {
			pages[at+i] = masked[i] ^ 0x2A
		}
	}
	const marker = "gOGEXSgKXAOX" // xored
	put(0x100, marker)
	put(0x1800, marker)
	put(2*4096-6, marker) // across the last two
	if err := syscall.Mprotect(pages[2*4096:3*4096], syscall.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mprotect(pages[3*4096:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("at %p\n", &pages[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startChild starts TestMemoryChild and returns its id and the address of its
// pages.
func startChild(t *testing.T) (pid int, address int64) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(self, "-test.run=^TestMemoryChild$", "-test.v")
	cmd.Env = append(os.Environ(), "BESRA_TEST_MEMORY=1")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "at 0x%x", &address); err == nil {
			return cmd.Process.Pid, address
		}
	}
	t.Fatal("the child said nothing")
	return 0, 0
}

// memoryOracleRules ask for what TestMemoryChild writes at ADDRESS.
const memoryOracleRules = `import "pe" import "math"
rule size { condition: filesize >= 0 }
rule no_size { condition: not defined filesize }
rule small { strings: $m = "Memory" condition: $m and filesize < 100000000 }
rule there { strings: $m = "MARKER" condition: $m }
rule counted { strings: $m = "MARKER" condition: #m == COUNT }
rule placed { strings: $m = "MARKER" condition: $m at ADDRESS + 0x100 }
rule in_page { strings: $m = "MARKER" condition: $m in (ADDRESS..ADDRESS + 0x1000) }
rule address { strings: $m = "MARKER" condition: @m[1] == ADDRESS + 0x100 and @m[2] == ADDRESS + 0x1800 }
rule read { condition: uint32(ADDRESS + 0x100) == 0x6f6d654d }
rule read_be { condition: uint16be(ADDRESS + 0x100) == 0x4d65 }
rule read_zero { condition: uint16(0) == 0x5A4D }
rule no_pe { condition: not defined pe.number_of_sections }
rule is_pe { condition: pe.is_pe }
rule entropy { condition: math.entropy(0, filesize) >= 0.0 }
rule across { strings: $m = "MARKER" condition: $m at ADDRESS + 0x1ffa }
`

// TestMemoryOracle scans a process with the installed yara and as Memory.
func TestMemoryOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("yara takes seconds for a process")
	}
	oracle, err := exec.LookPath("yara")
	if err != nil {
		t.Skip("no yara is installed")
	}
	pid, address := startChild(t)
	scan := func(src string) []string {
		rules, err := yara.Compile(src, yara.WithModules(standard.Modules()...), yara.LibYARA)
		if err != nil {
			t.Fatal(err)
		}
		m, err := openProcess(pid)
		if err != nil {
			t.Skip(err)
		}
		defer m.Close()
		results, err := rules.NewScanner().ScanMemory(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for r := range results.Matching() {
			list = append(list, r.Name())
		}
		return list
	}
	// Every match that YARA finds is found; that across two regions besides.
	src := strings.NewReplacer("MARKER", markerText(), "ADDRESS", fmt.Sprint(address), "COUNT", "2").Replace(memoryOracleRules)
	got := scan(strings.Replace(src, "#m == 2", "#m == 3", 1))
	name := filepath.Join(t.TempDir(), "rules.yar")
	if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(oracle, "-w", name, fmt.Sprint(pid)).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Skipf("yara cannot scan processes here: %s", exit.Stderr)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^(\w+) \d+$`).FindAllStringSubmatch(string(out), -1) {
		want = append(want, m[1])
	}
	if d := cmp.Diff(append(want, "across"), got); d != "" {
		t.Errorf("-yara +besra:\n%s", d)
	}
}

// markerText is what TestMemoryChild writes, escaped for a rule.
func markerText() string {
	var b strings.Builder
	for _, c := range []byte("gOGEXSgKXAOX") {
		fmt.Fprintf(&b, `\x%02x`, c^0x2A)
	}
	return b.String()
}
