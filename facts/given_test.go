package facts

import (
	"context"
	"testing"

	"github.com/besra-hunt/besra"
)

func TestGiven(t *testing.T) {
	host, err := NewHost(Config{Name: "h"})
	if err != nil {
		t.Fatal(err)
	}
	g := NewGiven(besra.ContextArchive, host)
	g.Path("a/../dir/B.TXT", "header")
	g.State("file.owner.uid", int64(7), besra.GradeAsserted, "header")
	asked := 0
	g.Ask("archive.path", func(context.Context) besra.Fact {
		asked++
		return besra.Fact{Value: "p", Grade: besra.GradeWeak}
	})
	g.Content("package.verified", func(b []byte) besra.Fact {
		return besra.Fact{Value: string(b) == "abc", Grade: besra.GradeWeak}
	})
	const sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if f := g.Fact(t.Context(), "file.sha256"); f.Known() {
		t.Errorf("before the content is lent: got %+v", f)
	}
	g.SetContent([]byte("abc"))
	for name, want := range map[string]any{
		"file.path": besra.Text("/dir/B.TXT"), "file.dir": besra.Text("/dir"), "file.name": besra.Text("B.TXT"), "file.ext": besra.Text(".txt"),
		"file.owner.uid": int64(7), "archive.path": "p", "package.verified": true, "file.size": int64(3), "file.sha256": sha,
		"file.magic": "text", "host.name": besra.Text("h"),
	} {
		if f := g.Fact(t.Context(), name); f.Name != name || f.Value != want || !f.Known() {
			t.Errorf("%s: got %+v, want %v", name, f, want)
		}
	}
	g.SetContent(nil)
	if f := g.Fact(t.Context(), "file.sha256"); f.Value != sha {
		t.Errorf("what was computed is not remembered: %+v", f)
	}
	if g.Fact(t.Context(), "archive.path"); asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
	for _, name := range []string{"file.ctime", "net.host", "no.such", "file.mtime", "file.md5"} {
		if f := g.Fact(t.Context(), name); f.Known() || f.Source == "" || f.Name != name {
			t.Errorf("%s: got %+v, want an unavailable fact with its reason", name, f)
		}
	}
}

// TestGivenInherit asks the target around for groups that are handed on.
func TestGivenInherit(t *testing.T) {
	outer := NewGiven(besra.ContextMail, besra.NoFacts{})
	outer.State("mail.subject", besra.Text("s"), besra.GradeWeak, "header")
	outer.State("file.name", besra.Text("a.zip"), besra.GradeWeak, "header")
	member := NewGiven(besra.ContextArchive, outer)
	member.Inherit("mail")
	inner := NewGiven(besra.ContextArchive, member)
	inner.Inherit("mail", "net")
	if f := inner.Fact(t.Context(), "mail.subject"); f.Value != besra.Text("s") || f.Grade != besra.GradeWeak {
		t.Errorf("got %+v, want the subject of the mail around", f)
	}
	for _, name := range []string{"file.name", "mail.dkim", "net.url"} {
		if f := inner.Fact(t.Context(), name); f.Known() || f.Source == "" {
			t.Errorf("%s: got %+v, want it unavailable, with the reason", name, f)
		}
	}
}
