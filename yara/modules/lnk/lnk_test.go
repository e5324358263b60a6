package lnk_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/lnk"
	"github.com/besra-hunt/besra/yara/yaratest"
)

const classID = "\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

func le(v ...any) []byte {
	var b bytes.Buffer
	for _, v := range v {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case []byte:
			b.Write(v)
		default:
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	return b.Bytes()
}

func wide(s string) []byte { return le(utf16.Encode([]rune(s))) }

// sized puts the length before b, counting itself.
func sized16(b []byte) []byte { return le(uint16(len(b)+2), b) }
func sized32(b []byte) []byte { return le(uint32(len(b)+4), b) }

func header(flags uint32) []byte {
	const time2020 = 132223104000000000
	return le(uint32(0x4c), classID, flags, uint32(0x20), uint64(time2020), uint64(0), uint64(116444736000000000),
		uint32(1000), uint32(3), uint32(7), make([]byte, 12))
}

// sample is a shortcut with all parts.
func sample() []byte {
	ids := le(
		sized16(le("\x1f\x50", "\xe0\x4f\xd0\x20\xea\x3a\x69\x10\xa2\xd8\x08\x00\x2b\x30\x30\x9d")),
		sized16(le("\x2fC:\\\x00", make([]byte, 17))),
		sized16(le("\x36", make([]byte, 11), wide("Ünï"), "\x00\x00")),
		sized16(le("\x41\x00\x00\\\\host\\share\x00")),
		sized16(le("\x00", make([]byte, 9), "C:\\evil.cpl\x00")),
		sized16(le("\x88\xaa")),
		uint16(0))
	volume := sized32(le(uint32(3), uint32(0xcafe), uint32(0x14), uint32(0x14), wide("disk"), "\x00\x00"))
	const infoHeader = 0x24
	base := infoHeader + len(volume)
	info := le(uint32(infoHeader), uint32(3), uint32(infoHeader), uint32(base), uint32(0), uint32(base+4), uint32(0), uint32(base+4),
		volume, "C:\\\x00", wide("wide"), "\x00\x00")
	text := func(s string) []byte { return le(uint16(len(utf16.Encode([]rune(s)))), wide(s)) }
	tracker := sized32(le(uint32(0xa0000003), uint32(88), uint32(1), "machine\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		bytes.Repeat([]byte("0123456789abcdef"), 4)))
	return le(header(0xff), uint16(len(ids)), ids, sized32(info),
		text("name"), text("..\\a"), text("C:\\dir"), text("-x 😀"), text("icon.dll"),
		sized32(le(uint32(1), "skipped")), tracker, uint32(0), "overlay")
}

func TestFields(t *testing.T) {
	data := sample()
	tests := []struct{ path, want string }{
		{"is_lnk", "true"},
		{"creation_time", "1577836800"},
		{"access_time", "undefined"},
		{"write_time", "0"},
		{"file_size", "1000"},
		{"file_attributes", "32"},
		{"icon_index", "3"},
		{"show_command", "7"},
		{"drive_type", "3"},
		{"drive_serial_number", "51966"},
		{"volume_label", `"disk"`},
		{"local_base_path", `"C:\\"`},
		{"common_path_suffix", `"wide"`},
		{"name", `"name"`},
		{"relative_path", `"..\\a"`},
		{"working_dir", `"C:\\dir"`},
		{"cmd_line_args", `"-x 😀"`},
		{"icon_location", `"icon.dll"`},
		{"overlay_size", "7"},
		{"overlay_offset", "451"},
		{"tracker_data.version", "1"},
		{"tracker_data.machine_id", `"machine"`},
		{"tracker_data.droid_birth_file_id", `"33323130-3534-3736-3839-616263646566"`},
		{"target_id_list.0.item_type", "31"},
		{"target_id_list.0.root_folder_id", `"20d04fe0-3aea-1069-a2d8-08002b30309d"`},
		{"target_id_list.1.item_type", "32"},
		{"target_id_list.1.volume_name", `"C:\\"`},
		{"target_id_list.1.volume_id", "undefined"},
		{"target_id_list.2.item_type", "48"},
		{"target_id_list.2.file_entry_name", `"Ünï"`},
		{"target_id_list.3.network_location", `"\\\\host\\share"`},
		{"target_id_list.4.item_type", "0"},
		{"target_id_list.4.cpl_file_path", `"C:\\evil.cpl"`},
		{"target_id_list.5.item_type", "136"},
		{"target_id_list.5.data", `"\xaa"`},
		{"target_id_list.6.item_type", "undefined"},
	}
	in := &module.Input{Data: data}
	for _, test := range tests {
		if got := yaratest.Show(yaratest.Get(t, lnk.Module(), in, test.path)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.path, got, test.want)
		}
	}
}

// What comes before a part that is cut short is told, what comes after is not.
func TestDamage(t *testing.T) {
	whole := sample()
	tests := []struct {
		data       []byte
		path, want string
	}{
		{nil, "is_lnk", "false"},
		{nil, "name", "undefined"},
		{whole[:0x4b], "is_lnk", "false"},
		{whole[:0x4c], "is_lnk", "true"},
		{whole[:0x4c], "file_size", "1000"},
		{whole[:0x80], "target_id_list.0.item_type", "31"}, // the list is cut, not left out
		{whole[:0x80], "name", "undefined"},
		{whole[:len(whole)-12], "icon_location", `"icon.dll"`},
		{whole[:len(whole)-12], "overlay_size", "undefined"},
		{whole[:len(whole)-12], "tracker_data.version", "undefined"},
		{le(header(0x84), uint16(300), wide(string(bytes.Repeat([]byte("a"), 300)))), "overlay_size", "undefined"},
		{le(header(0x04), uint16(3), "a\x00\xff", uint32(0)), "name", `"a\x00` + "�" + `"`},
		{le(header(0x00), uint32(0)), "overlay_size", "0"},
		{le(header(0x00), uint32(0)), "overlay_offset", "undefined"},
		{le(header(0x02), uint32(0x1c), make([]byte, 24)), "drive_type", "undefined"},
	}
	for _, test := range tests {
		in := &module.Input{Data: test.data}
		if got := yaratest.Show(yaratest.Get(t, lnk.Module(), in, test.path)); got != test.want {
			t.Errorf("%s of %d bytes: got %s, want %s", test.path, len(test.data), got, test.want)
		}
	}
}

// Constants are those of the format.
func TestConstants(t *testing.T) {
	for _, f := range lnk.Module().Schema.Fields {
		if f.Name != "ShellItemType" {
			continue
		}
		for _, c := range f.Type.Fields {
			if i, _ := c.Const.Int(); c.Name == "FILE_ENTRY" && i != 0x30 {
				t.Errorf("FILE_ENTRY is %#x", i)
			}
		}
		return
	}
	t.Error("no ShellItemType")
}

func FuzzLnk(f *testing.F) {
	f.Add(sample())
	m := lnk.Module()
	f.Fuzz(func(t *testing.T, data []byte) {
		copy(data, le(uint32(0x4c), classID))
		root := m.Load(&module.Input{Data: data})
		for i, field := range m.Schema.Fields {
			v := root.Field(i)
			if field.Name != "target_id_list" || v.List() == nil {
				continue
			}
			for j := range v.List().Len() {
				for k := range field.Type.Elem.Fields {
					v.List().At(j).Field(k)
				}
			}
		}
	})
}
