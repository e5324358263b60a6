package magic

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// zip tells documents and programs that are ZIP archives by their first entry.
func zip(b []byte) (k kind, ok bool) {
	r := binfmt.NewReader(b, binfmt.Little)
	magic, version := string(r.Bytes(4)), r.U16()
	r.Skip(20)
	nameSize, extraSize := r.U16(), r.U16()
	if !r.OK() || magic != "PK\x03\x04" {
		if magic == "PK\x05\x06" {
			return kind{"application/zip", "Zip archive data (empty)"}, true
		}
		return k, false
	}
	name := string(r.Bytes(int(nameSize)))
	r.Skip(int(extraSize))
	first, _, _ := strings.Cut(name, "/")
	switch {
	case name == "mimetype":
		return openDocument(r.Rest()), true
	case first == "META-INF":
		return kind{"application/java-archive", "Java archive data (JAR)"}, true
	case name == "AndroidManifest.xml":
		return kind{"application/vnd.android.package-archive", "Android package (APK), with AndroidManifest.xml"}, true
	case name == "[Content_Types].xml" || name == "_rels/.rels" || name == "docProps":
		return office(b), true
	}
	return kind{"application/zip", fmt.Sprintf("Zip archive data, at least v%d.%d to extract", version/10, version%10)}, true
}

// office tells documents of Microsoft Office by the directory of a later entry.
func office(b []byte) kind {
	const mime = "application/vnd.openxmlformats-officedocument."
	for _, o := range []struct {
		directory string
		kind      kind
	}{
		{"word/", kind{mime + "wordprocessingml.document", "Microsoft Word 2007+"}},
		{"xl/", kind{mime + "spreadsheetml.sheet", "Microsoft Excel 2007+"}},
		{"ppt/", kind{mime + "presentationml.presentation", "Microsoft PowerPoint 2007+"}},
	} {
		for rest := b; ; {
			i := bytes.Index(rest, []byte("PK\x03\x04"))
			if i < 0 {
				break
			}
			if rest = rest[i+4:]; len(rest) >= 26 && bytes.HasPrefix(rest[26:], []byte(o.directory)) {
				return o.kind
			}
		}
	}
	return kind{"application/octet-stream", "Microsoft OOXML"}
}

// openDocument tells documents by the content of their first entry.
func openDocument(b []byte) kind {
	for _, o := range []struct{ mime, text string }{
		{"application/vnd.oasis.opendocument.text", "OpenDocument Text"},
		{"application/vnd.oasis.opendocument.spreadsheet", "OpenDocument Spreadsheet"},
		{"application/vnd.oasis.opendocument.presentation", "OpenDocument Presentation"},
		{"application/vnd.oasis.opendocument.graphics", "OpenDocument Drawing"},
		{"application/epub+zip", "EPUB document"},
	} {
		if bytes.HasPrefix(b, []byte(o.mime)) {
			return kind(o)
		}
	}
	return kind{"application/zip", "Zip archive data"}
}

// compound tells what OLE compound files hold by names in the directory, which
// is wherever the file has it.
func compound(b []byte) (k kind, ok bool) {
	if !bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
		return k, false
	}
	k = kind{"application/x-ole-storage", "Composite Document File V2 Document"}
	for _, o := range []struct{ stream, mime string }{
		{"WordDocument", "application/msword"},
		{"Workbook", "application/vnd.ms-excel"},
		{"PowerPoint Document", "application/vnd.ms-powerpoint"},
	} {
		wide := strings.Join(strings.Split(o.stream, ""), "\x00")
		if bytes.Contains(b, []byte(wide)) {
			k.mime = o.mime
		}
	}
	return k, true
}

func tar(b []byte) (k kind, ok bool) {
	const mime = "application/x-tar"
	switch {
	case len(b) < 512:
		return k, false
	case string(b[257:265]) == "ustar  \x00":
		return kind{mime, "POSIX tar archive (GNU)"}, true
	case string(b[257:263]) == "ustar\x00":
		return kind{mime, "POSIX tar archive"}, true
	}
	return k, false
}
