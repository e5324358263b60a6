package compile

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/diag"
)

// hostileSources are sources of about a MiB, divided by scale, that aim at work
// or memory out of proportion.
func hostileSources(scale int) map[string]func() string {
	size := (1 << 20) / scale
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	rule := func(strings, condition string) string {
		if strings != "" {
			strings = " strings: " + strings
		}
		return "rule r {" + strings + " condition: " + condition + " }"
	}
	each := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range max(n/scale, 1) {
			b.WriteString(f(i))
		}
		return b.String()
	}
	half := func(unit string) string { return strings.Repeat(unit, size/2/len(unit)) }
	patterns := each(28_000, func(i int) string { return fmt.Sprintf("$a%d=\"xyz%d\"\n", i, i) })
	return map[string]func() string{
		"sums":         func() string { return rule("", "0"+fill("+1")+" == 1") },
		"sums of size": func() string { return rule("", "0"+fill("+filesize")+" == 1") },
		"negations":    func() string { return rule("", fill("not ")+"true") },
		"parentheses":  func() string { return rule("", fill("(")) },
		"alternatives": func() string { return rule(`$a="abc"`, "$a"+fill(" or $a")) },
		"tiny rules": func() string {
			return each(27_000, func(i int) string { return fmt.Sprintf("rule r%d { condition: true }\n", i) })
		},
		"same rules":  func() string { return fill("rule r { condition: true }\n") },
		"all of them": func() string { return rule(patterns, "any of them"+half(" or any of them")) },
		"sets":        func() string { return rule(patterns, "any of them or any of ($a"+half(", $a1*")+")") },
		"empty sets":  func() string { return rule(patterns, "any of them or any of ($a1"+half(", $zz*")+")") },
		"unknown names": func() string {
			return each(9000, func(i int) string { return fmt.Sprintf("rule rul%d { condition: true }\n", i) }) + rule("", "a1"+half(" or rulx"))
		},
		"one line errors": func() string { return rule("", "x1"+fill(" or x1")) },
		"wildcards": func() string {
			return each(9000, func(i int) string { return fmt.Sprintf("rule q%d { condition: any of (q*) }\n", i) })
		},
		"many wildcards": func() string {
			return "rule a { condition: true } rule b { condition: any of (a*" + each(60_000, func(i int) string { return fmt.Sprintf(", a%d*", i) }) + ") }\n" + each(12_000, func(i int) string { return fmt.Sprintf("rule z%d { condition: true }\n", i) })
		},
		"references": func() string { return rule(patterns, "any of them") + "rule s { condition: r" + half(" or r") + "}" },
		"reference sets": func() string {
			return rule(patterns, "any of them") + each(18_000, func(i int) string { return fmt.Sprintf("rule s%d {condition: r or r}\n", i) })
		},
		"suppressions": func() string { return fill("//suppress:x\n") + rule("", "true") },
		"comments":     func() string { return fill("/*suppress:x*/") + rule("", "true") },
		"tags": func() string {
			return "rule r :" + each(150_000, func(i int) string { return fmt.Sprintf(" t%d", i) }) + " { condition: true }"
		},
		"variables": func() string {
			return rule("", "with "+each(100_000, func(i int) string { return fmt.Sprintf("v%d=1,", i) })+" z=1 : (z == 1)")
		},
		"globals": func() string {
			return each(20_000, func(i int) string { return fmt.Sprintf("global rule g%d { condition: filesize > %d }\n", i, i) })
		},
		"large repeats": func() string {
			return rule(each(38_000, func(i int) string { return fmt.Sprintf("$=/x%d[a-z]{9999}/\n", i) }), "any of them")
		},
		"nested repeats": func() string {
			return rule(each(30_000, func(i int) string { return fmt.Sprintf("$=/x%d(a{99}b){99}c/\n", i) }), "any of them")
		},
		"classes": func() string {
			return rule(each(30_000, func(i int) string { return fmt.Sprintf("$=/[^a]%d.[^b].\\d/i\n", i) }), "any of them")
		},
		"alternation": func() string { return rule("$=/a"+strings.Repeat("|b[a-z]c", 8000/scale)+"/", "any of them") },
		"hex choices": func() string {
			return rule(each(12_000, func(i int) string {
				return fmt.Sprintf("$={ %02X (01|02|03)(04|05)(06|07|08)(09|0A) ?? %02X (01|02|03)(04|05|06) %02X }\n", i&255, i>>8, i>>4&255)
			}), "any of them")
		},
		"deep hex": func() string { return rule("$={ 01 "+fill("(02|")+"}", "any of them") },
		"long hex": func() string { return rule("$={ "+fill("01 ")+"}", "any of them") },
		"hex jumps": func() string {
			return rule("$={ 01 02 03 04"+strings.Repeat(" [1-1000] 05", 20_000/scale)+"}", "any of them")
		},
		"base64": func() string {
			return rule(`$="`+strings.Repeat("a", 60_000)+`" base64 base64wide wide ascii`, "any of them") + strings.ReplaceAll(fill("rule r{strings:$=\"ab\"base64 condition:any of them}"), "ab", "abc")
		},
		"loops": func() string {
			return rule("", each(200, func(int) string { return "for any i in (1..2) : (" })+"true"+strings.Repeat(")", 200))
		},
		"lookups": func() string {
			return rule("", "with "+each(1000, func(i int) string { return fmt.Sprintf("v%d=filesize,", i) })+" z=1 : (v0 == z"+half(" or v1==v2")+")")
		},
		"meta": func() string { return "rule r { meta: " + fill("a=1 ") + "condition: true }" },
		"nested sets": func() string {
			return rule(each(250, func(i int) string { return fmt.Sprintf("$a%d=\"xyz%d\"\n", i, i) }), "any of them"+half(" and (any of ($a*) or $a1)"))
		},
		"counts": func() string {
			return rule(patterns, each(20_000, func(i int) string { return fmt.Sprintf("#a%d > 1 and ", i) })+"all of them")
		},
	}
}

// TestHostile compiles the hostile sources: a quarter of their size, or all of
// it where HOSTILE is set, which also tells times. A MiB must not take more than
// 256 MiB of memory, nor some seconds; times are not asked, but one that grows
// with the square of the size is noticed.
func TestHostile(t *testing.T) {
	scale := 4
	verbose := os.Getenv("HOSTILE") != ""
	if verbose {
		scale = 1
	}
	for name, source := range hostileSources(scale) {
		t.Run(name, func(t *testing.T) {
			src := []byte(source())
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			c := New(options())
			list := c.Add("", "hostile", src)
			p, _ := c.Build()
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			used := int(after.Sys-before.Sys) >> 20
			if verbose {
				t.Logf("%d KB: %v, %d MB more from the system, %d MB allocated in all, %d rules, %s", len(src)>>10,
					took.Round(time.Millisecond), used, (after.TotalAlloc-before.TotalAlloc)>>20, len(p.Rules), firstOf(list))
			}
			if used > 256 {
				t.Errorf("compiling %d KB took %d MB", len(src)>>10, used)
			}
		})
	}
}

func firstOf(list diag.List) string {
	if len(list) == 0 {
		return "no diagnostics"
	}
	return fmt.Sprintf("%d diagnostics, the first: %s", len(list), list[0].Error())
}
