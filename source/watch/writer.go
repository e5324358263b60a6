package watch

import (
	"context"
	"path"
	"strings"

	"github.com/besra-hunt/besra"
)

// writer is the process that wrote a file, as far as it could be asked before it
// ended.
type writer struct {
	pid                int64
	exe, cmdline, user string // empty where not known
	gone               string // why not
}

// before answers the facts of the group writer and leaves the others to f.
func (w *writer) before(f besra.Facts) besra.Facts { return &writtenFacts{f, w} }

// writtenFacts are the facts of a file whose writer is known.
type writtenFacts struct {
	besra.Facts
	by *writer
}

// SetContent implements [besra.ContentFacts].
func (w *writtenFacts) SetContent(content []byte) {
	if f, ok := w.Facts.(besra.ContentFacts); ok {
		f.SetContent(content)
	}
}

// Fact implements [besra.Facts].
func (w *writtenFacts) Fact(ctx context.Context, name string) besra.Fact {
	if !strings.HasPrefix(name, "writer.") {
		return w.Facts.Fact(ctx, name)
	}
	const source = "fanotify"
	switch {
	case name == "writer.pid":
		return besra.Fact{Name: name, Value: w.by.pid, Grade: besra.GradeVerified, Source: source}
	case name == "writer.user" && w.by.user != "":
		return besra.Fact{Name: name, Value: besra.Text(w.by.user), Grade: besra.GradeVerified, Source: source + ", /proc"}
	}
	if v := w.by.text(name); v != "" {
		return besra.Fact{Name: name, Value: besra.Text(v), Grade: besra.GradeWeak, Source: source + ", /proc"}
	}
	return besra.Unavailable(name, w.by.gone)
}

func (w *writer) text(name string) string {
	switch name {
	case "writer.exe":
		return w.exe
	case "writer.name":
		if w.exe == "" {
			return ""
		}
		return path.Base(w.exe)
	case "writer.cmdline":
		return w.cmdline
	}
	return ""
}
