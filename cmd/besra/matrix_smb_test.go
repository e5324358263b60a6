//go:build unix

package main

import (
	"encoding/binary"
	"strings"

	"github.com/besra-hunt/besra"
)

// smbMessage is a message of SMB2 ([MS-SMB2] 2.2.1) behind its length: command 3
// connects a share, 5 opens, 6 closes, 8 reads, 9 writes a file.
func smbMessage(command uint16, id uint64, answer bool, body ...any) string {
	flags := uint32(0)
	if answer {
		flags = 1
	}
	b := fields(append([]any{"\xfeSMB", uint16(64), uint16(0), uint32(0), command, uint16(1), flags, uint32(0), id, uint32(0), uint32(5), uint64(9), strings.Repeat("s", 16)}, body...)...)
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(b)))) + b
}

// fields puts fields together, numbers as little-endian ones.
func fields(list ...any) string {
	var b []byte
	for _, f := range list {
		if s, ok := f.(string); ok {
			b = append(b, s...)
			continue
		}
		b, _ = binary.Append(b, binary.LittleEndian, f) // every field has a fixed size
	}
	return string(b)
}

// wide is text of ASCII as UTF-16.
func wide(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }

// smbTurns connects \\fs\pub and opens d\tool.py of a size.
func smbTurns(size int) []string {
	share, path := `\\fs\pub`, `d\tool.py`
	pad := func(n int) string { return strings.Repeat("\x00", n) }
	return []string{
		smbMessage(3, 1, false, uint16(9), uint16(0), uint16(72), uint16(2*len(share)), wide(share)),
		smbMessage(3, 1, true, uint16(16), byte(1), pad(13)),
		smbMessage(5, 2, false, uint16(57), pad(42), uint16(120), uint16(2*len(path)), pad(8), wide(path)),
		smbMessage(5, 2, true, uint16(89), pad(46), uint64(size), pad(8), smbOpen, pad(8)),
	}
}

// smbOpen is the number of the open file.
var smbOpen = strings.Repeat("f", 16)

func smbWrite(id uint64, at int, data string) string {
	return smbMessage(9, id, false, uint16(49), uint16(112), uint32(len(data)), uint64(at), smbOpen, strings.Repeat("\x00", 16), data)
}

func smbRead(id uint64, at, size int) string {
	return smbMessage(8, id, false, uint16(49), uint16(0), uint32(size), uint64(at), smbOpen, strings.Repeat("\x00", 17))
}

func smbData(id uint64, data string) string {
	return smbMessage(8, id, true, uint16(17), byte(80), byte(0), uint32(len(data)), uint64(0), data)
}

// smbPlaces have the marker in files that are read and written out of order.
func smbPlaces() []spot {
	const half = 20
	file := `\\fs\pub\d\tool.py`
	known := `file.sha256 == 'SHA' && net.host == 'fs' && net.url == 'smb://fs/pub/d/tool.py'`
	written := append(smbTurns(0), smbWrite(3, half, marker[half:])+smbWrite(4, 0, marker[:half]))
	read := append(smbTurns(len(marker)), smbRead(3, 0, half)+smbRead(4, half, 99), smbData(4, marker[half:])+smbData(3, marker[:half]))
	begun := append(smbTurns(len(marker)+1), smbRead(3, 0, len(marker)), smbData(3, marker))
	row := func(name, target string, turns []string, size int, evil string, want besra.Verdict, lacks string) spot {
		return spot{name, captured(conversation{445, turns, size}), target + file, markerAt, besra.ContextNetwork, known, evil, want, lacks}
	}
	return []spot{
		row("SMB2 written", ">192.0.2.80:445!", written, 13, "", besra.VerdictSuppressed, ""),
		row("SMB2 read", ">10.0.0.5:40000!", read, 1000, "", besra.VerdictSuppressed, ""),
		row("SMB2, a part only", ">10.0.0.5:40000!", begun, 1000, `net.host == 'other'`, besra.VerdictUndecided, "file.sha256"),
	}
}
