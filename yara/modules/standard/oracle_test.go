package standard_test

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/yaratest"
)

var (
	python  = flag.String("python", os.Getenv("YARA_PYTHON"), "the Python `interpreter` that has the module yara_x, to compare modules with it")
	changes = flag.Int("changes", 200, "how many randomly changed `copies` of each sample to compare")
	seed    = flag.Uint64("seed", 1, "where the random changes begin")
)

//go:embed oracle.py
var oracleScript string

// oracle is a Python process with YARA-X.
type oracle struct {
	in  io.Writer
	out *bufio.Scanner
}

func startOracle(t *testing.T) *oracle {
	if *python == "" {
		t.Skip("no -python and no YARA_PYTHON")
	}
	cmd := exec.Command(*python, "-c", oracleScript)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	o := &oracle{in, bufio.NewScanner(out)}
	o.out.Buffer(nil, 64<<20)
	return o
}

func (o *oracle) ask(t *testing.T, name string, data []byte) map[string]any {
	t.Helper()
	b, _ := json.Marshal(map[string]any{"Module": name, "Data": data})
	if _, err := o.in.Write(append(b, '\n')); err != nil {
		t.Fatal(err)
	}
	if !o.out.Scan() {
		t.Fatalf("the oracle ended: %v", o.out.Err())
	}
	var said map[string]any
	if err := json.Unmarshal(o.out.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	return said
}

// TestOracle compares every field of the samples, and of copies with random
// damage, with YARA-X's. Of the copies one in a hundred may differ, as where
// ASN.1 or a ZIP directory is damaged there are more ways to read on than are
// worth to copy. What differs on purpose is in docs/modules.md.
func TestOracle(t *testing.T) {
	o := startOracle(t)
	r := rand.New(rand.NewPCG(*seed, 0))
	files := samples(t)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	compared, differ := 0, 0
	for _, name := range names {
		for i := range *changes + 1 {
			data := files[name]
			if i > 0 {
				data = damage(r, data)
			}
			for _, m := range knowing(files[name]) {
				said := o.ask(t, m.Name, data)
				if said == nil {
					continue // a module that this build of YARA-X does not have
				}
				compared++
				c := comparison{module: m}
				c.value(m.Name, m.Schema, m.Load(&module.Input{Data: data}), said)
				if len(c.differences) == 0 {
					continue
				}
				t.Logf("%s, change %d: %s", name, i, strings.Join(c.differences, "\n\t"))
				if differ++; i == 0 {
					t.Errorf("%s is intact, and differs", name)
				}
			}
		}
	}
	t.Logf("%d outputs compared, %d differ", compared, differ)
	if differ*100 > compared {
		t.Error("more than one in a hundred differ")
	}
}

// damage changes bytes, mostly near the beginning, or cuts the end off.
func damage(r *rand.Rand, data []byte) []byte {
	data = slices.Clone(data)
	for range 1 + r.IntN(4) {
		at := r.IntN(len(data))
		if r.IntN(2) == 0 {
			at = r.IntN(min(len(data), 512))
		}
		switch r.IntN(5) {
		case 0:
			data[at] = byte(r.Uint32())
		case 1:
			data[at] ^= 1 << r.IntN(8)
		case 2:
			copy(data[at:], [][]byte{{0, 0, 0, 0}, {255, 255, 255, 255}, {255, 255, 255, 127}, {0, 0, 0, 128}}[r.IntN(4)])
		case 3:
			copy(data[at:], data[r.IntN(len(data)):][:min(16, len(data)-at)/4])
		case 4:
			data = data[:max(8, r.IntN(len(data)))]
		}
	}
	return data
}

// comparison is of one output of a module.
type comparison struct {
	module      *module.Module
	differences []string
}

func (c *comparison) differ(path string, got, want any) {
	c.differences = append(c.differences, fmt.Sprintf("%s: got %.100v, YARA-X has %.100v", path, got, want))
}

// more are fields that YARA-X does not have.
var more = regexp.MustCompile(`^(dex\.|.*(\.fsize|\.version_data|\.length_of_chain)$)`)

func (c *comparison) value(path string, t *module.Type, v module.Value, want any) {
	switch want := want.(type) {
	case map[string]any:
		if b, ok := want["b"].(string); ok {
			c.text(path, v, b, want["text"])
			return
		}
		c.fields(path, t, v, want)
	case []any:
		list := v.List()
		if list == nil || list.Len() != len(want) {
			c.differ(path, yaratest.Show(v), want)
			return
		}
		for i, item := range want {
			c.value(fmt.Sprintf("%s[%d]", path, i), t.Elem, list.At(i), item)
		}
	case float64:
		n, isInt := v.Int()
		f, isFloat := v.Float()
		if isInt && float64(n) != want && float64(uint64(n)) != want || isFloat && f != want || !isInt && !isFloat {
			c.differ(path, yaratest.Show(v), want)
		}
	case bool:
		if b, ok := v.Bool(); b != want || !ok {
			c.differ(path, yaratest.Show(v), want)
		}
	}
}

func (c *comparison) fields(path string, t *module.Type, v module.Value, want map[string]any) {
	if t.Kind == module.Map {
		for key, item := range want {
			c.value(path+"."+key, t.Elem, v.Dict().Get(module.Text(key)), item)
		}
		return
	}
	for i, f := range t.Fields {
		if f.Type == nil || f.Const.Defined() {
			continue
		}
		p, value := path+"."+f.Name, v.Field(i)
		item, ok := want[f.Name]
		switch {
		case ok:
			c.value(p, f.Type, value, item)
		case value.Defined() && value.Kind() < module.Struct && !more.MatchString(p):
			c.differ(p, yaratest.Show(value), "nothing")
		}
	}
}

// isConstant reports whether a module has a constant of a name and value, in
// the root or in a group of constants.
func isConstant(t *module.Type, name any, v int64) bool {
	return slices.ContainsFunc(t.Fields, func(f *module.Field) bool {
		n, ok := f.Const.Int()
		return f.Name == name && ok && n == v || f.Type != nil && f.Type.Kind == module.Struct && isConstant(f.Type, name, v)
	})
}

// text compares a string, or an integer with the constant of a name.
func (c *comparison) text(path string, v module.Value, b string, name any) {
	want, _ := base64.StdEncoding.DecodeString(b)
	if n, ok := v.Int(); ok {
		if !isConstant(c.module.Schema, name, n) {
			c.differ(path, n, name)
		}
		return
	}
	if s, ok := v.Text(); !ok || s != string(want) {
		c.differ(path, fmt.Sprintf("%q", s), string(want))
	}
}
