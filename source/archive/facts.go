package archive

import (
	"context"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// memberFacts are what the archive says of a member, all of it asserted by
// whoever made the archive; what follows from the bytes is verified. Where the
// archive came from, its members did.
func memberFacts(w *walk, m member) *facts.Given {
	header := w.kind + " header"
	given := facts.NewGiven(besra.ContextArchive, w.outer.Facts)
	given.Inherit("mail", "net", "object", "image")
	given.Path(m.name, w.kind+" member name")
	given.State("archive.kind", w.kind, besra.GradeVerified, "content of the archive")
	given.Ask("archive.chain", w.chain)
	given.Ask("archive.path", w.outermost("file.path"))
	given.Ask("archive.sha256", w.outermost("file.sha256"))
	if m.uid != nil {
		given.State("file.owner.uid", *m.uid, besra.GradeAsserted, header)
	}
	if m.gid != nil {
		given.State("file.group.gid", *m.gid, besra.GradeAsserted, header)
	}
	if m.owner != "" {
		given.State("file.owner.name", besra.Text(m.owner), besra.GradeAsserted, header)
	}
	if m.group != "" {
		given.State("file.group.name", besra.Text(m.group), besra.GradeAsserted, header)
	}
	if m.mode != 0 {
		given.State("file.mode", int64(m.mode.Perm()), besra.GradeAsserted, header)
	}
	if !m.mtime.IsZero() {
		given.State("file.mtime", m.mtime.UTC(), besra.GradeAsserted, header)
	}
	w.packageFacts(given, m)
	return given
}

// chain names the archives around a member, outermost first.
func (w *walk) chain(ctx context.Context) besra.Fact {
	names := []string{w.outer.Name}
	if w.outer.Context == besra.ContextArchive {
		f := w.outer.Facts.Fact(ctx, "archive.chain")
		before, _ := f.Value.([]string)
		names = append(slices.Clone(before), w.outer.Name[strings.LastIndexByte(w.outer.Name, '!')+1:])
	}
	return besra.Fact{Value: names, Grade: besra.GradeWeak, Source: "names of the archives"}
}

// outermost returns how a fact of the outermost archive is asked for.
func (w *walk) outermost(name string) func(context.Context) besra.Fact {
	return func(ctx context.Context) besra.Fact {
		if w.outer.Context == besra.ContextArchive {
			return w.outer.Facts.Fact(ctx, "archive."+strings.TrimPrefix(name, "file."))
		}
		return w.outer.Facts.Fact(ctx, name)
	}
}

// packageFacts say which package a member is of, and whether the package's own
// manifest vouches for it. Both are weak: whoever makes a package chooses them.
func (w *walk) packageFacts(given *facts.Given, m member) {
	if w.pkg != "" {
		given.State("package.name", besra.Text(w.pkg), besra.GradeWeak, "the package's own control data")
	}
	if d := m.expect; d != nil {
		given.Content("package.verified", func(content []byte) besra.Fact {
			return besra.Fact{Value: d.fits(content), Grade: besra.GradeWeak, Source: d.algorithm + " in " + d.source + " of the package itself"}
		})
	}
}
