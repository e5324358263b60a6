package mail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"
)

// isOutlook takes a compound file that has the storage of named properties,
// which every message has.
func isOutlook(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) && bytes.Contains(content, wide("__nameid_version1.0"))
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// Property streams ([MS-OXMSG] 2.2.1.1): the identifier and the type, 001E a
// text of 8 bits, 001F one of 16, 0102 bytes.
const (
	streamPrefix   = "__substg1.0_"
	attachPrefix   = "__attach_version1.0_"
	propBody       = "1000"
	propHTML       = "1013"
	propHeaders    = "007D"
	propAttachData = "3701"
	propLongName   = "3707"
	propShortName  = "3704"
)

// attachment is what is known of an attachment when its storage was read.
type attachment struct {
	long, short string
	data        []byte
}

// outlook yields bodies, transport headers and attachments, those of messages
// that are attached as well.
func (w *walk) outlook() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("damaged compound file")
		}
	}()
	doc, err := mscfb.New(bytes.NewReader(w.content))
	if err != nil {
		return err
	}
	attached, order := map[string]*attachment{}, []string{}
	for e, err := doc.Next(); err == nil; e, err = doc.Next() {
		prop, ok := strings.CutPrefix(e.Name, streamPrefix)
		if !ok || len(prop) < 8 || e.Size == 0 || e.FileInfo().IsDir() {
			continue
		}
		data, readErr := io.ReadAll(io.LimitReader(e, w.budget.Member))
		if readErr != nil && readErr != io.EOF {
			return readErr
		}
		where := strings.Join(e.Path, "/")
		if strings.HasPrefix(lastOf(e.Path), attachPrefix) {
			if attached[where] == nil {
				attached[where], order = &attachment{}, append(order, where)
			}
			attached[where].property(prop, data)
			continue
		}
		if err := w.outlookPart(len(e.Path), prop, data); err != nil {
			return err
		}
	}
	return w.attachments(attached, order)
}

func lastOf(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

func (a *attachment) property(prop string, data []byte) {
	switch prop[:4] {
	case propLongName:
		a.long = textOf(prop, data)
	case propShortName:
		a.short = textOf(prop, data)
	case propAttachData:
		a.data = data
	}
}

// textOf decodes a text property as its type says.
func textOf(prop string, data []byte) string {
	if prop[4:8] != "001F" {
		return string(data)
	}
	u := make([]uint16, len(data)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(u))
}

// outlookPart yields a body or the headers; depth tells those of attached
// messages apart.
func (w *walk) outlookPart(depth int, prop string, data []byte) error {
	name := map[string]string{propBody: "body.txt", propHTML: "body.html", propHeaders: "headers.txt"}[prop[:4]]
	if name == "" {
		return nil
	}
	if depth > 0 {
		name = "attached-" + name
	}
	return w.yield(name, strings.NewReader(textOf(prop, data)))
}

func (w *walk) attachments(attached map[string]*attachment, order []string) error {
	for i, where := range order {
		a := attached[where]
		if a.data == nil {
			continue
		}
		name := a.long
		if name == "" {
			name = a.short
		}
		if err := w.yield(clean(strings.TrimRight(name, "\x00"), numbered([]int{i + 1}, ".bin")), bytes.NewReader(a.data)); err != nil {
			return err
		}
	}
	return nil
}
