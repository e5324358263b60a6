package magic

// signature is bytes at an offset that a format has. "?" stands for any byte.
type signature struct {
	at    int
	bytes string
	kind  kind
}

func (s *signature) matches(b []byte) bool {
	if len(b) < s.at+len(s.bytes) {
		return false
	}
	for i := range len(s.bytes) {
		if c := s.bytes[i]; c != '?' && c != b[s.at+i] {
			return false
		}
	}
	return true
}

func signed(b []byte) (k kind, ok bool) {
	for i := range signatures {
		if s := &signatures[i]; s.matches(b) {
			k = s.kind
			if k.mime == "application/pdf" && len(b) >= 8 && b[6] == '.' {
				k.text += ", version " + string(b[5:8])
			}
			return k, true
		}
	}
	return k, false
}

// signatures are tried in this order.
var signatures = []signature{
	// Documents.
	{0, "%PDF-", kind{"application/pdf", "PDF document"}},
	{0, "{\\rtf1", kind{"text/rtf", "Rich Text Format data, version 1"}},
	{0, "%!PS", kind{"application/postscript", "PostScript document text"}},
	{0, "ITSF", kind{"application/vnd.ms-htmlhelp", "MS Windows HtmlHelp Data"}},
	{0, "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46", kind{"application/x-ms-shortcut", "MS Windows shortcut"}},
	// Programs.
	{0, "\xca\xfe\xba\xbe", kind{"application/x-java-applet", "compiled Java class data"}},
	{0, "dex\n0??\x00", kind{"application/octet-stream", "Dalvik dex file"}},
	{0, "\x00asm", kind{"application/wasm", "WebAssembly (wasm) binary module"}},
	{0, "\x1bLua", kind{"application/x-lua-bytecode", "Lua bytecode"}},
	// Compressed files and archives.
	{0, "\x1f\x8b", kind{"application/gzip", "gzip compressed data"}},
	{0, "BZh", kind{"application/x-bzip2", "bzip2 compressed data"}},
	{0, "\xfd7zXZ\x00", kind{"application/x-xz", "XZ compressed data"}},
	{0, "\x28\xb5\x2f\xfd", kind{"application/zstd", "Zstandard compressed data"}},
	{0, "\x04\x22\x4d\x18", kind{"application/x-lz4", "LZ4 compressed data"}},
	{0, "\x1f\x9d", kind{"application/x-compress", "compress'd data"}},
	{0, "LZIP", kind{"application/x-lzip", "lzip compressed data"}},
	{0, "Rar!\x1a\x07\x01\x00", kind{"application/x-rar", "RAR archive data, v5"}},
	{0, "Rar!\x1a\x07\x00", kind{"application/x-rar", "RAR archive data"}},
	{0, "7z\xbc\xaf\x27\x1c", kind{"application/x-7z-compressed", "7-zip archive data"}},
	{0, "MSCF\x00\x00\x00\x00", kind{"application/vnd.ms-cab-compressed", "Microsoft Cabinet archive data"}},
	{0, "!<arch>\ndebian-binary", kind{"application/vnd.debian.binary-package", "Debian binary package"}},
	{0, "!<arch>\n", kind{"application/x-archive", "current ar archive"}},
	{0, "\xed\xab\xee\xdb", kind{"application/x-rpm", "RPM"}},
	{0, "070701", kind{"application/x-cpio", "ASCII cpio archive (SVR4 with no CRC)"}},
	{0, "xar!", kind{"application/x-xar", "xar archive"}},
	{0, "**ACE**", kind{"application/octet-stream", "ACE archive data"}},
	{7, "**ACE**", kind{"application/octet-stream", "ACE archive data"}},
	{0, "hsqs", kind{"application/octet-stream", "Squashfs filesystem, little endian"}},
	{0, "Cr24", kind{"application/x-chrome-extension", "Google Chrome extension"}},
	{0, "MSWIM\x00\x00\x00", kind{"application/x-ms-wim", "Windows imaging (WIM) image"}},
	// Images.
	{0, "\x89PNG\x0d\x0a\x1a\x0a", kind{"image/png", "PNG image data"}},
	{0, "\xff\xd8\xff", kind{"image/jpeg", "JPEG image data"}},
	{0, "GIF87a", kind{"image/gif", "GIF image data, version 87a"}},
	{0, "GIF89a", kind{"image/gif", "GIF image data, version 89a"}},
	{0, "RIFF????WEBP", kind{"image/webp", "RIFF (little-endian) data, Web/P image"}},
	{0, "II*\x00", kind{"image/tiff", "TIFF image data, little-endian"}},
	{0, "MM\x00*", kind{"image/tiff", "TIFF image data, big-endian"}},
	{0, "BM????\x00\x00\x00\x00", kind{"image/bmp", "PC bitmap"}},
	{0, "8BPS\x00", kind{"image/vnd.adobe.photoshop", "Adobe Photoshop Image"}},
	{0, "\x00\x00\x01\x00?\x00", kind{"image/vnd.microsoft.icon", "MS Windows icon resource"}},
	// Sound and video.
	{0, "RIFF????WAVE", kind{"audio/x-wav", "RIFF (little-endian) data, WAVE audio"}},
	{0, "RIFF????AVI ", kind{"video/x-msvideo", "RIFF (little-endian) data, AVI"}},
	{0, "ID3", kind{"audio/mpeg", "Audio file with ID3"}},
	{0, "OggS", kind{"application/ogg", "Ogg data"}},
	{0, "fLaC", kind{"audio/flac", "FLAC audio bitstream data"}},
	{4, "ftypqt  ", kind{"video/quicktime", "ISO Media, Apple QuickTime movie"}},
	{4, "ftyp", kind{"video/mp4", "ISO Media"}},
	{0, "FLV\x01", kind{"video/x-flv", "Macromedia Flash Video"}},
	{0, "FWS", kind{"application/x-shockwave-flash", "Macromedia Flash data"}},
	{0, "CWS", kind{"application/x-shockwave-flash", "Macromedia Flash data (compressed)"}},
	{0, "\x1a\x45\xdf\xa3", kind{"video/x-matroska", "Matroska data"}},
	{0, "Maestro\r", kind{"text/plain", "RISC OS music file"}},
	// Fonts.
	{0, "wOFF", kind{"font/woff", "Web Open Font Format"}},
	{0, "wOF2", kind{"font/woff2", "Web Open Font Format (Version 2)"}},
	{0, "OTTO\x00", kind{"application/vnd.ms-opentype", "OpenType font data"}},
	{0, "\x00\x01\x00\x00\x00?", kind{"font/sfnt", "TrueType Font data"}},
	// Data.
	{0, "SQLite format 3\x00", kind{"application/vnd.sqlite3", "SQLite 3.x database"}},
	{0, "regf", kind{"application/octet-stream", "MS Windows registry file, NT/2000 or above"}},
	{0, "ElfFile\x00", kind{"application/octet-stream", "MS Windows Vista Event Log"}},
	{0, "MDMP\x93\xa7", kind{"application/x-dmp", "Mini DuMP crash report"}},
	{0, "PAGEDU64", kind{"application/octet-stream", "MS Windows 64bit crash dump"}},
	{0, "\xd4\xc3\xb2\xa1", kind{"application/vnd.tcpdump.pcap", "pcap capture file, microsecond ts (little-endian)"}},
	{0, "\xa1\xb2\xc3\xd4", kind{"application/vnd.tcpdump.pcap", "pcap capture file, microsecond ts (big-endian)"}},
	{0, "\x0a\x0d\x0d\x0a", kind{"application/x-pcapng", "pcapng capture file"}},
	{0, "\xde\x12\x04\x95", kind{"application/x-gettext-translation", "GNU message catalog (little endian)"}},
	{0, "\x95\x04\x12\xde", kind{"application/x-gettext-translation", "GNU message catalog (big endian)"}},
	{0, "bplist0", kind{"application/x-bplist", "Apple binary property list"}},
	{0, "QFI\xfb", kind{"application/x-qemu-disk", "QEMU QCOW Image"}},
	{0, "KDMV", kind{"application/octet-stream", "VMware4 disk image"}},
	{0, "vhdxfile", kind{"application/octet-stream", "Microsoft Disk Image eXtended"}},
	{0x8001, "CD001", kind{"application/x-iso9660-image", "ISO 9660 CD-ROM filesystem data"}},
	{0, "-----BEGIN PGP ", kind{"application/pgp", "PGP"}},
	{0, "-----BEGIN CERTIFICATE", kind{"text/plain", "PEM certificate"}},
	{0, "-----BEGIN RSA PRIVATE", kind{"text/plain", "PEM RSA private key"}},
	{0, "-----BEGIN OPENSSH PRIVATE", kind{"text/plain", "OpenSSH private key"}},
}
