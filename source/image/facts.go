package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// rooted is an image as a host that its files are judged on.
type rooted struct {
	*facts.Host
	root *root
	os   string
}

func (im *image) host(ctx context.Context, c Config) (*rooted, error) {
	r := &root{ctx: ctx, place: c.Name, image: im, members: c.Members, bytes: c.Bytes}
	config := c.Facts
	config.Root, config.Files, config.FilesFrom = "", r, "header in the layer"
	host, err := facts.NewHost(config)
	return &rooted{host, r, im.os}, err
}

// Fact answers host.os without reading the layers again.
func (h *rooted) Fact(ctx context.Context, name string) besra.Fact {
	if name == "host.os" && h.os != "" {
		return besra.Fact{Name: name, Value: h.os, Grade: besra.GradeAsserted, Source: "configuration of the image"}
	}
	return h.Host.Fact(ctx, name)
}

// facts are what is known of the image as a whole.
func (im *image) facts() []besra.Fact {
	list := []besra.Fact{{Name: "image.id", Value: digest(im.config), Grade: besra.GradeVerified, Source: "content of the configuration"}}
	if im.digest != "" {
		list = append(list, besra.Fact{Name: "image.digest", Value: im.digest, Grade: besra.GradeVerified, Source: "content of the manifest"})
	}
	if im.ref != "" {
		list = append(list, besra.Fact{Name: "image.ref", Value: besra.Text(im.ref), Grade: besra.GradeAsserted, Source: "name of the image"})
	}
	return list
}

// fileFacts are the facts of a file in a layer: those of a file on a host, and
// those of the image.
type fileFacts struct {
	*facts.File
	host  *rooted
	image *image
	of    file
}

func (y *yielder) facts(f file) *fileFacts {
	return &fileFacts{File: y.host.File(f.path, infoOf(f.Header)), host: y.host, image: y.image, of: f}
}

// Fact implements [besra.Facts].
func (f *fileFacts) Fact(ctx context.Context, name string) besra.Fact {
	switch {
	case name == "host.os":
		return f.host.Fact(ctx, name)
	case strings.HasPrefix(name, "image."):
		return f.imageFact(name)
	}
	return f.File.Fact(ctx, name)
}

func (f *fileFacts) imageFact(name string) besra.Fact {
	for _, fact := range f.image.facts() {
		if fact.Name == name {
			return fact
		}
	}
	fact := besra.Unavailable(name, "nothing states it of this image")
	switch name {
	case "image.layer":
		sum, err := f.host.root.digest(f.of.layer)
		if err != nil {
			return besra.Unavailable(name, err.Error())
		}
		fact.Value, fact.Grade, fact.Source = sum, besra.GradeVerified, "content of the layer, unpacked"
	case "image.created_by":
		if f.of.layer.createdBy != "" {
			fact.Value, fact.Grade, fact.Source = besra.Text(f.of.layer.createdBy), besra.GradeAsserted, "history in the configuration"
		}
	case "image.hidden":
		fact.Value, fact.Grade, fact.Source = f.of.over > 0, besra.GradeVerified, f.hidden()
	}
	return fact
}

// hidden tells what became of the file.
func (f *fileFacts) hidden() string {
	if f.of.over == 0 {
		return "no layer above has the path"
	}
	what := "replaced"
	if f.of.removed {
		what = "removed"
	}
	by := ""
	if l := f.image.layers[f.of.over-1]; l.createdBy != "" {
		by = ": " + l.createdBy
	}
	return fmt.Sprintf("%s by layer %d of %d%s", what, f.of.over, len(f.image.layers), by)
}

// info is what a header says of a file, with its owner.
type info struct {
	fs.FileInfo
	header *tar.Header
}

func infoOf(h *tar.Header) info { return info{h.FileInfo(), h} }

// Sys implements [fs.FileInfo].
func (i info) Sys() any {
	if i.header.Uid < 0 || i.header.Gid < 0 || int64(i.header.Uid) > math.MaxUint32 || int64(i.header.Gid) > math.MaxUint32 {
		return nil
	}
	return &facts.Owner{UID: uint32(i.header.Uid), GID: uint32(i.header.Gid)}
}
