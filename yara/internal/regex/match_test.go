package regex

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func compileText(t testing.TB, src string, o Options) *Prog {
	t.Helper()
	n, err := Parse(src, o)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return mustCompile(t, n)
}

func TestMatchAt(t *testing.T) {
	tests := []struct {
		src, data string
		start     int
		want      int // the end, or -1
	}{
		{`abc`, "xabcx", 1, 4},
		{`abc`, "xabcx", 0, -1},
		{`a+`, "aaa", 1, 3},
		{`a+?`, "aaa", 1, 2},
		// Preferences: YARA and YARA-X agree on each of these.
		{`the (caterpillar|cat)`, "the caterpillar", 0, 15},
		{`the (cat|caterpillar)`, "the caterpillar", 0, 7},
		{`abcd(e|ef)`, "abcdef", 0, 5},
		{`abcd(ef|e)`, "abcdef", 0, 6},
		{`xyzw(b|ba){2}`, "xyzwbaba", 0, 7},
		{`xyzw(a|)*`, "xyzwaaa", 0, 7},
		{`xyzw(|a)*`, "xyzwaaa", 0, 7},
		{`xyzw(|a)+`, "xyzwaaa", 0, 4},
		{`xyzw(|a){2,3}`, "xyzwaaa", 0, 4},
		{`xyzw(a|){2,3}`, "xyzwaaaaa", 0, 7},
		{`xyzw(a??)+?b`, "xyzwaaab", 0, 8},
		{`xyzw(b{0,2}|a)+`, "xyzwbaaa", 0, 8},
		{`xyzw(b{0,2}|a)+`, "xyzwaaa", 0, 4},
		// Assertions.
		{`^a`, "aa", 0, 1},
		{`^a`, "aa", 1, -1},
		{`a$`, "aa", 1, 2},
		{`a$`, "aa", 0, -1},
		{`a$`, "a\n", 0, -1},
		{`\bab\b`, "-ab-", 1, 3},
		{`\bab\b`, "_ab-", 1, -1},
		{`\Bab`, "xab", 1, 3},
		{`a.{0,4}\b`, "a>>>34", 0, 4},
		{`a.{0,4}?\b`, "a1234", 0, 5},
		{`a(b|$)`, "aba", 2, 3},
		{`(?m)^b`, "a\nb", 2, 3},
		{`(?m)^b`, "a\rb", 2, 3},
		{`(?m)a$`, "a\r\n", 0, 1},
		{`(?m)\r$`, "a\r\n", 1, -1},
		{`a.b`, "a\nb", 0, -1},
		{`a.b`, "a\rb", 0, 3},
		{`(?u)a.b`, "aéb", 0, 4},
		{`(?u)a.b`, "a\xE9b", 0, -1},
		{`[a&&]`, "a", 0, -1},
		{``, "a", 1, 1},
		{``, "a", 2, -1},
		{`x`, "a", -1, -1},
	}
	for name, m := range testMachines() {
		for _, test := range tests {
			end, ok := m.MatchAt(compileText(t, test.src, Options{}), []byte(test.data), test.start, 0)
			if !ok {
				end = -1
			}
			if end != test.want {
				t.Errorf("%s: %s on %q at %d: got %d, want %d", name, test.src, test.data, test.start, end, test.want)
			}
		}
	}
}

func TestWide(t *testing.T) {
	wide := func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }
	tests := []struct {
		src, data  string
		start      int
		yarax, lib bool
	}{
		{`abc`, wide("abc"), 0, true, true},
		{`a.c`, "a\x00b\x01c\x00", 0, false, false},
		{`\babc`, "x\x00" + wide("abc"), 2, false, false},
		{`\babc`, "-\x00" + wide("abc"), 2, true, true},
		{`\babc`, "x" + wide("abc"), 1, true, true},
		{`\babc`, "xx" + wide("abc"), 2, false, true},
		{`\babc`, "x-" + wide("abc"), 2, false, true},
		{`abc\b`, wide("abc") + "x", 0, true, true},
		{`abc\b`, wide("abc") + "xx", 0, false, true},
		{`abc\b`, wide("abcx"), 0, false, false},
		{`^abc$`, wide("abc"), 0, true, true},
		{`^abc`, "x" + wide("abc"), 1, true, false},
		{`^abc`, "xx" + wide("abc"), 2, false, false},
		{`abc$`, wide("abc") + "x", 0, true, false},
		{`abc$`, wide("abc") + "xx", 0, false, false},
	}
	m := new(Machine)
	for _, test := range tests {
		n, err := Parse(test.src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, yarax := m.MatchAt(mustCompile(t, n.Wide()), []byte(test.data), test.start, 0)
		_, lib := m.MatchAt(mustCompile(t, n.WideLibYARA()), []byte(test.data), test.start, 0)
		if yarax != test.yarax || lib != test.lib {
			t.Errorf("%s on %q: got %v and, as libyara, %v, want %v and %v", test.src, test.data, yarax, lib, test.yarax, test.lib)
		}
	}
}

// TestLimit checks that a limit bounds the bytes taken, not those looked at.
func TestLimit(t *testing.T) {
	data := []byte("-" + strings.Repeat("a", 100) + "b")
	tests := []struct {
		src         string
		limit, want int
	}{
		{`a+`, 10, 11}, {`a*b`, 100, -1}, {`a*b`, 101, 102}, {`a{10}`, 10, 11}, {`a{10}`, 9, -1},
		{`a+\b`, 50, -1}, {`(a|x)*\B`, 50, 51}, {`(aa|x)+`, 9, 9}, {`aaa`, 2, -1}, {`(a*b)$`, 101, 102}, {`a*$`, 50, -1},
	}
	for name, m := range testMachines() {
		for _, test := range tests {
			p := compileText(t, test.src, Options{})
			end, ok := m.MatchAt(p, data, 1, test.limit)
			if !ok {
				end = -1
			}
			if end != test.want {
				t.Errorf("%s: %s with limit %d: got %d, want %d", name, test.src, test.limit, end, test.want)
			}
		}
		var got []int
		back := mustCompile(t, Repeat(Literal([]byte("a")), 1, -1, true))
		m.StartsBefore(back, data, 101, 3, func(s int) bool { got = append(got, s); return true })
		if want := []int{100, 99, 98}; !slices.Equal(got, want) {
			t.Errorf("%s: starts with limit 3: got %v, want %v", name, got, want)
		}
	}
}

func TestYieldStops(t *testing.T) {
	data := []byte(strings.Repeat("a", 50))
	p := compileText(t, `a+`, Options{})
	for name, m := range testMachines() {
		calls := 0
		stop := func(int) bool { calls++; return false }
		m.StartsBefore(p, data, 40, 0, stop)
		m.EndsAt(p, data, 10, 0, stop)
		m.Starts(p, data, 0, 30, stop)
		if calls != 3 {
			t.Errorf("%s: got %d calls, want 3", name, calls)
		}
	}
}

// TestNestedUse checks that what a Machine calls may use it.
func TestNestedUse(t *testing.T) {
	data := []byte("abababab")
	p, back := compileText(t, `(ab|b)+`, Options{}), compileText(t, `(ba|b)+`, Options{})
	for name, m := range testMachines() {
		var got []int
		m.StartsBefore(back, data, 8, 0, func(s int) bool {
			m.StartsBefore(back, data, s, 0, func(int) bool {
				_, ok := m.MatchAt(p, data, s, 0)
				return ok && m.Find(p, data, 0)
			})
			end, _ := m.MatchAt(p, data, s, 0)
			got = append(got, s, end)
			return true
		})
		want := []int{7, 8, 6, 8, 5, 8, 4, 8, 3, 8, 2, 8, 1, 8, 0, 8}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestStartsWindow(t *testing.T) {
	data := []byte("ab-ab-ab")
	back := compileText(t, `ba`, Options{})
	for name, m := range testMachines() {
		var got []int
		m.Starts(back, data, 1, 6, func(s int) bool { got = append(got, s); return true })
		if want := []int{3}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		m.Starts(back, data, -5, 100, func(s int) bool { got = append(got, s); return true })
		if want := []int{3, 6, 3, 0}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestSizeLimit(t *testing.T) {
	tests := []struct {
		src  string
		lim  Limits
		fine bool
	}{
		{`a{1000}`, Limits{}, true}, {`(a{1000}){100}`, Limits{}, true}, {`(a{1000}){1000}`, Limits{}, false},
		{`([a-z]{2000}){1000}`, Limits{}, false}, {`.{0,60000}`, Limits{}, true}, {`a{10}`, Limits{Insts: 5}, false},
		{`((((a{99}){99}){99}){99}){99}`, Limits{Insts: 1 << 30}, false}, {`a{60000000}`, Limits{}, false},
	}
	for _, test := range tests {
		n, err := Parse(test.src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Compile(n, test.lim)
		if size, ok := err.(*SizeError); (err == nil) != test.fine || err != nil && (!ok || size.Code() != CodeTooLarge || size.Error() == "") {
			t.Errorf("%s: got %v", test.src, err)
		}
	}
}

// TestGoRegexp compares with the standard library, whose preferences are the
// same, on random texts.
func TestGoRegexp(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	m := new(Machine)
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		src := randomText(r, 3)
		n, err := Parse(src, Options{Matches: true})
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if size(n, 0) > 1000 || loopsOverEmpty(n) {
			continue
		}
		p := mustCompile(t, n)
		g := newNodeMaker(r)
		data := g.bytes(r.IntN(14))
		for s := range len(data) + 1 {
			// The text before s is skipped so that assertions see it.
			std := regexp.MustCompile(fmt.Sprintf(`\A(?s:.{%d})(?:%s)`, s, src))
			want := std.FindIndex(data)
			end, ok := m.MatchAt(p, data, s, 0)
			if ok != (want != nil) || ok && end != want[1] {
				t.Fatalf("%s on %q at %d: got %d %v, want %v", src, data, s, end, ok, want)
			}
		}
		if got, want := m.Find(p, data, 0), regexp.MustCompile(src).Match(data); got != want {
			t.Fatalf("%s in %q: got %v, want %v", src, data, got, want)
		}
	}
}

// randomText makes a regexp that the standard library reads alike.
func randomText(r *rand.Rand, depth int) string {
	var b strings.Builder
	for range r.IntN(4) {
		operand := []string{"a", "b", "ab", "[ab]", "[^a]", ".", `\w`, `\W`, `\s`, "[^-_]", `\x00`, "(?i:a)", "(?s:.)", `\b`, `\B`, "^", "$"}[r.IntN(17)]
		if depth > 0 && r.IntN(3) == 0 {
			alts := make([]string, 1+r.IntN(3))
			for i := range alts {
				alts[i] = randomText(r, depth-1)
			}
			operand = "(" + strings.Join(alts, "|") + ")"
		}
		if strings.Contains("^$", operand) || strings.HasPrefix(operand, `\b`) || strings.HasPrefix(operand, `\B`) || operand == "ab" {
			b.WriteString(operand)
			continue
		}
		b.WriteString(operand + []string{"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"}[r.IntN(13)])
	}
	return b.String()
}

func TestNoAllocations(t *testing.T) {
	data := []byte(strings.Repeat("GET /index.html?a=b HTTP/1.1 \x00", 40))
	m := new(Machine)
	for _, src := range []string{`GET`, `GE[S-U] .{3,9}\.html`, `(GET|PUT) /[a-z]+\.(html|php)\?`, `\bGET\b.*?(?:1\.1|1\.0)`, `(?m)(GET|x) .*$`} {
		n, err := Parse(src, Options{Matches: true})
		if err != nil {
			t.Fatal(err)
		}
		p, back := mustCompile(t, n), mustCompile(t, n.Reverse())
		total := 0
		run := func() {
			for s := 0; s < len(data); s += 30 {
				end, _ := m.MatchAt(p, data, s, 4096)
				total += end
				m.StartsBefore(back, data, end, 4096, func(int) bool { total++; return true })
			}
			m.EndsAt(p, data, 0, 0, func(int) bool { total++; return true })
			m.Starts(back, data, 0, len(data), func(int) bool { total++; return true })
			if m.Find(p, data, 0) {
				total++
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: got %v allocations a run", src, n)
		}
	}
}
