package magic_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/container/containertest"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/magic"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func archive(names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: name})
		f.Write([]byte("application/vnd.oasis.opendocument.text"))
	}
	w.Close()
	return b.String()
}

func elf(typ byte) string {
	return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + string([]byte{typ, 0, 62, 0, 1, 0, 0, 0}) + strings.Repeat("\x00", 40)
}

// The answers are those of file 5.44, but for samples that are too short for it,
// cut where the package
// comment says.
func TestTypes(t *testing.T) {
	tests := []struct{ name, data, mime, text string }{
		{"empty", "", "application/x-empty", "empty"},
		{"data", "\x00\x01\x02", "application/octet-stream", "data"},
		{"ascii", "hello\n", "text/plain", "ASCII text"},
		{"crlf", "hello\r\nworld\r\n", "text/plain", "ASCII text, with CRLF line terminators"},
		{"one line", "hello", "text/plain", "ASCII text, with no line terminators"},
		{"utf-8", "grüße\n", "text/plain", "Unicode text, UTF-8 text"},
		{"latin", "gr\xfc\xdfe\n", "text/plain", "ISO-8859 text"},
		{"shell", "#!/bin/sh\nexit\n", "text/x-shellscript", "POSIX shell script, ASCII text executable"},
		{"bash", "#! /usr/bin/env bash\nexit\n", "text/x-shellscript", "Bourne-Again shell script, ASCII text executable"},
		{"python", "#!/usr/bin/python3\nx\n", "text/x-script.python", "Python script, ASCII text executable"},
		{"json", "{\"a\": 1}\n", "application/json", "JSON text data"},
		{"xml", "<?xml version=\"1.0\"?>\n<a/>\n", "text/xml", "XML 1.0 document, ASCII text"},
		{"svg", "<?xml version=\"1.0\"?>\n<svg/>\n", "image/svg+xml", "SVG Scalable Vector Graphics image"},
		{"html", "<!DOCTYPE html>\n<p>\n", "text/html", "HTML document, ASCII text"},
		{"c", "#include <stdio.h>\nint main;\n", "text/x-c", "C source, ASCII text"},
		{"elf object", elf(1), "application/x-object", "ELF 64-bit LSB relocatable, x86-64, version 1 (SYSV)"},
		{"elf program", elf(2), "application/x-executable", "ELF 64-bit LSB executable, x86-64, version 1 (SYSV)"},
		{"elf library", elf(3), "application/x-sharedlib", "ELF 64-bit LSB shared object, x86-64, version 1 (SYSV)"},
		{"macho", "\xce\xfa\xed\xfe\x07\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00", "application/x-mach-binary", "Mach-O i386 executable"},
		{"fat", "\xca\xfe\xba\xbe\x00\x00\x00\x02\x01\x00\x00\x07\x00\x00\x00\x03", "application/x-mach-binary", "Mach-O universal binary with 2 architectures"},
		{"java", "\xca\xfe\xba\xbe\x00\x00\x00\x34\x01\x00\x00\x07\x00\x00\x00\x03", "application/x-java-applet", "compiled Java class data"},
		{"dos", "MZ and no more", "application/x-dosexec", "MS-DOS executable"},
		{"pdf", "%PDF-1.7\n", "application/pdf", "PDF document, version 1.7"},
		{"gzip", "\x1f\x8b\x08\x00", "application/gzip", "gzip compressed data"},
		{"png", "\x89PNG\r\n\x1a\n", "image/png", "PNG image data"},
		{"webp", "RIFF\x01\x02\x03\x04WEBP", "image/webp", "RIFF (little-endian) data, Web/P image"},
		{"zip", archive("a"), "application/zip", "Zip archive data, at least v2.0 to extract"},
		{"jar", archive("META-INF/MANIFEST.MF"), "application/java-archive", "Java archive data (JAR)"},
		{"docx", archive("[Content_Types].xml", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Microsoft Word 2007+"},
		{"xlsx", archive("[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Microsoft Excel 2007+"},
		{"doc", string(containertest.Compound(containertest.Stream{Name: "WordDocument"})), "application/msword", "Composite Document File V2 Document"},
		{"tar", strings.Repeat("a", 257) + "ustar\x0000" + strings.Repeat("\x00", 300), "application/x-tar", "POSIX tar archive"},
		{"perl", "#!/usr/bin/perl\n", "text/x-perl", "Perl script text executable"},
		{"php", "<?php\necho 1;\n", "text/x-php", "PHP script, ASCII text"},
		{"python elsewhere", "#!/opt/bin/python\n", "text/plain", "Python script, ASCII text executable"},
		{"script with data", "#!/bin/sh\n\x00\x01", "text/x-shellscript", "POSIX shell script executable (binary data)"},
		{"short", "a", "application/octet-stream", "very short file (no magic)"},
		{"long lines", strings.Repeat("a", 350) + "\n", "text/plain", "ASCII text, with very long lines (350)"},
		{"escapes", "\x1b[1mbold\n", "text/plain", "ASCII text, with escape sequences"},
		{"zeros at the end", "text\n\x00\x00", "text/plain", "ASCII text"},
		{"csv", "a,b\n1,\"2,3\"\n", "text/csv", "CSV text"},
		{"no csv", "a,b\n1\n", "text/plain", "ASCII text"},
		{"batch", "@ECHO OFF\r\ndir\r\n", "text/x-msdos-batch", "DOS batch file, ASCII text, with CRLF line terminators"},
		{"diff", "--- a\n+++ b\n@@ -1 +1 @@\n", "text/x-diff", "unified diff output, ASCII text"},
		{"javascript", "'use strict';\nx()\n", "application/javascript", "JavaScript source, ASCII text"},
		{"c++", "class A {\npublic:\n};\n", "text/x-c++", "C++ source, ASCII text"},
		{"troff", ".\\\" a\n.TH X 1\n", "text/troff", "troff or preprocessor input, ASCII text"},
		{"pyc", "\xa7\r\r\n\x00\x00\x00\x00", "application/x-bytecode.python", "Byte-compiled Python module for CPython 3.11, timestamp-based"},
		{"coff", "\x64\x86\x02\x00" + strings.Repeat("\x00", 16), "application/x-coff", "Intel amd64 COFF object file"},
		{"terminfo", "\x1a\x01\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00xterm\x00", "application/x-terminfo", "Compiled terminfo entry \"xterm\""},
		{"certificate", "\x30\x09\x30\x05\xa0\x03\x02\x01\x02\x00\x00", "application/octet-stream", "Certificate, Version=3"},
		{"lzma", "]\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00", "application/x-lzma", "LZMA compressed data, streamed"},
		{"heic", "\x00\x00\x00\x18ftypheic\x00", "image/heic", "ISO Media, HEIF Image HEVC Main or Main Still Picture Profile"},
		{"cursor", "Xcur\x10\x00\x00\x00\x01", "application/octet-stream", "X11 cursor"},
		{"keepass", "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "application/octet-stream", "Keepass password database 2.x KDBX"},
		{"music", "Maestro\r", "text/plain", "RISC OS music file"},
	}
	for _, test := range tests {
		in := &module.Input{Data: []byte(test.data)}
		if got, _ := yaratest.Call(t, magic.Module(), in, "mime_type").Text(); got != test.mime {
			t.Errorf("%s: mime_type: got %q, want %q", test.name, got, test.mime)
		}
		if got, _ := yaratest.Call(t, magic.Module(), in, "type").Text(); got != test.text {
			t.Errorf("%s: type: got %q, want %q", test.name, got, test.text)
		}
	}
}

func FuzzMagic(f *testing.F) {
	for _, s := range []string{elf(3), archive("[Content_Types].xml"), "#!/usr/bin/env\n", "MZ", "{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		if got, _ := yaratest.Call(t, magic.Module(), in, "type").Text(); got == "" {
			t.Error("no type")
		}
	})
}
