// Package msi is the YARA module "msi": the Authenticode signatures of Windows
// Installer packages. The rest of a package is in the module olecf.
//
// Fields are those of pe.signatures. The digest of the file is what Windows
// and signing tools compute: of the streams in the order of their names, each
// storage's class after what it holds. (YARA-X 1.20 computes another, so that
// its file_digest differs, and no signature is ever verified.) Where a package
// has a stream MsiDigitalSignatureEx its content is part of the digest; that
// it is itself the digest of names and times is not checked.
//
// Signatures are read when a condition first asks for a field. A target that
// is no OLE compound file costs a look at eight bytes. A signature is at most
// 16 MiB; streams that are read for the digest are together at most 4 times
// the file, storages at most 64 deep, and the bounds of pe's signatures hold.
package msi

import (
	"io"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/container"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
	"github.com/besra-hunt/besra/yara/modules/pe"
)

// Limits; see the package comment.
const (
	maxSignature = 16 << 20
	maxReadTimes = 4
)

// Streams of signatures.
const (
	signatureStream = "DigitalSignature"
	metadataStream  = "MsiDigitalSignatureEx"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("msi", root)
	blank := column.Blank(typ, map[string]module.Value{"is_signed": module.Boolean(false)})
	return &module.Module{
		Name:   "msi",
		Doc:    "The signatures of Windows Installer packages.",
		Schema: typ,
		Load: func(in *module.Input) module.Value {
			c := in.Memo(container.CompoundKey{}, func() any { return container.ParseCompound(in.Data) }).(*container.Compound)
			if c == nil {
				return blank
			}
			return column.Struct(root, signaturesOf(c, in.LibYARA))
		},
	}
}

var root = []column.Column[module.Items]{
	column.Bool("is_signed", "Whether the package has a signature, sound or not.", func(s module.Items) bool { return len(s) > 0 }),
	{Name: "signatures", Doc: "The signatures.", Type: &module.Type{Kind: module.Array, Elem: pe.SignatureType()},
		Get: func(s module.Items) module.Value { return module.ArrayOf(s) }},
}

func signaturesOf(c *container.Compound, libyara bool) module.Items {
	entries := c.Entries()
	for i := range entries {
		e := &entries[i]
		if !strings.EqualFold(e.Name, signatureStream) || e.Size > maxSignature {
			continue
		}
		data, ok := c.Read(e)
		if !ok {
			return nil
		}
		return pe.Signatures(data, libyara, func(w io.Writer) {
			d := &digester{c: c, w: w, left: maxReadTimes * uint64(len(c.Data))}
			d.file()
		})
	}
	return nil
}

// digester writes what of a package is signed.
type digester struct {
	c    *container.Compound
	w    io.Writer
	left uint64 // bytes that may be read
}

func (d *digester) file() {
	tree := d.c.Tree()
	if tree == nil {
		return
	}
	for _, n := range tree.Children {
		if n.Entry.Name == metadataStream {
			d.stream(n)
		}
	}
	d.storage(tree, true)
}

func (d *digester) storage(n *container.Node, isRoot bool) {
	for _, child := range n.Children {
		switch {
		case isRoot && (child.Entry.Name == signatureStream || child.Entry.Name == metadataStream):
		case child.Entry.Type == container.TypeStream:
			d.stream(child)
		default:
			d.storage(child, false)
		}
	}
	d.write(n.ClassID)
}

func (d *digester) stream(n *container.Node) {
	if n.Entry.Size > d.left {
		return
	}
	d.left -= n.Entry.Size
	if b, ok := d.c.Read(&n.Entry); ok {
		d.write(b)
	}
}

// write never fails: what is written to is a hash.
func (d *digester) write(b []byte) { _, _ = d.w.Write(b) }
