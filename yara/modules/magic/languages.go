package magic

import (
	"bytes"
	"regexp"
	"sync"
)

// language tells source code by how some of its lines begin.
type language struct {
	kind kind
	re   *regexp.Regexp
}

// languageBytes is how much of a text is looked at for its language.
const languageBytes = 8192

// languages are tried in this order. libmagic weighs its patterns; the order
// stands for that. Compiling them takes longer than many a scan, so that waits.
var languages = sync.OnceValue(func() []language {
	return []language{
		{kind{"text/x-diff", "unified diff output"}, regexp.MustCompile(`(?m)\A--- .*\n\+\+\+ .*\n@@ `)},
		{kind{"text/x-diff", "diff output"}, regexp.MustCompile(`\Adiff `)},
		{kind{"text/x-diff", "RCS/CVS diff output"}, regexp.MustCompile(`\AIndex:`)},
		{kind{"text/x-msdos-batch", "DOS batch file"}, regexp.MustCompile(`(?i)\A@echo[ \t]+off|\A@?rem[ \t\r\n]`)},
		{kind{"text/x-tex", "LaTeX 2e document"}, regexp.MustCompile(`(?m)^\\document(?:class|style)`)},
		{kind{"text/x-tex", "LaTeX document"}, regexp.MustCompile(`(?m)^\\(?:chapter|section|begin\{)`)},
		{kind{"text/x-tex", "TeX document"}, regexp.MustCompile(`\A\\input`)},
		{kind{"text/troff", "troff or preprocessor input"}, regexp.MustCompile(`\A(?:\.\\"|'\\"|'\.\\"|\\"|''')|(?m)\A(?:[^.\n].*\n|\n){0,19}\.[A-Za-z][A-Za-z0-9][ \t]`)},
		{kind{"text/x-m4", "M4 macro processor script"}, regexp.MustCompile(`(?m)^dnl(?: |$)`)},
		{kind{"text/plain", "libtool library file"}, regexp.MustCompile(`(?m)\A# .* - a libtool library file`)},
		{kind{"text/x-script.python", "Python script"}, pythonImport()},
		{kind{"text/x-ruby", "Ruby script"}, regexp.MustCompile(`(?m)^[ \t]*require[ \t]'[A-Za-z_/.]+'|(?ms)^[ \t]*(?:class|module)[ \t][A-Z][^(:{;]*$.*^[ \t]*end$`)},
		{kind{"text/plain", "Perl POD document"}, regexp.MustCompile(`(?m)\A=(?:pod|head1|head2|over|encoding)|\A\n+=pod`)},
		{kind{"text/plain", "Perl5 module source"}, regexp.MustCompile(`(?m)^package[ \t]+[\w:]+[ \t]*(?:[\d._]+)?[ \t]*;|^(?:use|no)[ \t]+(?:strict|warnings|vars|lib)\b.*;`)},
		{kind{"text/x-java", "Java source"}, regexp.MustCompile(`(?m)^import[ \t]+(?:static[ \t]+)?[a-z][\w.*]*;`)},
		{kind{"text/x-c++", "C++ source"}, regexp.MustCompile(`(?m)^[ \t]*template[ \t]*<|^[ \t]*(?:public|private|protected):|^virtual[ \t]|^class[ \t]+\w+(?:[ \t]*:[ \t]*(?:public|private|protected)\b.*)?[ \t\r]*(?:\{|$)|^namespace[ \t]+\w+[ \t\r]*(?:\{|$)`)},
		{kind{"text/x-c", "C source"}, regexp.MustCompile(`(?m)^[ \t]{0,50}#[ \t]*include[ \t]*[<"]|^#[ \t]*pragma[ \t]|^(?:typedef|extern|static|struct|union|enum|char|double|int|float|unsigned|void|const)[ \t]+[\w \t*]+[;({]`)},
		{kind{"text/x-c", "C source"}, regexp.MustCompile(`(?s)(?:^|\n)#[ \t]*(?:if|ifdef|ifndef)[ \t]+.*\n#[ \t]*endif`)},
		{kind{"text/x-asm", "assembler source"}, regexp.MustCompile(`(?m)^[ \t]{0,50}\.(?:asciiz|byte|even|globl|text|file|type|section|align|cfi_startproc)\b`)},
		{kind{"application/javascript", "JavaScript source"}, regexp.MustCompile(`(?m)\A['"]use strict['"]|^module\.exports[ \t]*=|^(?:const|var|let)[ \t]+[\w{}, \t]+[ \t]*=[ \t]*(?:require|function|\(|\{|\[)|^[ \t]*(?:export[ \t]+)?(?:async[ \t]+)?function[ \t]*\w*[ \t]*\([^)]*\)[ \t]*\{?|^import[ \t].*[ \t]from[ \t]+['"]|^export[ \t]+(?:default|const|class|function|\{|interface|type)`)},
		{kind{"text/x-makefile", "makefile script"}, regexp.MustCompile(`(?m)^\.PHONY[ \t]*:|^[ \t]*(?:CFLAGS|VPATH|LDFLAGS|all:|SUBDIRS[ \t]*[+:]?=|CC[ \t]*[:?]?=)`)},
		{kind{"text/x-lisp", "Lisp/Scheme program"}, regexp.MustCompile(`(?m)^\((?:defun|defvar|setq|defmacro|defconst|require|provide|define)[ \t]`)},
		{kind{"text/calendar", "vCalendar calendar file"}, regexp.MustCompile(`\ABEGIN:VCALENDAR`)},
	}
})

// languageOf returns the language that a text is in.
func languageOf(b []byte) (k kind, ok bool) {
	b = b[:min(len(b), languageBytes)]
	for _, l := range languages() {
		if l.re.Match(b) {
			return l.kind, true
		}
	}
	return k, false
}

// isCSV reports whether the first ten lines, of which there must be two, have
// the same number of commas outside of quotes, and at least one.
func isCSV(b []byte) bool {
	want, lines := 0, 0
	for line := range bytes.Lines(b) {
		if lines++; lines > 10 {
			break
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			lines--
			break
		}
		n := commas(line)
		if lines == 1 {
			want = n
		}
		if n != want || n == 0 {
			return false
		}
	}
	return lines >= 2
}

func commas(line []byte) (n int) {
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			n++
		}
	}
	return n
}
