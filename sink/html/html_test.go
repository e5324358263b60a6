package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.html", *update) }

var (
	tag     = regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*(/?)>|<!DOCTYPE html>`)
	scriptE = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	styleE  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	loads   = regexp.MustCompile(`(?i)\s(src|href|action|on[a-z]+)=`)
	fetches = regexp.MustCompile(`(?i)url\(|@import|fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|\.src\b|innerHTML`)
	void    = []string{"meta", "input", "br"}
)

// check wants a whole page: every element closed in its order, none but ours,
// nothing that loads anything, one script that the page's policy knows by hash.
func check(out []byte) (findings int, err error) {
	text := string(out)
	scripts := scriptE.FindAllStringSubmatch(text, -1)
	if len(scripts) != 1 {
		return 0, fmt.Errorf("%d scripts", len(scripts))
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	if !strings.Contains(text, "sha256-"+strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;")) {
		return 0, errors.New("the policy does not know the script")
	}
	if !strings.Contains(text, `http-equiv="Content-Security-Policy" content="default-src 'none'`) {
		return 0, errors.New("the policy lets the page load things")
	}
	for _, part := range append(scripts, styleE.FindAllStringSubmatch(text, -1)...) {
		if word := fetches.FindString(part[1]); word != "" {
			return 0, fmt.Errorf("style or script has %q", word)
		}
	}
	body := scriptE.ReplaceAllString(styleE.ReplaceAllString(text, "<style></style>"), "<script></script>")
	var open []string
	rest, end := strings.Builder{}, 0
	for _, at := range tag.FindAllStringSubmatchIndex(body, -1) {
		rest.WriteString(body[end:at[0]])
		end = at[1]
		m := groups(body, at)
		name := m[2]
		switch {
		case loads.MatchString(m[3]):
			return 0, fmt.Errorf("an attribute that loads or runs something: %s", m[0])
		case name == "" || slices.Contains(void, name) || m[4] == "/":
		case m[1] == "":
			open = append(open, name)
			if strings.Contains(m[3], `class="finding `) {
				findings++
			}
		case len(open) == 0 || open[len(open)-1] != name:
			return 0, fmt.Errorf("</%s> closes %v", name, open)
		default:
			open = open[:len(open)-1]
		}
	}
	rest.WriteString(body[end:])
	if len(open) > 0 || strings.ContainsAny(rest.String(), "<>") || bytes.ContainsAny(out, "\x00\x1b\r") {
		return 0, fmt.Errorf("elements %v are open, or a mark is not escaped", open)
	}
	return findings, nil
}

func groups(s string, at []int) []string {
	out := make([]string, len(at)/2)
	for i := range out {
		if at[2*i] >= 0 {
			out[i] = s[at[2*i]:at[2*i+1]]
		}
	}
	return out
}
